//! The life of an invocation: it waits, runs and ends.

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    FunctionConfiguration, ResourceKey,
    asynchronous::{self, Event},
    find, lineage, mappings, names,
};
use crate::{
    services::{
        iam::{identity, requests::Wanted},
        logs, sqs,
    },
    world::{ApiError, World},
};

/// An invocation that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The name of the function.
    pub function: String,
    /// The id that its logs carry.
    pub request_id: String,
    /// When it was started, on the sandbox's clock.
    pub time: Timestamp,
    /// What it was given.
    pub payload: Value,
    /// What it answered.
    pub outcome: Result<Value, FunctionError>,
    /// What it wrote, line by line.
    pub logs: Vec<String>,
}

/// Why an invocation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error_type}: {message}")]
pub struct FunctionError {
    /// The function's own name for it, or one of Lambda's such as `Runtime.ExitError`.
    pub error_type: String,
    /// What it says to people.
    pub message: String,
}

/// An invocation that somebody asked for and that has not started.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) key: ResourceKey,
    pub(super) payload: Value,
    pub(super) origin: Origin,
}

/// Where an invocation comes from, and so what its outcome is for.
#[derive(Debug)]
pub(super) enum Origin {
    /// Somebody waits for the answer.
    Caller(oneshot::Sender<Invocation>),
    /// Lambda took an event.
    Event(Event),
    /// An event source mapping has messages.
    Mapping(usize, Vec<sqs::Message>),
}

/// An invocation under way.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) key: ResourceKey,
    pub(super) origin: Origin,
    payload: Value,
    time: Timestamp,
}

impl Running {
    /// The event source mapping that it serves.
    pub(super) fn mapping(&self) -> Option<usize> {
        match &self.origin {
            Origin::Mapping(mapping, _) => Some(*mapping),
            Origin::Caller(_) | Origin::Event(_) => None,
        }
    }
}

/// An invocation that the driver shall run now.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) request_id: String,
    pub(crate) function: FunctionConfiguration,
    pub(crate) payload: Value,
    /// The trace header, which SDKs send on.
    pub(crate) trace: String,
}

/// Asks for an invocation; it starts as soon as the driver can run it.
///
/// Nobody waits for the room that is reserved for a function: who finds it
/// used up is told at once.
pub fn invoke(
    world: &mut World,
    account: &str,
    region: &str,
    function: &str,
    payload: Value,
) -> Result<oneshot::Receiver<Invocation>, ApiError> {
    let key = names::key(account, region, function)?;
    find(world, &key)?;
    if !has_room(world, &key) {
        return Err(throttled());
    }
    let (answer, receiver) = oneshot::channel();
    let waiting = Waiting {
        key,
        payload,
        origin: Origin::Caller(answer),
    };
    world.lambda.waiting.push_back(waiting);
    world.lambda.changed.notify_one();
    Ok(receiver)
}

/// The answer to whoever wants more at once than is reserved for the function.
fn throttled() -> ApiError {
    ApiError::with_status(429, "TooManyRequestsException", "Rate Exceeded.")
        .with_member(
            "Reason",
            "ReservedFunctionConcurrentInvocationLimitExceeded",
        )
        .with_member("Type", "User")
}

/// How many invocations are under way.
pub(crate) fn in_flight(world: &World) -> usize {
    world.lambda.running.len()
}

/// Starts what can start now, so that at most `most` invocations are under way.
pub(crate) fn start_due(world: &mut World, most: usize) -> Vec<Start> {
    let mut starts = Vec::new();
    while in_flight(world) < most {
        let started = start_waiting(world).or_else(|| start_batch(world));
        match started {
            Some(start) => starts.push(start),
            None => break,
        }
    }
    starts
}

fn start_waiting(world: &mut World) -> Option<Start> {
    asynchronous::drop_expired(world);
    let can_run = |waiting: &Waiting| match &waiting.origin {
        // Its place was taken when it was asked for.
        Origin::Caller(_) => true,
        Origin::Event(_) | Origin::Mapping(..) => has_room(world, &waiting.key),
    };
    let position = world.lambda.waiting.iter().position(can_run)?;
    let waiting = world.lambda.waiting.remove(position)?;
    let running = Running {
        key: waiting.key,
        origin: waiting.origin,
        payload: waiting.payload,
        time: world.now,
    };
    start(world, running)
}

