//! The function on a hub and accounts in memory.

use std::cell::{Cell, RefCell};

use aws::{
    Error,
    codepipeline::{Job, JobAck, Success},
    sagemaker::Start,
};
use domain::{
    execution::Details,
    hook::{PipelineRef, Shared, Started},
    id::{AccountId, ExecutionArn, PipelineArn},
    sharing::{Association, Pipeline},
    status::{AssociationStatus, ExecutionStatus},
    time::after,
};
use jiff::{SignedDuration, Timestamp};
use model::{Executions, Failures, Hub};
use runtime::{
    config::{Identity, Settings},
    lambda::Failed,
};
use serde_json::json;

use super::*;

const POLICY: &str = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222" }
rules:
  - { name: gated, owner: test, pipelines: ["churn"], with: [dev], after: hook }
"#;

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
const JOB: &str = "11111111-2222-3333-4444-555555555555";
const QUEUE: &str = "https://sqs/share-pipeline";

/// What CodePipeline was answered about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
enum JobResult {
    Success(Success),
    GoOn { token: String, summary: String },
    Failure(Failure),
}

/// CodePipeline, the owner account and the consumer.
struct Accounts {
    job: RefCell<Option<Job>>,
    /// Whether CodePipeline waits for answers.
    waits: Cell<bool>,
    results: RefCell<Vec<JobResult>>,
    executions: Executions,
    created: Cell<Timestamp>,
    /// Whether RAM shares the pipeline with the consumer, and it has accepted.
    shared: Cell<bool>,
    sees: Cell<bool>,
    /// Whether a run that was started is visible.
    is_visible: Cell<bool>,
    failures: RefCell<Failures>,
}

impl Accounts {
    fn called(&self, service: &'static str, operation: &'static str) -> Result<(), Error> {
        let account = "222222222222".parse().unwrap();
        let hub = ["GetJobDetails", "PutJobSuccessResult"];
        let account = Some(&account).filter(|_| !hub.contains(&operation));
        let failure = self.failures.borrow_mut().take(operation);
        failure.map_or(Ok(()), |failure| Err(failure.error(service, account)))
    }

    fn record(&self, result: JobResult) -> Result<JobAck, Error> {
        self.called("codepipeline", "PutJobSuccessResult")?;
        self.results.borrow_mut().push(result);
        Ok(if self.waits.get() {
            JobAck::Yes
        } else {
            JobAck::No
        })
    }
}

impl Jobs for Accounts {
    async fn job(&self, _: &str) -> Result<Option<Job>, Error> {
        self.called("codepipeline", "GetJobDetails")?;
        Ok(self.job.borrow().clone())
    }

    async fn succeed(&self, _: &str, success: &Success) -> Result<JobAck, Error> {
        self.record(JobResult::Success(success.clone()))
    }

    async fn go_on(
        &self,
        _: &str,
        token: &str,
        summary: &str,
        _: Option<String>,
    ) -> Result<JobAck, Error> {
        self.record(JobResult::GoOn {
            token: token.to_owned(),
            summary: summary.to_owned(),
        })
    }

    async fn fail(&self, _: &str, failure: &Failure, _: Option<String>) -> Result<JobAck, Error> {
        self.record(JobResult::Failure(failure.clone()))
    }
}

fn of_sagemaker(owner: &AccountId) -> impl Fn(model::Failure) -> Error {
    |failure| failure.error("sagemaker", Some(owner))
}

impl Runs for Accounts {
    async fn pipeline(&self, _: &AccountId, _: &PipelineRef) -> Result<Pipeline, Error> {
        self.called("sagemaker", "DescribePipeline")?;
        Ok(Pipeline {
            arn: PIPELINE.parse().unwrap(),
            created: self.created.get(),
            last_run: None,
        })
    }

    async fn run(&self, owner: &AccountId, run: &ExecutionArn) -> Result<Option<Details>, Error> {
        self.executions.describe(run).map_err(of_sagemaker(owner))
    }

