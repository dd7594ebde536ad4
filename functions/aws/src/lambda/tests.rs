use std::{cell::RefCell, time::Duration};

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::{Deadline, Edge, Function, MAX_ATTEMPTS, Outcome, Record, Reply};
use crate::{
    Aws, Error,
    ram::Owner,
    replay::{Replay, ok, place, refusal},
    ssm::Ssm,
    telemetry::Metrics,
};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/333333333333/share-pipeline";

/// Answers each batch with the same outcomes, and remembers what it was given.
struct Scripted {
    outcomes: Vec<Outcome>,
    given: RefCell<Vec<Record>>,
}

impl Function for Scripted {
    async fn handle(&self, batch: &[Record], _: Deadline, _metrics: &Metrics) -> Reply {
        self.given.borrow_mut().extend_from_slice(batch);
        Reply {
            outcomes: self.outcomes.clone(),
            summary: json!({ "seen": batch.len() }),
        }
    }
}

struct Served {
    answer: Result<Value, Diagnostic>,
    given: Vec<Record>,
    put_back: Vec<Value>,
}

async fn serve(payload: Value, outcomes: Vec<Outcome>, replay: Replay) -> Served {
    let function = Scripted {
        outcomes,
        given: RefCell::default(),
    };
    let region = "eu-west-1".parse().unwrap();
    let config = replay.config().await;
    let edge = Edge {
        function,
        aws: &Aws::new(config, region, "aws".to_owned(), "test".to_owned()),
        queue_url: Some(QUEUE.to_owned()),
    };
    let deadline = Deadline::of_invocation(Duration::from_mins(1));
    let answer = edge
        .answer(payload, "r", deadline, &Metrics::default())
        .await;
    Served {
        answer,
        given: edge.function.given.into_inner(),
        put_back: replay
            .requests()
            .iter()
            .map(crate::replay::Request::json)
            .collect(),
    }
}

fn queue_up() -> Replay {
    Replay::by(|_| ok(&json!({ "MessageId": "m" })))
}

fn message(id: &str, attempts: u32) -> Value {
    json!({
        "messageId": id, "body": format!("hint {id}"), "eventSource": "aws:sqs",
        "attributes": { "SentTimestamp": "1800000000000", "ApproximateReceiveCount": "1",
            "ApproximateFirstReceiveTimestamp": "1800000001000" },
        "messageAttributes": {
            "pipeshare-attempts": { "stringValue": attempts.to_string(), "dataType": "Number" },
        },
    })
}

fn batch(messages: &[Value]) -> Value {
    json!({ "Records": messages })
}

fn failures(ids: &[&str]) -> Value {
    let items: Vec<_> = ids
        .iter()
        .map(|id| json!({ "itemIdentifier": id }))
        .collect();
    json!({ "batchItemFailures": items })
}

fn not_yet() -> Outcome {
    Outcome::Followed {
        after: Duration::from_secs(20),
        by: vec!["look again".to_owned()],
    }
}

