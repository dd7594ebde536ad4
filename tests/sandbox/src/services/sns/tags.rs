//! Tags of topics.

use serde_json::{Value, json};

use super::{Topic, account_of, invalid, required, topic_mut};
use crate::{
    services::{
        denials::without_policy,
        tags::{self, Tags},
    },
    world::{ApiError, Call, World},
};

/// A tag without a value has an empty one.
pub(super) fn read(tags: &Value) -> Result<Tags, ApiError> {
    let tags = tags.as_array().into_iter().flatten();
    tags.map(|tag| {
        let [key, value] = ["Key", "Value"].map(|member| tag[member].as_str().unwrap_or_default());
        if !tags::fits(key, value) {
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
    let message = "Could not complete request: tag quota of per resource exceeded";
    let too_many = || ApiError::new("TagLimitExceeded", message);
    topic.tags = tags::with(&topic.tags, more).ok_or_else(too_many)?;
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
    Ok(json!({ "Tags": tags::shown(&find(world, call)?.tags) }))
}

fn find<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Topic, ApiError> {
    let arn = required(&call.input, "ResourceArn")?;
    if account_of(arn) != call.caller.account {
        let action = format!("SNS:{}", call.operation);
        return Err(without_policy("sns", &call.caller.arn(), &action, arn));
    }
    let missing = |_| ApiError::with_status(404, "ResourceNotFound", "Resource does not exist");
    topic_mut(world, arn).map_err(missing)
}