    async fn start(&self, owner: &AccountId, start: &Start<'_>) -> Result<ExecutionArn, Error> {
        let started = self.executions.start(start.pipeline, start.token);
        started.map_err(of_sagemaker(owner))
    }

    async fn started(&self, _: &AccountId, _: &ExecutionArn) -> Result<Option<Started>, Error> {
        let started = Started {
            pipeline: PIPELINE.parse().ok(),
            created: None,
            version: None,
            parameters: std::collections::BTreeMap::new(),
        };
        Ok(Some(started).filter(|_| self.is_visible.get()))
    }

    async fn retry(&self, owner: &AccountId, run: &ExecutionArn, token: &str) -> Result<(), Error> {
        let retried = self.executions.retry(run, token);
        retried.map_err(of_sagemaker(owner))
    }
}

impl Access for Accounts {
    async fn shares_with(&self, _: &AccountId, _: &PipelineArn) -> Result<Vec<Shared>, Error> {
        let association = |entity: &str| Association {
            entity: entity.to_owned(),
            status: AssociationStatus::Associated,
            message: None,
            created: None,
            updated: None,
        };
        let share = Shared {
            share: "arn:aws:ram:us-east-1:222222222222:resource-share/s"
                .parse()
                .unwrap(),
            name: "pipeshare-gated".to_owned(),
            pipeline: association(PIPELINE),
            principals: vec![association("111111111111")],
        };
        Ok(Some(share)
            .filter(|_| self.shared.get())
            .into_iter()
            .collect())
    }

    async fn prove(&self, consumer: &AccountId, _: &PipelineArn) -> Result<(), Error> {
        let refusal = model::Failure {
            operation: "DescribePipeline",
            code: "AccessDeniedException".to_owned(),
            is_carried_out: false,
        };
        let refused = refusal.error("sagemaker", Some(consumer));
        if self.sees.get() {
            Ok(())
        } else {
            Err(refused)
        }
    }
}

/// The function, and what is around it.
struct Case {
    hub: Hub,
    accounts: Accounts,
    metrics: Metrics,
}

fn now() -> Timestamp {
    "2026-01-05T09:00:00Z".parse().unwrap()
}

impl Case {
    fn new() -> Self {
        let hub = Hub::with_policy(POLICY);
        hub.time.set(Some(now()));
        Self {
            hub,
            accounts: Accounts {
                job: RefCell::default(),
                waits: Cell::new(true),
                results: RefCell::default(),
                executions: Executions::default(),
                created: Cell::new(now()),
                shared: Cell::new(false),
                sees: Cell::new(true),
                is_visible: Cell::new(true),
                failures: RefCell::default(),
            },
            metrics: Metrics::default(),
        }
    }

    fn fail(&self, operation: &'static str, code: &str) {
        self.accounts.failures.borrow_mut().next(operation, code);
    }

    fn fail_run(&self, operation: &'static str, code: &str) {
        let failures = &self.accounts.executions.failures;
        failures.borrow_mut().next(operation, code);
    }

    fn fail_in_hub(&self, operation: &'static str, code: &str) {
        self.hub.failures.borrow_mut().next(operation, code);
    }

    fn pass(&self, minutes: i64) {
        let later = after(now(), SignedDuration::from_mins(minutes));
        self.hub.time.set(Some(later));
    }

    /// Invokes the function with a payload, under the id of a request.
    async fn invoke(&self, payload: Value, request: &str) -> Result<Value, Failed> {
        let config = Config {
            settings: Settings {
                identity: Identity {
                    place: self.hub.place().clone(),
                    function: "codepipeline-hook".to_owned(),
                },
                policy: String::new(),
                table: String::new(),
            },
            share_queue: QUEUE.to_owned(),
        };
        let hook = CodePipelineHook::new(&self.accounts, &self.hub, config);
        let invocation = Invocation {
            request_id: request.to_owned(),
            time_left: Duration::from_mins(1),
            function_arn: String::new(),
        };
        hook.serve(payload, &invocation, &self.metrics).await.result
    }

