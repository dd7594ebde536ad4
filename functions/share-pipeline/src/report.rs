//! What was done and why: the answer to a command, the log line and the metrics.

mod step;

use std::{collections::BTreeSet, fmt};

use aws::{Class, Error};
use domain::{
    hint::Ignored,
    id::AccountId,
    notification::{Expired, Trouble},
    sharing::{
        Applied, Flawed, Lookalike, Offered, OutOfReach, Plan, Problem, StepOutcome, Waiting,
        should_requeue,
    },
};
use runtime::{
    lambda::{Outcome, Reply},
    metrics::{Metric, Metrics},
};
use serde::Serialize;

use crate::ceiling::CeilingReport;
pub(crate) use step::StepReport;

/// How many waiting pipelines are named; the rest is counted.
const NAMED_WAITING: usize = 20;

/// One run of the function.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The version of the policy that the run went by.
    pub(crate) policy_version: Option<i64>,
    /// Whether that version was put in force by this run.
    pub(crate) promoted: bool,
    /// Why a newer version was not put in force, or the one in force is not gone by.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_refused: Option<String>,
    /// The accounts looked at.
    pub(crate) accounts: Vec<AccountReport>,
    /// Accounts that a hint named and that no rule names as an owner.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) not_an_owner: BTreeSet<AccountId>,
    /// Records that were not hints, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<String>,
    /// Why no account was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

impl Report {
    /// Notes a record that is not a hint.
    pub(crate) fn ignore(&mut self, ignored: &Ignored) {
        self.ignored.push(ignored.to_string());
    }

    /// Notes that a version of the policy was not put in force.
    pub(crate) fn refuse_policy(&mut self, version: i64, why: &impl fmt::Display) {
        let reason = format!("version {version} of the policy was not put in force: {why}");
        tracing::error!(policy.version = version, "{reason}");
        self.policy_refused = Some(reason);
    }

    /// Notes that the newest version of the policy cannot be read.
    pub(crate) fn refuse_unreadable(&mut self, why: &impl fmt::Display) {
        let reason = format!("the newest version of the policy cannot be read: {why}");
        tracing::error!("{reason}");
        self.policy_refused = Some(reason);
    }

    /// Notes that the version in force is no policy that the functions can go by.
    pub(crate) fn refuse_in_force(&mut self, version: i64, why: &impl fmt::Display) {
        let reason = format!("version {version} of the policy is in force and not valid: {why}");
        tracing::error!(policy.version = version, "{reason}");
        self.policy_refused.get_or_insert(reason);
    }

    /// Notes why nothing was looked at; that the functions then change nothing is what makes it safe.
    pub(crate) fn stop(&mut self, why: &impl fmt::Display) {
        tracing::warn!("nothing was done: {why}");
        self.stopped = Some(why.to_string());
    }

    /// The report as the answer to a command and as the log line.
    pub(crate) fn reply(&self, outcomes: Vec<Outcome>) -> Reply {
        Reply {
            outcomes,
            summary: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// Counts what was done.
    pub(crate) fn count(&self, metrics: &Metrics) {
        metrics.count(
            Metric::PolicyRefused,
            u64::from(self.policy_refused.is_some()),
        );
        metrics.count(Metric::HintsIgnored, self.ignored.len() as u64);
        for account in &self.accounts {
            // A dry run tells nobody, and so it raises no alarm.
            let permanent = account.class() == Some(Class::Permanent) && !account.dry_run;
            metrics.count(Metric::AccountFailed, u64::from(permanent));
            metrics.count(Metric::AssociationsFailed, account.problems.len() as u64);
            metrics.count(Metric::PipelinesWaiting, account.waiting_count as u64);
            for step in &account.steps {
                if step.outcome == "done" {
                    metrics.count(step.metric(), step.count());
                }
            }
        }
    }
}

/// What was done in one account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountReport {
    pub(crate) account: AccountId,
    dry_run: bool,
    pub(crate) steps: Vec<StepReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offered: Vec<Offered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
    waiting_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flawed: Vec<Flawed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    out_of_reach: Vec<OutOfReach>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lookalikes: Vec<Lookalike>,
    unsettled: bool,
    /// What a dry run found out about the account's ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ceiling: Option<CeilingReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip)]
    failures: Vec<Error>,
    /// What of them only people can mend.
    #[serde(skip)]
    refusals: Vec<Trouble>,
    /// What the plan found that only people can mend.
    #[serde(skip)]
    of_plan: Vec<Trouble>,
    /// What became of the steps.
    #[serde(skip)]
    applied: Vec<Applied<Error>>,
    /// The invitations that ended without being accepted.
    #[serde(skip)]
    pub(crate) expired: Vec<Expired>,
}

impl AccountReport {
    /// A plan that is about to be executed.
    pub(crate) fn new(plan: &Plan) -> Self {
        Self {
            account: plan.account.clone(),
            dry_run: false,
            steps: Vec::new(),
            offered: plan.offered.clone(),
            waiting: plan.waiting.iter().take(NAMED_WAITING).cloned().collect(),
            waiting_count: plan.waiting.len(),
            problems: plan.problems.clone(),
            flawed: plan.flawed.clone(),
            out_of_reach: plan.out_of_reach.clone(),
            lookalikes: plan.lookalikes.clone(),
            unsettled: plan.unsettled,
            ceiling: None,
            error: None,
            failures: Vec::new(),
            refusals: Vec::new(),
            of_plan: plan.troubles(),
            applied: Vec::new(),
            expired: plan.expired.clone(),
        }
    }

