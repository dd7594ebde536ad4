mod limits;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::world::Caller;

fn ask(world: &mut World, operation: &str, mut input: Value) -> Result<Value, ApiError> {
    if input.get("TableName").is_none() {
        input["TableName"] = json!("ledger");
    }
    let request = Call {
        caller: Caller::administrator("111111111111"),
        region: "eu-west-1".to_owned(),
        service: "dynamodb".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &request)
}

fn refused(world: &mut World, operation: &str, input: Value) -> String {
    ask(world, operation, input).unwrap_err().code
}

fn world() -> World {
    let mut world = World::new(Timestamp::from_second(1000).unwrap());
    let properties = json!({
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
    });
    create_table(
        &mut world,
        "111111111111",
        "eu-west-1",
        "ledger",
        &properties,
    )
    .unwrap();
    world
}

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

fn put(world: &mut World, pk: &str, sk: &str, more: &Value) {
    let mut item = key(pk, sk);
    item.as_object_mut()
        .unwrap()
        .append(&mut more.as_object().unwrap().clone());
    ask(world, "PutItem", json!({ "Item": item })).unwrap();
}

fn get(world: &mut World, pk: &str, sk: &str) -> Value {
    let answer = ask(
        world,
        "GetItem",
        json!({ "Key": key(pk, sk), "ConsistentRead": true }),
    );
    answer.unwrap()["Item"].clone()
}

/// Whether a condition holds for the item `{n: 5, s: "abc", m: {x: [1, 2]}, set: [a, b]}`.
fn holds(condition: &str, values: Value) -> Result<bool, ApiError> {
    let mut world = world();
    put(
        &mut world,
        "p",
        "s",
        &json!({
            "n": { "N": "5" },
            "s": { "S": "abc" },
            "m": { "M": { "x": { "L": [{ "N": "1" }, { "N": "2" }] } } },
            "tags": { "SS": ["a", "b"] },
        }),
    );
    let mut input = json!({ "Key": key("p", "s"), "ConditionExpression": condition });
    if values.as_object().is_some_and(|values| !values.is_empty()) {
        input["ExpressionAttributeValues"] = values;
    }
    match ask(&mut world, "DeleteItem", input) {
        Ok(_) => Ok(true),
        Err(error) if error.code == "ConditionalCheckFailedException" => Ok(false),
        Err(error) => Err(error),
    }
}

/// Applies an update to the item `{n: 5, readings: [1]}` and returns what it becomes.
fn updated(expression: &str, values: Value) -> Result<Value, ApiError> {
    let mut world = world();
    put(
        &mut world,
        "p",
        "s",
        &json!({
            "n": { "N": "5" },
            "readings": { "L": [{ "N": "1" }] },
            "tags": { "SS": ["a", "b"] },
        }),
    );
    let mut input = json!({
        "Key": key("p", "s"), "UpdateExpression": expression, "ReturnValues": "ALL_NEW",
    });
    if values.as_object().is_some_and(|values| !values.is_empty()) {
        input["ExpressionAttributeValues"] = values;
    }
    ask(&mut world, "UpdateItem", input).map(|answer| answer["Attributes"].clone())
}

