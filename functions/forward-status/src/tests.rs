//! The function on a hub and an owner account in memory.

use std::time::Duration;

use aws::Error;
use domain::{
    ceiling::Ceiling,
    execution::{Details, ExecutionChange, Parameter},
    id::{AccountId, ExecutionArn, PipelineArn},
    time::{after, before},
};
use jiff::{SignedDuration, Timestamp};
use model::{Executions as Model, Hub};
use runtime::{
    lambda::{Deadline, Function, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
};
use serde_json::{Value, json};

use super::*;

const POLICY: &str = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222" }
rules:
  - { name: readers, owner: test, pipelines: ["churn"], with: [dev], notify: [Executing, Failed, Succeeded] }
"#;

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
const BUS: &str = "111111111111/bus";
const TOPIC: &str = "111111111111/topic";

/// The owner account.
struct Owner {
    executions: Model,
    ceiling: Ceiling,
}

impl Executions for Owner {
    async fn details(&self, owner: &AccountId, arn: &ExecutionArn) -> Result<Details, Error> {
        let found = self.executions.describe(arn);
        let found = found.map_err(|failure| failure.error("sagemaker", Some(owner)))?;
        found.ok_or_else(|| missing("DescribePipelineExecution", owner))
    }

    async fn differing_parameters(
        &self,
        owner: &AccountId,
        arn: &ExecutionArn,
    ) -> Result<Vec<Parameter>, Error> {
        let found = self.executions.parameters(arn);
        found.map_err(|failure| failure.error("sagemaker", Some(owner)))
    }

    async fn last_step_end(
        &self,
        owner: &AccountId,
        arn: &ExecutionArn,
    ) -> Result<Option<Timestamp>, Error> {
        Ok(self.details(owner, arn).await?.last_step)
    }

    async fn changed_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
        most: usize,
    ) -> Result<(Vec<ExecutionChange>, bool), Error> {
        let found = self.executions.search(time);
        let mut found = found.map_err(|failure| failure.error("sagemaker", Some(owner)))?;
        let is_all = found.len() <= most;
        found.truncate(most);
        Ok((found, is_all))
    }
}

impl Ceilings for Owner {
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error> {
        let asked = self.executions.describe_ceiling();
        asked.map_err(|failure| failure.error("ssm", Some(owner)))?;
        Ok(self.ceiling.clone())
    }
}

fn missing(operation: &'static str, owner: &AccountId) -> Error {
    let failure = model::Failure {
        operation,
        code: "ResourceNotFound".to_owned(),
        is_carried_out: false,
    };
    failure.error("sagemaker", Some(owner))
}

/// A function, and what is around it.
struct Case {
    hub: Hub,
    owner: Owner,
    metrics: Metrics,
}

impl Case {
    fn new() -> Self {
        Self {
            hub: Hub::with_policy(POLICY),
            owner: Owner {
                executions: Model::default(),
                ceiling: ceiling("111111111111"),
            },
            metrics: Metrics::default(),
        }
    }

    /// A run of the pipeline that SageMaker describes so, since a time.
    fn run(&self, id: &str, status: &str, since: Timestamp) -> ExecutionArn {
        let arn: ExecutionArn = format!("{PIPELINE}/execution/{id}").parse().unwrap();
        let details = Details {
            modified: Some(since),
            last_step: Some(since),
            ..Details::of(status.into())
        };
        let pipeline: PipelineArn = PIPELINE.parse().unwrap();
        self.owner.executions.set(&pipeline, &arn, details);
        arn
    }

    fn fail_in_hub(&self, operation: &'static str, code: &str) {
        self.hub.failures.borrow_mut().next(operation, code);
    }

    fn throttle_in_hub(&self, operation: &'static str, times: usize) {
        let mut failures = self.hub.failures.borrow_mut();
        failures.all(operation, "ThrottlingException", times);
    }

    fn fail_in_owner(&self, operation: &'static str, code: &str) {
        let failures = &self.owner.executions.failures;
        failures.borrow_mut().next(operation, code);
    }

