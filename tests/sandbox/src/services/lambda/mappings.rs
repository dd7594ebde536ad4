//! Event source mappings: from a queue to a function, batch by batch.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    FunctionError, ResourceKey, configuration::number, find, invalid, invocations::has_room, names,
};
use crate::{
    services::{
        arn::Arn,
        iam::{identity, requests::Wanted},
        sqs,
    },
    world::{ApiError, Call, World},
};

const DEFAULT_BATCH_SIZE: u64 = 10;

/// A queue and the function that gets its messages.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Mapping {
    queue_arn: String,
    function: ResourceKey,
    batch_size: usize,
    window: Duration,
    reports_failures: bool,
    maximum_concurrency: Option<usize>,
    enabled: bool,
    gathering_since: Option<Timestamp>,
    id: String,
}

/// Messages for a function.
pub(super) struct Batch {
    pub(super) mapping: usize,
    pub(super) function: ResourceKey,
    pub(super) payload: Value,
    pub(super) messages: Vec<sqs::Message>,
}

/// Makes a mapping, as a template's `AWS::Lambda::EventSourceMapping` with these properties would.
pub fn create_event_source_mapping(
    world: &mut World,
    account: &str,
    region: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let mut mapping = Mapping::read(account, region, properties)?;
    let function_timeout = find(world, &mapping.function)?.timeout.as_secs();
    let visibility = sqs::visibility_timeout(world, &mapping.queue_arn).ok_or_else(|| {
        invalid("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue.")
    })?;
    if visibility < function_timeout {
        return Err(invalid(format!(
            "Queue visibility timeout: {visibility} seconds is less than \
             Function timeout: {function_timeout} seconds"
        )));
    }
    check_role(world, &mapping)?;
    let same = |other: &Mapping| {
        other.queue_arn == mapping.queue_arn && other.function == mapping.function
    };
    if world.lambda.mappings.iter().any(same) {
        let message =
            "An event source mapping with this SQS queue and this function already exists.";
        return Err(ApiError::with_status(
            409,
            "ResourceConflictException",
            message,
        ));
    }
    mapping.id = world.uuid(&format!("event source mapping {}", mapping.queue_arn));
    world.lambda.mappings.push(mapping);
    Ok(())
}

/// Refuses a function whose role may not read the queue.
fn check_role(world: &mut World, mapping: &Mapping) -> Result<(), ApiError> {
    let function = find(world, &mapping.function)?;
    let session = function.session();
    for operation in ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] {
        let wanted = Wanted::new(format!("sqs:{operation}"), mapping.queue_arn.clone());
        if identity::check(world, &session, &wanted).is_err() {
            return Err(invalid(format!(
                "The function execution role does not have permissions to call {operation} on SQS"
            )));
        }
    }
    Ok(())
}

impl Mapping {
    fn read(account: &str, region: &str, properties: &Value) -> Result<Self, ApiError> {
        if properties.get("FilterCriteria").is_some() {
            // Taking it and delivering everything would be a wrong success.
            let message = "Filter criteria are not implemented in the sandbox";
            return Err(ApiError::with_status(501, "NotImplemented", message));
        }
        let text = |name: &str| {
            let value = properties[name].as_str();
            value.ok_or_else(|| invalid(format!("{name} is missing")))
        };
        let batch_size = number(properties, "BatchSize", 1..=10_000)?;
        let batch_size = batch_size.unwrap_or(DEFAULT_BATCH_SIZE);
        let window = number(properties, "MaximumBatchingWindowInSeconds", 0..=300)?.unwrap_or(0);
        if batch_size > DEFAULT_BATCH_SIZE && window == 0 {
            return Err(invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is \
                 greater than 10",
            ));
        }
        let scaling = &properties["ScalingConfig"];
        let concurrency = number(scaling, "MaximumConcurrency", 2..=1000)?;
        let response_types = properties["FunctionResponseTypes"].as_array();
        Ok(Self {
            queue_arn: text("EventSourceArn")?.to_owned(),
            function: names::key(account, region, text("FunctionName")?)?,
            batch_size: usize::try_from(batch_size).unwrap_or(usize::MAX),
            window: Duration::from_secs(window),
            reports_failures: response_types
                .is_some_and(|types| types.iter().any(|t| t == "ReportBatchItemFailures")),
            maximum_concurrency: concurrency.and_then(|count| usize::try_from(count).ok()),
            enabled: properties["Enabled"] != false && properties["Enabled"] != "false",
            gathering_since: None,
            id: String::new(),
        })
    }

    fn shown(&self) -> Value {
        let ResourceKey {
            account,
            region,
            name,
        } = &self.function;
        let mut shown = json!({
            "UUID": self.id,
            "EventSourceArn": self.queue_arn,
            "FunctionArn": format!("arn:aws:lambda:{region}:{account}:function:{name}"),
            "BatchSize": self.batch_size,
            "MaximumBatchingWindowInSeconds": self.window.as_secs(),
            "State": if self.enabled { "Enabled" } else { "Disabled" },
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": [],
        });
        if self.reports_failures {
            shown["FunctionResponseTypes"] = json!(["ReportBatchItemFailures"]);
        }
        if let Some(most) = self.maximum_concurrency {
            shown["ScalingConfig"] = json!({ "MaximumConcurrency": most });
        }
        shown
    }
}

