//! Expressions of definitions, and the conditions that are made of them.
//!
//! What a job would only know once it has really run, such as a metric in a
//! property file, has no value here. Conditions are therefore evaluated in
//! three values, and one that stays open is up to the caller.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    definition::Parameter,
    functions,
    problem::{Problem, array, members, object, required, string},
};

/// Finds the value of a path such as `Parameters.Epochs`.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Option<Value> + 'a;

/// The value of an expression, if it can be known.
pub(super) fn resolve(expression: &Value, lookup: &Lookup<'_>) -> Option<Value> {
    if let Some(path) = expression.get("Get").and_then(Value::as_str) {
        return lookup(path);
    }
    if let Some(join) = expression.get("Std:Join") {
        return resolve_join(join, lookup);
    }
    if expression.is_object() {
        return None;
    }
    Some(expression.clone())
}

fn resolve_join(join: &Value, lookup: &Lookup<'_>) -> Option<Value> {
    let separator = join.get("On").and_then(Value::as_str).unwrap_or_default();
    let values = join.get("Values")?.as_array()?;
    let texts: Option<Vec<String>> = values
        .iter()
        .map(|value| resolve(value, lookup).map(|value| text(&value)))
        .collect();
    Some(Value::from(texts?.join(separator)))
}

/// A value as the service writes it into a text.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether all conditions of a list hold, if that can be known.
pub(super) fn all_hold(conditions: &[Value], lookup: &Lookup<'_>) -> Option<bool> {
    decide(conditions, lookup, false)
}

/// Checks that a condition is one, with all that belongs to it and nothing else.
///
/// The SageMaker Python SDK negates with the member `Condition`; AWS refuses
/// the `Expression` that it wrote before (aws/sagemaker-python-sdk issue 2746
/// and pull request 4351). `NotEquals`, `NotIn`, and `Value` with `In` are
/// those of the JSON schema that AWS publishes.
///
/// ASSUMED: `And` is a condition like `Or`, and both spellings of `In` are taken.
pub(super) fn check(condition: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    let kind = string(required(object(condition)?, "Type")?)?;
    match kind {
        "Equals"
        | "NotEquals"
        | "GreaterThan"
        | "GreaterThanOrEqualTo"
        | "LessThan"
        | "LessThanOrEqualTo" => {
            let members = members(condition, &["Type", "LeftValue", "RightValue"])?;
            let mut operands = ["LeftValue", "RightValue"].into_iter();
            operands
                .try_for_each(|name| functions::check_value(required(members, name)?, parameters))
        }
        "In" | "NotIn" => {
            let (value, values) = membership(condition);
            let members = members(condition, &["Type", value, values])?;
            functions::check_value(required(members, value)?, parameters)?;
            let mut values = array(required(members, values)?)?.iter();
            values.try_for_each(|value| functions::check_value(value, parameters))
        }
        "Not" => {
            let members = members(condition, &["Type", "Condition"])?;
            check(required(members, "Condition")?, parameters)
        }
        "And" | "Or" => {
            let members = members(condition, &["Type", "Conditions"])?;
            let mut conditions = array(required(members, "Conditions")?)?.iter();
            conditions.try_for_each(|condition| check(condition, parameters))
        }
        unknown => Err(format!("Unknown condition type '{unknown}'.").into()),
    }
}

/// The names of what is looked for and of where: as the SDK has them, or as the schema has.
fn membership(condition: &Value) -> (&'static str, &'static str) {
    if condition.get("In").is_some() || condition.get("Value").is_some() {
        ("Value", "In")
    } else {
        ("QueryValue", "Values")
    }
}

/// Whether a condition holds, if that can be known.
///
/// ASSUMED: of values that cannot be ordered, neither comes before the other.
fn holds(condition: &Value, lookup: &Lookup<'_>) -> Option<bool> {
    let operand = |member: &str| condition.get(member).and_then(|it| resolve(it, lookup));
    let equals = || Some(equal(&operand("LeftValue")?, &operand("RightValue")?));
    let ordering = |is: fn(Ordering) -> bool| {
        let ordering = compare(&operand("LeftValue")?, &operand("RightValue")?);
        Some(ordering.is_some_and(is))
    };
    match condition.get("Type")?.as_str()? {
        "Equals" => equals(),
        "NotEquals" => equals().map(|outcome| !outcome),
        "GreaterThan" => ordering(Ordering::is_gt),
        "GreaterThanOrEqualTo" => ordering(Ordering::is_ge),
        "LessThan" => ordering(Ordering::is_lt),
        "LessThanOrEqualTo" => ordering(Ordering::is_le),
        "In" => is_in(condition, lookup),
        "NotIn" => is_in(condition, lookup).map(|outcome| !outcome),
        "Not" => holds(condition.get("Condition")?, lookup).map(|outcome| !outcome),
        "And" => decide(condition.get("Conditions")?.as_array()?, lookup, false),
        "Or" => decide(condition.get("Conditions")?.as_array()?, lookup, true),
        _ => None,
    }
}

/// Conjunction if `decisive` is false, disjunction if it is true.
fn decide(conditions: &[Value], lookup: &Lookup<'_>, decisive: bool) -> Option<bool> {
    let mut known = true;
    for condition in conditions {
        match holds(condition, lookup) {
            Some(outcome) if outcome == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

fn is_in(condition: &Value, lookup: &Lookup<'_>) -> Option<bool> {
    let (value, values) = membership(condition);
    let value = resolve(condition.get(value)?, lookup)?;
    let mut known = true;
    for candidate in condition.get(values)?.as_array()? {
        match resolve(candidate, lookup) {
            Some(candidate) if equal(&value, &candidate) => return Some(true),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(false)
}

/// ASSUMED: values of different types are never equal; 1 and 1.0 are of one type.
fn equal(left: &Value, right: &Value) -> bool {
    compare(left, right).map_or(left == right, Ordering::is_eq)
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
