//! Scheduled rules, on the sandbox's own clock.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    ServiceEvent, Task,
    cron::Cron,
    delivery,
    rules::{Rule, RuleId},
    validation_error,
};
use crate::world::{self, ApiError, World};

/// When a scheduled rule runs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Schedule {
    Rate(Duration),
    Cron(Cron),
}

impl Schedule {
    /// Reads `rate(VALUE UNIT)` or `cron(FIELDS)`.
    pub(super) fn parse(expression: &str) -> Result<Self, ApiError> {
        rate(expression)
            .map(Self::Rate)
            .or_else(|| Cron::read(expression).map(Self::Cron))
            .ok_or_else(|| validation_error("Parameter ScheduleExpression is not valid."))
    }

    /// How long it is until the next run; none if there is no more.
    fn delay(&self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::Rate(interval) => Some(*interval),
            Self::Cron(cron) => cron.next(now)?.duration_since(now).try_into().ok(),
        }
    }
}

fn rate(expression: &str) -> Option<Duration> {
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
    Some(Duration::from_mins(minutes) * u32::from(value))
}

/// Gives a rule its schedule, or takes it away.
///
/// ASSUMED: the first run at a rate comes one interval after the rule was put.
pub(super) fn set(world: &mut World, id: &RuleId, schedule: Option<Schedule>) {
    world.events.schedules += 1;
    let number = world.events.schedules;
    if let Some(schedule) = &schedule {
        plan(world, id, number, schedule);
    }
    if let Ok(rule) = id.find(world) {
        rule.schedule = schedule.map(|schedule| (schedule, number));
    }
}

fn plan(world: &mut World, id: &RuleId, number: u64, schedule: &Schedule) {
    if let Some(delay) = schedule.delay(world.now) {
        let task = Task::Tick {
            rule: id.clone(),
            schedule: number,
        };
        world.after(delay, world::Task::Events(task));
    }
}

/// Runs a scheduled rule, unless its schedule was changed since this run was planned.
pub(super) fn tick(world: &mut World, id: &RuleId, schedule: u64) {
    let Ok(Rule {
        schedule: Some((planned, current)),
        ..
    }) = id.find(world)
    else {
        return;
    };
    if *current != schedule {
        return;
    }
    let planned = planned.clone();
    plan(world, id, schedule, &planned);
    run(world, id);
}

/// Sends a scheduled event to the targets of a rule, unless it is disabled.
pub(super) fn run(world: &mut World, id: &RuleId) {
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