    /// Invokes the function directly, by an attempt of its own or with a token.
    async fn ask(&self, attempt: &str, more: Value) -> Result<Value, Failed> {
        let mut request = json!({
            "action": "hook", "pipeline": "churn", "owner": "test", "execution": "e1",
            "runMinutes": 60, "accessMinutes": 30,
        });
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            request[name] = value;
        }
        self.invoke(request, attempt).await
    }

    async fn go_on(&self, attempt: &str) -> Value {
        self.ask(attempt, json!({})).await.unwrap()
    }

    /// Invokes the function for a job of CodePipeline; what it was answered.
    async fn job(&self, token: Option<String>) -> Option<JobResult> {
        let parameters = json!({ "pipeline": "churn", "owner": "test", "execution": "e1" });
        *self.accounts.job.borrow_mut() = Some(Job {
            parameters: Some(parameters.to_string()),
            token,
        });
        let payload = json!({ "CodePipeline.job": { "id": JOB } });
        self.invoke(payload, "r").await.unwrap();
        self.accounts.results.borrow().last().cloned()
    }

    /// The only run that there is.
    fn run(&self) -> ExecutionArn {
        let runs = self.accounts.executions.all();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    fn end(&self, status: ExecutionStatus) {
        self.accounts.executions.end(&self.run(), status);
    }

    /// An attempt whose run has succeeded and that has asked for sharing.
    async fn shared(&self) -> Value {
        self.go_on("a").await;
        self.end(ExecutionStatus::Succeeded);
        self.go_on("a").await
    }

    fn calls(&self, operation: &str) -> usize {
        self.accounts.executions.count_of(operation)
    }

    fn gates(&self) -> Vec<String> {
        self.hub.table.keys("gate|hook|222222222222")
    }

    fn commands(&self) -> Vec<String> {
        let sent = self.hub.sent.borrow();
        assert!(sent.iter().all(|message| message.queue_url == QUEUE));
        sent.iter().map(|message| message.body.clone()).collect()
    }

    fn counted(&self, metric: Metric) -> u64 {
        self.metrics.counted(metric)
    }
}

#[tokio::test]
async fn a_deployment_is_run_once_however_often_the_hook_is_invoked() {
    let case = Case::new();
    for _ in 0..3 {
        let result = case.go_on("a").await;
        assert_eq!(result["state"], "waiting");
        assert_eq!(result["executionArn"], case.run().as_str());
    }
    assert_eq!(case.calls("StartPipelineExecution"), 1);
    assert_eq!(case.counted(Metric::HooksWaiting), 3);
    assert!(case.gates().is_empty() && case.commands().is_empty());
}

#[tokio::test]
async fn another_attempt_adopts_the_run_that_is_under_way() {
    let case = Case::new();
    case.go_on("a").await;
    let result = case.go_on("b").await;
    assert_eq!(result["executionArn"], case.run().as_str());
    case.end(ExecutionStatus::Failed);
    // It answers for the run now, and does not run it again.
    let failed = case.ask("b", json!({})).await.unwrap_err();
    assert_eq!(failed.kind, "JobFailed");
    assert_eq!(case.calls("RetryPipelineExecution"), 0);
}

#[tokio::test]
async fn another_attempt_runs_again_what_failed_but_the_same_one_does_not() {
    let case = Case::new();
    case.go_on("a").await;
    case.end(ExecutionStatus::Failed);
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert!(failed.message.contains("ended as Failed"), "{failed:?}");
    let result = case.go_on("b").await;
    assert_eq!(result["state"], "waiting");
    assert_eq!(case.calls("RetryPipelineExecution"), 1);
    case.run();
    case.end(ExecutionStatus::Succeeded);
    case.go_on("b").await;
    assert_eq!(case.gates().len(), 1);
}

#[tokio::test]
async fn another_attempt_takes_a_run_that_succeeded_as_it_is() {
    let case = Case::new();
    case.go_on("a").await;
    case.end(ExecutionStatus::Succeeded);
    let result = case.go_on("b").await;
    assert_eq!(result["executionArn"], case.run().as_str());
    assert_eq!(case.calls("StartPipelineExecution"), 1);
    assert_eq!(case.gates().len(), 1);
}

