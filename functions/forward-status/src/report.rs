//! Who was notified of what: the answer to a command, the log line and the metrics.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Class, Error};
use domain::{
    execution::ExecutionChange,
    id::{AccountId, ExecutionArn},
    notification::{Alert, DeliveryOutcome, Destination, Recipients, Withheld},
    policy::Rule,
    status::ExecutionStatus,
    trigger::Ignored,
};
use jiff::Timestamp;
use runtime::{
    lambda::{Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    reconcile::Stopped,
};
use serde::Serialize;

/// One run of the function.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The version of the policy that the run went by.
    pub(crate) policy_version: Option<i64>,
    /// The changes that events told of.
    changes: Vec<ChangeReport>,
    /// The changes that a reconciliation found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    found: Vec<ChangeReport>,
    /// Accounts that could not be reconciled, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unreachable: BTreeMap<AccountId, String>,
    /// Accounts for which the time was not enough; they come first the next time.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    out_of_time: BTreeSet<AccountId>,
    /// How many of them only a person can fix.
    #[serde(skip)]
    permanent_failures: u64,
    /// Why there was nothing to send about records.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Ignored>,
    /// Why nothing was reconciled.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

impl Report {
    /// Adds what was done at the same time.
    pub(crate) fn merge(&mut self, part: Self) {
        self.changes.extend(part.changes);
        self.found.extend(part.found);
        self.unreachable.extend(part.unreachable);
        self.out_of_time.extend(part.out_of_time);
        self.permanent_failures += part.permanent_failures;
        self.ignored.extend(part.ignored);
    }

    /// Notes an account for which the time was not enough.
    pub(crate) fn run_out_of_time(&mut self, owner: &AccountId) {
        tracing::warn!(account.id = %owner, "the time of the invocation was used up");
        self.out_of_time.insert(owner.clone());
    }

    /// Notes a record that there is nothing to send about.
    pub(crate) fn ignore(&mut self, ignored: Ignored) {
        self.ignored.push(ignored);
    }

    /// Notes an account that could not be reconciled.
    pub(crate) fn fail(&mut self, owner: &AccountId, error: &Error) {
        tracing::error!(account.id = %owner, "{error}");
        self.unreachable.insert(owner.clone(), error.to_string());
        self.permanent_failures += u64::from(error.class() == Class::Permanent);
    }

    /// Adds a change that an event told of, and says what becomes of the event.
    pub(crate) fn push(&mut self, change: ChangeReport) -> RecordOutcome {
        let outcome = match change.transient() {
            Some(error) => RecordOutcome::Failed(error.clone()),
            None => RecordOutcome::Done,
        };
        self.changes.push(change);
        outcome
    }

    /// Adds a change that a reconciliation found.
    pub(crate) fn push_found(&mut self, change: ChangeReport) {
        if change.is_news() {
            self.found.push(change);
        }
    }

    /// Notes why nothing was reconciled; that the functions then change nothing is what makes it safe.
    pub(crate) fn stop(&mut self, why: &Stopped, batch: &[Record]) -> Vec<RecordOutcome> {
        self.stopped = Some(why.to_string());
        why.outcomes(batch)
    }

    /// The report as the answer to a command and as the log line.
    pub(crate) fn reply(&self, outcomes: Vec<RecordOutcome>) -> Reply {
        Reply {
            outcomes,
            summary: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Counts what was done.
    pub(crate) fn count(&self, metrics: &Metrics) {
        metrics.count(Metric::EventsIgnored, self.ignored.len() as u64);
        let changes = || self.changes.iter().chain(&self.found);
        let unknown: BTreeSet<_> = changes()
            .filter(|change| change.unknown_ceiling)
            .map(|change| change.execution.account())
            .collect();
        let permanent_failures = self.permanent_failures + unknown.len() as u64;
        metrics.count(Metric::AccountFailed, permanent_failures);
        metrics.count(Metric::AccountsCutShort, self.out_of_time.len() as u64);
        for change in changes() {
            metrics.count(Metric::NotificationsWithheld, change.withheld.len() as u64);
            metrics.count(Metric::AccountFailed, change.alerts().len() as u64);
            for delivery in change.deliveries.values() {
                metrics.count(metric(delivery), 1);
            }
        }
    }
}

/// One change and its deliveries.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ChangeReport {
    execution: ExecutionArn,
    status: ExecutionStatus,
    at: Timestamp,
    /// No rule wants it sent.
    pub(crate) unwanted: bool,
    /// By destination. The name comes behind `status` in the line, where a saved query reads it.
    #[serde(rename = "to")]
    deliveries: BTreeMap<String, DeliveryOutcome>,
    /// Whom the owner does not allow to be notified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) withheld: Vec<Withheld>,
    /// Whether that is so because nobody but people can find out whom it allows.
    #[serde(skip)]
    unknown_ceiling: bool,
    #[serde(skip)]
    failures: Vec<Error>,
}

impl ChangeReport {
    pub(crate) fn new(news: &ExecutionChange) -> Self {
        Self {
            execution: news.execution.arn.clone(),
            status: news.execution.status.clone(),
            at: news.at,
            unwanted: false,
            deliveries: BTreeMap::new(),
            withheld: Vec::new(),
            unknown_ceiling: false,
            failures: Vec::new(),
        }
    }

    /// Adds what became of one destination.
    pub(crate) fn push(
        &mut self,
        destination: &Destination,
        delivery: Result<DeliveryOutcome, Error>,
    ) {
        let delivery = delivery.unwrap_or_else(|error| {
            let text = error.to_string();
            tracing::error!(execution.arn = %self.execution, %destination, "{text}");
            self.failures.push(error);
            DeliveryOutcome::Failed { error: text }
        });
        self.deliveries.insert(destination.to_string(), delivery);
    }

    /// Notes that it is not known whom the owner allows: until it is, nobody is notified.
    pub(crate) fn bound_unknown(&mut self, rules: &[&Rule], error: Error) -> Recipients {
        let reason = format!("the ceiling of the owner is unknown: {error}");
        tracing::error!(execution.arn = %self.execution, "{reason}");
        self.unknown_ceiling = error.class() == Class::Permanent;
        // What a repetition does not fix is kept apart from this.
        if !self.unknown_ceiling {
            self.failures.push(error);
        }
        Recipients::unknown(rules, &reason)
    }

    /// A failure that a repetition may cure.
    pub(crate) fn transient(&self) -> Option<&Error> {
        let is_transient = |error: &&Error| error.class() != Class::Permanent;
        self.failures.iter().find(is_transient)
    }

    /// That the hub itself could not be notified, until a person changes something there.
    pub(crate) fn is_hub_uninformed(&self) -> bool {
        self.failures.iter().any(Error::is_of_hub)
    }

    /// What keeps accounts from being notified, by account, as far as people can fix it.
    pub(crate) fn alerts(&self) -> BTreeMap<&AccountId, Vec<Alert>> {
        let mut alerts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for error in &self.failures {
            if let (Some(account), Some(alert)) = (error.account(), error.alert()) {
                alerts.entry(account).or_default().push(alert);
            }
        }
        alerts
    }

    fn is_news(&self) -> bool {
        self.deliveries.values().any(DeliveryOutcome::is_news)
    }
}

/// What counts the destinations of which this became.
fn metric(delivery: &DeliveryOutcome) -> Metric {
    match delivery {
        DeliveryOutcome::Sent => Metric::NotificationsSent,
        DeliveryOutcome::Duplicate
        | DeliveryOutcome::Overtaken
        | DeliveryOutcome::Contradicted
        | DeliveryOutcome::InProgress => Metric::NotificationsDeduplicated,
        DeliveryOutcome::Unconfirmed => Metric::NotificationsUnconfirmed,
        DeliveryOutcome::Failed { .. } => Metric::NotificationsFailed,
    }
}
