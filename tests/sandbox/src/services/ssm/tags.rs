//! Tags of parameters.

use serde_json::{Value, json};

use super::{Parameter, ResourceKey, invalid, required};
use crate::{
    services::tags::{self, Tags},
    world::{ApiError, Call, World},
};

/// The tags that `PutParameter` gives a new parameter.
pub(super) fn of_new(call: &Call, exists: bool) -> Result<Tags, ApiError> {
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
    let message = "The number of tags on the resource exceeds the maximum of 50.";
    *tags = tags::with(tags, more).ok_or_else(|| ApiError::new("TooManyTagsError", message))?;
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = &mut find(world, call)?.tags;
    tags.retain(|key, _| !call.texts("TagKeys").contains(key));
    Ok(json!({}))
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    Ok(json!({ "TagList": tags::shown(&find(world, call)?.tags) }))
}

fn read(call: &Call) -> Result<Tags, ApiError> {
    tags::read(&call.input["Tags"], || invalid("A tag is not valid"))
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
    let key = ResourceKey::own(call, required(call, "ResourceId")?);
    world.ssm.parameters.get_mut(&key).ok_or_else(|| {
        let message = "The resource ID isn't valid. Verify that you entered the correct ID.";
        ApiError::new("InvalidResourceId", message)
    })
}
