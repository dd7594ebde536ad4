use std::{cell::RefCell, time::Duration};

use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use super::{Deadline, Edge, Function, MAX_ATTEMPTS, Record, RecordOutcome, Reply};
use crate::{
    Class, Error,
    metrics::Metrics,
    ports::{Host, Message, Queue},
};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/333333333333/share-pipeline";

/// Answers each batch with the same outcomes, and remembers what it was given.
struct Scripted {
    outcomes: Vec<RecordOutcome>,
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

/// A queue that remembers what it was sent, or takes nothing.
#[derive(Debug, Default)]
struct FakeHost {
    is_down: bool,
    sent: RefCell<Vec<Sent>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sent {
    queue_url: String,
    body: String,
    delay: Duration,
    attempts: u32,
}

impl Queue for FakeHost {
    async fn send(
        &self,
        queue_url: &str,
        body: &str,
        delay: Duration,
        attempts: u32,
    ) -> Result<(), Error> {
        if self.is_down {
            return Err(failed(Class::Transient, "ServiceUnavailable"));
        }
        self.sent.borrow_mut().push(Sent {
            queue_url: queue_url.to_owned(),
            body: body.to_owned(),
            delay,
            attempts,
        });
        Ok(())
    }

    async fn send_all(&self, queue_url: &str, messages: Vec<Message>) -> Result<(), Error> {
        for Message { body, delay } in messages {
            self.send(queue_url, &body, delay, 0).await?;
        }
        Ok(())
    }
}

impl Host for FakeHost {
    fn function(&self) -> &'static str {
        "test"
    }