    async fn handle_within(&self, batch: &[Record], time: Duration) -> Reply {
        let function = ForwardStatus::new(&self.owner, &self.hub, model::HUB_TOPIC);
        let deadline = Deadline::of_invocation(time);
        function.handle(batch, deadline, &self.metrics).await
    }

    async fn handle(&self, record: Record) -> (RecordOutcome, Value) {
        let mut reply = self.handle_within(&[record], Duration::from_mins(1)).await;
        (reply.outcomes.remove(0), reply.summary)
    }

    /// Reconciles all owners at a time.
    async fn reconcile(&self, at: Timestamp) -> Value {
        let record = record("schedule", &json!({ "action": "reconcile" }), at);
        let (outcome, summary) = self.handle(record).await;
        assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");
        summary
    }

    /// How many notifications went to each destination.
    fn published(&self) -> [usize; 3] {
        ["hub", BUS, TOPIC].map(|address| self.hub.published_to(address).len())
    }

    fn counted(&self, metric: Metric) -> u64 {
        self.metrics.counted(metric)
    }
}

fn ceiling(principal: &str) -> Ceiling {
    let ceiling = json!({
        "allowedPrincipals": [principal],
        "allowedAccess": "execute",
        "allowedPermissions": [],
        "shareNamePrefix": "pipeshare-",
    });
    ceiling.to_string().parse().unwrap()
}

fn now() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

fn minutes(minutes: i64) -> Timestamp {
    after(now(), SignedDuration::from_mins(minutes))
}

fn record(id: &str, body: &Value, sent: Timestamp) -> Record {
    Record {
        id: Some(id.to_owned()),
        body: body.to_string(),
        attempts: 0,
        sent: Some(sent),
        received: Some(sent),
    }
}

/// An event that says that a run took a status now.
fn event(run: &str, status: &str, previous: &str) -> Value {
    json!({
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
        "account": "222222222222",
        "time": now(),
        "detail": {
            "pipelineArn": PIPELINE,
            "pipelineExecutionArn": format!("{PIPELINE}/execution/{run}"),
            "currentPipelineExecutionStatus": status,
            "previousPipelineExecutionStatus": previous,
            "executionEndTime": now(),
        },
    })
}

fn failed(id: &str, run: &str) -> Record {
    record(id, &event(run, "Failed", "Executing"), minutes(1))
}

/// What became of the only change at a destination.
fn outcome(summary: &Value, destination: &str) -> String {
    let outcome = &summary["changes"][0]["to"][destination]["outcome"];
    outcome.as_str().unwrap_or_default().to_owned()
}

fn code(summary: &Value) -> &str {
    summary["ignored"][0]["code"].as_str().unwrap_or_default()
}

fn is_transient(outcome: &RecordOutcome) -> bool {
    matches!(outcome, RecordOutcome::Failed(error) if error.class() != aws::Class::Permanent)
}

#[tokio::test]
async fn a_change_is_sent_to_hub_bus_and_topic_once_however_often_its_event_comes() {
    let case = Case::new();
    case.run("a", "Failed", now());
    let (done, summary) = case.handle(failed("1", "a")).await;
    assert!(matches!(done, RecordOutcome::Done));
    assert_eq!(outcome(&summary, "hub"), "sent");
    assert_eq!(case.published(), [1, 1, 1]);
    for id in ["1", "2"] {
        let (_, summary) = case.handle(failed(id, "a")).await;
        assert_eq!(outcome(&summary, BUS), "duplicate");
    }
    assert_eq!(case.published(), [1, 1, 1]);
    assert_eq!(case.counted(Metric::NotificationsSent), 3);
    assert_eq!(case.counted(Metric::NotificationsDeduplicated), 6);
    let asked = case.owner.executions.count_of("DescribePipelineExecution");
    assert_eq!(
        asked, 1,
        "details are asked for once, and not to say nothing"
    );
}

