//! Sending, receiving and deleting messages.

use std::time::Duration;

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value, json};

use super::{Queue, find, number, queue_mut, required, wake};
use crate::world::{ApiError, World};

const MAX_BATCH: i64 = 10;
const MAX_DELAY: i64 = 900;
const MAX_VISIBILITY: i64 = 43_200;

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Message {
    /// The id, which the message keeps when it goes to a dead-letter queue.
    pub message_id: String,
    /// The body.
    pub body: String,
    /// The message attributes as `SendMessage` got them; null if there are none.
    pub attributes: Value,
    /// The account that sent it.
    pub sender: String,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it was first received.
    pub first_received: Option<Timestamp>,
    /// How often it was received.
    pub receive_count: u64,
    /// From when on it can be received.
    pub visible_at: Timestamp,
    /// The trace header of the request that sent it.
    pub trace: Option<String>,
    /// In a dead-letter queue, the queue that it comes from.
    pub dead_letter_source: Option<String>,
}

impl Message {
    /// The handle of its latest receipt.
    #[must_use]
    pub fn receipt_handle(&self) -> String {
        format!("{}#{}", self.message_id, self.receive_count)
    }

    /// The digest of its body, which SDKs check.
    #[must_use]
    pub fn md5_of_body(&self) -> String {
        md5(&self.body)
    }

    /// What SQS itself says about the message.
    #[must_use]
    pub fn system_attributes(&self) -> Map<String, Value> {
        let milliseconds = |time: Timestamp| Value::from(time.as_millisecond().to_string());
        let mut attributes = Map::new();
        let mut add = |name: &str, value| attributes.insert(name.to_owned(), value);
        add("SenderId", Value::from(self.sender.clone()));
        add("SentTimestamp", milliseconds(self.sent));
        add(
            "ApproximateReceiveCount",
            Value::from(self.receive_count.to_string()),
        );
        if let Some(time) = self.first_received {
            add("ApproximateFirstReceiveTimestamp", milliseconds(time));
        }
        if let Some(trace) = &self.trace {
            add("AWSTraceHeader", Value::from(trace.clone()));
        }
        if let Some(source) = &self.dead_letter_source {
            add("DeadLetterQueueSourceArn", Value::from(source.clone()));
        }
        attributes
    }

    pub(super) fn is_visible(&self, now: Timestamp) -> bool {
        self.visible_at <= now
    }

    pub(super) fn is_delayed(&self, now: Timestamp) -> bool {
        !self.is_visible(now) && self.receive_count == 0
    }

    pub(super) fn is_in_flight(&self, now: Timestamp) -> bool {
        !self.is_visible(now) && self.receive_count > 0
    }
}

/// Sends one message, of a call or of an entry of a batch.
pub(super) fn send(
    world: &mut World,
    queue_arn: &str,
    sender: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let body = required(input, "MessageBody")?;
    let attributes = &input["MessageAttributes"];
    let queue = find(world, queue_arn)?;
    check_body(body, attributes, queue.number("MaximumMessageSize"))?;
    let delay = number(input, "DelaySeconds", (0, MAX_DELAY))?;
    let delay = delay.unwrap_or_else(|| queue.number("DelaySeconds"));

    let message = Message {
        message_id: world.uuid(&format!("message {queue_arn}")),
        body: body.to_owned(),
        attributes: attributes.clone(),
        sender: sender.to_owned(),
        sent: world.now,
        first_received: None,
        receive_count: 0,
        visible_at: world.now + Duration::from_secs(delay),
        trace: trace(input).map(str::to_owned),
        dead_letter_source: None,
    };
    let answer = json!({ "MessageId": message.message_id, "MD5OfMessageBody": md5(body) });
    queue_mut(world, queue_arn)?.messages.push(message);
    wake(world, delay);
    Ok(answer)
}

/// The trace header that a message is sent with.
fn trace(input: &Value) -> Option<&str> {
    input["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"].as_str()
}

