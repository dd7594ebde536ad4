//! Tags of pipelines; the sandbox has no other SageMaker resources to tag.

use serde_json::{Value, json};

use super::{arn::PipelineId, authorization, input, output};
use crate::{
    services::tags::{self, MOST, Tags, shown},
    world::{ApiError, Call, World},
};

/// `AddTags`.
pub(super) fn add(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    if call.input.get("Tags").is_none_or(Value::is_null) {
        return Err(input::missing("Tags"));
    }
    let added = given(call)?;
    let tags = tags_of(world, &id)?;
    *tags = tags::with(tags, added)
        .ok_or_else(|| input::invalid(format!("A resource can have at most {MOST} tags.")))?;
    Ok(json!({ "Tags": shown(tags) }))
}

/// `ListTags`.
pub(super) fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    let tags = shown(tags_of(world, &id)?);
    let size = input::max_results(call, MOST, (50, u64::MAX))?;
    output::page_of(call, "Tags", tags, size)
}

/// `DeleteTags`.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = resource(world, call)?;
    let keys = input::list(call, "TagKeys", MOST)?;
    if keys.is_empty() {
        return Err(input::missing("TagKeys"));
    }
    let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
    tags_of(world, &id)?.retain(|key, _| !keys.contains(&key.as_str()));
    Ok(json!({}))
}

/// The tags of the request, by key.
pub(super) fn given(call: &Call) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for item in input::list(call, "Tags", MOST)? {
        let text = |member: &str| item.get(member).and_then(Value::as_str);
        let (Some(key), Some(value)) = (text("Key"), text("Value")) else {
            return Err(input::missing("Tags.Key and Value"));
        };
        if !is_text(key, 1, 128) || key.starts_with("aws:") {
            return Err(input::invalid(format!("Invalid tag key '{key}'.")));
        }
        if !is_text(value, 0, 256) {
            return Err(input::invalid(format!("Invalid tag value '{value}'.")));
        }
        tags.insert(key.to_owned(), value.to_owned());
    }
    Ok(tags)
}

/// Whether a key or value has the length and the letters that tags may have.
fn is_text(text: &str, least: usize, most: usize) -> bool {
    let is_allowed = |letter: char| {
        letter.is_alphanumeric()
            || letter.is_whitespace() && !letter.is_control()
            || "_.:/=+-@".contains(letter)
    };
    (least..=most).contains(&text.chars().count()) && text.chars().all(is_allowed)
}

/// The pipeline of which `ResourceArn` is the ARN, once the caller may act on it.
fn resource(world: &World, call: &Call) -> Result<PipelineId, ApiError> {
    let id = input::pipeline_arn(call, "ResourceArn")?;
    authorization::accessible(world, call, &id)?;
    Ok(id)
}

/// ASSUMED: how SageMaker answers for what does not exist; the model lists no error.
fn tags_of<'a>(world: &'a mut World, id: &PipelineId) -> Result<&'a mut Tags, ApiError> {
    let pipeline = world.sagemaker.pipeline_mut(id);
    pipeline
        .map(|pipeline| &mut pipeline.tags)
        .map_err(|error| input::invalid(error.message))
}