#[tokio::test]
async fn whoever_comes_after_a_crash_starts_no_second_run() {
    let case = Case::new();
    // SageMaker starts it, and the answer is lost.
    case.fail_in_hub("Query", "ThrottlingException");
    case.go_on("a").await;
    case.accounts.is_visible.set(false);
    case.go_on("a").await;
    case.accounts.is_visible.set(true);
    for attempt in ["b", "a"] {
        case.go_on(attempt).await;
    }
    case.run();
    assert_eq!(
        case.calls("StartPipelineExecution"),
        2,
        "with the same token"
    );
}

#[tokio::test]
async fn a_start_that_was_claimed_and_never_made_is_made_by_the_next_invocation() {
    let case = Case::new();
    case.fail_run("StartPipelineExecution", "ThrottlingException");
    let result = case.go_on("a").await;
    assert!(
        result["waitingFor"]
            .as_str()
            .unwrap()
            .starts_with("trying again: ")
    );
    assert!(case.accounts.executions.all().is_empty());
    case.go_on("a").await;
    case.run();
}

#[tokio::test]
async fn a_recreated_pipeline_is_not_what_the_attempt_began_with() {
    let case = Case::new();
    case.go_on("a").await;
    let later = after(now(), SignedDuration::from_mins(1));
    case.accounts.created.set(later);
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert_eq!(failed.kind, "JobFailed");
    assert!(failed.message.contains("begin another"), "{failed:?}");
    assert!(case.gates().is_empty());
}

#[tokio::test]
async fn a_token_of_another_request_or_of_nobody_is_refused() {
    let case = Case::new();
    let result = case.go_on("a").await;
    let token = result["continuationToken"].clone();
    let same = json!({ "continuationToken": token });
    assert!(case.ask("x", same).await.is_ok());
    for strange in [
        json!({ "continuationToken": token, "runMinutes": 7 }),
        json!({ "continuationToken": "made up" }),
    ] {
        let failed = case.ask("x", strange).await.unwrap_err();
        assert_eq!(failed.kind, "ConfigurationError");
        assert!(failed.message.contains("continuation token"), "{failed:?}");
    }
    assert_eq!(case.calls("StartPipelineExecution"), 1);
}

#[tokio::test]
async fn a_run_that_succeeded_opens_the_gate_and_has_the_pipeline_shared_once() {
    let case = Case::new();
    let result = case.shared().await;
    let expected = "111111111111: not shared by rule gated yet";
    assert_eq!(result["waitingFor"], expected);
    assert_eq!(case.gates().len(), 1);
    let share = r#"{"action":"share","owner":"222222222222"}"#;
    assert_eq!(case.commands(), [share]);
    case.go_on("a").await;
    assert_eq!(case.commands(), [share], "the gate is open");
}

#[tokio::test]
async fn a_command_that_is_not_sent_is_sent_by_the_next_invocation() {
    let case = Case::new();
    case.go_on("a").await;
    case.end(ExecutionStatus::Succeeded);
    case.fail_in_hub("SendMessage", "ThrottlingException");
    case.go_on("a").await;
    assert!(case.commands().is_empty());
    case.go_on("a").await;
    assert_eq!(case.commands().len(), 1);
}

#[tokio::test]
async fn a_rule_that_is_new_since_then_has_its_gate_opened_too() {
    let case = Case::new();
    case.shared().await;
    let more = "  - { name: newer, owner: test, pipelines: [\"*\"], with: [dev], after: hook }\n";
    let version = case.hub.write_policy(&format!("{POLICY}{more}"));
    case.hub.labelled.set(Some(version));
    case.go_on("a").await;
    assert_eq!(case.gates().len(), 2);
    assert_eq!(case.commands().len(), 2);
}

