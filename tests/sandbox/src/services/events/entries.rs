//! `PutEvents`: events of applications, checked one by one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    DroppedEvent, ServiceEvent,
    bus::BusId,
    delivery::{self, Hop},
    policy, validation_error,
};
use crate::world::{ApiError, Call, World};

const MAX_ENTRIES: usize = 10;

/// The bytes that the entries of one call may have together.
const MAX_SIZE: usize = 1024 * 1024;

pub(super) fn put_events(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let entries = call.input["Entries"].as_array();
    let entries = entries.map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        return Err(validation_error(format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: \
             Member must have length between 1 and {MAX_ENTRIES}"
        )));
    }
    if entries.iter().map(size).sum::<usize>() >= MAX_SIZE {
        return Err(validation_error(
            "Total size of the entries in the request is over the limit.",
        ));
    }
    let results: Vec<_> = entries
        .iter()
        .map(|entry| put_entry(world, call, entry))
        .collect();
    let failed = results.iter().filter(|result| result.is_err()).count();
    let results: Vec<Value> = results
        .into_iter()
        .map(|result| match result {
            Ok(id) => json!({ "EventId": id }),
            Err(error) => json!({ "ErrorCode": error.code, "ErrorMessage": error.message }),
        })
        .collect();
    Ok(json!({ "FailedEntryCount": failed, "Entries": results }))
}

/// The size of an entry as the documentation computes it.
fn size(entry: &Value) -> usize {
    let length = |text: &Value| text.as_str().map_or(0, str::len);
    let time = if entry["Time"].is_null() { 0 } else { 14 };
    let texts = ["Source", "DetailType", "Detail"].map(|member| length(&entry[member]));
    let resources = entry["Resources"].as_array().into_iter().flatten();
    time + texts.iter().sum::<usize>() + resources.map(length).sum::<usize>()
}

/// Puts one event on its bus and returns its id.
fn put_entry(world: &mut World, call: &Call, entry: &Value) -> Result<Value, ApiError> {
    let (event, time) = read(world, call, entry)?;
    let bus = Call {
        input: entry.clone(),
        ..call.clone()
    };
    let bus = BusId::of_call(&bus, "EventBusName")
        .map_err(|_| invalid_argument("Parameter EventBusName is not valid."))?;
    let envelope = super::envelope(world, &event, time);
    let id = envelope["id"].clone();
    policy::check_caller(world, &call.caller, &bus, &envelope)?;
    if !delivery::arrive(world, &bus, envelope.clone(), Hop::First) {
        // EventBridge answers as if all were well (aws/aws-cli#9186).
        world.events.dropped.push(DroppedEvent {
            time: world.now,
            source: call.caller.arn(),
            target: bus.arn(),
            reason: "NO_RESOURCE".to_owned(),
            event: envelope,
        });
    }
    Ok(id)
}

fn read(world: &World, call: &Call, entry: &Value) -> Result<(ServiceEvent, Timestamp), ApiError> {
    let required = |member: &str| {
        let text = entry[member].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            invalid_argument(&format!(
                "Parameter {member} is not valid. Reason: {member} is a required argument."
            ))
        })
    };
    let source = required("Source")?;
    let detail_type = required("DetailType")?;
    let detail = required("Detail")?;
    if source.starts_with("aws.") {
        return Err(ApiError::new(
            "NotAuthorizedForSourceException",
            "Not authorized for the source.",
        ));
    }
    let detail: Value = serde_json::from_str(&detail)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| ApiError::new("MalformedDetail", "Detail is malformed."))?;
    let resources = entry["Resources"].as_array().into_iter().flatten();
    let event = ServiceEvent {
        account: call.caller.account.clone(),
        region: call.region.clone(),
        source,
        detail_type,
        resources: resources
            .filter_map(|resource| resource.as_str().map(str::to_owned))
            .collect(),
        detail,
    };
    Ok((event, time(world, &entry["Time"])?))
}

/// The time of an entry, which the JSON protocol writes in seconds since 1970.
fn time(world: &World, time: &Value) -> Result<Timestamp, ApiError> {
    if time.is_null() {
        return Ok(world.now);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an envelope's time has whole seconds"
    )]
    let seconds = time.as_f64().map(|seconds| seconds as i64);
    seconds
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| invalid_argument("Parameter Time is not valid."))
}

fn invalid_argument(message: &str) -> ApiError {
    ApiError::new("InvalidArgument", message)
}