async fn failed(status: u16, code: &str) -> Error {
    let replay = Replay::of([refusal(status, code, "because")]);
    Ssm::new(&replay.config().await, place())
        .newest("/p")
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_record_has_what_sqs_knows_of_it() {
    let mut plain = message("m2", 0);
    plain["messageAttributes"] = json!({});
    let outcomes = vec![Outcome::Done, Outcome::Done];
    let served = serve(batch(&[message("m1", 3), plain]), outcomes, queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let [first, second] = served.given.as_slice() else {
        panic!("{:?}", served.given);
    };
    assert_eq!(
        (first.id.as_deref(), first.body.as_str()),
        (Some("m1"), "hint m1")
    );
    assert_eq!(first.sent.unwrap().as_second(), 1_800_000_000);
    assert_eq!(first.received.unwrap().as_second(), 1_800_000_001);
    assert_eq!((first.attempts, second.attempts), (3, 0));
}

#[tokio::test]
async fn only_what_trying_again_can_help_is_delivered_again() {
    let outcomes = vec![
        Outcome::Done,
        Outcome::Failed(failed(503, "ServiceUnavailable").await),
        Outcome::Failed(failed(403, "AccessDeniedException").await),
        Outcome::NotReached,
    ];
    let messages = ["m1", "m2", "m3", "m4"].map(|id| message(id, 0));
    let served = serve(batch(&messages), outcomes, queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&["m2", "m4"]));
    assert!(served.put_back.is_empty());
}

#[tokio::test]
async fn what_is_not_ready_is_looked_at_again_later_and_later() {
    let served = serve(batch(&[message("m1", 2)]), vec![not_yet()], queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(
        served.put_back,
        [json!({
            "QueueUrl": QUEUE, "MessageBody": "look again", "DelaySeconds": 80,
            "MessageAttributes": { "pipeshare-attempts": { "DataType": "Number", "StringValue": "3" } },
        })]
    );
}

#[tokio::test]
async fn what_many_records_ask_for_follows_once() {
    let messages = batch(&[message("m1", 1), message("m2", 0), message("m3", 0)]);
    let outcomes = vec![not_yet(), not_yet(), Outcome::Done];
    let served = serve(messages, outcomes, queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(served.put_back.len(), 1);
    assert_eq!(served.put_back[0]["DelaySeconds"], 20);
}

#[tokio::test]
async fn an_error_that_says_not_yet_is_waited_for() {
    let replay = Replay::of([refusal(400, "InvalidStateTransitionException", "wait")]);
    let owner = Owner::new(&replay.config().await, "222222222222".parse().unwrap());
    let outcome = Outcome::Failed(owner.shares().await.unwrap_err());
    let served = serve(batch(&[message("m1", 0)]), vec![outcome], queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(served.put_back[0]["DelaySeconds"], 60);
    assert_eq!(served.put_back[0]["MessageBody"], "hint m1");
}

#[tokio::test]
async fn a_record_that_cannot_be_put_back_is_delivered_again() {
    let down = Replay::of([refusal(503, "ServiceUnavailable", "later")]);
    let served = serve(batch(&[message("m1", 0)]), vec![not_yet()], down).await;
    assert_eq!(served.answer.unwrap(), failures(&["m1"]));
}

#[tokio::test]
async fn waiting_ends_and_is_left_to_the_sweep() {
    let served = serve(
        batch(&[message("m1", MAX_ATTEMPTS)]),
        vec![not_yet()],
        queue_up(),
    )
    .await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert!(served.put_back.is_empty());
}

#[tokio::test]
async fn a_record_that_the_function_forgot_is_delivered_again() {
    let messages = batch(&[message("m1", 0), message("m2", 0)]);
    let served = serve(messages, vec![Outcome::Done], queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&["m2"]));
}

#[tokio::test]
async fn a_direct_invocation_is_answered_with_the_summary() {
    let command = json!({ "action": "sweep", "dryRun": true });
    for outcome in [Outcome::Done, not_yet()] {
        let served = serve(command.clone(), vec![outcome], queue_up()).await;
        assert_eq!(served.answer.unwrap(), json!({ "seen": 1 }));
        assert_eq!(served.given[0].id, None);
        let body: Value = serde_json::from_str(&served.given[0].body).unwrap();
        assert_eq!(body, command);
        assert!(served.put_back.is_empty());
    }
}

#[tokio::test]
async fn a_direct_invocation_that_fails_has_a_stable_error_type() {
    for (status, code, expected) in [
        (503, "ServiceUnavailable", "Pipeshare.Transient"),
        (403, "AccessDeniedException", "Pipeshare.Permanent"),
    ] {
        let outcome = Outcome::Failed(failed(status, code).await);
        let served = serve(json!({ "action": "sweep" }), vec![outcome], queue_up()).await;
        let diagnostic = served.answer.unwrap_err();
        assert_eq!(diagnostic.error_type, expected);
        assert!(diagnostic.error_message.contains(code), "{diagnostic:?}");
    }
}

#[tokio::test]
async fn a_message_of_a_strange_shape_is_no_hint_and_keeps_no_other_from_being_served() {
    let strange =
        json!({ "messageId": "m1", "eventSource": "aws:sqs", "body": { "token": "SECRET" } });
    let numbers = json!({ "messageId": 7, "attributes": { "SentTimestamp": 1 }, "body": "x" });
    let mut late = message("m4", 0);
    late["attributes"]["SentTimestamp"] = i64::MAX.to_string().into();
    late["messageAttributes"]["pipeshare-attempts"]["stringValue"] = u64::MAX.to_string().into();
    let mut binary = message("m5", u32::MAX);
    binary["messageAttributes"]["blob"] = json!({
        "binaryValue": "AAECAw==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary",
    });
    let messages = [
        strange,
        numbers,
        Value::Null,
        late,
        binary,
        message("m6", 1),
    ];
    let served = serve(batch(&messages), vec![Outcome::Done; 6], queue_up()).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let given = |at: usize| {
        let record = &served.given[at];
        (record.id.as_deref(), record.body.as_str(), record.attempts)
    };
    assert_eq!(given(0), (Some("m1"), "", 0));
    assert_eq!(given(1), (None, "", 0));
    assert_eq!(given(2), (None, "", 0));
    assert_eq!(given(3), (Some("m4"), "hint m4", 0));
    assert_eq!(served.given[3].sent, None, "no calendar has that time");
    assert_eq!(given(4), (Some("m5"), "hint m5", u32::MAX));
    assert_eq!(given(5), (Some("m6"), "hint m6", 1));
}

/// Panics at a record, as a function with a mistake in it may.
struct Fragile;

impl Function for Fragile {
    async fn handle(&self, batch: &[Record], _: Deadline, _metrics: &Metrics) -> Reply {
        assert!(
            batch.iter().all(|record| record.body != "hint m2"),
            "asked to"
        );
        Reply {
            outcomes: vec![Outcome::Done; batch.len()],
            summary: json!({}),
        }
    }
}

#[tokio::test]
async fn a_record_that_makes_the_function_panic_is_delivered_again_alone() {
    let config = queue_up().config().await;
    let region = "eu-west-1".parse().unwrap();
    let edge = Edge {
        function: Fragile,
        aws: &Aws::new(config, region, "aws".to_owned(), "test".to_owned()),
        queue_url: None,
    };
    let messages = batch(&[message("m1", 0), message("m2", 0), message("m3", 0)]);
    let deadline = Deadline::of_invocation(Duration::from_mins(1));
    let answer = edge
        .answer(messages, "r", deadline, &Metrics::default())
        .await;
    assert_eq!(answer.unwrap(), failures(&["m2"]));
}

#[tokio::test]
async fn records_of_another_service_are_one_direct_event() {
    let payload = json!({ "Records": [{ "eventSource": "aws:s3" }] });
    let served = serve(payload, vec![Outcome::Done], queue_up()).await;
    assert_eq!(served.given.len(), 1);
}