#[tokio::test]
async fn it_succeeds_once_the_consumer_can_describe_the_pipeline() {
    let case = Case::new();
    case.shared().await;
    case.accounts.shared.set(true);
    case.accounts.sees.set(false);
    let result = case.go_on("a").await;
    let lacking = result["waitingFor"].as_str().unwrap();
    assert!(
        lacking.contains("cannot describe the pipeline"),
        "{lacking}"
    );
    case.accounts.sees.set(true);
    let result = case.go_on("a").await;
    assert_eq!(result["state"], "succeeded");
    assert_eq!(result["consumers"], "111111111111");
    assert!(result["continuationToken"].is_null());
    assert_eq!(case.counted(Metric::HooksSucceeded), 1);
}

#[tokio::test]
async fn a_request_that_does_not_wait_succeeds_as_soon_as_sharing_is_asked_for() {
    let case = Case::new();
    let more = json!({ "run": false, "waitForAccess": false });
    let result = case.ask("a", more).await.unwrap();
    assert_eq!(result["state"], "succeeded");
    assert_eq!((case.gates().len(), case.commands().len()), (1, 1));
    assert!(case.accounts.executions.all().is_empty());
}

#[tokio::test]
async fn a_request_that_shares_nothing_opens_no_gate() {
    let case = Case::new();
    let more = || json!({ "share": false });
    case.ask("a", more()).await.unwrap();
    case.end(ExecutionStatus::Succeeded);
    let result = case.ask("a", more()).await.unwrap();
    assert_eq!(result["state"], "succeeded");
    assert!(case.gates().is_empty() && case.commands().is_empty());
}

#[tokio::test]
async fn a_run_is_not_waited_for_longer_than_the_request_says() {
    let case = Case::new();
    case.go_on("a").await;
    case.pass(59);
    case.go_on("a").await;
    case.pass(60);
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert!(failed.message.contains("still Executing after 60 minutes"));
    assert_eq!(case.counted(Metric::HooksFailed), 1);
}

#[tokio::test]
async fn access_is_not_waited_for_longer_than_the_request_says() {
    let case = Case::new();
    case.shared().await;
    case.pass(30);
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert!(failed.message.contains("not everybody has access"));
    assert_eq!(case.gates().len(), 1, "what was opened stays open");
}

#[tokio::test]
async fn a_job_is_told_to_go_on_and_in_the_end_that_it_is_done() {
    let case = Case::new();
    let Some(JobResult::GoOn { token, summary }) = case.job(None).await else {
        panic!("it goes on");
    };
    assert!(summary.ends_with("is Executing"), "{summary}");
    case.end(ExecutionStatus::Succeeded);
    case.accounts.shared.set(true);
    let Some(JobResult::Success(success)) = case.job(Some(token)).await else {
        panic!("it is done");
    };
    assert_eq!(success.summary, "run succeeded; 1 of 1 have access");
    let names = success.variables.iter().map(|(name, _)| name.as_str());
    let names: Vec<_> = names.collect();
    assert_eq!(
        names,
        ["pipelineArn", "executionArn", "shareArns", "consumers"]
    );
}

#[tokio::test]
async fn a_job_that_codepipeline_does_not_know_is_an_error_until_it_is_done() {
    let case = Case::new();
    case.accounts.waits.set(false);
    let parameters = json!({ "pipeline": "churn", "owner": "test", "waitForAccess": false });
    let payload = || {
        json!({ "CodePipeline.job": { "id": JOB, "data": {
            "actionConfiguration": { "configuration": { "UserParameters": parameters.to_string() } },
        }}})
    };
    let failed = case.invoke(payload(), "r").await.unwrap_err();
    assert_eq!(failed.kind, "Waiting");
    case.end(ExecutionStatus::Succeeded);
    let result = case.invoke(payload(), "r").await.unwrap();
    assert_eq!(result["state"], "succeeded");
}

#[tokio::test]
async fn a_job_that_cannot_be_looked_up_or_answered_is_ours_to_try_again() {
    let case = Case::new();
    case.fail("GetJobDetails", "ThrottlingException");
    let payload = || json!({ "CodePipeline.job": { "id": JOB } });
    let failed = case.invoke(payload(), "r").await.unwrap_err();
    assert_eq!(failed.kind, "Unanswered");
    case.fail("PutJobSuccessResult", "ThrottlingException");
    let failed = case.invoke(payload(), "r").await.unwrap_err();
    assert_eq!(failed.kind, "Unanswered");
    assert_eq!(case.counted(Metric::RequestsRefused), 0);
}

