//! What shall go wrong: errors, lost answers, and events that are late, lost or doubled.

use std::time::Duration;

use crate::world::{ApiError, Call};

/// The faults to inject, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Faults {
    /// Faults of API calls; each is used up by the first call that it matches.
    pub calls: Vec<CallFault>,
    /// Faults of the delivery of events from a bus to a target.
    pub events: Vec<EventFault>,
}

/// A fault of the next matching API call.
#[derive(Debug, Clone)]
pub struct CallFault {
    /// The service's signing name.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The account whose call it is; any, if none.
    pub account: Option<String>,
    /// What happens.
    pub effect: CallEffect,
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum CallEffect {
    /// The service answers with this error and does nothing.
    Refuse(ApiError),
    /// The service does the work, but the connection breaks before the answer.
    LoseAnswer,
}

/// A fault of the next matching event, where it leaves the bus for a target.
#[derive(Debug, Clone)]
pub struct EventFault {
    /// The detail type.
    pub detail_type: String,
    /// What happens.
    pub effect: EventEffect,
}

/// What happens to an event.
#[derive(Debug, Clone)]
pub enum EventEffect {
    /// It is never delivered.
    Lose,
    /// It is delivered this many times.
    Repeat(usize),
    /// It is delivered this much later.
    Delay(Duration),
}

impl Faults {
    /// Takes the first fault that is meant for this call.
    pub fn take_call(&mut self, call: &Call) -> Option<CallEffect> {
        let position = self.calls.iter().position(|fault| {
            fault.service == call.service
                && fault.operation == call.operation
                && fault
                    .account
                    .as_ref()
                    .is_none_or(|account| *account == call.caller.account)
        })?;
        Some(self.calls.remove(position).effect)
    }

    /// Takes the first fault that is meant for events of this type.
    pub fn take_event(&mut self, detail_type: &str) -> Option<EventEffect> {
        let position = self
            .events
            .iter()
            .position(|fault| fault.detail_type == detail_type)?;
        Some(self.events.remove(position).effect)
    }
}