    fn begin_invocation(&self) {}
}

struct Served {
    answer: Result<Value, Diagnostic>,
    given: Vec<Record>,
    requeue: Vec<Sent>,
}

async fn serve(payload: Value, outcomes: Vec<RecordOutcome>) -> Served {
    serve_by(FakeHost::default(), payload, outcomes).await
}

async fn serve_by(host: FakeHost, payload: Value, outcomes: Vec<RecordOutcome>) -> Served {
    let function = Scripted {
        outcomes,
        given: RefCell::default(),
    };
    let edge = Edge {
        function,
        host: &host,
        queue_url: Some(QUEUE.to_owned()),
    };
    let deadline = Deadline::of_invocation(Duration::from_mins(1));
    let answer = edge
        .answer(payload, "r", deadline, &Metrics::default())
        .await;
    Served {
        answer,
        given: edge.function.given.into_inner(),
        requeue: host.sent.into_inner(),
    }
}

fn message(id: &str, attempts: u32) -> Value {
    json!({
        "messageId": id, "body": format!("event {id}"), "eventSource": "aws:sqs",
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

fn not_yet() -> RecordOutcome {
    RecordOutcome::Followed {
        after: Duration::from_secs(20),
        by: vec!["look again".to_owned()],
        next: Vec::new(),
    }
}

fn failed(class: Class, code: &str) -> Error {
    Error::new(class, ("ssm", "GetParameter"), None, Some(code), "because")
}

#[tokio::test]
async fn a_record_has_what_sqs_knows_of_it() {
    let mut plain = message("m2", 0);
    plain["messageAttributes"] = json!({});
    let outcomes = vec![RecordOutcome::Done, RecordOutcome::Done];
    let served = serve(batch(&[message("m1", 3), plain]), outcomes).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let [first, second] = served.given.as_slice() else {
        panic!("{:?}", served.given);
    };
    assert_eq!(
        (first.id.as_deref(), first.body.as_str()),
        (Some("m1"), "event m1")
    );
    assert_eq!(first.sent.unwrap().as_second(), 1_800_000_000);
    assert_eq!(first.received.unwrap().as_second(), 1_800_000_001);
    assert_eq!((first.attempts, second.attempts), (3, 0));
}

#[tokio::test]
async fn only_what_trying_again_can_help_is_delivered_again() {
    let outcomes = vec![
        RecordOutcome::Done,
        RecordOutcome::Failed(failed(Class::Transient, "ServiceUnavailable")),
        RecordOutcome::Failed(failed(Class::Permanent, "AccessDeniedException")),
    ];
    let messages = ["m1", "m2", "m3"].map(|id| message(id, 0));
    let served = serve(batch(&messages), outcomes).await;
    assert_eq!(served.answer.unwrap(), failures(&["m2"]));
    assert!(served.requeue.is_empty());
}

#[tokio::test]
async fn a_record_that_was_not_reached_has_its_turn_soon_and_is_never_abandoned() {
    let messages = batch(&[message("m1", 1), message("m2", MAX_ATTEMPTS)]);
    let served = serve(messages, vec![RecordOutcome::NotReached; 2]).await;
    assert_eq!(served.answer.unwrap(), failures(&["m2"]));
    let [again] = served.requeue.as_slice() else {
        panic!("{:?}", served.requeue);
    };
    assert_eq!((again.body.as_str(), again.attempts), ("event m1", 2));
    assert_eq!(again.delay, Duration::from_secs(10));
}

#[tokio::test]
async fn a_record_about_many_accounts_is_spread_evenly_over_a_time() {
    let spread = || RecordOutcome::Spread {
        over: Duration::from_secs(20),
        commands: ["a", "b", "c"].map(str::to_owned).to_vec(),
    };
    let served = serve(batch(&[message("m1", 0)]), vec![spread()]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let sent = served.requeue.iter();
    let sent: Vec<_> = sent
        .map(|it| (it.body.as_str(), it.delay.as_secs(), it.attempts))
        .collect();
    assert_eq!(sent, [("a", 0, 0), ("b", 10, 0), ("c", 20, 0)]);

    let down = FakeHost {
        is_down: true,
        ..FakeHost::default()
    };
    let served = serve_by(down, batch(&[message("m1", 0)]), vec![spread()]).await;
    assert_eq!(served.answer.unwrap(), failures(&["m1"]));
}

#[tokio::test]
async fn what_is_not_ready_is_looked_at_again_later_and_later() {
    let served = serve(batch(&[message("m1", 2)]), vec![not_yet()]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(
        served.requeue,
        [Sent {
            queue_url: QUEUE.to_owned(),
            body: "look again".to_owned(),
            delay: Duration::from_secs(80),
            attempts: 3,
        }]
    );
}

#[tokio::test]
async fn what_goes_on_where_the_time_ended_is_due_at_once_and_no_further_attempt() {
    let gone_on = || RecordOutcome::Followed {
        after: Duration::from_secs(20),
        by: Vec::new(),
        next: vec!["the rest".to_owned()],
    };
    let messages = batch(&[message("m1", MAX_ATTEMPTS), message("m2", 0)]);
    let served = serve(messages, vec![gone_on(), gone_on()]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let [rest] = served.requeue.as_slice() else {
        panic!("{:?}", served.requeue);
    };
    assert_eq!(
        (rest.body.as_str(), rest.delay.as_secs(), rest.attempts),
        ("the rest", 0, 0)
    );
    let down = FakeHost {
        is_down: true,
        ..FakeHost::default()
    };
    let served = serve_by(down, batch(&[message("m1", 0)]), vec![gone_on()]).await;
    assert_eq!(served.answer.unwrap(), failures(&["m1"]));
}

#[test]
fn what_was_to_be_delivered_later_is_served_as_of_its_delivery() {
    let time = |second: i64| jiff::Timestamp::from_second(1_767_700_000 + second).unwrap();
    let record = |sent, received| Record {
        id: Some("m1".to_owned()),
        body: String::new(),
        attempts: 8,
        sent,
        received,
    };
    let now = |sent, received| record(sent, received).lease_owner().now;
    assert_eq!(now(Some(time(0)), Some(time(640))), time(640));
    assert_eq!(now(Some(time(0)), None), time(0));
}

#[tokio::test]
async fn what_many_records_ask_for_follows_once() {
    let messages = batch(&[message("m1", 1), message("m2", 0), message("m3", 0)]);
    let outcomes = vec![not_yet(), not_yet(), RecordOutcome::Done];
    let served = serve(messages, outcomes).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(served.requeue.len(), 1);
    assert_eq!(served.requeue[0].delay, Duration::from_secs(20));
}

#[tokio::test]
async fn an_error_that_says_not_yet_is_waited_for() {
    let outcome = RecordOutcome::Failed(failed(Class::Pending, "InvalidStateTransitionException"));
    let served = serve(batch(&[message("m1", 0)]), vec![outcome]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert_eq!(served.requeue[0].delay, Duration::from_mins(1));
    assert_eq!(served.requeue[0].body, "event m1");
}

#[tokio::test]
async fn a_record_that_cannot_be_put_back_is_delivered_again() {
    let down = FakeHost {
        is_down: true,
        ..FakeHost::default()
    };
    let served = serve_by(down, batch(&[message("m1", 0)]), vec![not_yet()]).await;
    assert_eq!(served.answer.unwrap(), failures(&["m1"]));
}

#[tokio::test]
async fn waiting_ends_and_is_left_to_the_sweep() {
    let served = serve(batch(&[message("m1", MAX_ATTEMPTS)]), vec![not_yet()]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    assert!(served.requeue.is_empty());
}

#[tokio::test]
async fn a_record_that_the_function_forgot_is_delivered_again() {
    let messages = batch(&[message("m1", 0), message("m2", 0)]);
    let served = serve(messages, vec![RecordOutcome::Done]).await;
    assert_eq!(served.answer.unwrap(), failures(&["m2"]));
}

#[tokio::test]
async fn a_direct_invocation_is_answered_with_the_summary() {
    let command = json!({ "action": "reconcile", "dryRun": true });
    for outcome in [RecordOutcome::Done, not_yet()] {
        let served = serve(command.clone(), vec![outcome]).await;
        assert_eq!(served.answer.unwrap(), json!({ "seen": 1 }));
        assert_eq!(served.given[0].id, None);
        let body: Value = serde_json::from_str(&served.given[0].body).unwrap();
        assert_eq!(body, command);
        assert!(served.requeue.is_empty());
    }
}

#[tokio::test]
async fn a_direct_invocation_that_fails_has_a_stable_error_type() {
    for (class, code, expected) in [
        (
            Class::Transient,
            "ServiceUnavailable",
            "Pipeshare.Transient",
        ),
        (
            Class::Permanent,
            "AccessDeniedException",
            "Pipeshare.Permanent",
        ),
    ] {
        let outcome = RecordOutcome::Failed(failed(class, code));
        let served = serve(json!({ "action": "reconcile" }), vec![outcome]).await;
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
    let served = serve(batch(&messages), vec![RecordOutcome::Done; 6]).await;
    assert_eq!(served.answer.unwrap(), failures(&[]));
    let given = |at: usize| {
        let record = &served.given[at];
        (record.id.as_deref(), record.body.as_str(), record.attempts)
    };
    assert_eq!(given(0), (Some("m1"), "", 0));
    assert_eq!(given(1), (None, "", 0));
    assert_eq!(given(2), (None, "", 0));
    assert_eq!(given(3), (Some("m4"), "event m4", 0));
    assert_eq!(served.given[3].sent, None, "no calendar has that time");
    assert_eq!(given(4), (Some("m5"), "event m5", u32::MAX));
    assert_eq!(given(5), (Some("m6"), "event m6", 1));
}

/// Panics at a record, as a function with a mistake in it may.
struct Fragile;

impl Function for Fragile {
    async fn handle(&self, batch: &[Record], _: Deadline, _metrics: &Metrics) -> Reply {
        assert!(
            batch.iter().all(|record| record.body != "event m2"),
            "asked to"
        );
        Reply {
            outcomes: vec![RecordOutcome::Done; batch.len()],
            summary: json!({}),
        }
    }
}

#[tokio::test]
async fn a_record_that_makes_the_function_panic_is_delivered_again_alone() {
    let edge = Edge {
        function: Fragile,
        host: &FakeHost::default(),
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
    let served = serve(payload, vec![RecordOutcome::Done]).await;
    assert_eq!(served.given.len(), 1);
}
