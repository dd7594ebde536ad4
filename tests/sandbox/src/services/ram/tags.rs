//! Tags of shares.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    entities::unknown,
    input::{any_own_share, invalid, is_given, unknown_share},
    permissions,
};
use crate::world::{ApiError, Call, World};

/// `TagResource`.
pub(super) fn tag(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let added = read(call)?;
    let mut tags = tagged(world, call)?.clone();
    tags.extend(added);
    check_count(world, tags.len())?;
    *tagged(world, call)? = tags;
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let tags = tagged(world, call)?;
    for key in call.texts("tagKeys") {
        tags.remove(&key);
    }
    Ok(json!({}))
}

/// The tags of the caller's share or customer managed permission that the call names.
fn tagged<'a>(
    world: &'a mut World,
    call: &Call,
) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    if is_given(call, "resourceArn") == is_given(call, "resourceShareArn") {
        return Err(invalid(
            "You must specify either resourceShareArn or resourceArn, but not both.",
        ));
    }
    let Some(arn) = call.text("resourceArn") else {
        let arn = any_own_share(world, call)?.arn.clone();
        let share = world.ram.share_mut(&arn);
        return Ok(&mut share.ok_or_else(|| unknown_share(&arn))?.tags);
    };
    let key = permissions::find(world, call, arn)?.key();
    let permission = world.ram.permissions.get_mut(&key);
    permission
        .filter(|permission| permission.home.is_some())
        .map(|permission| &mut permission.tags)
        .ok_or_else(|| unknown(&format!("Permission {arn}")))
}

/// The tags of a call.
pub(super) fn read(call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    let given = call.input.get("tags").and_then(Value::as_array);
    for tag in given.into_iter().flatten() {
        let text = |member: &str| tag.get(member).and_then(Value::as_str);
        let key = text("key")
            .filter(|key| !key.is_empty())
            .ok_or_else(|| invalid("A tag must have a key."))?;
        let value = text("value").ok_or_else(|| invalid("A tag must have a value."))?;
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ApiError::new(
                "TagPolicyViolationException",
                format!("The tag key {key} is a reserved word and can't be used."),
            ));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!("The tag key {key} is given twice.")));
        }
    }
    Ok(tags)
}

/// Whether a share or permission may have so many tags.
pub(super) fn check_count(world: &World, count: usize) -> Result<(), ApiError> {
    if count > world.ram.quotas.tags_per_share {
        return Err(ApiError::new(
            "TagLimitExceededException",
            "The operation would exceed the limit for tags.",
        ));
    }
    Ok(())
}

/// A tag key and the values that it may have; any, if there are none.
pub(super) type Filter = (String, Vec<String>);

/// The tag filters of a call.
pub(super) fn filters(call: &Call) -> Vec<Filter> {
    let given = call.input.get("tagFilters").and_then(Value::as_array);
    given
        .into_iter()
        .flatten()
        .filter_map(|filter| {
            let values = filter.get("tagValues").and_then(Value::as_array);
            let values = values.into_iter().flatten();
            Some((
                filter.get("tagKey")?.as_str()?.to_owned(),
                values
                    .filter_map(|value| Some(value.as_str()?.to_owned()))
                    .collect(),
            ))
        })
        .collect()
}

/// Whether the tags satisfy every filter.
pub(super) fn match_all(filters: &[Filter], tags: &BTreeMap<String, String>) -> bool {
    filters.iter().all(|(key, values)| {
        tags.get(key)
            .is_some_and(|value| values.is_empty() || values.contains(value))
    })
}
