//! Dead-letter queues: whose they are, and the way back.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Queue, number, queue::page, required};
use crate::world::{ApiError, Call, World};

/// A task that moved the messages of a dead-letter queue.
///
/// ASSUMED: it is done as soon as it is asked for.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct MoveTask {
    source: String,
    destination: Option<String>,
    rate: Option<u64>,
    moved: usize,
    started: Timestamp,
}

/// Answers `ListDeadLetterSourceQueues`.
pub(super) fn sources(world: &World, call: &Call, arn: &str) -> Result<Value, ApiError> {
    let urls: Vec<Value> = queues_before(world, arn)
        .map(|queue| queue.url().into())
        .collect();
    page(&call.input, "queueUrls", &urls)
}

/// The queues whose dead letters come here.
fn queues_before<'w>(world: &'w World, arn: &str) -> impl Iterator<Item = &'w Queue> {
    let queues = world.sqs.queues.values();
    queues.filter(move |queue| {
        let redrive = queue.redrive().ok().flatten();
        redrive.is_some_and(|redrive| redrive.target == arn)
    })
}

/// Answers `StartMessageMoveTask`.
pub(super) fn start(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let source = own_queue(world, call, required(&call.input, "SourceArn")?)?;
    let rate = number(&call.input, "MaxNumberOfMessagesPerSecond", (1, 500))?;
    if queues_before(world, &source).next().is_none() {
        return Err(unsupported(
            "Source queue must be configured as a Dead Letter Queue.",
        ));
    }
    let destination = call.text("DestinationArn");
    let destination = destination
        .map(|arn| own_queue(world, call, arn))
        .transpose()?;
    if destination.as_ref() == Some(&source) {
        return Err(unsupported(
            "Source and destination must be different queues.",
        ));
    }
    let moved = move_messages(world, &source, destination.as_deref());
    world.sqs.moves.push(MoveTask {
        source: source.clone(),
        destination,
        rate,
        moved,
        started: world.now,
    });
    Ok(json!({ "TaskHandle": world.hex(&format!("move task {source}")) }))
}

/// Sends the messages that can be received now to where they shall go, or back to where
/// they come from. There they are new messages.
fn move_messages(world: &mut World, source: &str, destination: Option<&str>) -> usize {
    let now = world.now;
    let Some(queue) = world.sqs.queues.get_mut(source) else {
        return 0;
    };
    queue.expire(now);
    let messages = std::mem::take(&mut queue.messages);
    let mut moved = 0;
    for mut message in messages {
        let target = destination.or(message.dead_letter_source.as_deref());
        let target = target
            .filter(|target| message.is_visible(now) && world.sqs.queues.contains_key(*target));
        let to = target.unwrap_or(source).to_owned();
        if target.is_some() {
            moved += 1;
            message.message_id = world.uuid(&format!("message {to}"));
            message.sent = now;
            message.first_received = None;
            message.receive_count = 0;
            message.dead_letter_source = None;
        }
        if let Some(queue) = world.sqs.queues.get_mut(&to) {
            queue.messages.push(message);
        }
    }
    super::wake(world, 1);
    moved
}

/// Answers `ListMessageMoveTasks`: the latest first.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let source = own_queue(world, call, required(&call.input, "SourceArn")?)?;
    let most = number(&call.input, "MaxResults", (1, 10))?.unwrap_or(1);
    let tasks = world.sqs.moves.iter().rev();
    let tasks: Vec<Value> = tasks
        .filter(|task| task.source == source)
        .take(usize::try_from(most).unwrap_or(usize::MAX))
        .map(MoveTask::shown)
        .collect();
    Ok(json!({ "Results": tasks }))
}

impl MoveTask {
    fn shown(&self) -> Value {
        let mut shown = json!({
            "Status": "COMPLETED",
            "SourceArn": self.source,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.moved,
            "StartedTimestamp": self.started.as_millisecond(),
        });
        if let Some(destination) = &self.destination {
            shown["DestinationArn"] = destination.as_str().into();
        }
        if let Some(rate) = self.rate {
            shown["MaxNumberOfMessagesPerSecond"] = rate.into();
        }
        shown
    }
}

/// The ARN of a queue that is there and the caller's own.
fn own_queue(world: &World, call: &Call, arn: &str) -> Result<String, ApiError> {
    let queue = world
        .sqs
        .queues
        .get(arn)
        .filter(|queue| queue.account == call.caller.account && queue.region == call.region);
    queue.map(Queue::arn).ok_or_else(|| {
        ApiError::new(
            "ResourceNotFoundException",
            "The resource that you specified for the SourceArn or DestinationArn parameter doesn't exist.",
        )
    })
}

fn unsupported(message: &str) -> ApiError {
    ApiError::new("UnsupportedOperation", message)
}
