//! Tags of rules and buses.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{bus::BusId, not_found, rules::RuleId, validation_error};
use crate::world::{ApiError, Call, World};

const MAX_TAGS: usize = 50;

/// The tags of one resource.
pub(super) type Tags = BTreeMap<String, String>;

/// Adds the `Tags` of a call to those that a resource has.
pub(super) fn tagged(tags: &Tags, call: &Call) -> Result<Tags, ApiError> {
    let mut tags = tags.clone();
    for tag in call.input["Tags"].as_array().into_iter().flatten() {
        let [key, value] = ["Key", "Value"].map(|member| tag[member].as_str());
        let (key, value) = key
            .zip(value)
            .filter(|(key, value)| is_key(key) && value.chars().count() <= 256)
            .ok_or_else(|| validation_error("Parameter Tags is not valid."))?;
        tags.insert(key.to_owned(), value.to_owned());
    }
    if tags.len() > MAX_TAGS {
        return Err(validation_error(format!(
            "A resource cannot have more than {MAX_TAGS} tags."
        )));
    }
    Ok(tags)
}

fn is_key(key: &str) -> bool {
    (1..=128).contains(&key.chars().count()) && !key.starts_with("aws:")
}

pub(super) fn tag_resource(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = find(world, call)?;
    *tags = tagged(tags, call)?;
    Ok(json!({}))
}

pub(super) fn untag_resource(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = find(world, call)?;
    for key in call.texts("TagKeys") {
        tags.remove(&key);
    }
    Ok(json!({}))
}

pub(super) fn list_tags_for_resource(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = find(world, call)?.iter();
    let tags: Vec<Value> = tags
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect();
    Ok(json!({ "Tags": tags }))
}

/// The tags of the rule or bus that a call names.
fn find<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Tags, ApiError> {
    let arn = call.text("ResourceARN").unwrap_or_default();
    let rule = RuleId::from_arn(arn);
    let bus = rule.as_ref().map(|rule| rule.bus.clone());
    let bus = bus
        .or_else(|| BusId::from_arn(arn))
        .ok_or_else(|| validation_error(format!("Parameter ResourceARN is not valid: {arn}.")))?;
    bus.check_own(call)?;
    match rule {
        Some(rule) => Ok(&mut rule.find(world)?.tags),
        None => match world.events.bus(&bus) {
            Some(bus) => Ok(&mut bus.tags),
            None => Err(not_found(format!("{arn} does not exist."))),
        },
    }
}