#[tokio::test]
async fn a_start_that_comes_after_the_end_is_overtaken_and_the_report_says_so() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.handle(failed("1", "a")).await;
    let mut start = event("a", "Executing", "");
    start["time"] = json!(before(now(), SignedDuration::from_mins(9)));
    let (_, summary) = case.handle(record("2", &start, minutes(1))).await;
    assert_eq!(outcome(&summary, "hub"), "overtaken");
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn a_new_beginning_that_sagemaker_contradicts_is_not_sent() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.handle(failed("1", "a")).await;
    let mut again = event("a", "Executing", "Failed");
    again["time"] = json!(minutes(3));
    let again = || record("2", &again, minutes(3));
    let (_, summary) = case.handle(again()).await;
    assert_eq!(outcome(&summary, "hub"), "contradicted");
    assert_eq!(case.published(), [1, 1, 1]);
    case.run("a", "Executing", minutes(3));
    let (_, summary) = case.handle(again()).await;
    assert_eq!(outcome(&summary, "hub"), "sent");
}

#[tokio::test]
async fn what_no_rule_wants_is_asked_about_by_nobody() {
    let case = Case::new();
    let stopped = event("a", "Stopped", "Executing");
    let (done, summary) = case.handle(record("1", &stopped, minutes(1))).await;
    assert!(matches!(done, RecordOutcome::Done));
    assert_eq!(summary["changes"][0]["unwanted"], true);
    assert_eq!(case.published(), [0, 0, 0]);
    assert!(case.owner.executions.calls.borrow().is_empty());
}

#[tokio::test]
async fn a_replayed_event_notifies_nobody() {
    let case = Case::new();
    let mut replayed = event("a", "Failed", "Executing");
    replayed["replay-name"] = json!("after-the-outage");
    let (_, summary) = case.handle(record("1", &replayed, minutes(1))).await;
    assert_eq!(code(&summary), "replayed");
    assert_eq!(case.published(), [0, 0, 0]);
    assert_eq!(case.counted(Metric::EventsIgnored), 1);
}

#[tokio::test]
async fn an_event_of_a_time_that_has_not_come_notifies_nobody() {
    let case = Case::new();
    let event = event("a", "Failed", "Executing");
    let early = before(now(), SignedDuration::from_mins(6));
    let (_, summary) = case.handle(record("1", &event, early)).await;
    assert_eq!(code(&summary), "of-the-future");
    // The clocks of two services may differ a little.
    let early = before(now(), SignedDuration::from_mins(4));
    case.handle(record("2", &event, early)).await;
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn a_dry_run_and_what_is_for_others_notify_nobody() {
    let case = Case::new();
    for (body, expected) in [
        (json!({ "action": "reconcile", "dryRun": true }), "dry-run"),
        (json!({ "action": "share" }), "not-for-this-function"),
        (
            json!({ "action": "reconcile", "account": "tset" }),
            "unknown-account",
        ),
        (
            json!({ "source": "aws.ram", "detail-type": "Resource Sharing State Change", "account": "222222222222" }),
            "not-an-execution",
        ),
        (json!("anything"), "not-an-event"),
    ] {
        let (done, summary) = case.handle(record("1", &body, now())).await;
        assert!(matches!(done, RecordOutcome::Done));
        assert_eq!(code(&summary), expected, "{body}");
    }
    assert_eq!(case.published(), [0, 0, 0]);
}

#[tokio::test]
async fn whom_the_owner_does_not_allow_is_withheld_and_the_hub_hears() {
    let mut case = Case::new();
    case.owner.ceiling = ceiling("999999999999");
    case.run("a", "Failed", now());
    let (done, summary) = case.handle(failed("1", "a")).await;
    assert!(matches!(done, RecordOutcome::Done));
    assert_eq!(
        summary["changes"][0]["withheld"][0]["account"],
        "111111111111"
    );
    assert_eq!(case.published(), [1, 0, 0]);
    assert_eq!(case.counted(Metric::NotificationsWithheld), 1);
}

#[tokio::test]
async fn a_ceiling_that_only_people_can_find_out_alerts_the_hub_and_is_not_retried() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.fail_in_owner("GetParameter", "ParameterNotFound");
    let (done, summary) = case.handle(failed("1", "a")).await;
    assert!(matches!(done, RecordOutcome::Done));
    let reason = summary["changes"][0]["withheld"][0]["reason"].as_str();
    assert!(reason.is_some_and(|it| it.contains("unknown")), "{summary}");
    assert_eq!(case.published(), [2, 0, 0], "the change, and the problem");
    assert_eq!(case.counted(Metric::AccountFailed), 1);
}

