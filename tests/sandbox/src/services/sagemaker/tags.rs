//! Tags of pipelines; the sandbox has no other SageMaker resources to tag.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{arn::PipelineId, authorization, input, output};
use crate::world::{ApiError, Call, World};

/// The most tags that a resource may have.
const MOST: usize = 50;

/// `AddTags`.
pub(super) fn add(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    if !call.input.get("Tags").is_some_and(Value::is_array) {
        return Err(input::missing("Tags"));
    }
    let added = given(call)?;
    let tags = tags_of(world, &id)?;
    let mut all = tags.clone();
    all.extend(added);
    check_count(&all)?;
    *tags = all;
    Ok(json!({ "Tags": shape(tags) }))
}

/// `ListTags`.
pub(super) fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    let tags = shape(tags_of(world, &id)?);
    let size = input::max_results(call, MOST, (50, usize::MAX))?;
    output::page_of(call, "Tags", tags, size)
}

/// `DeleteTags`.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    let keys = call.texts("TagKeys");
    if keys.is_empty() {
        return Err(input::missing("TagKeys"));
    }
    tags_of(world, &id)?.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

/// The tags of the request, by key.
pub(super) fn given(call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    let items = call.input.get("Tags").and_then(Value::as_array);
    for item in items.into_iter().flatten() {
        let text = |member: &str| item.get(member).and_then(Value::as_str);
        let (Some(key), Some(value)) = (text("Key"), text("Value")) else {
            return Err(input::missing("Tags.Key and Value"));
        };
        if key.is_empty() || key.starts_with("aws:") {
            return Err(input::invalid(format!("Invalid tag key '{key}'.")));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &BTreeMap<String, String>) -> Result<(), ApiError> {
    if tags.len() > MOST {
        return Err(input::invalid(format!(
            "A resource can have at most {MOST} tags."
        )));
    }
    Ok(())
}

/// The pipeline of which `ResourceArn` is the ARN, once the caller may act on it.
fn resource(world: &World, call: &Call) -> Result<PipelineId, ApiError> {
    let id = input::pipeline_arn(call, "ResourceArn")?;
    authorization::accessible(world, call, &id)?;
    Ok(id)
}

/// ASSUMED: how SageMaker answers for what does not exist; the model lists no error.
fn tags_of<'a>(
    world: &'a mut World,
    id: &PipelineId,
) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    let pipeline = world.sagemaker.pipeline_mut(id);
    pipeline
        .map(|pipeline| &mut pipeline.tags)
        .map_err(|error| input::invalid(error.message))
}

pub(super) fn shape(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}
