//! SQS: standard queues with delays, visibility timeouts and redrive.

mod batch;
mod messages;
mod queue;
mod redrive;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

pub use self::messages::Message;
pub(crate) use self::messages::pass_on;
use self::queue::Queue;
use super::{
    arn::Arn,
    iam::policy::{Decision, Request, evaluate},
};
use crate::{
    services::denials::without_policy,
    world::{self, ApiError, Call, World},
};

/// How long a purge keeps the next one away.
const PURGE_PAUSE: Duration = Duration::from_mins(1);

/// All queues by ARN.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    queues: BTreeMap<String, Queue>,
    moves: Vec<redrive::MoveTask>,
}

/// What SQS does later.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub enum Task {
    /// Nothing by itself: the clock stops here, since a queue may have something to give.
    Poll,
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "CreateQueue" => create(world, call),
        "GetQueueUrl" => get_url(world, call),
        "ListQueues" => list(world, call),
        "StartMessageMoveTask" => redrive::start(world, call),
        "ListMessageMoveTasks" => redrive::list(world, call),
        "GetQueueAttributes" | "ListDeadLetterSourceQueues" | "ListQueueTags" | "TagQueue"
        | "UntagQueue" | "SetQueueAttributes" | "PurgeQueue" | "DeleteQueue" | "SendMessage"
        | "ReceiveMessage" | "DeleteMessage" | "ChangeMessageVisibility" | "SendMessageBatch"
        | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            call_queue(world, call)
        },
    }
}

/// Forgets what is older than the retention period of its queue.
pub(crate) fn tidy(world: &mut World) {
    for queue in world.sqs.queues.values_mut() {
        queue.expire(world.now);
    }
}

/// How many messages there are.
pub(crate) fn held(world: &World) -> (&'static str, usize) {
    let queues = world.sqs.queues.values();
    let messages = queues.map(|queue| queue.messages.len()).sum();
    ("queue messages", messages)
}

/// Carries out a task that is due.
pub fn run(_world: &mut World, task: Task) {
    match task {
        Task::Poll => {}
    }
}

/// Makes a queue, as a template's `AWS::SQS::Queue` with these properties would.
pub fn create_queue(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let attributes = properties.as_object().into_iter().flatten();
    let attributes = attributes
        .filter(|(name, _)| !["QueueName", "Tags"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), attribute_text(value)))
        .collect();
    let mut queue = Queue::new(account, region, name);
    for tag in properties["Tags"].as_array().into_iter().flatten() {
        let [key, value] = ["Key", "Value"].map(|member| attribute_text(&tag[member]));
        queue.tags.insert(key, value);
    }
    add(world, queue, &attributes).map(drop)
}

/// Sets the policy of a queue, as a template's `AWS::SQS::QueuePolicy` would.
pub fn set_policy(world: &mut World, queue: &str, policy: &Value) -> Result<(), ApiError> {
    let queue = queue_mut(world, queue)?;
    queue.set("Policy", &policy.to_string())
}

/// Puts a message into a queue on behalf of another service.
///
/// `source_arn` is the rule or topic that sends; the queue's policy is
/// what allows it.
pub fn deliver(
    world: &mut World,
    queue_arn: &str,
    source_arn: &str,
    body: &str,
) -> Result<(), ApiError> {
    deliver_with_attributes(world, queue_arn, source_arn, body, &Value::Null)
}

/// Like [`deliver`], with message attributes as `SendMessage` takes them.
pub fn deliver_with_attributes(
    world: &mut World,
    queue_arn: &str,
    source_arn: &str,
    body: &str,
    attributes: &Value,
) -> Result<(), ApiError> {
    let source = Arn::parse(source_arn).ok_or_else(|| invalid_value("SourceArn", source_arn))?;
    let service = format!("{}.amazonaws.com", source.service);
    let queue = find(world, queue_arn)?;
    let request = Request::of_service(
        &service,
        source_arn,
        source.account,
        "sqs:SendMessage",
        queue_arn,
    );
    if !policy_allows(queue, &request)? {
        return Err(without_policy(
            "sqs",
            &service,
            "sqs:sendmessage",
            queue_arn,
        ));
    }
    let input = json!({ "MessageBody": body, "MessageAttributes": attributes });
    messages::send(world, queue_arn, source.account, &input).map(drop)
}

/// The messages in a queue, also those that cannot be received now, the oldest first.
#[must_use]
pub fn messages(world: &World, queue_arn: &str) -> Vec<Message> {
    let queue = world.sqs.queues.get(queue_arn);
    queue.map_or_else(Vec::new, |queue| queue.messages_at(world.now))
}

/// How many messages could be received now.
pub(crate) fn visible(world: &World, queue_arn: &str) -> usize {
    let queue = world.sqs.queues.get(queue_arn);
    queue.map_or(0, |queue| queue.visible_at(world.now))
}

/// For how long a received message cannot be received again; none if there is no such queue.
pub(crate) fn visibility_timeout(world: &World, queue_arn: &str) -> Option<u64> {
    let queue = world.sqs.queues.get(queue_arn)?;
    Some(queue.number("VisibilityTimeout"))
}

