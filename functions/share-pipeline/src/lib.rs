//! Creates and maintains the RAM shares of pipelines.
//!
//! ```text
//! records ──▶ route ──▶ accounts ──▶ observe ──▶ plan ──▶ apply ──▶ report
//! ```
//!
//! A record only says where something may have changed. Whatever it says, the
//! account is read again, compared with the policy in force, and changed where
//! it differs; so lost, doubled, late and forged records change nothing but
//! the time it takes.
//!
//! `domain::sharing` decides; what is read and called is behind [`ports`].

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod account;
mod adapters;
mod apply;
mod ceiling;
mod documents;
mod explain;
mod guard;
mod notify;
mod observe;
pub mod ports;
mod preview;
mod promote;
mod report;
mod route;
#[cfg(test)]
mod tests;
mod trail;
mod waiting;

use std::collections::BTreeSet;

use domain::{
    account::AccountRef,
    id::AccountId,
    policy::{InForce, Policy},
    trigger::Ignored,
};
use runtime::{
    Error,
    config::Worker,
    lambda::{self, Deadline, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    notifier::Notifier,
    ports::{PolicyStore, Publish, Table},
    reconcile::{self, ACCOUNTS_AT_ONCE, Stopped},
};

use account::Served;
pub use adapters::Accounts;
use ports::{Bus, Ceilings, Ram, SageMaker};
use promote::Permission;
use report::Report;
use route::{Question, Task};
use trail::Writers;

/// What the function works with: the hub, owner accounts, and who is notified.
#[derive(Debug)]
pub struct SharePipeline<'a, H, A> {
    hub: &'a H,
    accounts: A,
    notifier: Notifier<'a, H>,
    config: Worker,
    /// Who wrote the documents that the trail named so far.
    writers: Writers,
    /// How large the accounts of a plan are at most in one answer.
    answer_bytes: usize,
}

impl<'a, H: Publish + Table, A> SharePipeline<'a, H, A> {
    /// The function on these ports.
    #[must_use]
    pub fn new(hub: &'a H, accounts: A, config: Worker) -> Self {
        Self {
            hub,
            accounts,
            notifier: Notifier::new(hub, &config.topic),
            config,
            writers: Writers::default(),
            answer_bytes: preview::MOST_BYTES,
        }
    }
}

