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

use domain::policy::Policy;
use runtime::{
    lambda::{self, Deadline, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    notifier::Notifier,
    ports::{PolicyStore, Publish, Table},
    reconcile::policy_in_force,
};

use ceilings::KnownCeilings;
use notify::ChangeNotifier;
use ports::{Ceilings, Executions};
use reconcile::Reconciliation;
use report::Report;
use route::Task;

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
        let ceilings = KnownCeilings::default();
        let mut outcomes = Vec::new();
        for record in batch {
            if deadline.is_over() {
                outcomes.push(RecordOutcome::NotReached);
                continue;
            }
            let policy = &policy.policy;
            let serving = self.serve_one(policy, &ceilings, record, deadline, report);
            outcomes.push(serving.await);
        }
        outcomes
    }

    /// Serves one record.
    async fn serve_one(
        &self,
        policy: &Policy,
        ceilings: &KnownCeilings,
        record: &Record,
        deadline: Deadline,
        report: &mut Report,
    ) -> RecordOutcome {
        let lease_owner = record.lease_owner();
        let changes = &ChangeNotifier {
            accounts: self.accounts,
            notifier: &self.notifier,
            ceilings,
            policy,
            partition: &self.hub.place().partition,
            lease_owner,
        };
        match route::route(record, policy, lease_owner.now) {
            Err(ignored) => {
                report.ignore(ignored);
                RecordOutcome::Done
            }
            Ok(Task::Notify(news)) => report.push(changes.notify(&news).await),
            Ok(Task::Reconcile(owner)) => {
                let hub = self.hub;
                let reconciliation = Reconciliation { changes, hub };
                // Boxed, since all that it may do adds up to a large future.
                Box::pin(reconciliation.run(owner, deadline, report)).await
            }
        }
    }
}

#[cfg(test)]
mod tests;
