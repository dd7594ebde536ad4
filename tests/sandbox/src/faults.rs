//! What shall go wrong: errors, lost answers, what others do in the middle of
//! somebody's work, and events that are late, lost or doubled.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    http,
    world::{ApiError, Call, World},
};

/// The faults to inject, in the order in which they were asked for.
#[derive(Debug, Default)]
pub struct Faults {
    /// Faults of API calls; each is used up by the first call that it matches.
    pub calls: Vec<CallFault>,
    /// Refusals of API calls that stand until they are taken away.
    pub refusals: Vec<Refusal>,
    /// Faults of the delivery of events from a bus to a target.
    pub events: Vec<EventFault>,
    /// How late the answer to the call is that is being served.
    pub(crate) late: Option<Duration>,
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

/// A refusal of every call that it is meant for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The service's signing name; any, if none.
    pub service: Option<String>,
    /// The operation; any, if none.
    pub operation: Option<String>,
    /// The account whose call it is; any, if none.
    pub account: Option<String>,
    /// What the call's input speaks of, for instance the ARN of a role.
    pub mentions: Option<String>,
    /// What the service answers.
    pub error: ApiError,
}

impl Refusal {
    fn is_meant_for(&self, call: &Call) -> bool {
        let is = |wanted: &Option<String>, actual: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == actual)
        };
        let mentions = |text: &String| call.input.to_string().contains(text);
        is(&self.service, &call.service)
            && is(&self.operation, &call.operation)
            && is(&self.account, &call.caller.account)
            && self.mentions.as_ref().is_none_or(mentions)
    }
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum CallEffect {
    /// The service answers with this error and does nothing.
    Refuse(ApiError),
    /// The service does the work, but the connection breaks before the answer.
    LoseAnswer,
    /// The function that makes the call dies, before the service does the work or after.
    ///
    /// Anybody else who makes the call loses the connection instead.
    KillCaller {
        /// Whether the service does the work first.
        after: bool,
    },
    /// Somebody else does something right before the service does the work, or right after.
    ///
    /// The call itself is served as ever, and its caller cannot tell.
    Meanwhile {
        /// What is done.
        deed: Deed,
        /// Whether the service does the work first.
        after: bool,
    },
    /// The service does the work, and its answer comes this much later.
    ///
    /// It is the time of the machine, by which a function watches its deadline;
    /// the world's clock stands still meanwhile.
    AnswerLate(Duration),
    /// Nothing: the call is let pass, so that the next fault strikes a later one.
    Pass,
}

/// What happens in the world in the middle of somebody else's work.
#[derive(Clone)]
pub struct Deed(Arc<dyn Fn(&mut World) + Send + Sync>);

impl Deed {
    /// Whatever can be done to the world.
    pub fn new(deed: impl Fn(&mut World) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deed))
    }

    /// These calls, one after the other, whatever their answers.
    ///
    /// No fault strikes them; [`World::calls`] remembers them and what they were refused.
    #[must_use]
    pub fn calls(calls: Vec<Call>) -> Self {
        Self::new(move |world| {
            for call in &calls {
                // Who looks at the calls sees the refusal.
                let _ = http::perform(world, call);
            }
        })
    }

    /// Time passes, and what becomes due in it happens: a slow service, or a slow wire.
    #[must_use]
    pub fn time_passes(duration: Duration) -> Self {
        Self::new(move |world| world.pass(duration))
    }

    /// Does it.
    pub fn happen(&self, world: &mut World) {
        (self.0)(world);
    }
}