/// Receives up to this many messages, as the poller of an event source mapping does.
pub(crate) fn receive(world: &mut World, queue_arn: &str, most: usize) -> Vec<Message> {
    messages::receive(world, queue_arn, most, None)
}

/// Moves a received message to the dead-letter queue, or deletes it if there is none.
pub(crate) fn bury(world: &mut World, queue_arn: &str, message: &Message) {
    messages::bury(world, queue_arn, message);
}

/// Deletes a received message, as the poller of an event source mapping does.
pub(crate) fn delete(world: &mut World, queue_arn: &str, message: &Message) {
    if let Some(queue) = world.sqs.queues.get_mut(queue_arn) {
        queue.delete(&message.receipt_handle());
    }
}

fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(&call.input, "QueueName")?;
    let mut queue = Queue::new(&call.caller.account, &call.region, name);
    queue.tag(&call.input["tags"])?;
    let attributes = call.input.get("Attributes").and_then(Value::as_object);
    let attributes = attributes
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), attribute_text(value)))
        .collect();
    let url = add(world, queue, &attributes)?;
    Ok(json!({ "QueueUrl": url }))
}

/// Adds a queue and returns its URL; the same queue may be made again.
fn add(
    world: &mut World,
    mut queue: Queue,
    attributes: &BTreeMap<String, String>,
) -> Result<String, ApiError> {
    queue.check_name()?;
    queue.created = world.now;
    for (name, value) in attributes {
        queue.set(name, value)?;
    }
    check_dead_letter_target(world, &queue)?;
    let (arn, url) = (queue.arn(), queue.url());
    match world.sqs.queues.get(&arn) {
        Some(existing) if attributes.iter().all(|(n, v)| existing.get(n) == *v) => {}
        Some(_) => {
            return Err(ApiError::new(
                "QueueNameExists",
                "A queue already exists with the same name and a different value for an attribute",
            ));
        }
        None => {
            world.sqs.queues.insert(arn, queue);
        }
    }
    Ok(url)
}

fn check_dead_letter_target(world: &World, queue: &Queue) -> Result<(), ApiError> {
    match queue.redrive()? {
        Some(redrive) if !world.sqs.queues.contains_key(&redrive.target) => {
            let reason = "Dead letter target does not exist.";
            Err(invalid_attribute("RedrivePolicy", reason))
        }
        _ => Ok(()),
    }
}

fn get_url(world: &World, call: &Call) -> Result<Value, ApiError> {
    let name = required(&call.input, "QueueName")?;
    let owner = call.text("QueueOwnerAWSAccountId");
    let owner = owner.unwrap_or(&call.caller.account);
    let queue = find(world, &queue::arn(owner, &call.region, name))?;
    authorize(world, call, queue)?;
    Ok(json!({ "QueueUrl": queue.url() }))
}

fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let prefix = call.text("QueueNamePrefix").unwrap_or_default();
    let urls: Vec<Value> = world
        .sqs
        .queues
        .values()
        .filter(|queue| queue.account == call.caller.account && queue.region == call.region)
        .filter(|queue| queue.name.starts_with(prefix))
        .map(|queue| queue.url().into())
        .collect();
    queue::page(&call.input, "QueueUrls", &urls)
}

/// Answers the operations on one queue, which is named by its URL.
/// Answers a call that is about one queue.
fn call_queue(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let arn = arn_of_url(required(&call.input, "QueueUrl")?, &call.region)?;
    authorize(world, call, find(world, &arn)?)?;
    match call.operation.as_str() {
        "GetQueueAttributes" => get_attributes(world, call, find(world, &arn)?),
        "ListDeadLetterSourceQueues" => redrive::sources(world, call, &arn),
        "ListQueueTags" => Ok(json!({ "Tags": find(world, &arn)?.tags })),
        "TagQueue" => {
            queue_mut(world, &arn)?.tag(&call.input["Tags"])?;
            Ok(json!({}))
        }
        "UntagQueue" => {
            let tags = &mut queue_mut(world, &arn)?.tags;
            tags.retain(|key, _| !call.texts("TagKeys").contains(key));
            Ok(json!({}))
        }
        "SetQueueAttributes" => set_attributes(world, call, &arn),
        "PurgeQueue" => purge(world, &arn),
        "DeleteQueue" => {
            world.sqs.queues.remove(&arn);
            Ok(json!({}))
        }
        "SendMessage" => messages::send(world, &arn, &call.caller.account, &call.input),
        "ReceiveMessage" => messages::receive_call(world, &arn, &call.input),
        "DeleteMessage" => messages::delete(world, &arn, &call.input),
        "ChangeMessageVisibility" => messages::change_visibility(world, &arn, &call.input),
        "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
            batch::call(world, call, &arn)
        }
        _ => Err(ApiError::not_implemented(call)),
    }
}

