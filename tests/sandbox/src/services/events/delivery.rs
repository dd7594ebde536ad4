//! The way of an event: onto a bus, through its rules, to their targets or their dead-letter queues.

use serde_json::{Map, Value, json};

use super::{
    DroppedEvent, SeenEvent, Task,
    bus::BusId,
    policy,
    rules::RuleId,
    targets::{Destination, Target},
};
use crate::{
    faults::EventEffect,
    services::{logs, sns, sqs},
    world::{self, ApiError, World},
};

/// Whether an event came from where it happened, or from the rule of another bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Hop {
    First,
    Forwarded,
}

/// An event on its way from a rule to a target.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Delivery {
    rule: RuleId,
    target: Target,
    event: Value,
    hop: Hop,
}

/// Puts an event on a bus; false if there is no such bus.
pub(super) fn arrive(world: &mut World, id: &BusId, event: Value, hop: Hop) -> bool {
    let Some(bus) = world.events.bus(id) else {
        return false;
    };
    let deliveries: Vec<Delivery> = bus
        .rules
        .iter()
        .filter(|(_, rule)| rule.is_enabled())
        .filter(|(_, rule)| rule.pattern.as_ref().is_some_and(|p| p.matches(&event)))
        .flat_map(|(name, rule)| {
            rule.targets.values().map(|target| Delivery {
                rule: RuleId {
                    bus: id.clone(),
                    name: name.clone(),
                },
                target: target.clone(),
                event: event.clone(),
                hop,
            })
        })
        .collect();
    see(world, id, event);
    for delivery in deliveries {
        send(world, &delivery);
    }
    true
}

/// Sends an event to the targets of one rule, whatever its pattern.
pub(super) fn trigger(world: &mut World, id: &RuleId, event: &Value) {
    see(world, &id.bus, event.clone());
    let targets: Vec<Target> = match id.find(world) {
        Ok(rule) => rule.targets.values().cloned().collect(),
        Err(_) => Vec::new(),
    };
    for target in targets {
        let delivery = Delivery {
            rule: id.clone(),
            target,
            event: event.clone(),
            hop: Hop::First,
        };
        send(world, &delivery);
    }
}

fn see(world: &mut World, bus: &BusId, event: Value) {
    world.events.seen.push(SeenEvent {
        time: world.now,
        account: bus.account.clone(),
        region: bus.region.clone(),
        bus: bus.name.clone(),
        event,
    });
}

/// Plans a delivery, or what an injected fault makes of it.
fn send(world: &mut World, delivery: &Delivery) {
    let detail_type = delivery.event["detail-type"].as_str().unwrap_or_default();
    let (times, extra) = match world.faults.take_event(detail_type) {
        None => (1, None),
        Some(EventEffect::Lose) => (0, None),
        Some(EventEffect::Repeat(times)) => (times, None),
        Some(EventEffect::Delay(extra)) => (1, Some(extra)),
    };
    let delay = world.events.delivery_delay + extra.unwrap_or_default();
    for _ in 0..times {
        let task = Task::Deliver(Box::new(delivery.clone()));
        world.after(delay, world::Task::Events(task));
    }
}

impl Delivery {
    /// Hands the event to its target.
    pub(super) fn carry_out(self, world: &mut World) {
        let arn = &self.target.arn;
        let source = self.rule.arn();
        let body = || self.target.input.render(&self.rule, &self.event);
        let outcome = match &self.target.destination {
            Destination::Queue => sqs::deliver(world, arn, &source, &body()),
            Destination::Topic => sns::deliver(world, arn, &source, &body()),
            Destination::LogGroup => logs::deliver(world, arn, &source, &self.event),
            Destination::Bus(_) if self.hop == Hop::Forwarded => {
                // What came from another bus is not sent on to a third: it
                // ends here without an error and without a dead letter.
                return self.drop(world, "ONE_HOP");
            }
            Destination::Bus(bus) => self.forward(world, bus),
        };
        if let Err(error) = outcome {
            self.bury(world, &error);
        }
    }

    fn forward(&self, world: &mut World, bus: &BusId) -> Result<(), ApiError> {
        if let Some(role) = &self.target.role {
            let session = policy::session(world, &self.rule, role)?;
            policy::check_role(world, &session, bus, &self.event)?;
            policy::check_caller(world, &session, bus, &self.event)?;
        }
        if arrive(world, bus, self.event.clone(), Hop::Forwarded) {
            Ok(())
        } else {
            Err(bus.missing())
        }
    }

    /// Puts an undeliverable event into the target's dead-letter queue, if it has one that takes it.
    ///
    /// All errors that the sandbox knows are permanent, and those EventBridge
    /// does not retry.
    fn bury(self, world: &mut World, error: &ApiError) {
        let reason = reason(error);
        let buried = self.target.dead_letters.as_ref().is_some_and(|queue| {
            // ASSUMED: the body is the event itself, not what an input
            // transformer made of it.
            let body = self.event.to_string();
            let attributes = self.attributes(error);
            let source = self.rule.arn();
            sqs::deliver_with_attributes(world, queue, &source, &body, &attributes).is_ok()
        });
        if !buried {
            self.drop(world, reason);
        }
    }

    /// The message attributes of a dead letter.
    fn attributes(&self, error: &ApiError) -> Value {
        let attributes = [
            ("RULE_ARN", self.rule.arn()),
            ("TARGET_ARN", self.target.arn.clone()),
            ("ERROR_CODE", reason(error).to_owned()),
            ("ERROR_MESSAGE", error.message.clone()),
            ("RETRY_ATTEMPTS", "0".to_owned()),
        ];
        let text = |value: String| json!({ "DataType": "String", "StringValue": value });
        let attributes = attributes.map(|(name, value)| (name.to_owned(), text(value)));
        Value::Object(Map::from_iter(attributes))
    }

    fn drop(self, world: &mut World, reason: &str) {
        world.events.dropped.push(DroppedEvent {
            time: world.now,
            source: self.rule.arn(),
            target: self.target.arn,
            reason: reason.to_owned(),
            event: self.event,
        });
    }
}

/// The error code that EventBridge gives to a failure of a target.
fn reason(error: &ApiError) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| error.code.contains(word));
    if has(&["AccessDenied", "Authoriz"]) {
        "NO_PERMISSIONS"
    } else if has(&["NotFound", "NonExistent", "DoesNotExist"]) {
        "NO_RESOURCE"
    } else {
        "SDK_CLIENT_ERROR"
    }
}