#[tokio::test]
async fn a_ceiling_that_cannot_be_read_just_now_is_read_again() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.fail_in_owner("GetParameter", "ThrottlingException");
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(is_transient(&outcome), "{outcome:?}");
    assert_eq!(case.published(), [1, 0, 0]);
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn a_ceiling_is_read_once_for_a_batch_and_anew_for_the_next() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.run("b", "Failed", now());
    let batch = [failed("1", "a"), failed("2", "b")];
    case.handle_within(&batch, Duration::from_mins(1)).await;
    assert_eq!(case.owner.executions.count_of("GetParameter"), 1);
    case.handle(failed("3", "a")).await;
    assert_eq!(case.owner.executions.count_of("GetParameter"), 2);
}

#[tokio::test]
async fn a_bus_that_is_busy_is_served_by_the_next_delivery_and_nobody_else_again() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.fail_in_hub("PutEvents", "ThrottlingException");
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(is_transient(&outcome), "{outcome:?}");
    assert_eq!(case.published(), [1, 0, 1]);
    assert_eq!(case.counted(Metric::NotificationsFailed), 1);
    case.handle(failed("1", "a")).await;
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn what_another_run_is_sending_just_now_is_left_to_it() {
    let case = Case::new();
    case.run("a", "Failed", now());
    // It dies before it can note what it has sent.
    case.throttle_in_hub("UpdateItem", 5);
    case.handle(failed("1", "a")).await;
    // Somebody else has the lease of what went to the hub, so it is as good as sent.
    let (_, summary) = case.handle(failed("2", "a")).await;
    assert_eq!(self::outcome(&summary, "hub"), "duplicate");
    assert_eq!(case.published(), [1, 1, 1]);
    // The same delivery comes again, and cannot know that it had sent.
    case.handle(failed("1", "a")).await;
    assert_eq!(case.published(), [2, 1, 1]);
}

#[tokio::test]
async fn a_consumer_that_refuses_is_reported_to_the_hub_and_not_retried() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.fail_in_hub("PutEvents", "AccessDeniedException");
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(case.published(), [2, 0, 1], "the change, and the problem");
    assert_eq!(case.counted(Metric::AccountFailed), 1);
}

#[tokio::test]
async fn a_hub_that_refuses_is_counted_for_its_alarm() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.fail_in_hub("Publish", "AuthorizationErrorException");
    let (outcome, summary) = case.handle(failed("1", "a")).await;
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(self::outcome(&summary, "hub"), "failed");
    assert_eq!(case.counted(Metric::HubFailed), 1);
    assert_eq!(case.published(), [0, 1, 1]);
}

#[tokio::test]
async fn an_execution_that_is_gone_or_may_not_be_seen_is_sent_with_what_is_known() {
    let case = Case::new();
    let (_, summary) = case.handle(failed("1", "gone")).await;
    assert_eq!(outcome(&summary, "hub"), "sent");
    assert_eq!(case.published(), [1, 1, 1]);
    let detail = case.hub.published_to("hub").remove(0).detail;
    assert_eq!(
        (&detail["status"], &detail["failedStepCount"]),
        (&json!("Failed"), &json!(0))
    );
}

