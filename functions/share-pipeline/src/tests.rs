//! The function on the in-memory model, without binaries, wire and time.

mod accounts;
mod documents;
mod explain;
mod failures;
mod guard;
mod histories;
mod policies;
mod preview;
mod routing;
mod trail;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use model::{Account, HUB_TOPIC, Hub};
use runtime::{
    config::{Identity, Settings, Worker},
    lambda::{Deadline, Function as _, Record, RecordOutcome},
    metrics::{Metric, Metrics},
};
use serde_json::Value;

use self::accounts::FakeAccounts;
use crate::SharePipeline;

const TEST: &str = "222222222222";
const PROD: &str = "777777777777";

/// The hub and its owner accounts, and what the function may be told about them.
struct Scenario {
    hub: Hub,
    accounts: FakeAccounts,
    /// How large the accounts of a plan are at most in one answer.
    answer_bytes: usize,
}

/// What a batch came to.
struct Run {
    outcomes: Vec<RecordOutcome>,
    summary: Value,
    metrics: Metrics,
}

/// A policy with these rules, each a line of YAML.
fn document(rules: &[&str]) -> String {
    let lines: Vec<_> = rules
        .iter()
        .map(|rule| {
            format!(
                "  - {{ {rule} }}
"
            )
        })
        .collect();
    let rules = lines.concat();
    let rules = if rules.is_empty() {
        "  []\n".to_owned()
    } else {
        rules
    };
    format!(
        "version: 1\norganization: {{ id: o-example1234, ramSharing: true }}\naccounts:\n  \
         dev: \"111111111111\"\n  test: \"{TEST}\"\n  prod: \"{PROD}\"\n  \
         partner: {{ id: \"444444444444\", external: true }}\nrules:\n{rules}"
    )
}

const READERS: &str = "name: readers, owner: test, pipelines: ['*'], with: [dev], after: created";
const PARTNERS: &str =
    "name: partners, owner: test, pipelines: ['*'], with: [partner], after: created";
const GATED: &str = "name: gated, owner: test, pipelines: ['*'], with: [dev], after: succeeded";
const OF_PROD: &str = "name: of-prod, owner: prod, pipelines: ['*'], with: [dev], after: created";

impl Scenario {
    /// A policy with these rules is in force, and there are two owner accounts with a pipeline each.
    fn new(rules: &[&str]) -> Self {
        let mut accounts = BTreeMap::new();
        for id in [TEST, PROD] {
            let mut account = Account::new(id);
            account.create_pipeline("churn");
            accounts.insert(account.id.clone(), account);
        }
        Self {
            hub: Hub::with_policy(&document(rules)),
            accounts: FakeAccounts::new(accounts),
            answer_bytes: crate::preview::MOST_BYTES,
        }
    }

    /// Changes an owner account.
    fn change<T>(&self, id: &str, change: impl FnOnce(&mut Account) -> T) -> T {
        self.accounts.change(&id.parse().unwrap(), change)
    }

    /// Serves records with these bodies in one batch.
    async fn run(&self, bodies: &[&str]) -> Run {
        let records = bodies.iter().enumerate().map(|(number, body)| Record {
            id: Some(format!("message-{number}")),
            body: (*body).to_owned(),
            attempts: 0,
            sent: Some(Timestamp::from_second(1_767_700_000).unwrap()),
            received: None,
        });
        self.serve(&records.collect::<Vec<_>>()).await
    }

    /// Serves a direct invocation.
    async fn invoke(&self, body: &str) -> Run {
        let deadline = Deadline::of_invocation(Duration::from_mins(1));
        self.invoke_within(body, deadline).await
    }

    /// Serves a direct invocation that ends then.
    async fn invoke_within(&self, body: &str, deadline: Deadline) -> Run {
        let record = Record {
            id: None,
            body: body.to_owned(),
            attempts: 0,
            sent: Some(Timestamp::from_second(1_767_700_000).unwrap()),
            received: None,
        };
        self.serve_within(&[record], deadline).await
    }

