//! Tags of parameters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Parameter, invalid, key, required};
use crate::world::{ApiError, Call, World};

const MAX_TAGS: usize = 50;

/// The tags that `PutParameter` gives a new parameter.
pub(super) fn of_new(call: &Call, exists: bool) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = read(call)?;
    if exists && !tags.is_empty() {
        return Err(invalid(
            "Tags and overwrite can't be used together. To add tags to an existing parameter, \
             use AddTagsToResource.",
        ));
    }
    Ok(tags)
}

pub(super) fn add(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let more = read(call)?;
    let tags = &mut find(world, call)?.tags;
    let mut all = tags.clone();
    all.extend(more);
    if all.len() > MAX_TAGS {
        let message = "The number of tags on the resource exceeds the maximum of 50.";
        return Err(ApiError::new("TooManyTagsError", message));
    }
    *tags = all;
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = &mut find(world, call)?.tags;
    tags.retain(|key, _| !call.texts("TagKeys").contains(key));
    Ok(json!({}))
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = find(world, call)?.tags.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(json!({ "TagList": tags }))
}

fn read(call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = call.input["Tags"].as_array().into_iter().flatten();
    tags.map(|tag| {
        let [key, value] = ["Key", "Value"].map(|member| tag[member].as_str());
        key.zip(value)
            .filter(|(key, value)| {
                (1..=128).contains(&key.chars().count())
                    && !key.starts_with("aws:")
                    && value.chars().count() <= 256
            })
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .ok_or_else(|| invalid("A tag is not valid"))
    })
    .collect()
}

/// The parameter that a call names; its ARN is no resource id.
fn find<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Parameter, ApiError> {
    match required(call, "ResourceType")? {
        "Parameter" => {}
        "Association" | "Automation" | "Document" | "MaintenanceWindow" | "ManagedInstance"
        | "OpsItem" | "OpsMetadata" | "PatchBaseline" => {
            return Err(ApiError::not_implemented(call));
        }
        _ => {
            let message = "The resource type isn't valid.";
            return Err(ApiError::new("InvalidResourceType", message));
        }
    }
    let key = key(call, required(call, "ResourceId")?);
    world.ssm.parameters.get_mut(&key).ok_or_else(|| {
        let message = "The resource ID isn't valid. Verify that you entered the correct ID.";
        ApiError::new("InvalidResourceId", message)
    })
}