#[tokio::test]
async fn a_refusal_of_the_owner_account_is_one_that_people_fix() {
    let case = Case::new();
    case.fail("DescribePipeline", "AccessDeniedException");
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert_eq!(failed.kind, "PermissionError");
    assert_eq!(case.counted(Metric::AccountFailed), 1);
    assert_eq!(case.counted(Metric::RequestsRefused), 1);
    // An account that nobody has named is a mistyped one.
    case.fail("DescribePipeline", "AccessDeniedException");
    let unnamed = json!({ "owner": "999999999999" });
    let failed = case.ask("a", unnamed).await.unwrap_err();
    assert_eq!(failed.kind, "PermissionError");
    assert_eq!(case.counted(Metric::AccountFailed), 1);
}

#[tokio::test]
async fn a_pipeline_that_is_not_there_is_a_mistake_of_the_request() {
    let case = Case::new();
    case.fail("DescribePipeline", "ResourceNotFound");
    let failed = case.ask("a", json!({})).await.unwrap_err();
    assert_eq!(failed.kind, "ConfigurationError");
    assert_eq!(case.counted(Metric::AccountFailed), 0);
}

#[tokio::test]
async fn what_aws_does_not_serve_twenty_times_in_a_row_is_given_up() {
    let case = Case::new();
    let mut token = Value::Null;
    for n in 1..=20 {
        case.fail("DescribePipeline", "ThrottlingException");
        let more = json!({ "continuationToken": token });
        match case.ask("a", more).await {
            Ok(result) => {
                assert!(n < 20, "{result}");
                token = result["continuationToken"].clone();
            }
            Err(failed) => {
                assert_eq!((n, failed.kind.as_str()), (20, "SystemUnavailable"));
                assert!(failed.message.starts_with("after 20 tries"));
            }
        }
    }
    assert_eq!(
        case.counted(Metric::RequestsRefused),
        0,
        "it is not the caller's"
    );
}

#[tokio::test]
async fn a_policy_that_is_not_there_shares_nothing_and_every_mistake_is_told_with_it() {
    let case = Case::new();
    let failed = case.ask("a", json!({ "owner": "tset", "rum": true })).await;
    let failed = failed.unwrap_err();
    for expected in ["did you mean \"test\"?", "did you mean \"run\"?"] {
        assert!(failed.message.contains(expected), "{failed:?}");
    }
    case.hub.labelled.set(None);
    let by_id = json!({ "owner": "222222222222" });
    let failed = case.ask("a", by_id).await.unwrap_err();
    assert_eq!(failed.kind, "ConfigurationError");
    assert!(failed.message.contains("no policy is in force"));
    assert!(case.accounts.executions.all().is_empty());
}

#[tokio::test]
async fn a_retry_that_somebody_else_made_is_not_needed() {
    let case = Case::new();
    case.go_on("a").await;
    case.end(ExecutionStatus::Failed);
    // While it is asked for, SageMaker refuses, since the run is under way again.
    case.fail_run("RetryPipelineExecution", "ValidationException");
    let failed = case.ask("b", json!({})).await.unwrap_err();
    assert_eq!(failed.kind, "ConfigurationError", "it is not under way");
    case.end(ExecutionStatus::Executing);
    let result = case.go_on("b").await;
    assert_eq!(result["state"], "waiting");
}

#[tokio::test]
async fn what_nobody_can_be_answered_for_is_refused() {
    let case = Case::new();
    for payload in [
        json!({ "CodePipeline.job": {} }),
        json!({ "action": "share" }),
        json!(7),
    ] {
        let failed = case.invoke(payload, "r").await.unwrap_err();
        assert_eq!(failed.kind, "BadEvent");
    }
    assert_eq!(case.counted(Metric::RequestsRefused), 3);
}
