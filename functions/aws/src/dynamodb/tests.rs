use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::{Lease, Table, Values};
use crate::replay::{Answer, Replay, ok, refusal};

const NOW: i64 = 1_800_000_000;

async fn table(replay: &Replay) -> Table {
    Table::new(&replay.config().await, "pipeshare")
}

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn unmet() -> Answer {
    refusal(
        400,
        "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "unmet",
    )
}

async fn lease(replay: &Replay) -> Lease {
    let keep = Duration::from_hours(24);
    table(replay)
        .await
        .lease("e1", "told#1", "message-1", now(), keep, Values::new())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_lease_is_written_on_condition_that_nobody_else_has_one() {
    let replay = Replay::of([ok(&json!({}))]);
    assert_eq!(lease(&replay).await, Lease::Taken);
    let body = replay.requests()[0].json();
    assert_eq!(
        body["Item"],
        json!({
            "pk": { "S": "e1" }, "sk": { "S": "told#1" },
            "state": { "S": "leased" }, "holder": { "S": "message-1" },
            "since": { "N": NOW.to_string() }, "expires": { "N": (NOW + 86_400).to_string() },
        })
    );
    assert_eq!(
        body["ConditionExpression"],
        "attribute_not_exists(pk) OR (#state <> :done AND (#holder = :holder OR #since < :abandoned))"
    );
    let values = &body["ExpressionAttributeValues"];
    assert_eq!(values[":done"], json!({ "S": "done" }));
    assert_eq!(values[":holder"], json!({ "S": "message-1" }));
    assert_eq!(
        values[":abandoned"],
        json!({ "N": (NOW - 900).to_string() })
    );
}

#[tokio::test]
async fn a_lease_that_is_refused_says_whether_the_thing_is_done() {
    for (state, expected) in [("done", Lease::Done), ("leased", Lease::HeldByOther)] {
        let replay = Replay::of([unmet(), ok(&json!({ "Item": { "state": { "S": state } } }))]);
        assert_eq!(lease(&replay).await, expected);
        assert_eq!(replay.requests()[1].json()["ConsistentRead"], true);
    }
}

#[tokio::test]
async fn what_is_asked_about_again_and_again_is_not_forgotten() {
    let done = |left: i64| {
        let expires = (NOW + left).to_string();
        ok(&json!({ "Item": { "state": { "S": "done" }, "expires": { "N": expires } } }))
    };
    let replay = Replay::of([unmet(), done(30_000)]);
    assert_eq!(lease(&replay).await, Lease::Done);
    let replay = Replay::of([unmet(), done(28_000), ok(&json!({}))]);
    assert_eq!(lease(&replay).await, Lease::Done);
    let kept = replay.requests()[2].json();
    assert_eq!(
        kept["ExpressionAttributeValues"][":expires"],
        json!({ "N": (NOW + 86_400).to_string() })
    );
    assert_eq!(kept["ConditionExpression"], "attribute_exists(pk)");
}

#[tokio::test]
async fn a_failure_of_the_table_is_no_refusal_of_the_lease() {
    let replay = Replay::of([refusal(400, "ResourceNotFoundException", "no table")]);
    let table = table(&replay).await;
    let failed = table
        .lease("e1", "s", "m", now(), Duration::ZERO, Values::new())
        .await;
    assert!(failed.unwrap_err().is("ResourceNotFoundException"));
}

#[tokio::test]
async fn only_the_holder_of_a_lease_marks_it_as_done() {
    let replay = Replay::of([ok(&json!({})), unmet()]);
    let table = table(&replay).await;
    assert!(table.done("e1", "told#1", "message-1").await.unwrap());
    assert!(!table.done("e1", "told#1", "message-2").await.unwrap());
    let body = replay.requests()[0].json();
    assert_eq!(body["ConditionExpression"], "#holder = :holder");
    assert_eq!(body["UpdateExpression"], "SET #state = :done");
}

#[tokio::test]
async fn a_history_has_all_pages() {
    let item = |sk: &str, state: &str| json!({ "pk": { "S": "e1" }, "sk": { "S": sk }, "state": { "S": state }, "holder": { "S": "m" } });
    let replay = Replay::of([
        ok(
            &json!({ "Items": [], "LastEvaluatedKey": { "pk": { "S": "e1" }, "sk": { "S": "0" } } }),
        ),
        ok(&json!({ "Items": [item("1", "done"), item("2", "leased")] })),
    ]);
    let history = table(&replay).await.history("e1").await.unwrap();
    let found: Vec<_> = history
        .iter()
        .map(|notification| (notification.sk.as_str(), notification.done))
        .collect();
    assert_eq!(found, [("1", true), ("2", false)]);
    assert_eq!(history[0].holder, "m");
}

#[tokio::test]
async fn an_item_is_read_as_it_was_written() {
    let written = Values::from([("until".to_owned(), "2026".to_owned())]);
    let replay = Replay::of([
        ok(&json!({})),
        ok(
            &json!({ "Item": { "pk": { "S": "p" }, "sk": { "S": "s" }, "until": { "S": "2026" } } }),
        ),
        ok(&json!({})),
    ]);
    let table = table(&replay).await;
    table.put("p", "s", &written, Some(now())).await.unwrap();
    assert_eq!(table.get("p", "s").await.unwrap(), Some(written));
    assert_eq!(table.get("p", "none").await.unwrap(), None);
    let item = &replay.requests()[0].json()["Item"];
    assert_eq!(item["expires"], json!({ "N": NOW.to_string() }));
    assert_eq!(item["until"], json!({ "S": "2026" }));
}

#[tokio::test]
async fn an_item_that_is_there_is_not_written_over() {
    let replay = Replay::of([ok(&json!({})), unmet()]);
    let table = table(&replay).await;
    assert!(
        table
            .put_if_absent("p", "s", &Values::new(), None)
            .await
            .unwrap()
    );
    assert!(
        !table
            .put_if_absent("p", "s", &Values::new(), None)
            .await
            .unwrap()
    );
}
