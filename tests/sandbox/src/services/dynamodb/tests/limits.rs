//! How long, how deep and how large things may be.

use super::*;

#[test]
fn an_expression_may_be_long_and_deep_but_not_endless() {
    let deep =
        |levels: usize| format!("{}n = n{}", "(n = n OR ".repeat(levels), ")".repeat(levels));
    assert_eq!(holds(&deep(100), json!({})), Ok(true));
    let refusal = holds(&deep(101), json!({})).unwrap_err();
    assert_eq!(refusal.code, "ValidationException");
    assert_eq!(
        holds(&format!("{}n = n", "NOT ".repeat(1000)), json!({})),
        Ok(true)
    );

    let long = |length: usize| format!("n = n{}", " ".repeat(length - 5));
    assert_eq!(holds(&long(4096), json!({})), Ok(true));
    let refusal = holds(&long(4097), json!({})).unwrap_err();
    assert_eq!(
        refusal.message,
        "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; \
         expression size: 4097"
    );
    let endless = "(".repeat(1 << 20);
    assert!(holds(&endless, json!({})).is_err());
    let endless = format!("SET a = {}", "if_not_exists(a, ".repeat(240));
    assert!(updated(&endless, json!({})).is_err());
}

#[test]
fn a_value_has_at_most_32_levels() {
    let nested = |levels: usize| {
        (1..levels).fold(
            json!({ "N": "1" }),
            |value, _| json!({ "M": { "x": value } }),
        )
    };
    updated("SET a = :v", json!({ ":v": nested(32) })).unwrap();
    let refusal = updated("SET a = :v", json!({ ":v": nested(33) })).unwrap_err();
    assert!(
        refusal.message.starts_with("Nesting Levels have exceeded"),
        "{refusal}"
    );
    let mut world = world();
    let item = json!({ "pk": { "S": "p" }, "sk": { "S": "s" }, "a": nested(33) });
    assert_eq!(
        refused(&mut world, "PutItem", json!({ "Item": item })),
        "ValidationException"
    );
}