    /// A plan that is not to be executed.
    pub(crate) fn planned(plan: &Plan) -> Self {
        let steps = plan.steps().iter().map(StepReport::planned).collect();
        Self {
            dry_run: true,
            steps,
            ..Self::new(plan)
        }
    }

    /// An account that could not be observed.
    pub(crate) fn unreachable(account: &AccountId, error: Error, dry_run: bool) -> Self {
        let nothing = Plan::nothing(account.clone());
        let report = Self {
            dry_run,
            ..Self::new(&nothing)
        };
        report.with_error(error)
    }

    /// The report of a second look, after what the first one did.
    pub(crate) fn after(mut self, first: Self) -> Self {
        self.steps.splice(0..0, first.steps);
        self.problems.extend(first.problems);
        self.failures.extend(first.failures);
        self.applied.extend(first.applied);
        self.refusals.extend(first.refusals);
        self.expired.extend(first.expired);
        self.error = self.error.or(first.error);
        self
    }

    /// Adds a failure that is not one of a step.
    pub(crate) fn with_error(mut self, error: Error) -> Self {
        tracing::error!(account.id = %self.account, "{error}");
        self.error = Some(error.to_string());
        self.refusals.extend(error.trouble());
        self.failures.push(error);
        self
    }

    /// Takes over what became of the steps.
    pub(crate) fn take(&mut self, steps: Vec<Applied<Error>>) {
        self.problems
            .extend(steps.iter().flat_map(Applied::refused));
        for step in &steps {
            if let StepOutcome::Failed(error) = &step.outcome {
                self.failures.push(error.clone());
            }
        }
        self.steps.extend(steps.iter().map(StepReport::applied));
        self.applied.extend(steps);
    }

    /// The class of the failure that decides what becomes of the hint: one
    /// that a repetition may cure, before one that needs people.
    pub(crate) fn class(&self) -> Option<Class> {
        self.worst().map(Error::class)
    }

    /// The failure that [`AccountReport::class`] speaks of.
    pub(crate) fn worst(&self) -> Option<&Error> {
        self.failures.iter().max_by_key(|error| error.class())
    }

    /// What only people can mend; a dry run troubles nobody.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        if self.dry_run {
            return Vec::new();
        }
        let failures = self.refusals.iter().cloned();
        let failures = failures.chain(self.steps.iter().filter_map(StepReport::trouble));
        failures
            .chain(self.problems.iter().map(Problem::trouble))
            .chain(self.of_plan.iter().cloned())
            .collect()
    }

    /// Whether IAM refused any step.
    pub(crate) fn was_denied(&self) -> bool {
        self.steps.iter().any(|step| step.was_denied)
    }

    /// Whether the account is reconciled again soon.
    pub(crate) fn should_requeue(&self) -> bool {
        let is_pending = self.class() == Some(Class::NotYet);
        !self.dry_run && should_requeue(self.unsettled, &self.applied, is_pending)
    }
}
