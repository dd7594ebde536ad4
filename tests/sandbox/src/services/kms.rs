//! KMS: the keys that templates make, as far as others ask who may use them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::iam::policy::{Decision, Request, evaluate};
use crate::world::{ApiError, World};

/// What whoever sends something through an encrypted topic does with its key.
///
/// Source: SNS developer guide, "Enable compatibility between event sources
/// from AWS services and encrypted topics".
pub(crate) const ACTIONS_OF_SENDERS: [&str; 2] = ["kms:Decrypt", "kms:GenerateDataKey"];

/// The policies of all keys, by their ARNs.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    keys: BTreeMap<String, Value>,
}

/// Makes a key, as a template's `AWS::KMS::Key` with these properties would.
pub fn create_key(
    world: &mut World,
    account: &str,
    region: &str,
    id: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let policy = &properties["KeyPolicy"];
    if policy.get("Statement").is_none() {
        let message = "KeyPolicy is not a policy document.";
        return Err(ApiError::new("MalformedPolicyDocumentException", message));
    }
    let arn = format!("arn:aws:kms:{region}:{account}:key/{id}");
    world.kms.keys.insert(arn, policy.clone());
    Ok(())
}

/// Whether somebody has made this key.
pub(crate) fn exists(world: &World, arn: &str) -> bool {
    world.kms.keys.contains_key(arn)
}

/// Whether the policy of the key lets somebody do what the request says.
///
/// The policies of roles are worth nothing unless the key's own policy says so.
pub fn permits(world: &World, request: &Request<'_>) -> Result<bool, ApiError> {
    match world.kms.keys.get(request.resource) {
        Some(policy) => Ok(evaluate(policy, request)? == Decision::Allow),
        None => Ok(false),
    }
}
