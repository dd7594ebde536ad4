//! The function on a hub and owner accounts in memory.

mod accounts;
mod asked;
mod cost;
mod formats;
mod hostile;
mod pages;

use domain::{
    execution::{Details, FailedStep},
    status::ExecutionStatus,
    time::after,
};
use jiff::{SignedDuration, Timestamp};
use model::Hub;

use super::*;
use accounts::Fake;

/// The cast of the walkthrough, and one from outside.
const POLICY: &str = r#"version: 1
organization: { id: o-example1234, ramSharing: true }
accounts:
  dev: "111111111111"
  test: "222222222222"
  shared: "333333333333"
  partner: { id: "444444444444", external: true }
rules:
  - name: readers
    owner: test
    pipelines: ["*"]
    with: [dev]
    after: created
    until: 2027-03-31
    why: data scientists watch what is tested
    contact: ml-platform@example.com
  - { name: operators, owner: test, pipelines: ["churn*"], with: [shared], access: execute, after: created }
  - { name: partners, owner: test, pipelines: ["churn*"], with: [partner], after: created }
  - { name: gated, owner: test, pipelines: ["fraud"], with: [shared], after: hook }
"#;

const ENDPOINT: &str = "arn:aws:lambda:us-east-1:333333333333:function:pipeshare-show-access";

/// When somebody looks.
const NOW: &str = "2026-01-05T18:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn minutes_ago(minutes: i64) -> Timestamp {
    after(now(), SignedDuration::from_mins(-minutes))
}

/// A hub, and an owner account that shares by its policy.
struct Scene {
    hub: Hub,
    accounts: Fake,
    metrics: Metrics,
}

impl Scene {
    /// The cast with pipelines of these names in test, shared as far as the policy says.
    fn with(policy: &str, pipelines: &[String]) -> Self {
        let hub = Hub::with_policy(policy);
        hub.time.set(Some(now()));
        let accounts = Fake::default();
        accounts.share(policy, pipelines);
        Self {
            hub,
            accounts,
            metrics: Metrics::default(),
        }
    }

    /// Two pipelines, of which one has runs of every kind.
    fn new() -> Self {
        let names = ["churn-train", "fraud"].map(str::to_owned);
        let scene = Self::with(POLICY, &names);
        scene.run(1, ExecutionStatus::Executing, 5, None);
        scene.run(2, ExecutionStatus::Failed, 60, Some(33));
        scene.run(3, ExecutionStatus::Succeeded, 200, Some(20));
        scene.run(4, ExecutionStatus::CompletedWithFailures, 300, Some(12));
        scene.run(5, ExecutionStatus::Stopped, 400, Some(2));
        scene
    }

    /// A run of churn-train that began so many minutes ago and took so many.
    fn run(&self, number: usize, status: ExecutionStatus, began: i64, took: Option<i64>) {
        let details = Details {
            display_name: Some(format!("nightly {number}").as_str().into()),
            started: Some(minutes_ago(began)),
            modified: took.map(|took| minutes_ago(began - took)),
            failure_reason: Some("Step failure: see the steps".into()),
            failed_steps: vec![FailedStep {
                name: "Train".into(),
                reason: Some("out of memory".into()),
            }],
            ..Details::of(status)
        };
        self.accounts.run("churn-train", number, details);
    }

    /// The answer to a payload.
    async fn ask(&self, payload: Value) -> Value {
        let invocation = Invocation {
            request_id: "r".to_owned(),
            time_left: Duration::from_secs(30),
            function_arn: ENDPOINT.to_owned(),
        };
        let function = ShowAccess::new(&self.hub, &self.accounts);
        let answer = function.serve(payload, &invocation, &self.metrics).await;
        answer.result.unwrap()
    }

    async fn html(&self, payload: Value) -> String {
        let answer = self.ask(payload).await;
        answer.as_str().unwrap().to_owned()
    }
}