#[tokio::test]
async fn details_that_aws_cannot_give_just_now_are_asked_for_again() {
    let case = Case::new();
    case.run("a", "Failed", now());
    let failures = &case.owner.executions.failures;
    failures
        .borrow_mut()
        .all("DescribePipelineExecution", "ThrottlingException", 3);
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(is_transient(&outcome), "{outcome:?}");
    assert_eq!(case.published(), [0, 0, 0]);
}

#[tokio::test]
async fn of_changes_that_sagemaker_does_not_confirm_ten_are_sent_in_a_day() {
    let case = Case::new();
    for n in 0..12 {
        let (_, summary) = case
            .handle(failed(&n.to_string(), &format!("gone{n}")))
            .await;
        let expected = if n < 10 { "sent" } else { "unconfirmed" };
        assert_eq!(outcome(&summary, "hub"), expected, "{n}");
    }
    assert_eq!(case.published(), [10, 10, 10]);
    let last = case.hub.published_to("hub").remove(9).text;
    assert!(last.contains("last message of the day"), "{last}");
    assert_eq!(case.counted(Metric::NotificationsUnconfirmed), 6);
    // What it confirms is sent all the same.
    case.run("a", "Failed", now());
    case.handle(failed("a", "a")).await;
    assert_eq!(case.published(), [11, 11, 11]);
}

#[tokio::test]
async fn without_a_policy_nothing_is_done_and_one_that_cannot_be_read_is_read_again() {
    let case = Case::new();
    case.fail_in_hub("GetParameter", "ThrottlingException");
    let (outcome, summary) = case.handle(failed("1", "a")).await;
    assert!(is_transient(&outcome), "{outcome:?}");
    assert!(summary["stopped"].is_string());
    case.hub.labelled.set(None);
    let (outcome, summary) = case.handle(failed("1", "a")).await;
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(summary["stopped"], "no policy is in force");
    assert_eq!(case.published(), [0, 0, 0]);
}

#[tokio::test]
async fn what_the_time_is_not_enough_for_is_not_reached() {
    let case = Case::new();
    let batch = [failed("1", "a"), failed("2", "b")];
    let reply = case.handle_within(&batch, Duration::ZERO).await;
    let mut outcomes = reply.outcomes.iter();
    assert_eq!(reply.outcomes.len(), 2);
    assert!(outcomes.all(|outcome| matches!(outcome, RecordOutcome::NotReached)));
    assert_eq!(case.published(), [0, 0, 0]);
}

#[tokio::test]
async fn the_first_reconciliation_of_an_owner_only_marks_where_to_begin() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.reconcile(minutes(10)).await;
    assert_eq!(case.published(), [0, 0, 0]);
    let mark = case.hub.table.get("watermark", "222222222222").unwrap();
    assert_eq!(mark["until"], minutes(10).to_string());
}

#[tokio::test]
async fn what_no_event_reported_is_found_once_and_what_one_did_is_not_sent_again() {
    let case = Case::new();
    case.reconcile(now()).await;
    case.run("a", "Failed", minutes(5));
    case.run("b", "Succeeded", minutes(20));
    let summary = case.reconcile(minutes(15)).await;
    assert_eq!(summary["found"].as_array().map(Vec::len), Some(1));
    assert_eq!(case.published(), [1, 1, 1]);
    let mut late = event("a", "Failed", "Executing");
    late["detail"]["executionEndTime"] = json!(minutes(5));
    let (_, summary) = case.handle(record("1", &late, minutes(6))).await;
    assert_eq!(outcome(&summary, "hub"), "duplicate");
    case.reconcile(minutes(30)).await;
    assert_eq!(case.published(), [2, 2, 2], "now the other one is due");
    case.reconcile(minutes(45)).await;
    assert_eq!(case.published(), [2, 2, 2]);
}

