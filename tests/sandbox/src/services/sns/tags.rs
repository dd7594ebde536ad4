//! Tags of topics.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Topic, account_of, denied, invalid, required, topic_mut};
use crate::world::{ApiError, Call, World};

const MAX_TAGS: usize = 50;

type Tags = BTreeMap<String, String>;

pub(super) fn read(tags: &Value) -> Result<Tags, ApiError> {
    let tags = tags.as_array().into_iter().flatten();
    tags.map(|tag| {
        let [key, value] = ["Key", "Value"].map(|member| tag[member].as_str().unwrap_or_default());
        let fits = (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256;
        if !fits || key.starts_with("aws:") {
            return Err(invalid("Tags"));
        }
        Ok((key.to_owned(), value.to_owned()))
    })
    .collect()
}

/// A topic that is made again must not change its tags.
pub(super) fn set_on_create(world: &mut World, topic: &str, tags: Tags) -> Result<(), ApiError> {
    let topic = topic_mut(world, topic)?;
    if tags.is_empty() || topic.tags == tags {
        return Ok(());
    }
    if !topic.tags.is_empty() {
        return Err(invalid(
            "Tags Reason: Topic already exists with different tags",
        ));
    }
    extend(topic, tags)
}

fn extend(topic: &mut Topic, more: Tags) -> Result<(), ApiError> {
    let mut tags = topic.tags.clone();
    tags.extend(more);
    if tags.len() > MAX_TAGS {
        let message = "Could not complete request: tag quota of per resource exceeded";
        return Err(ApiError::new("TagLimitExceeded", message));
    }
    topic.tags = tags;
    Ok(())
}

pub(super) fn add(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = read(&call.input["Tags"])?;
    extend(find(world, call)?, tags)?;
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let keys = call.texts("TagKeys");
    find(world, call)?.tags.retain(|key, _| !keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = find(world, call)?.tags.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(json!({ "Tags": tags }))
}

fn find<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Topic, ApiError> {
    let arn = required(&call.input, "ResourceArn")?;
    if account_of(arn) != call.caller.account {
        let action = format!("SNS:{}", call.operation);
        return Err(denied(&call.caller.arn(), &action, arn));
    }
    let missing = |_| ApiError::with_status(404, "ResourceNotFound", "Resource does not exist");
    topic_mut(world, arn).map_err(missing)
}