impl<H, A> lambda::Function for SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    async fn handle(&self, batch: &[Record], deadline: Deadline, metrics: &Metrics) -> Reply {
        let (report, served, outcomes) = self.serve(batch, deadline).await;
        report::count(metrics, &report, &served);
        metrics.count(Metric::HubFailed, self.notifier.take_refused_by_hub());
        Reply {
            outcomes,
            summary: serde_json::to_value(&report).unwrap_or_default(),
        }
    }
}

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Serves a batch of records.
    async fn serve(
        &self,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        if let Some(question) = route::question(batch) {
            return self.answer(&question, batch, deadline).await;
        }
        let tasks: Vec<_> = batch.iter().map(route::read).collect();
        let confirmation = tasks
            .iter()
            .flatten()
            .find_map(|it| it.confirmation.as_ref());
        let promotion = promote::promote(self.hub, permission(&tasks), confirmation).await;
        // A batch is notified on behalf of its first record.
        let lease_owner = batch.first().map(Record::lease_owner);
        if let Some(lease_owner) = lease_owner {
            self.notify_of_policy(&promotion, lease_owner).await;
        }
        let report = Report::of_policy(&promotion);
        let stop =
            |report: Report, why: &Stopped| (report.stopped(why), Vec::new(), why.outcomes(batch));
        let policy = match promotion.in_force {
            Ok(policy) => policy,
            Err(why) => return stop(report, &why),
        };
        let tasks = resolved(tasks, &policy.policy);
        let known = match self.known_owners(&policy.policy, &tasks).await {
            Ok(known) => known,
            Err(error) => return stop(report, &Stopped::Failed(error)),
        };

        let serving = self.serve_tasks(&policy, &tasks, batch, &known, deadline);
        let (served, outcomes) = serving.await;
        let partition = &self.hub.place().partition;
        let report = report.of_accounts(&policy.policy, partition, &tasks, &served);
        (report, served, outcomes)
    }

    /// Reconciles the accounts that tasks point at, and says what becomes of the records.
    async fn serve_tasks(
        &self,
        policy: &InForce,
        tasks: &[Result<Task, Ignored>],
        batch: &[Record],
        known: &BTreeSet<AccountId>,
        deadline: Deadline,
    ) -> (Vec<Served>, Vec<RecordOutcome>) {
        let spread = route::spread(tasks, batch, known, &self.config);
        let own = tasks.iter().zip(&spread).filter(|(_, it)| it.is_none());
        let own = own.filter_map(|(task, _)| task.as_ref().ok());
        let lease_owner = batch.first().map(Record::lease_owner);
        let run = lease_owner.map_or("", |it| it.holder);
        let requests = route::requests(own, known, run);
        let served = self.serve_each(policy, &requests, deadline).await;
        if let Some(lease_owner) = lease_owner {
            self.notify_of_accounts(&policy.policy, &served, lease_owner)
                .await;
        }
        let outcomes = tasks.iter().zip(spread);
        let outcomes = outcomes
            .map(|(task, spread)| spread.unwrap_or_else(|| route::outcome(task, &served)))
            .collect();
        (served, outcomes)
    }

    /// Answers what somebody asks, and changes nothing.
    async fn answer(
        &self,
        question: &Question,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        let promotion = promote::promote(self.hub, Permission::Read, None).await;
        let in_force = match promotion.in_force {
            Ok(in_force) => Some(in_force),
            Err(Stopped::NoPolicy) => None,
            Err(why) => {
                let report = Report::default().stopped(&why);
                return (report, Vec::new(), why.outcomes(batch));
            }
        };
        let in_force = in_force.as_ref();
        match question {
            Question::Plan(plan) => self.plan_for(plan, in_force, batch, deadline).await,
            Question::Explain(question) => {
                let report = self.explain(question, in_force).await;
                (report, Vec::new(), preview::done(batch))
            }
        }
    }

    /// Reconciles the accounts that have their turn in time.
    async fn serve_each(
        &self,
        policy: &InForce,
        requests: &[route::Request],
        deadline: Deadline,
    ) -> Vec<Served> {
        let turns = deadline.of_turns();
        let serve = async |request: &_, _| {
            let serving = self.serve_in_time(policy, request, deadline, turns);
            serving.await
        };
        reconcile::each_account(requests, ACCOUNTS_AT_ONCE, deadline, Served::account, serve).await
    }

    /// The accounts in which something may be shared, as far as records ask for them.
    async fn known_owners(
        &self,
        policy: &Policy,
        tasks: &[Result<Task, Ignored>],
    ) -> Result<BTreeSet<AccountId>, Error> {
        let mut known: BTreeSet<_> = policy.owners().into_iter().cloned().collect();
        if route::needs_remembered(tasks, &known) {
            known.extend(observe::remembered_owners(self.hub).await?);
        }
        Ok(known)
    }
}

/// What records allow to be done about the policy.
fn permission(tasks: &[Result<Task<AccountRef>, Ignored>]) -> Permission {
    let mut wanted = tasks.iter().flatten();
    if wanted.clone().any(|task| task.promotes) {
        Permission::Promote
    } else if wanted.any(|task| !task.dry_run) {
        Permission::Recover
    } else {
        Permission::Read
    }
}

/// The tasks, for the accounts that the policy means.
fn resolved(
    tasks: Vec<Result<Task<AccountRef>, Ignored>>,
    policy: &Policy,
) -> Vec<Result<Task, Ignored>> {
    let tasks = tasks.into_iter();
    tasks.map(|task| task?.resolve(policy)).collect()
}
