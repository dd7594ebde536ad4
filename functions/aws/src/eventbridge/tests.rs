use aws_sdk_eventbridge::Client;
use serde_json::{Value, json};

use super::{Entry, EventBridge};
use crate::{
    Class,
    replay::{Answer, Replay, ok},
};

async fn bus(replay: &Replay) -> EventBridge {
    EventBridge::new(
        Client::new(&replay.config().await),
        Some("111111111111".parse().unwrap()),
    )
}

fn entry(number: usize) -> Entry {
    Entry {
        source: "pipeshare".to_owned(),
        detail_type: "Share Offered".to_owned(),
        detail: json!({ "number": number }),
        resources: vec!["arn:aws:x".to_owned()],
    }
}

fn entries(request: &crate::replay::Request) -> Vec<Value> {
    request.json()["Entries"].as_array().unwrap().clone()
}

/// Accepts the entries of every call, but for those with an error code.
fn accepting(mut code: impl FnMut(&str) -> Option<&'static str> + Send + 'static) -> Replay {
    Replay::by(move |request| -> Answer {
        let results: Vec<_> = entries(request)
            .iter()
            .map(|entry| match code(entry["Detail"].as_str().unwrap()) {
                None => json!({ "EventId": "e" }),
                Some(code) => json!({ "ErrorCode": code, "ErrorMessage": "because" }),
            })
            .collect();
        ok(&json!({ "FailedEntryCount": 0, "Entries": results }))
    })
}

#[tokio::test]
async fn events_are_put_ten_a_call_on_the_bus_that_was_named() {
    let replay = accepting(|_| None);
    bus(&replay)
        .await
        .put("pipeshare", (0..21).map(entry).collect())
        .await
        .unwrap();
    let sizes: Vec<_> = replay
        .requests()
        .iter()
        .map(|call| entries(call).len())
        .collect();
    assert_eq!(sizes, [10, 10, 1]);
    let first = &entries(&replay.requests()[0])[0];
    let expected = json!({
        "EventBusName": "pipeshare", "Source": "pipeshare", "DetailType": "Share Offered",
        "Detail": "{\"number\":0}", "Resources": ["arn:aws:x"],
    });
    assert_eq!(first, &expected);
}

#[tokio::test]
async fn large_events_are_divided_by_weight() {
    let replay = accepting(|_| None);
    let large = |number| Entry {
        detail: json!({ "text": "x".repeat(100_000) }),
        ..entry(number)
    };
    bus(&replay)
        .await
        .put("b", (0..5).map(large).collect())
        .await
        .unwrap();
    let sizes: Vec<_> = replay
        .requests()
        .iter()
        .map(|call| entries(call).len())
        .collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[tokio::test]
async fn an_event_that_no_call_can_carry_is_refused_before_any_is_sent() {
    let replay = accepting(|_| None);
    let huge = Entry {
        detail: json!({ "text": "x".repeat(300_000) }),
        ..entry(1)
    };
    let error = bus(&replay)
        .await
        .put("b", vec![entry(0), huge])
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
    assert!(replay.requests().is_empty());
}

#[tokio::test]
async fn an_entry_that_was_throttled_is_sent_again_alone() {
    let mut throttled = false;
    let replay = accepting(move |detail| {
        (detail.contains("1}") && !std::mem::replace(&mut throttled, true))
            .then_some("ThrottlingException")
    });
    bus(&replay)
        .await
        .put("b", (0..3).map(entry).collect())
        .await
        .unwrap();
    let requests = replay.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(entries(&requests[1]).len(), 1);
    assert_eq!(entries(&requests[1])[0]["Detail"], "{\"number\":1}");
}

#[tokio::test]
async fn an_entry_that_stays_throttled_is_a_transient_failure() {
    let replay = accepting(|_| Some("InternalFailure"));
    let error = bus(&replay)
        .await
        .put("b", vec![entry(0)])
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert_eq!(replay.requests().len(), 3);
}

#[tokio::test]
async fn a_refused_entry_is_a_permanent_failure_and_does_not_stop_the_others() {
    let replay = accepting(|detail| {
        detail
            .contains(":0}")
            .then_some("NotAuthorizedForSourceException")
    });
    let error = bus(&replay)
        .await
        .put("b", (0..11).map(entry).collect())
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Permanent);
    assert!(error.is("NotAuthorizedForSourceException"));
    assert_eq!(replay.requests().len(), 2);
    assert_eq!(
        error.to_string(),
        "events:PutEvents in 111111111111 failed: NotAuthorizedForSourceException: \
         1 not accepted: NotAuthorizedForSourceException: because"
    );
}

#[tokio::test]
async fn an_answer_about_other_entries_is_not_taken_for_success() {
    let replay = Replay::of([ok(&json!({ "FailedEntryCount": 0, "Entries": [] }))]);
    assert!(bus(&replay).await.put("b", vec![entry(0)]).await.is_err());
}

#[tokio::test]
async fn of_entries_that_failed_the_one_that_another_try_may_help_decides() {
    let replay = accepting(|detail| match detail {
        _ if detail.contains(":0}") => Some("MalformedDetail"),
        _ if detail.contains(":1}") => Some("ThrottlingException"),
        _ => None,
    });
    let bus = bus(&replay).await;
    let put = bus.put("b", (0..3).map(entry).collect());
    let error = put.await.unwrap_err();
    assert_eq!(error.class(), Class::Transient);
    assert!(error.message().starts_with("2 not accepted"), "{error}");
}
