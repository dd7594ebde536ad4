//! Asynchronous invocations: Lambda takes the event, and tries again what fails.
//!
//! Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries
//! with asynchronous invocation".

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    ResourceKey, configuration::number, find, invalid, invocations::Origin, invocations::Waiting,
    names,
};
use crate::world::{self, ApiError, World};

/// How long Lambda waits before it tries again for the first time, and for the second.
const DELAYS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// How old an event may get unless the function says otherwise.
const MAX_AGE: Duration = Duration::from_hours(6);

/// An event that Lambda has taken.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// The same for all tries.
    pub(super) request_id: String,
    key: ResourceKey,
    payload: Value,
    taken: Timestamp,
    failures: usize,
}

/// What happens later.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Task {
    /// The function is invoked with the event once more.
    TryAgain(Event),
}

/// How a function's events are treated.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(super) struct InvokeConfiguration {
    retries: usize,
    max_age: Duration,
}

impl Default for InvokeConfiguration {
    fn default() -> Self {
        Self {
            retries: DELAYS.len(),
            max_age: MAX_AGE,
        }
    }
}

/// Takes an event for a function; nobody hears what becomes of it.
///
/// It waits for room until it is too old.
pub fn invoke_asynchronously(
    world: &mut World,
    account: &str,
    region: &str,
    function: &str,
    payload: Value,
) -> Result<(), ApiError> {
    let key = names::key(account, region, function)?;
    find(world, &key)?;
    let event = Event {
        request_id: world.uuid(&format!("invocation {}", key.name)),
        key,
        payload,
        taken: world.now,
        failures: 0,
    };
    enqueue(world, event);
    Ok(())
}

/// Sets how a function's events are treated, as a template's
/// `AWS::Lambda::EventInvokeConfig` with these properties would.
pub fn create_event_invoke_config(
    world: &mut World,
    account: &str,
    region: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let name = properties["FunctionName"].as_str().unwrap_or_default();
    if properties["Qualifier"] != "$LATEST" {
        return Err(invalid("The sandbox has no version but $LATEST"));
    }
    let key = names::key(account, region, name)?;
    find(world, &key)?;
    let retries = number(properties, "MaximumRetryAttempts", 0..=2)?;
    let age = number(properties, "MaximumEventAgeInSeconds", 60..=21_600)?;
    let default = InvokeConfiguration::default();
    let configuration = InvokeConfiguration {
        retries: retries
            .and_then(|count| usize::try_from(count).ok())
            .unwrap_or(default.retries),
        max_age: age.map_or(default.max_age, Duration::from_secs),
    };
    world
        .lambda
        .invoke_configurations
        .insert(key, configuration);
    Ok(())
}

/// The events that Lambda has taken and no function has handled yet.
pub(crate) fn pending(world: &World) -> Vec<Event> {
    let waiting = world.lambda.waiting.iter().map(|waiting| &waiting.origin);
    let running = world.lambda.running.values().map(|running| &running.origin);
    let origins = running.chain(waiting);
    let events = origins.filter_map(|origin| match origin {
        Origin::Event(event) => Some(event.clone()),
        Origin::Caller(_) | Origin::Mapping(..) => None,
    });
    events.collect()
}

/// Takes events again that were pending when a world was kept.
pub(crate) fn restore(world: &mut World, events: Vec<Event>) {
    for event in events {
        enqueue(world, event);
    }
}

/// Carries out what is due.
pub fn run(world: &mut World, task: Task) {
    match task {
        Task::TryAgain(event) => enqueue(world, event),
    }
}

fn enqueue(world: &mut World, event: Event) {
    let waiting = Waiting {
        key: event.key.clone(),
        payload: event.payload.clone(),
        origin: Origin::Event(event),
    };
    world.lambda.waiting.push_back(waiting);
    world.lambda.changed.notify_one();
}

/// What becomes of an event with which the function failed.
pub(super) fn failed(world: &mut World, mut event: Event) {
    let configuration = configuration(world, &event.key);
    let delay = DELAYS.get(event.failures).copied();
    event.failures += 1;
    let Some(delay) = delay.filter(|_| event.failures <= configuration.retries) else {
        return;
    };
    if !is_expired(world, &event, world.now + delay) {
        world.after(delay, world::Task::Lambda(Task::TryAgain(event)));
    }
}

/// Drops the events that have waited for room until they were too old.
pub(super) fn drop_expired(world: &mut World) {
    let mut waiting = std::mem::take(&mut world.lambda.waiting);
    waiting.retain(|waiting| match &waiting.origin {
        Origin::Event(event) => !is_expired(world, event, world.now),
        Origin::Caller(_) | Origin::Mapping(..) => true,
    });
    world.lambda.waiting = waiting;
}

fn is_expired(world: &World, event: &Event, at: Timestamp) -> bool {
    let most = configuration(world, &event.key).max_age;
    let age = at.duration_since(event.taken);
    age > SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX)
}

fn configuration(world: &World, key: &ResourceKey) -> InvokeConfiguration {
    let configurations = &world.lambda.invoke_configurations;
    configurations.get(key).copied().unwrap_or_default()
}