impl fmt::Debug for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deed")
    }
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
    /// What shall go wrong with this call; a fault is used up by it, a refusal stands.
    pub fn take_call(&mut self, call: &Call) -> Option<CallEffect> {
        let position = self.calls.iter().position(|fault| {
            fault.service == call.service
                && fault.operation == call.operation
                && fault
                    .account
                    .as_ref()
                    .is_none_or(|account| *account == call.caller.account)
        });
        if let Some(position) = position {
            return Some(self.calls.remove(position).effect);
        }
        let mut refusals = self.refusals.iter();
        let refusal = refusals.find(|refusal| refusal.is_meant_for(call))?;
        Some(CallEffect::Refuse(refusal.error.clone()))
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::world::Caller;

    fn fault(account: Option<&str>) -> CallFault {
        CallFault {
            service: "ram".to_owned(),
            operation: "CreateResourceShare".to_owned(),
            account: account.map(str::to_owned),
            effect: CallEffect::LoseAnswer,
        }
    }

    fn call(account: &str, operation: &str) -> Call {
        Call {
            caller: Caller::administrator(account),
            region: "eu-west-1".to_owned(),
            service: "ram".to_owned(),
            operation: operation.to_owned(),
            input: Value::Null,
        }
    }

    #[test]
    fn a_fault_strikes_the_first_call_that_it_is_meant_for_and_no_other() {
        let mut faults = Faults::default();
        faults.calls.push(fault(Some("111111111111")));
        let meant = call("111111111111", "CreateResourceShare");
        let other_account = call("222222222222", "CreateResourceShare");
        let other_operation = call("111111111111", "DeleteResourceShare");
        assert!(faults.take_call(&other_account).is_none());
        assert!(faults.take_call(&other_operation).is_none());
        assert!(faults.take_call(&meant).is_some());
        assert!(faults.take_call(&meant).is_none());
    }

    #[test]
    fn a_refusal_strikes_every_call_that_it_is_meant_for_until_it_is_taken_away() {
        let mut faults = Faults::default();
        faults.refusals.push(Refusal {
            service: Some("ram".to_owned()),
            operation: None,
            account: Some("111111111111".to_owned()),
            mentions: Some("pipeline/churn".to_owned()),
            error: ApiError::with_status(403, "AccessDenied", "no"),
        });
        let mut meant = call("111111111111", "CreateResourceShare");
        assert!(faults.take_call(&meant).is_none(), "it speaks of nothing");
        meant.input = serde_json::json!({ "resourceArns": ["arn:aws:x:pipeline/churn"] });
        let other = Call {
            service: "sagemaker".to_owned(),
            ..meant.clone()
        };
        assert!(faults.take_call(&other).is_none());
        for _ in 0..3 {
            assert!(faults.take_call(&meant).is_some());
        }
        faults.refusals.clear();
        assert!(faults.take_call(&meant).is_none());
    }

    #[test]
    fn a_fault_without_an_account_strikes_anybody() {
        let mut faults = Faults::default();
        faults.calls.push(fault(None));
        let call = call("222222222222", "CreateResourceShare");
        assert!(faults.take_call(&call).is_some());
    }

    #[test]
    fn calls_that_are_let_pass_leave_the_fault_to_a_later_one() {
        let mut faults = Faults::default();
        let passing = CallFault {
            effect: CallEffect::Pass,
            ..fault(None)
        };
        faults.calls.extend([passing.clone(), passing, fault(None)]);
        let call = call("222222222222", "CreateResourceShare");
        let struck = [(); 4].map(|()| faults.take_call(&call));
        assert!(matches!(
            struck,
            [
                Some(CallEffect::Pass),
                Some(CallEffect::Pass),
                Some(CallEffect::LoseAnswer),
                None
            ]
        ));
    }

    #[test]
    fn time_that_passes_in_the_middle_makes_happen_what_becomes_due_in_it() {
        let mut world = World::new("2026-01-05T08:00:00Z".parse().unwrap());
        let start = world.now;
        Deed::time_passes(Duration::from_secs(40)).happen(&mut world);
        assert_eq!(world.now, start + Duration::from_secs(40));
    }

    #[test]
    fn faults_of_events_are_used_up_in_order() {
        let mut faults = Faults::default();
        for count in [2, 3] {
            faults.events.push(EventFault {
                detail_type: "Share Offered".to_owned(),
                effect: EventEffect::Repeat(count),
            });
        }
        assert!(faults.take_event("Other").is_none());
        for expected in [2, 3] {
            let effect = faults.take_event("Share Offered");
            assert!(matches!(effect, Some(EventEffect::Repeat(n)) if n == expected));
        }
        assert!(faults.take_event("Share Offered").is_none());
    }
}
