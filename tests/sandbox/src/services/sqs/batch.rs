//! The batch operations: up to ten entries, each of which succeeds or fails by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::messages;
use crate::world::{ApiError, Call, World};

const MAX_ENTRIES: usize = 10;

/// Answers a batch operation.
pub(super) fn call(world: &mut World, call: &Call, queue_arn: &str) -> Result<Value, ApiError> {
    let entries = call.input["Entries"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    check(entries)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = &entry["Id"];
        match one(world, call, queue_arn, entry) {
            Ok(mut answer) => {
                answer["Id"] = id.clone();
                successful.push(answer);
            }
            Err(error) => failed.push(json!({
                "Id": id,
                "SenderFault": true,
                "Code": error.code.trim_end_matches("Exception"),
                "Message": error.message,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

fn one(world: &mut World, call: &Call, queue_arn: &str, entry: &Value) -> Result<Value, ApiError> {
    match call.operation.as_str() {
        "SendMessageBatch" => messages::send(world, queue_arn, &call.caller.account, entry),
        "DeleteMessageBatch" => messages::delete(world, queue_arn, entry),
        _ => messages::change_visibility(world, queue_arn, entry),
    }
}

fn check(entries: &[Value]) -> Result<(), ApiError> {
    let ids: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| entry["Id"].as_str())
        .collect();
    let (code, message) = match entries.len() {
        0 => (
            "EmptyBatchRequest",
            "There should be at least one entry in the request.".to_owned(),
        ),
        count if count > MAX_ENTRIES => (
            "TooManyEntriesInBatchRequest",
            format!("Maximum number of entries per request are 10. You have sent {count}."),
        ),
        count if count != ids.len() => (
            "BatchEntryIdsNotDistinct",
            "Every entry needs an Id of its own.".to_owned(),
        ),
        _ => return Ok(()),
    };
    Err(ApiError::new(code, message))
}