/// Gives the trace header of a request to the messages that it sends, unless they have one.
pub(crate) fn pass_on(header: &str, input: &mut Value) {
    let has_entries = input["Entries"].is_array();
    let entries = input["Entries"].as_array_mut().into_iter().flatten();
    for entry in entries {
        pass_on(header, entry);
    }
    if !has_entries && input["MessageBody"].is_string() && trace(input).is_none() {
        let header = json!({ "DataType": "String", "StringValue": header });
        input["MessageSystemAttributes"]["AWSTraceHeader"] = header;
    }
}

/// Moves one message to the dead-letter queue, or deletes it if there is none.
pub(super) fn bury(world: &mut World, queue_arn: &str, message: &Message) {
    let target = find(world, queue_arn).and_then(Queue::redrive);
    let target = target.ok().flatten().map(|redrive| redrive.target);
    let Ok(queue) = queue_mut(world, queue_arn) else {
        return;
    };
    let id = &message.message_id;
    queue.messages.retain(|other| other.message_id != *id);
    let target = target.and_then(|target| queue_mut(world, &target).ok());
    if let Some(target) = target {
        target.messages.push(dead(message.clone(), queue_arn));
    }
}

/// A message on its way to a dead-letter queue.
///
/// The time of sending stays, as in AWS: it is what retention counts from.
/// ASSUMED: the count of receipts starts anew.
fn dead(message: Message, source: &str) -> Message {
    Message {
        first_received: None,
        receive_count: 0,
        dead_letter_source: Some(source.to_owned()),
        ..message
    }
}

/// Receives up to this many messages, and moves to the dead-letter queue those
/// that were received too often already.
pub(super) fn receive(
    world: &mut World,
    queue_arn: &str,
    most: usize,
    timeout: Option<u64>,
) -> Vec<Message> {
    let now = world.now;
    move_dead_letters(world, queue_arn);
    let Ok(queue) = queue_mut(world, queue_arn) else {
        return Vec::new();
    };
    queue.expire(now);
    let timeout = timeout.unwrap_or_else(|| queue.number("VisibilityTimeout"));
    let visible = queue
        .messages
        .iter_mut()
        .filter(|message| message.is_visible(now));
    let received: Vec<Message> = visible
        .take(most)
        .map(|message| {
            message.receive_count += 1;
            message.first_received.get_or_insert(now);
            message.visible_at = now + Duration::from_secs(timeout);
            message.clone()
        })
        .collect();
    if !received.is_empty() {
        wake(world, timeout);
    }
    received
}

/// AWS moves a message when it would be received once more than the redrive
/// policy allows, and not before.
fn move_dead_letters(world: &mut World, queue_arn: &str) {
    let now = world.now;
    let Ok(Some(redrive)) = find(world, queue_arn).and_then(Queue::redrive) else {
        return;
    };
    if find(world, &redrive.target).is_err() {
        return;
    }
    let is_dead = |message: &mut Message| {
        message.is_visible(now) && message.receive_count >= redrive.max_receive_count
    };
    let queue = queue_mut(world, queue_arn);
    let dead = queue.map_or_else(
        |_| Vec::new(),
        |queue| queue.messages.extract_if(.., is_dead).collect(),
    );
    let dead = dead
        .into_iter()
        .map(|message| self::dead(message, queue_arn));
    if let Ok(target) = queue_mut(world, &redrive.target) {
        target.messages.extend(dead);
    }
}

/// Answers `ReceiveMessage`. It never waits: nothing can arrive while time stands still.
pub(super) fn receive_call(
    world: &mut World,
    queue_arn: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let most = number(input, "MaxNumberOfMessages", (1, MAX_BATCH))?.unwrap_or(1);
    let timeout = number(input, "VisibilityTimeout", (0, MAX_VISIBILITY))?;
    number(input, "WaitTimeSeconds", (0, 20))?;
    let most = usize::try_from(most).unwrap_or_default();
    let received = receive(world, queue_arn, most, timeout);
    if received.is_empty() {
        return Ok(json!({}));
    }
    let messages: Vec<Value> = received
        .iter()
        .map(|message| shown(message, input))
        .collect();
    Ok(json!({ "Messages": messages }))
}

