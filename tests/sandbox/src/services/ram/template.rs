//! What a managed permission allows, before RAM fills in resource and principals.

use serde_json::{Map, Value, json};

use super::catalogue::ResourceType;
use crate::{
    services::iam::policy::{self, Decision, Request},
    world::{ApiError, Call, Caller, World},
};

/// A policy without resource and principals.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Template {
    /// As the customer wrote it.
    pub(super) text: String,
    pub(super) actions: Vec<String>,
    pub(super) condition: Option<Value>,
}

/// Condition keys that RAM refuses, in lower case.
const REFUSED_KEYS: &[&str] = &[
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalaccount",
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceorgpaths",
    "aws:sourceorgid",
];

/// How refused condition keys about system tags begin, in lower case.
const REFUSED_PREFIXES: &[&str] = &[
    "aws:principaltag/aws:",
    "aws:resourcetag/aws:",
    "aws:requesttag/aws:",
];

/// The condition keys that the sandbox knows the values of, in lower case.
const KNOWN_KEYS: &[&str] = &["aws:principalarn"];

impl Template {
    /// A template that allows some actions without a condition.
    pub(super) fn allowing<T: AsRef<str>>(actions: &[T]) -> Self {
        let actions: Vec<String> = actions.iter().map(|each| each.as_ref().into()).collect();
        Self {
            text: json!({ "Effect": "Allow", "Action": actions }).to_string(),
            actions,
            condition: None,
        }
    }

    /// Reads the `policyTemplate` of a call.
    ///
    /// ASSUMED: what is not a statement is malformed, and a statement with an
    /// action or a condition that RAM does not support is invalid.
    pub(super) fn read(
        world: &World,
        call: &Call,
        resource_type: &ResourceType,
    ) -> Result<Self, ApiError> {
        let text = call.text("policyTemplate").unwrap_or_default();
        let Ok(Value::Object(statement)) = serde_json::from_str(text) else {
            return Err(malformed("The policy template is not a JSON object."));
        };
        check_elements(&statement)?;
        let actions = actions(&statement)?;
        for action in &actions {
            if !resource_type.supports(action) {
                let name = resource_type.name;
                return Err(invalid(format!(
                    "The action {action} is not supported for the resource type {name}."
                )));
            }
        }
        let template = Self {
            text: text.to_owned(),
            actions,
            condition: statement.get("Condition").cloned(),
        };
        template.check_condition(world, call)?;
        Ok(template)
    }

    fn check_condition(&self, world: &World, call: &Call) -> Result<(), ApiError> {
        let Some(condition) = &self.condition else {
            return Ok(());
        };
        let keys = condition.as_object().and_then(the_only_one);
        let Some((operator, Value::Object(keys))) = keys else {
            return Err(invalid("The condition must have a single operator."));
        };
        if operator.contains("Not") {
            return Err(invalid(format!(
                "The negating condition operator {operator} is not supported."
            )));
        }
        for key in keys.keys().map(|key| key.to_ascii_lowercase()) {
            if is_refused(&key) {
                return Err(invalid(format!(
                    "The condition key {key} is not supported."
                )));
            }
            if !KNOWN_KEYS.contains(&key.as_str()) {
                return Err(ApiError::with_status(
                    501,
                    "NotImplemented",
                    format!("The condition key {key} is not implemented in the sandbox"),
                ));
            }
        }
        // An operator that the sandbox does not know must not be found out when it matters.
        let action = self.actions.first().map_or("", String::as_str);
        self.decide(world, &call.caller, action, "").map(|_| ())
    }

    /// Whether the caller, to whom the resource is open, may do this to it.
    pub(super) fn allows(&self, world: &World, caller: &Caller, action: &str, arn: &str) -> bool {
        self.decide(world, caller, action, arn) == Ok(Decision::Allow)
    }

    fn decide(
        &self,
        world: &World,
        caller: &Caller,
        action: &str,
        resource: &str,
    ) -> Result<Decision, ApiError> {
        let mut statement = self.statement();
        statement.insert("Principal".to_owned(), "*".into());
        let policy = json!({ "Statement": statement });
        policy::evaluate(
            &policy,
            &Request::of_caller(world, caller, action, resource),
        )
    }

    /// The statement without resource and principal.
    pub(super) fn statement(&self) -> Map<String, Value> {
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), "Allow".into());
        statement.insert("Action".to_owned(), self.actions.clone().into());
        if let Some(condition) = &self.condition {
            statement.insert("Condition".to_owned(), condition.clone());
        }
        statement
    }

    /// Whether both allow the same, in whatever order they say it.
    pub(super) fn is_equivalent(&self, other: &Self) -> bool {
        let sorted = |template: &Self| {
            let mut actions: Vec<String> = template
                .actions
                .iter()
                .map(|action| action.to_ascii_lowercase())
                .collect();
            actions.sort();
            actions.dedup();
            actions
        };
        sorted(self) == sorted(other) && self.condition == other.condition
    }
}

/// RAM fills in the resource and the principals, and takes one statement only.
fn check_elements(statement: &Map<String, Value>) -> Result<(), ApiError> {
    let known = ["Effect", "Action", "Condition"];
    if let Some(other) = statement.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(malformed(format!(
            "The policy template must not have the element {other}."
        )));
    }
    if statement.get("Effect") != Some(&"Allow".into()) {
        return Err(malformed(
            "The effect of the policy template must be Allow.",
        ));
    }
    Ok(())
}

fn actions(statement: &Map<String, Value>) -> Result<Vec<String>, ApiError> {
    let actions: Option<Vec<String>> = match statement.get("Action") {
        Some(Value::String(action)) => Some(vec![action.clone()]),
        Some(Value::Array(actions)) => actions
            .iter()
            .map(|action| Some(action.as_str()?.to_owned()))
            .collect(),
        _ => None,
    };
    actions
        .filter(|actions| !actions.is_empty())
        .ok_or_else(|| malformed("The policy template must name at least one action."))
}

/// ASSUMED: that the only operators are single and do not negate means that
/// a condition has one operator.
fn the_only_one(condition: &Map<String, Value>) -> Option<(&String, &Value)> {
    let mut operators = condition.iter();
    operators.next().filter(|_| operators.next().is_none())
}

fn is_refused(key: &str) -> bool {
    REFUSED_KEYS.contains(&key)
        || REFUSED_PREFIXES
            .iter()
            .any(|prefix| key.starts_with(prefix))
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::new("MalformedPolicyTemplateException", message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidPolicyException", message)
}
