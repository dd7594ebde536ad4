//! Finds the changes that no event told of.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws::Error;
use domain::{
    execution::ExecutionChange,
    id::AccountId,
    notification::{Alert, Interval, Watermark, longest_waiting, wanting_rules, watched},
    storage::WATERMARK,
    time::before,
};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use runtime::{
    lambda::{Deadline, RecordOutcome, share_of},
    ports::{Publish, Table},
};

use crate::{
    notify::ChangeNotifier,
    ports::{Ceilings, Executions},
    report::Report,
};

/// How many changes of an account are examined at once: whoever may start runs
/// there may start thousands. SageMaker runs far fewer at once.
const MOST_CHANGES: usize = 2000;

/// For how long nobody hears that an account cannot be asked, which passes by itself as a rule.
const LONG: SignedDuration = SignedDuration::from_hours(1);

/// How many owners are asked at once.
const OWNERS_AT_ONCE: usize = 8;

/// Reconciles what was notified with what SageMaker says, on behalf of one record.
#[derive(Debug)]
pub(crate) struct Reconciliation<'r, A, H> {
    pub(crate) changes: &'r ChangeNotifier<'r, A, H>,
    pub(crate) hub: &'r H,
}

impl<A: Ceilings + Executions, H: Publish + Table> Reconciliation<'_, A, H> {
    /// Notifies what changed in the owner accounts since the last time and was not sent.
    ///
    /// A failure is never repeated for itself, and what the time is not enough
    /// for is not requeued: the next reconciliation begins where this one ended,
    /// and with who waits for the longest.
    pub(crate) async fn run(
        &self,
        only: Option<AccountId>,
        deadline: Deadline,
        report: &mut Report,
    ) -> RecordOutcome {
        let watched = watched(self.changes.policy);
        let marks = match self.marks(&watched, only.is_none()).await {
            Ok(marks) => marks,
            Err(error) => return RecordOutcome::Failed(error),
        };
        let owners = longest_waiting(watched, &marks, only.as_ref());
        // Whatever others run there, each account has its share of the time.
        let time = share_of(deadline.time_left(), owners.len(), OWNERS_AT_ONCE);
        let reconciling = owners.into_iter().map(|owner| {
            let mark = marks.get(owner).copied();
            self.account_in_time(owner, mark, time, deadline)
        });
        let parts: Vec<_> = stream::iter(reconciling)
            .buffered(OWNERS_AT_ONCE)
            .collect()
            .await;
        for part in parts {
            report.merge(part);
        }
        RecordOutcome::Done
    }

    /// Reconciles one account, if its turn comes in time.
    async fn account_in_time(
        &self,
        owner: &AccountId,
        mark: Option<Watermark>,
        time: Duration,
        deadline: Deadline,
    ) -> Report {
        let mut report = Report::default();
        let end = deadline.within(time);
        let found = if deadline.is_over() {
            None
        } else {
            let found = self.account(owner, mark, end, &mut report);
            deadline.bound(found).await
        };
        match found {
            Some(Ok(())) => {}
            Some(Err(error)) => self.failed(owner, mark, &error, &mut report).await,
            None => report.run_out_of_time(owner),
        }
        report
    }

    /// Notes an account that could not be reconciled, and notifies the hub if
    /// people can fix it, or if it takes long.
    async fn failed(
        &self,
        owner: &AccountId,
        mark: Option<Watermark>,
        error: &Error,
        report: &mut Report,
    ) {
        report.fail(owner, error);
        let now = self.changes.lease_owner.now;
        let unasked = mark.filter(|mark| mark.until < before(now, LONG));
        let unasked = unasked.map(|mark| Alert::unasked(mark.until, &error.to_string()));
        let alerts: Vec<_> = error.alert().or(unasked).into_iter().collect();
        self.changes.notify_alerts(owner, &alerts).await;
    }

    /// The marks of the accounts that are watched; a reconciliation of all forgets those of others.
    ///
    /// Nobody wanted to know what happens in them, and should somebody want to
    /// again, what happened meanwhile is no news.
    async fn marks(
        &self,
        watched: &BTreeSet<&AccountId>,
        all: bool,
    ) -> Result<BTreeMap<AccountId, Watermark>, Error> {
        let mut marks = BTreeMap::new();
        for item in self.hub.list(WATERMARK).await? {
            let account: Option<AccountId> = item.sk.parse().ok();
            let account = account.filter(|account| watched.contains(account));
            match (account, Watermark::from_values(&item.values)) {
                (Some(account), Some(mark)) => {
                    marks.insert(account, mark);
                }
                _ if all => self.hub.delete(WATERMARK, &item.sk).await?,
                _ => {}
            }
        }
        Ok(marks)
    }

    /// Reconciles one account, oldest change first, and marks how far it is on the
    /// way, so that a run that is cut short is not done again from the start.
    async fn account(
        &self,
        owner: &AccountId,
        mark: Option<Watermark>,
        end: Deadline,
        report: &mut Report,
    ) -> Result<(), Error> {
        let now = self.changes.lease_owner.now;
        let Some(mark) = mark else {
            return self.mark(owner, Watermark::first(now)).await;
        };
        let mut interval = Interval::begin(mark, now);
        let accounts = self.changes.accounts;
        let (found, is_all) = accounts
            .changed_since(owner, interval.since(), MOST_CHANGES)
            .await?;
        for changed in found {
            if end.is_over() {
                tracing::info!(account.id = %owner, "the rest is left to the next reconciliation");
                return self.mark(owner, interval.cut_short()).await;
            }
            let modified = changed.at;
            if !interval.is_due(modified) {
                continue;
            }
            let hub_refused = self.notify(changed, report).await?;
            if let Some(mark) = interval.examined(modified, hub_refused) {
                self.mark(owner, mark).await?;
            }
        }
        match interval.end(is_all) {
            Some(mark) => self.mark(owner, mark).await,
            None => Ok(()),
        }
    }

    /// Tells a change, if anybody wants to know it; whether the hub refused to hear it.
    async fn notify(&self, changed: ExecutionChange, report: &mut Report) -> Result<bool, Error> {
        if wanting_rules(self.changes.policy, &changed.execution).is_empty() {
            return Ok(false);
        }
        let dated = self.dated(changed).await?;
        let told = self.changes.notify(&dated).await;
        if let Some(error) = told.transient() {
            return Err(error.clone());
        }
        let hub_refused = told.is_hub_uninformed();
        report.push_found(told);
        Ok(hub_refused)
    }

    /// Finds out when the execution took its present status.
    async fn dated(&self, changed: ExecutionChange) -> Result<ExecutionChange, Error> {
        if !changed.execution.status.is_terminal() {
            return Ok(changed);
        }
        let arn = &changed.execution.arn;
        let accounts = self.changes.accounts;
        let last_step = accounts.last_step_end(arn.account(), arn).await?;
        Ok(changed.ended_after(last_step))
    }

    /// Notes how far an account was reconciled.
    async fn mark(&self, owner: &AccountId, mark: Watermark) -> Result<(), Error> {
        let values = mark.to_values();
        self.hub.put(WATERMARK, owner.as_str(), &values, None).await
    }
}
