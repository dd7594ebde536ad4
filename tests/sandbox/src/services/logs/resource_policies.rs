//! Resource policies: which services may write into the log groups of an account.

use serde_json::{Value, json};

use super::{invalid, nothing};
use crate::{
    services::key::ResourceKey,
    world::{ApiError, Call, World},
};

/// An account has this many in a Region, and not more on request.
const MOST_POLICIES: usize = 10;

/// The most characters of a document.
const LONGEST_DOCUMENT: usize = 5120;

pub(super) fn set(world: &mut World, key: ResourceKey, document: &str) -> Result<(), ApiError> {
    let policy: Value = serde_json::from_str(document)
        .map_err(|error| invalid(format!("The policy document is not JSON: {error}")))?;
    if policy.get("Statement").is_none() || document.len() > LONGEST_DOCUMENT {
        return Err(invalid(
            "The policy document is not a policy of at most 5120 characters.",
        ));
    }
    let others = world.logs.policies.keys().filter(|other| {
        (&other.account, &other.region) == (&key.account, &key.region) && other.name != key.name
    });
    if others.count() >= MOST_POLICIES {
        let message = "Resource limit exceeded.";
        return Err(ApiError::new("LimitExceededException", message));
    }
    world.logs.policies.insert(key, policy);
    Ok(())
}

pub(super) fn put(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let (Some(name), Some(document)) = (call.text("policyName"), call.text("policyDocument"))
    else {
        return Err(invalid("policyName and policyDocument are required."));
    };
    set(world, ResourceKey::own(call, name), document)?;
    let policy = json!({ "policyName": name, "policyDocument": document });
    Ok(json!({ "resourcePolicy": policy }))
}

pub(super) fn describe(world: &World, call: &Call) -> Value {
    let own = world.logs.policies.iter();
    let own = own.filter(|(key, _)| key.is_own(call));
    let policies = own.map(
        |(key, policy)| json!({ "policyName": key.name, "policyDocument": policy.to_string() }),
    );
    json!({ "resourcePolicies": policies.collect::<Vec<_>>() })
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = call.text("policyName").unwrap_or_default();
    let gone = world.logs.policies.remove(&ResourceKey::own(call, name));
    match gone {
        Some(_) => Ok(nothing()),
        None => Err(ApiError::new(
            "ResourceNotFoundException",
            "Policy with the given name does not exist.",
        )),
    }
}