fn start_batch(world: &mut World) -> Option<Start> {
    let batch = next_batch(world)?;
    let running = Running {
        key: batch.function,
        origin: Origin::Mapping(batch.mapping, batch.messages),
        payload: batch.payload,
        time: world.now,
    };
    start(world, running)
}

/// The next batch that does not belong to a recursive loop.
///
/// Lambda does not invoke the function with one that does; its messages go to
/// the dead-letter queue, if the queue has one.
fn next_batch(world: &mut World) -> Option<mappings::Batch> {
    loop {
        let batch = mappings::take_batch(world)?;
        if !lineage::is_loop(world, &batch) {
            return Some(batch);
        }
        world.lambda.recursive_invocations_dropped += 1;
        mappings::bury(world, &batch);
    }
}

fn start(world: &mut World, running: Running) -> Option<Start> {
    let function = world.lambda.functions.get(&running.key)?.clone();
    let request_id = match &running.origin {
        Origin::Event(event) => event.request_id.clone(),
        Origin::Caller(_) | Origin::Mapping(..) => {
            world.uuid(&format!("invocation {}", running.key.name))
        }
    };
    let messages = match &running.origin {
        Origin::Mapping(_, messages) => messages.as_slice(),
        Origin::Caller(_) | Origin::Event(_) => &[],
    };
    let start = Start {
        request_id: request_id.clone(),
        function,
        payload: running.payload.clone(),
        trace: lineage::trace(world, &running.key, messages),
    };
    world.lambda.running.insert(request_id, running);
    Some(start)
}

/// The lines that reach the log group: all, or none if the role may not write there.
fn kept(world: &mut World, key: &ResourceKey, logs: Vec<String>) -> Vec<String> {
    let Some(function) = world.lambda.functions.get(key) else {
        return logs;
    };
    let ResourceKey {
        account,
        region,
        name,
    } = key;
    let session = function.session();
    let stream =
        format!("arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{name}:log-stream:1");
    let mut may = |action: &str| {
        let wanted = Wanted::new(format!("logs:{action}"), stream.clone());
        identity::permits(world, &session, &wanted)
    };
    // Both are asked for, so that both count as used.
    let (create, put) = (may("CreateLogStream"), may("PutLogEvents"));
    if create && put { logs } else { Vec::new() }
}

/// Whether the function's own concurrency leaves room for one more, beside
/// what runs and those whose callers wait already.
pub(super) fn has_room(world: &World, key: &ResourceKey) -> bool {
    let function = world.lambda.functions.get(key);
    let reserved = function.and_then(|function| function.reserved_concurrency);
    let running = world.lambda.running.values();
    let busy = running.filter(|running| running.key == *key).count();
    let waiting = world.lambda.waiting.iter();
    let promised =
        |waiting: &&Waiting| waiting.key == *key && matches!(waiting.origin, Origin::Caller(_));
    let promised = waiting.filter(promised).count();
    reserved.is_none_or(|reserved| busy + promised < reserved)
}

/// Ends an invocation: what it took care of leaves the queue.
pub(crate) fn finish(
    world: &mut World,
    request_id: &str,
    outcome: Result<Value, FunctionError>,
    logs: Vec<String>,
) {
    let Some(running) = world.lambda.running.remove(request_id) else {
        return;
    };
    let logs = kept(world, &running.key, logs);
    logs::write_function(world, &running.key, running.time, &logs);
    if let Origin::Mapping(mapping, messages) = &running.origin {
        mappings::settle_batch(world, *mapping, messages, &outcome);
    }
    let invocation = Invocation {
        function: running.key.name,
        request_id: request_id.to_owned(),
        time: running.time,
        payload: running.payload,
        outcome,
        logs,
    };
    match running.origin {
        // Nobody need wait for it any more.
        Origin::Caller(answer) => drop(answer.send(invocation.clone())),
        Origin::Event(event) if invocation.outcome.is_err() => asynchronous::failed(world, event),
        Origin::Event(_) | Origin::Mapping(..) => {}
    }
    world.lambda.finished.push(invocation);
    world.lambda.changed.notify_one();
}