fn get_attributes(world: &World, call: &Call, queue: &Queue) -> Result<Value, ApiError> {
    let wanted = call.texts("AttributeNames");
    if let Some(unknown) = wanted.iter().find(|name| !queue::is_attribute(name)) {
        let message = format!("Unknown Attribute {unknown}.");
        return Err(ApiError::new("InvalidAttributeName", message));
    }
    let all = wanted.iter().any(|name| name == "All");
    let attributes: Map<String, Value> = queue
        .attributes_at(world.now)
        .into_iter()
        .filter(|(name, _)| all || wanted.contains(name))
        .map(|(name, value)| (name, Value::from(value)))
        .collect();
    if attributes.is_empty() {
        return Ok(json!({}));
    }
    Ok(json!({ "Attributes": attributes }))
}

fn set_attributes(world: &mut World, call: &Call, arn: &str) -> Result<Value, ApiError> {
    let attributes = call.input.get("Attributes").and_then(Value::as_object);
    let mut queue = find(world, arn)?.clone();
    for (name, value) in attributes.into_iter().flatten() {
        queue.set(name, &attribute_text(value))?;
    }
    check_dead_letter_target(world, &queue)?;
    world.sqs.queues.insert(arn.to_owned(), queue);
    Ok(json!({}))
}

fn purge(world: &mut World, arn: &str) -> Result<Value, ApiError> {
    let now = world.now;
    let queue = queue_mut(world, arn)?;
    if queue
        .purged
        .is_some_and(|purged| now < purged + PURGE_PAUSE)
    {
        let message = format!(
            "Only one PurgeQueue operation on {} is allowed every 60 seconds.",
            queue.name
        );
        return Err(ApiError::with_status(403, "PurgeQueueInProgress", message));
    }
    queue.purged = Some(now);
    queue.messages.clear();
    Ok(json!({}))
}

/// Lets in the queue's own account, and others as far as the queue's policy says.
fn authorize(world: &World, call: &Call, queue: &Queue) -> Result<(), ApiError> {
    let single = call.operation.strip_suffix("Batch");
    let action = format!("sqs:{}", single.unwrap_or(&call.operation));
    let arn = queue.arn();
    let request = Request::of_caller(world, &call.caller, &action, &arn);
    if call.caller.account == queue.account || policy_allows(queue, &request)? {
        return Ok(());
    }
    let caller = call.caller.arn();
    Err(without_policy("sqs", &caller, &action.to_lowercase(), &arn))
}

fn policy_allows(queue: &Queue, request: &Request<'_>) -> Result<bool, ApiError> {
    match queue.policy()? {
        Some(policy) => Ok(evaluate(&policy, request)? == Decision::Allow),
        None => Ok(false),
    }
}

fn find<'a>(world: &'a World, arn: &str) -> Result<&'a Queue, ApiError> {
    world.sqs.queues.get(arn).ok_or_else(no_such_queue)
}

/// A queue by ARN or URL.
fn queue_mut<'a>(world: &'a mut World, name: &str) -> Result<&'a mut Queue, ApiError> {
    let mut queues = world.sqs.queues.values_mut();
    let queue = queues.find(|queue| queue.arn() == name || queue.url() == name);
    queue.ok_or_else(no_such_queue)
}

/// Host and scheme of a queue's URL mean nothing here: clients keep the URLs
/// of AWS, and the sandbox answers on another host.
fn arn_of_url(url: &str, region: &str) -> Result<String, ApiError> {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(name), Some(account)) => Ok(queue::arn(account, region, name)),
        _ => Err(ApiError::with_status(
            404,
            "InvalidAddress",
            format!("The address {url} is not valid for this endpoint."),
        )),
    }
}

/// Attributes are texts on the wire; templates write numbers and objects.
fn attribute_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn required<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    let value = input.get(member).and_then(Value::as_str);
    value.ok_or_else(|| {
        ApiError::new(
            "MissingRequiredParameterException",
            format!("The request must contain the parameter {member}."),
        )
    })
}

/// A number of the input, if it is there and within these limits.
fn number(input: &Value, member: &str, limits: (i64, i64)) -> Result<Option<u64>, ApiError> {
    let value = match input.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let number = value.as_i64().filter(|n| (limits.0..=limits.1).contains(n));
    match number.and_then(|number| u64::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(ApiError::new(
            "InvalidParameterValueException",
            format!(
                "Value {value} for parameter {member} is invalid. Reason: Must be >= {} and <= {}, if provided.",
                limits.0, limits.1
            ),
        )),
    }
}

fn invalid_value(parameter: &str, value: &str) -> ApiError {
    ApiError::new(
        "InvalidParameterValueException",
        format!("Value {value} for parameter {parameter} is invalid."),
    )
}

fn invalid_attribute(name: &str, reason: &str) -> ApiError {
    ApiError::new(
        "InvalidAttributeValue",
        format!("Invalid value for the parameter {name}. Reason: {reason}"),
    )
}

fn no_such_queue() -> ApiError {
    ApiError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

/// Makes the clock stop after this many seconds, so that queues are looked at.
pub(crate) fn wake(world: &mut World, seconds: u64) {
    if seconds > 0 {
        let task = world::Task::Sqs(Task::Poll);
        world.after(Duration::from_secs(seconds), task);
    }
}

#[cfg(test)]
mod tests;