#[tokio::test]
async fn a_change_that_the_hub_refuses_to_hear_is_found_again() {
    let case = Case::new();
    case.reconcile(now()).await;
    case.run("a", "Failed", minutes(5));
    case.fail_in_hub("Publish", "AuthorizationErrorException");
    case.reconcile(minutes(15)).await;
    assert_eq!(case.published(), [0, 1, 1]);
    let mark = case.hub.table.get("watermark", "222222222222").unwrap();
    assert_eq!(
        mark["until"],
        now().to_string(),
        "nothing is marked behind it"
    );
    case.reconcile(minutes(90)).await;
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn an_owner_that_cannot_be_asked_is_reported_and_its_mark_stays() {
    let case = Case::new();
    case.reconcile(now()).await;
    case.fail_in_owner("Search", "AccessDeniedException");
    let summary = case.reconcile(minutes(15)).await;
    assert!(summary["unreachable"]["222222222222"].is_string());
    assert_eq!(case.published(), [1, 0, 0], "the problem");
    assert_eq!(case.counted(Metric::AccountFailed), 1);
    let mark = case.hub.table.get("watermark", "222222222222").unwrap();
    assert_eq!(mark["until"], now().to_string());
}

#[tokio::test]
async fn the_marks_of_owners_that_nobody_watches_any_more_are_forgotten() {
    let case = Case::new();
    let values = [("until".to_owned(), now().to_string())].into();
    case.hub
        .table
        .put("watermark", "444444444444", &values, None);
    let one = json!({ "action": "reconcile", "account": "test" });
    case.handle(record("1", &one, now())).await;
    assert_eq!(case.hub.table.keys("watermark").len(), 2);
    case.reconcile(now()).await;
    assert_eq!(case.hub.table.keys("watermark"), ["222222222222"]);
}

#[tokio::test]
async fn changes_of_one_execution_stay_in_order_within_a_batch() {
    let case = Case::new();
    for run in ["a", "b"] {
        case.run(run, "Failed", now());
    }
    let mut start = event("a", "Executing", "");
    start["time"] = json!(before(now(), SignedDuration::from_mins(9)));
    let batch = [
        record("1", &start, minutes(1)),
        failed("2", "b"),
        failed("3", "a"),
        failed("4", "a"),
    ];
    let reply = case.handle_within(&batch, Duration::from_mins(1)).await;
    assert!(
        reply
            .outcomes
            .iter()
            .all(|it| matches!(it, RecordOutcome::Done))
    );
    assert_eq!(case.published(), [3, 3, 3]);
    let outcomes = reply.summary["changes"].as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes
        .map(|it| it["to"]["hub"]["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["sent", "sent", "sent", "duplicate"]);
}

#[tokio::test]
async fn a_table_that_is_busy_when_a_message_was_sent_doubles_none() {
    let case = Case::new();
    case.run("a", "Failed", now());
    case.throttle_in_hub("UpdateItem", 4);
    let (outcome, _) = case.handle(failed("1", "a")).await;
    assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");
    case.handle(failed("1", "a")).await;
    assert_eq!(case.published(), [1, 1, 1]);
}

#[tokio::test]
async fn an_owner_that_cannot_be_asked_for_an_hour_is_named() {
    let case = Case::new();
    case.reconcile(now()).await;
    for (minute, messages) in [(15, 0), (59, 0), (75, 1), (90, 1)] {
        case.fail_in_owner("Search", "ThrottlingException");
        let summary = case.reconcile(minutes(minute)).await;
        assert!(summary["unreachable"]["222222222222"].is_string());
        assert_eq!(case.published(), [messages, 0, 0], "{minute}");
    }
    let text = case.hub.published_to("hub").remove(0).text;
    assert!(text.contains("since 2026-01-05T09:00:00Z"), "{text}");
}

#[tokio::test]
async fn owners_for_which_the_time_is_not_enough_are_named_and_keep_their_marks() {
    let case = Case::new();
    let batch = [record(
        "schedule",
        &json!({ "action": "reconcile", "account": "test" }),
        now(),
    )];
    let reply = case.handle_within(&batch, Duration::ZERO).await;
    assert!(matches!(reply.outcomes[0], RecordOutcome::NotReached));
    assert!(case.hub.table.keys("watermark").is_empty());
}
