//! Filter policies: which messages a subscription takes.

use serde_json::{Map, Value};

use super::invalid;
use crate::{services::events::pattern::Pattern, world::ApiError};

/// The most keys at the top of a policy.
const MAX_KEYS: usize = 5;

/// What a policy looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Scope {
    MessageAttributes,
    MessageBody,
}

impl Scope {
    pub(super) fn read(text: &str) -> Result<Self, ApiError> {
        match text {
            "MessageAttributes" => Ok(Self::MessageAttributes),
            "MessageBody" => Ok(Self::MessageBody),
            _ => Err(invalid("FilterPolicyScope: Invalid value")),
        }
    }
}

/// Reads a policy; an empty one lets every message pass.
///
/// The language is that of event patterns.
pub(super) fn read(text: &str, scope: Scope) -> Result<Option<Pattern>, ApiError> {
    let policy: Value = match text {
        "" => return Ok(None),
        text => {
            serde_json::from_str(text).map_err(|_| invalid("FilterPolicy: failed to parse JSON"))?
        }
    };
    let policy = policy
        .as_object()
        .ok_or_else(|| invalid("FilterPolicy: must be an object"))?;
    if policy.is_empty() {
        return Ok(None);
    }
    if policy.len() > MAX_KEYS {
        return Err(invalid(
            "FilterPolicy: Filter policy can not have more than 5 keys",
        ));
    }
    let is_nested = |(name, value): (&String, &Value)| name != "$or" && !value.is_array();
    if scope == Scope::MessageAttributes && policy.iter().any(is_nested) {
        return Err(invalid(
            "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy",
        ));
    }
    let pattern = Pattern::parse(text);
    pattern
        .map(Some)
        .map_err(|error| invalid(&format!("FilterPolicy: {error}")))
}

/// Whether a message passes.
pub(super) fn passes(policy: &Pattern, scope: Scope, message: &str, attributes: &Value) -> bool {
    match scope {
        Scope::MessageAttributes => policy.matches(&values(attributes)),
        // What is no JSON has no properties that could match.
        Scope::MessageBody => serde_json::from_str::<Value>(message)
            .is_ok_and(|body| body.is_object() && policy.matches(&body)),
    }
}

/// Message attributes by their names: numbers as numbers, and the elements of arrays.
fn values(attributes: &Value) -> Value {
    let attributes = attributes.as_object().into_iter().flatten();
    let values: Map<String, Value> = attributes
        .map(|(name, attribute)| (name.clone(), value(attribute)))
        .collect();
    Value::Object(values)
}

fn value(attribute: &Value) -> Value {
    let text = &attribute["StringValue"];
    let json = || serde_json::from_str(text.as_str()?).ok();
    let read = match attribute["DataType"].as_str() {
        Some("Number" | "String.Array") => json(),
        _ => None,
    };
    read.unwrap_or_else(|| text.clone())
}
