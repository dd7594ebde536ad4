//! Scheduled rules, on the sandbox's own clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    ServiceEvent, Task, delivery,
    rules::{Rule, RuleId},
    validation_error,
};
use crate::world::{self, ApiError, World};

/// How often a scheduled rule runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rate(Duration);

impl Rate {
    /// Reads `rate(VALUE UNIT)`.
    pub(super) fn parse(expression: &str) -> Result<Self, ApiError> {
        if expression.starts_with("cron(") {
            return Err(ApiError::with_status(
                501,
                "NotImplemented",
                format!(
                    "{expression}: cron schedules are not implemented in the sandbox, use rate(...)"
                ),
            ));
        }
        Self::read(expression)
            .ok_or_else(|| validation_error("Parameter ScheduleExpression is not valid."))
    }

    fn read(expression: &str) -> Option<Self> {
        let rate = expression.strip_prefix("rate(")?.strip_suffix(')')?;
        let (value, unit) = rate.split_once(' ')?;
        let value: u16 = value.parse().ok().filter(|value| *value > 0)?;
        // One minute, but two minutes: EventBridge insists on the grammar.
        let singular = match value {
            1 => unit,
            _ => unit.strip_suffix('s')?,
        };
        let minutes = match singular {
            "minute" => 1,
            "hour" => 60,
            "day" => 24 * 60,
            _ => return None,
        };
        Some(Self(Duration::from_mins(minutes) * u32::from(value)))
    }
}

/// Gives a rule its schedule, or takes it away.
///
/// ASSUMED: the first run comes one interval after the rule was put.
pub(super) fn set(world: &mut World, id: &RuleId, rate: Option<Rate>) {
    world.events.schedules += 1;
    let schedule = world.events.schedules;
    if let Ok(rule) = id.find(world) {
        rule.schedule = rate.map(|rate| (rate, schedule));
    }
    if let Some(rate) = rate {
        plan(world, id, schedule, rate);
    }
}

fn plan(world: &mut World, id: &RuleId, schedule: u64, Rate(interval): Rate) {
    let rule = id.clone();
    world.after(interval, world::Task::Events(Task::Tick { rule, schedule }));
}

/// Runs a scheduled rule, unless its schedule was changed since this run was planned.
pub(super) fn tick(world: &mut World, id: &RuleId, schedule: u64) {
    let Ok(Rule {
        schedule: Some((rate, current)),
        ..
    }) = id.find(world)
    else {
        return;
    };
    let rate = *rate;
    if *current != schedule {
        return;
    }
    plan(world, id, schedule, rate);
    if id.find(world).is_ok_and(|rule| rule.is_enabled()) {
        let event = scheduled_event(world, id);
        delivery::trigger(world, id, &event);
    }
}

fn scheduled_event(world: &mut World, id: &RuleId) -> Value {
    let event = ServiceEvent {
        account: id.bus.account.clone(),
        region: id.bus.region.clone(),
        source: "aws.events".to_owned(),
        detail_type: "Scheduled Event".to_owned(),
        resources: vec![id.arn()],
        detail: json!({}),
    };
    super::envelope(world, &event, world.now)
}
