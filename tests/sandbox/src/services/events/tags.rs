//! Tags of rules and buses.

use serde_json::{Value, json};

use super::{bus::BusId, not_found, rules::RuleId, validation_error};
pub(super) use crate::services::tags::Tags;
use crate::{
    services::tags,
    world::{ApiError, Call, World},
};

/// Adds the `Tags` of a call to those that a resource has.
pub(super) fn tagged(tags: &Tags, call: &Call) -> Result<Tags, ApiError> {
    let more = tags::read(&call.input["Tags"], || {
        validation_error("Parameter Tags is not valid.")
    })?;
    tags::with(tags, more).ok_or_else(|| {
        validation_error(format!(
            "A resource cannot have more than {} tags.",
            tags::MOST
        ))
    })
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
    Ok(json!({ "Tags": tags::shown(find(world, call)?) }))
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