/// A message with those attributes that the receiver asked for.
fn shown(message: &Message, input: &Value) -> Value {
    let mut shown = json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle(),
        "MD5OfBody": message.md5_of_body(),
        "Body": message.body,
    });
    let is_wanted = |list: &str, name: &str| {
        let names = input[list].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).any(|wanted| {
            let prefix = wanted.strip_suffix(".*");
            wanted == "All" || wanted == name || prefix.is_some_and(|p| name.starts_with(p))
        })
    };
    let mut system = message.system_attributes();
    system.retain(|name, _| {
        is_wanted("AttributeNames", name) || is_wanted("MessageSystemAttributeNames", name)
    });
    if !system.is_empty() {
        shown["Attributes"] = Value::Object(system);
    }
    let mut own = message.attributes.as_object().cloned().unwrap_or_default();
    own.retain(|name, _| is_wanted("MessageAttributeNames", name));
    if !own.is_empty() {
        shown["MessageAttributes"] = Value::Object(own);
    }
    shown
}

/// Deletes one message, of a call or of an entry of a batch.
pub(super) fn delete(world: &mut World, queue_arn: &str, input: &Value) -> Result<Value, ApiError> {
    let receipt_handle = receipt_handle(input)?;
    queue_mut(world, queue_arn)?.delete(receipt_handle);
    Ok(json!({}))
}

/// Changes for how long a received message stays hidden.
pub(super) fn change_visibility(
    world: &mut World,
    queue_arn: &str,
    input: &Value,
) -> Result<Value, ApiError> {
    let receipt_handle = receipt_handle(input)?;
    let timeout = number(input, "VisibilityTimeout", (0, MAX_VISIBILITY))?.unwrap_or_default();
    let now = world.now;
    let message = queue_mut(world, queue_arn)?.received(receipt_handle)?;
    if !message.is_in_flight(now) {
        return Err(ApiError::new(
            "MessageNotInflight",
            "The specified message isn't in flight.",
        ));
    }
    message.visible_at = now + Duration::from_secs(timeout);
    wake(world, timeout);
    Ok(json!({}))
}

fn receipt_handle(input: &Value) -> Result<&str, ApiError> {
    let handle = required(input, "ReceiptHandle")?;
    match handle.split_once('#') {
        Some((_, count)) if count.parse::<u64>().is_ok() => Ok(handle),
        _ => Err(ApiError::new(
            "ReceiptHandleIsInvalid",
            format!("The input receipt handle \"{handle}\" is not a valid receipt handle."),
        )),
    }
}

/// The characters and the size that SQS takes; attributes count too.
fn check_body(body: &str, attributes: &Value, most: u64) -> Result<(), ApiError> {
    let is_allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if body.is_empty() {
        let message = "The request must contain the parameter MessageBody.";
        return Err(ApiError::new("MissingRequiredParameterException", message));
    }
    if !body.chars().all(is_allowed) {
        let message = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | \
                       #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";
        return Err(ApiError::new("InvalidMessageContents", message));
    }
    let attributes = attributes.as_object().into_iter().flatten();
    let attributes: usize = attributes
        .map(|(name, value)| name.len() + texts_of(value))
        .sum();
    if u64::try_from(body.len() + attributes).is_ok_and(|size| size <= most) {
        return Ok(());
    }
    Err(ApiError::new(
        "InvalidParameterValueException",
        format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        ),
    ))
}

fn texts_of(attribute: &Value) -> usize {
    let members = attribute.as_object().into_iter().flatten();
    members
        .filter_map(|(_, value)| value.as_str())
        .map(str::len)
        .sum()
}

fn md5(text: &str) -> String {
    use std::fmt::Write;

    Md5::digest(text)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
