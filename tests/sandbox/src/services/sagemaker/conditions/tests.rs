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
        outcome(&json!({ "Type": "Not", "Condition": metric })),
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

#[test]
fn not_is_taken_with_the_member_condition_alone() {
    let equal = json!({ "Type": "Equals", "LeftValue": 1, "RightValue": 1 });
    let condition = json!({ "Type": "Not", "Condition": equal });
    assert_eq!(check(&condition, &[]), Ok(()));
    assert_eq!(outcome(&condition), Some(false));
    let expression = json!({ "Type": "Not", "Expression": equal });
    assert_eq!(
        check(&expression, &[]).unwrap_err().to_string(),
        "Unable to parse pipeline definition. Cannot parse object, unknown property 'Expression'."
    );
}

#[test]
fn the_opposites_that_the_schema_has_are_evaluated() {
    let not_in = |value: i64| json!({ "Type": "NotIn", "Value": value, "In": [1, 2] });
    let not_equal =
        |right: i64| json!({ "Type": "NotEquals", "LeftValue": 1, "RightValue": right });
    for (condition, expected) in [
        (not_in(3), true),
        (not_in(2), false),
        (not_equal(2), true),
        (not_equal(1), false),
    ] {
        assert_eq!(check(&condition, &[]), Ok(()));
        assert_eq!(outcome(&condition), Some(expected), "{condition}");
    }
}

#[test]
fn what_is_no_condition_is_refused_wherever_it_stands() {
    let equal = json!({ "Type": "Equals", "LeftValue": 1, "RightValue": 1 });
    for wrong in [
        json!({ "Type": "Equal", "LeftValue": 1, "RightValue": 1 }),
        json!({ "Type": "Xor", "Conditions": [equal] }),
        json!({ "LeftValue": 1, "RightValue": 1 }),
        json!({ "Type": "Equals", "LeftVal": 1, "RightValue": 1 }),
        json!({ "Type": "Equals", "LeftValue": 1 }),
        json!({ "Type": "Equals", "LeftValue": null, "RightValue": 1 }),
        json!({ "Type": "Equals", "LeftValue": [1], "RightValue": 1 }),
        json!({ "Type": "Equals", "LeftValue": 1, "RightValue": 1, "Else": 1 }),
        json!({ "Type": "Equals", "LeftValue": { "Get": "Parameters.Nobody" }, "RightValue": 1 }),
        json!({ "Type": "Equals", "LeftValue": { "Get": "Parameter.Epochs" }, "RightValue": 1 }),
        json!({ "Type": "In", "QueryValue": 1 }),
        json!({ "Type": "In", "QueryValue": 1, "Values": 1 }),
        json!({ "Type": "In", "QueryValue": 1, "In": [1] }),
        json!({ "Type": "Or", "Conditions": equal }),
        json!({ "Type": "Not" }),
        json!("Equals"),
    ] {
        for whole in [
            wrong.clone(),
            json!({ "Type": "Not", "Condition": wrong }),
            json!({ "Type": "Or", "Conditions": [equal, wrong] }),
        ] {
            assert!(check(&whole, &[]).is_err(), "{whole}");
        }
    }
}

#[test]
fn of_what_has_no_order_neither_comes_first() {
    for operator in ["GreaterThan", "LessThan", "LessThanOrEqualTo"] {
        assert_eq!(
            compared(operator, &json!("three")),
            Some(false),
            "{operator}"
        );
    }
}
