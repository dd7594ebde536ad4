//! Bus policies: which other accounts may put events on a bus.

use serde_json::Value;

use super::bus::BusId;
use crate::world::{ApiError, World};

const ACTION: &str = "events:PutEvents";

/// A principal of another account that puts an event on a bus.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// The account of the principal.
    pub(super) account: &'a str,
    /// The ARN of the principal: a role, a user, or its account's root.
    pub(super) principal: &'a str,
    /// The event with its envelope.
    pub(super) event: &'a Value,
}

/// Whether the policy of a bus lets another account's principal put this event.
pub(super) fn allows(world: &mut World, bus: &BusId, request: &Request<'_>) -> bool {
    let organization = world
        .organization
        .members
        .contains(request.account)
        .then(|| world.organization.id.clone());
    let Some(policy) = world.events.bus(bus).map(|bus| &bus.policy) else {
        return false;
    };
    let arn = bus.arn();
    let applies = |effect: &str| {
        policy.iter().any(|statement| {
            statement["Effect"] == effect
                && covers(&statement["Action"], ACTION)
                && covers(&statement["Resource"], &arn)
                && names(&statement["Principal"], request)
                && holds(&statement["Condition"], |key| {
                    value_of(key, request, organization.as_deref())
                })
        })
    };
    applies("Allow") && !applies("Deny")
}

/// Refuses a statement that the sandbox could not evaluate.
pub(super) fn check(statement: &Value) -> Result<(), ApiError> {
    let refuse = |what: &str, name: &str| {
        Err(ApiError::with_status(
            501,
            "NotImplemented",
            format!("{what} {name} in a bus policy is not implemented in the sandbox"),
        ))
    };
    if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
        return Err(super::validation_error(
            "Effect of a statement must be Allow or Deny.",
        ));
    }
    for member in ["NotAction", "NotPrincipal", "NotResource"] {
        if statement.get(member).is_some() {
            return refuse("element", member);
        }
    }
    for (operator, keys) in members(&statement["Condition"]) {
        if operation(operator).is_none() {
            return refuse("condition operator", operator);
        }
        for (key, _) in members(keys) {
            if !KEYS.contains(&key.to_lowercase().as_str()) {
                return refuse("condition key", key);
            }
        }
    }
    Ok(())
}

/// The condition keys that a request has, in lower case since IAM ignores it.
const KEYS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "events:detail-type",
    "events:source",
];

fn value_of<'a>(
    key: &str,
    request: &'a Request<'_>,
    organization: Option<&'a str>,
) -> Option<&'a str> {
    match key.to_lowercase().as_str() {
        "aws:principalaccount" => Some(request.account),
        "aws:principalarn" => Some(request.principal),
        "aws:principalorgid" => organization,
        "events:detail-type" => request.event["detail-type"].as_str(),
        "events:source" => request.event["source"].as_str(),
        _ => None,
    }
}

/// Whether a `Principal` names who asks.
fn names(principal: &Value, request: &Request<'_>) -> bool {
    let account = request.account;
    let root = format!("arn:aws:iam::{account}:root");
    let names =
        |name: &str| name == "*" || name == account || name == root || name == request.principal;
    texts(principal).any(|name| name == "*") || texts(&principal["AWS"]).any(names)
}

/// Whether a list of patterns with wildcards covers a name.
fn covers(patterns: &Value, name: &str) -> bool {
    texts(patterns).any(|pattern| like(pattern, name))
}

/// How an operator compares the value of a key with one that the policy gives.
fn operation(operator: &str) -> Option<(fn(&str, &str) -> bool, bool)> {
    let equal: fn(&str, &str) -> bool = |left, right| left == right;
    match operator {
        "StringEquals" => Some((equal, true)),
        "StringNotEquals" => Some((equal, false)),
        "StringLike" | "ArnEquals" | "ArnLike" => Some((like, true)),
        "StringNotLike" | "ArnNotEquals" | "ArnNotLike" => Some((like, false)),
        _ => None,
    }
}

/// Whether all conditions hold; a key without a value only satisfies a negated operator.
fn holds<'a>(conditions: &Value, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
    members(conditions).all(|(operator, keys)| {
        operation(operator).is_some_and(|(compare, positive)| {
            members(keys).all(|(key, expected)| {
                let equal = value_of(key)
                    .is_some_and(|value| texts(expected).any(|text| compare(text, value)));
                equal == positive
            })
        })
    })
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// The texts of a value that is a text or a list of them.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    items.iter().filter_map(Value::as_str)
}

/// Whether a text fits an IAM pattern, in which `*` stands for any text and `?` for any character.
fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len())
            .filter(|at| text.is_char_boundary(*at))
            .any(|at| like(rest.as_str(), &text[at..])),
        Some(expected) => {
            let mut characters = text.chars();
            characters
                .next()
                .is_some_and(|c| expected == '?' || expected == c)
                && like(rest.as_str(), characters.as_str())
        }
    }
}