fn sort_keys(answer: &Value) -> Vec<&str> {
    let items = answer["Items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["sk"]["S"].as_str().unwrap())
        .collect()
}

#[test]
fn an_item_is_put_read_and_deleted() {
    let mut world = world();
    put(&mut world, "p", "s", &json!({ "a": { "N": "1" } }));
    assert_eq!(get(&mut world, "p", "s")["a"], json!({ "N": "1" }));
    assert_eq!(get(&mut world, "p", "other"), Value::Null);

    let input = json!({ "Key": key("p", "s"), "ReturnValues": "ALL_OLD" });
    let answer = ask(&mut world, "DeleteItem", input).unwrap();
    assert_eq!(answer["Attributes"]["a"], json!({ "N": "1" }));
    assert_eq!(get(&mut world, "p", "s"), Value::Null);
}

#[test]
fn the_second_of_two_writers_with_the_same_condition_loses() {
    let mut world = world();
    let input = json!({
        "Item": key("p", "s"),
        "ConditionExpression": "attribute_not_exists(pk)",
    });
    ask(&mut world, "PutItem", input.clone()).unwrap();
    let error = ask(&mut world, "PutItem", input).unwrap_err();
    assert_eq!(error.code, "ConditionalCheckFailedException");
    assert_eq!(error.message, "The conditional request failed");
}

#[test]
fn conditions_hold_where_dynamodb_says_so() {
    let v = |value: Value| json!({ ":v": value });
    let n = |n: i32| v(json!({ "N": n.to_string() }));
    for (condition, values) in [
        ("attribute_exists(n) AND NOT attribute_exists(x)", json!({})),
        ("n = :v", v(json!({ "N": "5.0" }))),
        ("n <> :v", n(4)),
        ("absent <> :v", n(4)),
        ("n < :v", n(10)),
        ("n >= :v and n <= :v", n(5)),
        (
            "n BETWEEN :v AND :w",
            json!({ ":v": { "N": "5" }, ":w": { "N": "6" } }),
        ),
        (
            "n IN (:v, :w)",
            json!({ ":v": { "N": "4" }, ":w": { "N": "5" } }),
        ),
        ("begins_with(s, :v)", v(json!({ "S": "ab" }))),
        ("contains(s, :v)", v(json!({ "S": "bc" }))),
        ("contains(tags, :v)", v(json!({ "S": "b" }))),
        ("size(s) = :v", n(3)),
        ("attribute_type(tags, :v)", v(json!({ "S": "SS" }))),
        ("m.x[1] = :v", n(2)),
        ("(n = :v OR n > :v) AND s = s", n(4)),
        ("n = :v AND s <> s OR attribute_exists(s)", n(9)),
    ] {
        assert_eq!(holds(condition, values), Ok(true), "{condition}");
    }
    for (condition, values) in [
        ("n = :v", v(json!({ "S": "5" }))),
        ("n < :v", v(json!({ "S": "9" }))),
        ("absent = :v", n(4)),
        ("absent < :v", n(4)),
        ("NOT (n = :v)", n(5)),
        ("begins_with(n, :v)", v(json!({ "S": "5" }))),
        ("m.x[2] = :v", n(2)),
    ] {
        assert_eq!(holds(condition, values), Ok(false), "{condition}");
    }
}

#[test]
fn expressions_that_dynamodb_refuses_are_refused() {
    for (condition, values) in [
        ("n =", json!({})),
        ("n = :v)", json!({ ":v": { "N": "1" } })),
        ("n = :missing", json!({})),
        ("#missing = n", json!({})),
        ("n = n", json!({ ":unused": { "N": "1" } })),
        ("status = n", json!({})),
        ("ttl = n", json!({})),
        ("unknown_function(n)", json!({})),
        ("n ! n", json!({})),
        ("n = :v", json!({ ":v": "plain" })),
        ("n = :v", json!({ ":v": { "N": "x" } })),
        ("n = :v", json!({ ":v": { "N": "1e126" } })),
        ("n = :v", json!({ ":v": { "NS": ["1", "x"] } })),
        ("((n = n))", json!({})),
        ("n = n AND ((n = n))", json!({})),
    ] {
        let error = holds(condition, values).unwrap_err();
        assert_eq!(error.code, "ValidationException", "{condition}");
    }
}

#[test]
fn placeholders_stand_for_names_that_are_reserved() {
    let mut world = world();
    put(&mut world, "p", "s", &json!({ "status": { "S": "x" } }));
    let input = json!({
        "Key": key("p", "s"),
        "ConditionExpression": "#s = :s",
        "ExpressionAttributeNames": { "#s": "status" },
        "ExpressionAttributeValues": { ":s": { "S": "x" } },
    });
    assert!(ask(&mut world, "DeleteItem", input).is_ok());
}

#[test]
fn updates_change_what_they_name() {
    let n = |n: i32| json!({ ":v": { "N": n.to_string() } });
    for (expression, values, attribute, expected) in [
        ("SET a = :v", n(1), "a", json!({ "N": "1" })),
        ("SET n = n + :v", n(2), "n", json!({ "N": "7" })),
        ("SET n = n - :v", n(2), "n", json!({ "N": "3" })),
        (
            "SET a = if_not_exists(n, :v)",
            n(1),
            "a",
            json!({ "N": "5" }),
        ),
        (
            "SET a = if_not_exists(a, :v) + :v",
            n(1),
            "a",
            json!({ "N": "2" }),
        ),
        ("set a = n, n = :v", n(1), "a", json!({ "N": "5" })),
        (
            "SET readings[0] = :v",
            n(9),
            "readings",
            json!({ "L": [{ "N": "9" }] }),
        ),
        ("REMOVE n", json!({}), "n", Value::Null),
        (
            "REMOVE readings[0] SET a = :v",
            n(1),
            "readings",
            json!({ "L": [] }),
        ),
        ("ADD n :v", n(2), "n", json!({ "N": "7" })),
        ("ADD a :v", n(2), "a", json!({ "N": "2" })),
        (
            "ADD tags :v",
            json!({ ":v": { "SS": ["b", "c"] } }),
            "tags",
            json!({ "SS": ["a", "b", "c"] }),
        ),
        (
            "DELETE tags :v",
            json!({ ":v": { "SS": ["a"] } }),
            "tags",
            json!({ "SS": ["b"] }),
        ),
        (
            "DELETE tags :v",
            json!({ ":v": { "SS": ["a", "b"] } }),
            "tags",
            Value::Null,
        ),
        (
            "SET readings = list_append(readings, :v)",
            json!({ ":v": { "L": [{ "N": "2" }] } }),
            "readings",
            json!({ "L": [{ "N": "1" }, { "N": "2" }] }),
        ),
    ] {
        assert_eq!(
            updated(expression, values).unwrap()[attribute],
            expected,
            "{expression}"
        );
    }
}

#[test]
fn updates_that_dynamodb_refuses_are_refused() {
    let n = || json!({ ":v": { "N": "1" } });
    for (expression, values) in [
        ("SET sk = :v", n()),
        ("SET a = absent", json!({})),
        ("SET tags = tags + :v", n()),
        ("SET a.b = :v", n()),
        ("SET a = :v SET b = :v", n()),
        ("ADD tags :v", n()),
        ("a = :v", n()),
        ("ADD n :v", json!({ ":v": { "N": "1e125" } })),
        ("SET n = n - :v", json!({ ":v": { "N": "1e125" } })),
    ] {
        let error = updated(expression, values).unwrap_err();
        assert_eq!(error.code, "ValidationException", "{expression}");
    }
}

#[test]
fn an_update_makes_the_item_that_is_missing() {
    let mut world = world();
    let input = json!({
        "Key": key("p", "s"),
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": { ":a": { "S": "x" } },
        "ReturnValues": "UPDATED_NEW",
    });
    let answer = ask(&mut world, "UpdateItem", input).unwrap();
    assert_eq!(answer["Attributes"], json!({ "a": { "S": "x" } }));
    assert_eq!(get(&mut world, "p", "s")["sk"], json!({ "S": "s" }));
}

#[test]
fn an_item_is_gone_when_its_time_is_over() {
    let mut world = world();
    put(&mut world, "p", "s", &json!({ "expires": { "N": "1010" } }));
    put(&mut world, "p", "t", &json!({ "expires": { "S": "1010" } }));
    world.now += Duration::from_secs(9);
    assert_ne!(get(&mut world, "p", "s"), Value::Null);
    world.now += Duration::from_secs(1);
    assert_eq!(get(&mut world, "p", "s"), Value::Null);
    assert_ne!(get(&mut world, "p", "t"), Value::Null);
}

fn with_days() -> World {
    let mut world = world();
    for day in ["2026-03", "2026-01", "2026-02"] {
        put(
            &mut world,
            "p",
            day,
            &json!({ "even": { "BOOL": day.ends_with('2') } }),
        );
    }
    put(&mut world, "q", "2026-01", &json!({}));
    world
}

fn days(condition: &str, more: &Value) -> Value {
    let mut input = json!({
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": { ":p": { "S": "p" } },
    });
    for (name, value) in more.as_object().unwrap() {
        match value.as_object() {
            Some(members) if name == "ExpressionAttributeValues" => {
                input[name]
                    .as_object_mut()
                    .unwrap()
                    .append(&mut members.clone());
            }
            _ => input[name] = value.clone(),
        }
    }
    ask(&mut with_days(), "Query", input).unwrap()
}

#[test]
fn a_query_finds_a_partition_in_the_order_of_its_sort_key() {
    let answer = days("pk = :p", &json!({}));
    assert_eq!(sort_keys(&answer), ["2026-01", "2026-02", "2026-03"]);
    assert_eq!(answer["Count"], 3);
    let answer = days("pk = :p", &json!({ "ScanIndexForward": false }));
    assert_eq!(sort_keys(&answer), ["2026-03", "2026-02", "2026-01"]);
    let since = json!({ "ExpressionAttributeValues": { ":s": { "S": "2026-02" } } });
    assert_eq!(
        sort_keys(&days("pk = :p AND sk >= :s", &since)),
        ["2026-02", "2026-03"]
    );
    assert_eq!(
        sort_keys(&days("pk = :p AND begins_with(sk, :s)", &since)),
        ["2026-02"]
    );
}

#[test]
fn a_filter_hides_items_that_still_count_for_the_page() {
    let answer = days(
        "pk = :p",
        &json!({
            "FilterExpression": "even = :e",
            "ExpressionAttributeValues": { ":e": { "BOOL": true } },
            "Limit": 1,
        }),
    );
    assert!(sort_keys(&answer).is_empty());
    assert_eq!(answer["ScannedCount"], 1);
    assert_eq!(answer["LastEvaluatedKey"], key("p", "2026-01"));
    let answer = days(
        "pk = :p",
        &json!({ "ExclusiveStartKey": key("p", "2026-01"), "Limit": u64::MAX }),
    );
    assert_eq!(sort_keys(&answer), ["2026-02", "2026-03"]);
    assert!(answer.get("LastEvaluatedKey").is_none());
    let answer = days(
        "pk = :p",
        &json!({ "ExclusiveStartKey": key("p", "2026-01-15") }),
    );
    assert_eq!(sort_keys(&answer), ["2026-02", "2026-03"]);
}

#[test]
fn a_projection_shows_only_what_it_names() {
    let answer = days(
        "pk = :p",
        &json!({ "ProjectionExpression": "sk", "Limit": 1 }),
    );
    assert_eq!(answer["Items"], json!([{ "sk": { "S": "2026-01" } }]));
    let answer = days("pk = :p", &json!({ "Select": "COUNT" }));
    assert_eq!(answer, json!({ "Count": 3, "ScannedCount": 3 }));
}

#[test]
fn a_query_must_name_one_partition() {
    for condition in [
        "sk = :p",
        "pk > :p",
        "pk = :p AND even = :p",
        "pk = :p AND sk <> :p",
    ] {
        let input = json!({
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": { ":p": { "S": "p" } },
        });
        let code = refused(&mut with_days(), "Query", input);
        assert_eq!(code, "ValidationException", "{condition}");
    }
}

#[test]
fn everything_is_scanned_and_several_items_are_read_at_once() {
    let mut world = with_days();
    assert_eq!(ask(&mut world, "Scan", json!({})).unwrap()["Count"], 4);
    let keys = [key("p", "2026-01"), key("p", "none"), key("q", "2026-01")];
    let input = json!({ "RequestItems": { "ledger": { "Keys": keys } } });
    let answer = ask(&mut world, "BatchGetItem", input).unwrap();
    assert_eq!(answer["Responses"]["ledger"].as_array().unwrap().len(), 2);
    assert_eq!(answer["UnprocessedKeys"], json!({}));
}

#[test]
fn a_transaction_writes_everything_or_nothing() {
    let mut world = with_days();
    let put = |pk: &str, condition: &str| {
        json!({ "Put": {
            "TableName": "ledger", "Item": key(pk, "t"), "ConditionExpression": condition,
        }})
    };
    let delete = json!({ "Delete": { "TableName": "ledger", "Key": key("p", "2026-01") } });
    let failing = [
        delete.clone(),
        put("new", "attribute_not_exists(pk)"),
        put("x", "attribute_exists(pk)"),
    ];
    let error = ask(
        &mut world,
        "TransactWriteItems",
        json!({ "TransactItems": failing }),
    )
    .unwrap_err();
    assert_eq!(error.code, "TransactionCanceledException");
    assert!(
        error
            .message
            .ends_with("[None, None, ConditionalCheckFailed]"),
        "{error}"
    );
    assert_ne!(get(&mut world, "p", "2026-01"), Value::Null);
    assert_eq!(get(&mut world, "new", "t"), Value::Null);

    let items = [delete, put("new", "attribute_not_exists(pk)")];
    ask(
        &mut world,
        "TransactWriteItems",
        json!({ "TransactItems": items }),
    )
    .unwrap();
    assert_eq!(get(&mut world, "p", "2026-01"), Value::Null);
    assert_ne!(get(&mut world, "new", "t"), Value::Null);
}

#[test]
fn keys_and_tables_must_be_what_the_schema_says() {
    let mut world = world();
    for item in [
        json!({ "pk": { "S": "p" } }),
        json!({ "pk": { "S": "p" }, "sk": { "N": "1" } }),
        json!({ "pk": { "S": "" }, "sk": { "S": "s" } }),
        json!({ "pk": { "S": "p" }, "sk": { "S": "s" }, "a": "plain" }),
        json!({ "pk": { "S": "p" }, "sk": { "S": "s" }, "a": { "S": "x".repeat(410_000) } }),
    ] {
        let code = refused(&mut world, "PutItem", json!({ "Item": item }));
        assert_eq!(code, "ValidationException");
    }
    let extra = json!({ "pk": { "S": "p" }, "sk": { "S": "s" }, "a": { "S": "x" } });
    let code = refused(&mut world, "GetItem", json!({ "Key": extra }));
    assert_eq!(code, "ValidationException");
    let input = json!({ "TableName": "none", "Key": key("p", "s") });
    assert_eq!(
        refused(&mut world, "GetItem", input),
        "ResourceNotFoundException"
    );
    let arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/ledger";
    let answer = ask(&mut world, "DescribeTable", json!({ "TableName": arn })).unwrap();
    assert_eq!(answer["Table"]["TableArn"], arn);
}

#[test]
fn what_would_change_the_meaning_of_a_call_is_not_ignored() {
    let mut world = world();
    let legacy = json!({ "Key": key("p", "s"), "Expected": {} });
    let error = ask(&mut world, "DeleteItem", legacy).unwrap_err();
    assert_eq!(error.status, 501);
    let properties = json!({ "GlobalSecondaryIndexes": [] });
    let error = create_table(&mut world, "111111111111", "eu-west-1", "x", &properties);
    assert_eq!(error.unwrap_err().status, 501);
}
