//! Notifies the people who wait for it how executions go.
//!
//! ```text
//! events ──▶ changes ──▶ which rules want it ──▶ whom the owner allows ──▶ what they know ──▶ details ──▶ send
//! schedule ──▶ executions changed lately ──▶ changes
//! ```
//!
//! Each destination is notified of each change once, however often and in
//! whatever order the events come; and what no event reported, the scheduled
//! reconciliation finds.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod ceilings;
mod notify;
mod ports;
mod reconcile;
mod report;
mod route;

use std::collections::BTreeMap;

use domain::{id::ExecutionArn, policy::Policy, trigger::Ignored};
use futures::{StreamExt, stream};
use runtime::{
    lambda::{self, Deadline, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    notifier::Notifier,
    ports::{PolicyStore, Publish, Table},
    reconcile::policy_in_force,
};

use notify::{ChangeNotifier, Invocation};
use ports::{Ceilings, Executions};
use reconcile::Reconciliation;
use report::Report;
use route::Task;

/// How many executions are dealt with at once.
const EXECUTIONS_AT_ONCE: usize = 10;

/// What the function works with: the owner accounts, and the hub.
#[derive(Debug)]
pub struct ForwardStatus<'a, A, H> {
    accounts: &'a A,
    hub: &'a H,
    notifier: Notifier<'a, H>,
}

impl<A, H> lambda::Function for ForwardStatus<'_, A, H>
where
    A: Ceilings + Executions,
    H: PolicyStore + Publish + Table,
{
    async fn handle(&self, batch: &[Record], deadline: Deadline, metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, deadline, &mut report).await;
        report.count(metrics);
        metrics.count(Metric::HubFailed, self.notifier.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a, A, H> ForwardStatus<'a, A, H>
where
    A: Ceilings + Executions,
    H: PolicyStore + Publish + Table,
{
    /// The function; `topic` is the ARN of the hub's topic.
    #[must_use]
    pub fn new(accounts: &'a A, hub: &'a H, topic: &str) -> Self {
        Self {
            accounts,
            hub,
            notifier: Notifier::new(hub, topic),
        }
    }

    /// Serves a batch of events and commands.
    async fn serve(
        &self,
        batch: &[Record],
        deadline: Deadline,
        report: &mut Report,
    ) -> Vec<RecordOutcome> {
        let policy = match policy_in_force(self.hub).await {
            Ok(policy) => policy,
            Err(stopped) => return report.stop(&stopped, batch),
        };
        report.policy_version = Some(policy.version);
        let policy = &policy.policy;
        let tasks = batch.iter().map(|record| {
            let task = route::route(record, policy, record.lease_owner().now);
            (record, task)
        });
        let invocation = Invocation::default();
        let serving = by_execution(tasks).into_iter();
        let serving = serving.map(|group| self.serve_group(policy, &invocation, group, deadline));
        let served: Vec<_> = stream::iter(serving)
            .buffer_unordered(EXECUTIONS_AT_ONCE)
            .collect()
            .await;
        let mut served: Vec<_> = served.into_iter().flatten().collect();
        served.sort_by_key(|(number, ..)| *number);
        let outcomes = served.into_iter().map(|(_, part, outcome)| {
            report.merge(part);
            outcome
        });
        outcomes.collect()
    }

    /// Serves records one after the other.
    async fn serve_group(
        &self,
        policy: &Policy,
        invocation: &Invocation,
        group: Vec<Numbered<'_>>,
        deadline: Deadline,
    ) -> Vec<(usize, Report, RecordOutcome)> {
        let mut served = Vec::new();
        for (number, record, task) in group {
            let mut report = Report::default();
            let serving = self.serve_one(policy, invocation, (record, task), deadline, &mut report);
            let outcome = serving.await;
            served.push((number, report, outcome));
        }
        served
    }

    /// Serves one record.
    async fn serve_one(
        &self,
        policy: &Policy,
        invocation: &Invocation,
        (record, task): (&Record, Result<Task, Ignored>),
        deadline: Deadline,
        report: &mut Report,
    ) -> RecordOutcome {
        if deadline.is_over() {
            return RecordOutcome::NotReached;
        }
        let changes = &ChangeNotifier {
            accounts: self.accounts,
            notifier: &self.notifier,
            invocation,
            policy,
            partition: &self.hub.place().partition,
            lease_owner: record.lease_owner(),
        };
        match task {
            Err(ignored) => {
                report.ignore(ignored);
                RecordOutcome::Done
            }
            Ok(Task::Notify(news)) => {
                let notified = deadline.bound(changes.notify(&news)).await;
                notified.map_or(RecordOutcome::NotReached, |it| report.push(it))
            }
            Ok(Task::Reconcile(owner)) => {
                let hub = self.hub;
                let reconciliation = Reconciliation { changes, hub };
                // Boxed, since all that it may do adds up to a large future.
                Box::pin(reconciliation.run(owner, deadline, report)).await
            }
        }
    }
}

/// A record with its place in the batch, and what it asks for.
type Numbered<'b> = (usize, &'b Record, Result<Task, Ignored>);

/// What is about one execution stays in order, and the rest is for itself: of
/// two changes at once, neither would know what the other one has told.
fn by_execution<'b>(
    tasks: impl Iterator<Item = (&'b Record, Result<Task, Ignored>)>,
) -> Vec<Vec<Numbered<'b>>> {
    let mut executions: BTreeMap<ExecutionArn, Vec<_>> = BTreeMap::new();
    let mut groups = Vec::new();
    for (number, (record, task)) in tasks.enumerate() {
        match &task {
            Ok(Task::Notify(news)) => {
                let execution = news.execution.arn.clone();
                let group = executions.entry(execution).or_default();
                group.push((number, record, task));
            }
            _ => groups.push(vec![(number, record, task)]),
        }
    }
    groups.extend(executions.into_values());
    groups
}

#[cfg(test)]
mod tests;
