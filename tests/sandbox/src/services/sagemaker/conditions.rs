//! Expressions of definitions, and the conditions that are made of them.
//!
//! What a job would only know once it has really run, such as a metric in a
//! property file, has no value here. Conditions are therefore evaluated in
//! three values, and one that stays open is up to the caller.

use std::cmp::Ordering;

use serde_json::Value;

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

/// Whether a condition holds, if that can be known.
fn holds(condition: &Value, lookup: &Lookup<'_>) -> Option<bool> {
    let operand = |member: &str| condition.get(member).and_then(|it| resolve(it, lookup));
    let ordering = || compare(&operand("LeftValue")?, &operand("RightValue")?);
    match condition.get("Type")?.as_str()? {
        "Equals" => Some(equal(&operand("LeftValue")?, &operand("RightValue")?)),
        "GreaterThan" => ordering().map(Ordering::is_gt),
        "GreaterThanOrEqualTo" => ordering().map(Ordering::is_ge),
        "LessThan" => ordering().map(Ordering::is_lt),
        "LessThanOrEqualTo" => ordering().map(Ordering::is_le),
        "In" => is_in(&operand("QueryValue")?, condition, lookup),
        "Not" => holds(condition.get("Expression")?, lookup).map(|outcome| !outcome),
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

fn is_in(value: &Value, condition: &Value, lookup: &Lookup<'_>) -> Option<bool> {
    let mut known = true;
    for candidate in condition.get("Values")?.as_array()? {
        match resolve(candidate, lookup) {
            Some(candidate) if equal(value, &candidate) => return Some(true),
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
mod tests {
    use serde_json::json;

    use super::*;

    fn lookup(path: &str) -> Option<Value> {
        match path {
            "Parameters.Epochs" => Some(json!(3)),
            "Parameters.Stage" => Some(json!("test")),
            _ => None,
        }
    }

    fn outcome(condition: &Value) -> Option<bool> {
        holds(condition, &lookup)
    }

    fn compared(operator: &str, right: &Value) -> Option<bool> {
        outcome(&json!({
            "Type": operator, "LeftValue": { "Get": "Parameters.Epochs" }, "RightValue": right,
        }))
    }

    #[test]
    fn numbers_compare_by_value_whatever_their_notation() {
        assert_eq!(compared("Equals", &json!(3.0)), Some(true));
        assert_eq!(compared("GreaterThan", &json!(3)), Some(false));
        assert_eq!(compared("GreaterThanOrEqualTo", &json!(3)), Some(true));
        assert_eq!(compared("LessThan", &json!(3.5)), Some(true));
        assert_eq!(compared("LessThanOrEqualTo", &json!(2)), Some(false));
    }

    #[test]
    fn a_number_never_equals_a_text() {
        assert_eq!(compared("Equals", &json!("3")), Some(false));
    }

    #[test]
    fn membership_looks_through_expressions() {
        let condition = json!({
            "Type": "In",
            "QueryValue": "s3://test/3",
            "Values": ["x", { "Std:Join": { "On": "/", "Values": [
                "s3:/", { "Get": "Parameters.Stage" }, { "Get": "Parameters.Epochs" },
            ] } }],
        });
        assert_eq!(outcome(&condition), Some(true));
    }

    #[test]
    fn what_only_a_real_job_knows_leaves_a_condition_open() {
        let metric = json!({ "Type": "LessThan", "RightValue": 6.0, "LeftValue": { "Std:JsonGet": {
            "PropertyFile": { "Get": "Steps.Evaluate.PropertyFiles.Report" }, "Path": "mse",
        } } });
        let holds = json!({ "Type": "Equals", "LeftValue": 1, "RightValue": 1 });
        let fails = json!({ "Type": "Equals", "LeftValue": 1, "RightValue": 2 });
        assert_eq!(outcome(&metric), None);
        assert_eq!(
            outcome(&json!({ "Type": "Not", "Expression": metric })),
            None
        );
        for (operator, other, expected) in [
            ("And", &holds, None),
            ("And", &fails, Some(false)),
            ("Or", &holds, Some(true)),
            ("Or", &fails, None),
        ] {
            let condition = json!({ "Type": operator, "Conditions": [metric, other] });
            assert_eq!(outcome(&condition), expected, "{operator} {other}");
        }
    }
}
