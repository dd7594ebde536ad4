//! Takes messages, and brings them to subscribed queues.

use serde_json::{Map, Value, json};

use super::{Published, Subscription, invalid, required, topic};
use crate::{
    services::sqs,
    world::{ApiError, World},
};

const MAX_SIZE: usize = 262_144;
const MAX_SUBJECT: usize = 100;
const MAX_ENTRIES: usize = 10;

/// Publishes one message, of a call or of an entry of a batch.
pub(super) fn one(world: &mut World, topic_arn: &str, input: &Value) -> Result<Value, ApiError> {
    let message = required(input, "Message")?;
    let subject = input["Subject"].as_str();
    check(message, subject)?;
    let for_queues = match input["MessageStructure"].as_str() {
        Some("json") => message_for(message, "sqs")?,
        _ => message.to_owned(),
    };
    let published = Published {
        time: world.now,
        topic_arn: topic_arn.to_owned(),
        message_id: world.uuid(&format!("published {topic_arn}")),
        subject: subject.map(str::to_owned),
        message: message.to_owned(),
        attributes: input["MessageAttributes"].clone(),
    };
    for subscription in topic(world, topic_arn)?.subscriptions.clone() {
        if subscription.protocol == "sqs" && subscription.takes(&for_queues, &published.attributes)
        {
            enqueue(world, &subscription, &published, &for_queues);
        }
    }
    let answer = json!({ "MessageId": published.message_id });
    world.sns.published.push(published);
    Ok(answer)
}

/// Publishes up to ten messages, each of which succeeds or fails by itself.
pub(super) fn batch(world: &mut World, topic_arn: &str, input: &Value) -> Result<Value, ApiError> {
    let entries = input["PublishBatchRequestEntries"].as_array();
    let entries = entries.map_or(&[][..], Vec::as_slice);
    if entries.is_empty() {
        let message = "The batch request doesn't contain any entries.";
        return Err(ApiError::new("EmptyBatchRequest", message));
    }
    if entries.len() > MAX_ENTRIES {
        let message = "The batch request contains more entries than permissible.";
        return Err(ApiError::new("TooManyEntriesInBatchRequest", message));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match one(world, topic_arn, entry) {
            Ok(mut answer) => {
                answer["Id"] = entry["Id"].clone();
                successful.push(answer);
            }
            Err(error) => failed.push(json!({
                "Id": entry["Id"],
                "Code": error.code,
                "Message": error.message,
                "SenderFault": true,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// A queue whose policy does not let the topic in gets nothing, and nobody is told: as in AWS.
fn enqueue(world: &mut World, subscription: &Subscription, published: &Published, text: &str) {
    let topic_arn = &published.topic_arn;
    let (body, attributes) = if subscription.raw {
        (text.to_owned(), published.attributes.clone())
    } else {
        (notification(published, text).to_string(), Value::Null)
    };
    let queue = &subscription.endpoint;
    let _ = sqs::deliver_with_attributes(world, queue, topic_arn, &body, &attributes);
}

/// The envelope of a message whose delivery is not raw. The sandbox does not sign.
fn notification(published: &Published, text: &str) -> Value {
    let mut envelope = json!({
        "Type": "Notification",
        "MessageId": published.message_id,
        "TopicArn": published.topic_arn,
        "Message": text,
        "Timestamp": format!("{:.3}", published.time),
    });
    if let Some(subject) = &published.subject {
        envelope["Subject"] = json!(subject);
    }
    if let Some(attributes) = published.attributes.as_object() {
        let attributes: Map<String, Value> = attributes
            .iter()
            .map(|(name, value)| {
                let value = json!({ "Type": value["DataType"], "Value": value["StringValue"] });
                (name.clone(), value)
            })
            .collect();
        envelope["MessageAttributes"] = Value::Object(attributes);
    }
    envelope
}

/// The text that a message with a structure has for a protocol.
fn message_for(message: &str, protocol: &str) -> Result<String, ApiError> {
    let error = || invalid("Message Structure - No default entry in JSON message body");
    let messages: Value = serde_json::from_str(message)
        .map_err(|_| invalid("Message Structure - JSON message body failed to parse"))?;
    let default = messages["default"].as_str().ok_or_else(error)?;
    Ok(messages[protocol].as_str().unwrap_or(default).to_owned())
}

fn check(message: &str, subject: Option<&str>) -> Result<(), ApiError> {
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if message.len() > MAX_SIZE {
        return Err(invalid("Message too long"));
    }
    match subject {
        Some(subject) if !is_subject(subject) => Err(invalid("Subject")),
        _ => Ok(()),
    }
}

/// "Subjects must be UTF-8 text with no line breaks or control characters, and
/// less than 100 characters long." ASSUMED: counted in units of UTF-16, the
/// strictest way to count characters.
fn is_subject(subject: &str) -> bool {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    (1..MAX_SUBJECT).contains(&subject.encode_utf16().count()) && !subject.contains(breaks)
}