/// The mappings of the caller, or those of one queue or one function.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let (account, region) = (&call.caller.account, &call.region);
    let queue = call.text("EventSourceArn");
    let function = call.text("FunctionName");
    let function = function.map(|name| names::key(account, region, name));
    let function = function.transpose()?;
    let mappings = world.lambda.mappings.iter();
    let mappings: Vec<Value> = mappings
        .filter(|mapping| mapping.function.is_own(call))
        .filter(|mapping| queue.is_none_or(|queue| mapping.queue_arn == queue))
        .filter(|mapping| function.as_ref().is_none_or(|key| mapping.function == *key))
        .map(Mapping::shown)
        .collect();
    Ok(json!({ "EventSourceMappings": mappings }))
}

/// The next batch that is complete, or has waited for long enough.
pub(super) fn take_batch(world: &mut World) -> Option<Batch> {
    (0..world.lambda.mappings.len()).find_map(|index| {
        if !is_due(world, index) {
            return None;
        }
        let mapping = &mut world.lambda.mappings[index];
        mapping.gathering_since = None;
        let (queue_arn, most) = (mapping.queue_arn.clone(), mapping.batch_size);
        let function = mapping.function.clone();
        let messages = sqs::receive(world, &queue_arn, most);
        // All there was may have gone to the dead-letter queue.
        (!messages.is_empty()).then(|| Batch {
            mapping: index,
            function,
            payload: payload(&queue_arn, &messages),
            messages,
        })
    })
}

/// ASSUMED: the batching window begins with the first message that could be
/// received, and gathered messages stay visible until the batch is taken.
fn is_due(world: &mut World, index: usize) -> bool {
    let mapping = &world.lambda.mappings[index];
    let visible = sqs::visible(world, &mapping.queue_arn);
    if !mapping.enabled || visible == 0 || !may_run(world, index, mapping) {
        return false;
    }
    if mapping.window.is_zero() || visible >= mapping.batch_size {
        return true;
    }
    let (now, window) = (world.now, mapping.window);
    let mapping = &mut world.lambda.mappings[index];
    if mapping.gathering_since.is_none() {
        mapping.gathering_since = Some(now);
        sqs::wake(world, window.as_secs());
        return false;
    }
    mapping
        .gathering_since
        .is_some_and(|since| now >= since + window)
}

fn may_run(world: &World, index: usize, mapping: &Mapping) -> bool {
    let running = world.lambda.running.values();
    let busy = running
        .filter(|running| running.mapping() == Some(index))
        .count();
    has_room(world, &mapping.function) && mapping.maximum_concurrency.is_none_or(|most| busy < most)
}

/// Takes the messages of a batch out of their queue without an invocation.
pub(super) fn bury(world: &mut World, batch: &Batch) {
    let queue_arn = world.lambda.mappings[batch.mapping].queue_arn.clone();
    for message in &batch.messages {
        sqs::bury(world, &queue_arn, message);
    }
}

/// Deletes what the function took care of. The rest comes back when its
/// visibility timeout ends.
pub(super) fn settle_batch(
    world: &mut World,
    mapping: usize,
    messages: &[sqs::Message],
    outcome: &Result<Value, FunctionError>,
) {
    let mapping = &world.lambda.mappings[mapping];
    let failures = match outcome {
        Ok(answer) if mapping.reports_failures => failures(answer, messages),
        Ok(_) => Failures::These(BTreeSet::new()),
        Err(_) => Failures::All,
    };
    let Failures::These(failed) = failures else {
        return;
    };
    let queue_arn = mapping.queue_arn.clone();
    for message in messages {
        if !failed.contains(&message.message_id) {
            sqs::delete(world, &queue_arn, message);
        }
    }
}

/// Which messages of a batch failed.
#[derive(Debug, PartialEq, Eq)]
enum Failures {
    All,
    These(BTreeSet<String>),
}

/// Reads a partial batch response.
///
/// Nothing, null and an empty list are full successes; what Lambda cannot
/// read is a full failure. ASSUMED: so is an id that is not in the batch.
fn failures(answer: &Value, messages: &[sqs::Message]) -> Failures {
    let list = match answer {
        Value::Null => return Failures::These(BTreeSet::new()),
        Value::Object(members) => members.get("batchItemFailures"),
        _ => return Failures::All,
    };
    let items = match list {
        None | Some(Value::Null) => return Failures::These(BTreeSet::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Failures::All,
    };
    let known = |id: &&str| messages.iter().any(|message| message.message_id == *id);
    let ids = items.iter().map(|item| {
        let id = item.get("itemIdentifier").and_then(Value::as_str);
        id.filter(known).map(str::to_owned)
    });
    ids.collect::<Option<_>>()
        .map_or(Failures::All, Failures::These)
}

/// The event that the function gets.
fn payload(queue_arn: &str, messages: &[sqs::Message]) -> Value {
    let region = Arn::parse(queue_arn).map_or("", |arn| arn.region);
    let records: Vec<Value> = messages
        .iter()
        .map(|message| {
            json!({
                "messageId": message.message_id,
                "receiptHandle": message.receipt_handle(),
                "body": message.body,
                "attributes": message.system_attributes(),
                "messageAttributes": message_attributes(&message.attributes),
                "md5OfBody": message.md5_of_body(),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region,
            })
        })
        .collect();
    json!({ "Records": records })
}

/// Lambda writes the members of attributes in another case than SQS.
fn message_attributes(attributes: &Value) -> Map<String, Value> {
    let attributes = attributes.as_object().into_iter().flatten();
    attributes
        .map(|(name, value)| {
            let mut attribute = json!({
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
            });
            for (from, to) in [
                ("StringValue", "stringValue"),
                ("BinaryValue", "binaryValue"),
            ] {
                if let Some(value) = value.get(from) {
                    attribute[to] = value.clone();
                }
            }
            (name.clone(), attribute)
        })
        .collect()
}