    async fn serve(&self, records: &[Record]) -> Run {
        let deadline = Deadline::of_invocation(Duration::from_mins(1));
        self.serve_within(records, deadline).await
    }

    async fn serve_within(&self, records: &[Record], deadline: Deadline) -> Run {
        let config = Worker {
            settings: Settings {
                identity: Identity {
                    place: runtime::ports::PolicyStore::place(&self.hub).clone(),
                    function: "pipeshare-share-pipeline".to_owned(),
                },
                policy: "/pipeshare/policy".to_owned(),
                table: "pipeshare".to_owned(),
            },
            topic: HUB_TOPIC.to_owned(),
            bus: "pipeshare-hub".to_owned(),
            queue_url: Some("https://queue".to_owned()),
        };
        let mut function = SharePipeline::new(&self.hub, &self.accounts, config);
        function.answer_bytes = self.answer_bytes;
        let metrics = Metrics::default();
        let reply = function.handle(records, deadline, &metrics).await;
        Run {
            outcomes: reply.outcomes,
            summary: reply.summary,
            metrics,
        }
    }

    /// Reconciles the account `test` as people ask for it.
    async fn share(&self) -> Run {
        self.run(&[&share(TEST)]).await
    }

    /// The subjects of what was published.
    fn subjects(&self) -> Vec<String> {
        let published = self.hub.published.borrow();
        published
            .iter()
            .map(|it| it.notification.subject.clone())
            .collect()
    }

    /// The names of the shares that there are in an account.
    fn shares(&self, id: &str) -> Vec<String> {
        self.change(id, |account| {
            account
                .share_names()
                .into_iter()
                .map(str::to_owned)
                .collect()
        })
    }

    /// The names of the operations of RAM and `SageMaker` that were called in an account.
    fn calls(&self, id: &str) -> Vec<&'static str> {
        self.change(id, |account| account.calls.clone())
    }

    /// Adds a version of the policy, which is not in force yet.
    fn write(&self, rules: &[&str]) -> i64 {
        self.hub.write_policy(&document(rules))
    }

    /// Has the next call of an operation of the hub fail.
    fn fail(&self, operation: &'static str, code: &str) {
        self.hub.failures.borrow_mut().next(operation, code);
    }

    /// Whether an item says that shares were made in an account.
    fn remembers(&self, owner: &str) -> bool {
        self.hub.table.get("owners", owner).is_some()
    }

    /// The text of the first notification.
    fn first_text(&self) -> String {
        self.hub.published.borrow()[0].notification.text.clone()
    }
}

impl Run {
    fn step(&self, number: usize) -> &Value {
        &self.summary["accounts"][0]["steps"][number]
    }

    fn outcomes_of_steps(&self) -> Vec<&str> {
        let steps = self.summary["accounts"][0]["steps"].as_array();
        let steps = steps.into_iter().flatten();
        steps.filter_map(|step| step["outcome"].as_str()).collect()
    }

    fn counted(&self, metric: Metric) -> u64 {
        self.metrics.counted(metric)
    }

    /// The commands that follow the first record.
    fn follow_ups(&self) -> Vec<&str> {
        match &self.outcomes[0] {
            RecordOutcome::Followed { by, .. } => by.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        matches!(self.outcomes[0], RecordOutcome::Done)
    }
}

/// The command that asks for one owner account.
fn share(owner: &str) -> String {
    format!(r#"{{"action":"share","owner":"{owner}"}}"#)
}

/// The command that asks for one account of a scheduled reconciliation.
fn reconcile(account: &str) -> String {
    format!(r#"{{"account":"{account}","action":"reconcile"}}"#)
}

const SCHEDULED: &str = include_str!("../../domain/tests/events/scheduled.json");
const POLICY_WRITTEN: &str = include_str!("../../domain/tests/events/policy-updated.json");
const CREATED: &str = include_str!("../../domain/tests/events/create-pipeline.json");
const SUCCEEDED: &str = include_str!("../../domain/tests/events/execution-succeeded.json");
const OFFERED: &str = include_str!("../../domain/tests/events/share-offered.json");
