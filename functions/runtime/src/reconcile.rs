//! Account by account: the loop that the functions share which work so.

use std::time::Duration;

use domain::{
    error::Error,
    id::AccountId,
    policy::{Gate, InForce, Labelled, Policy},
    sharing::{self, Evidence},
    storage,
};
use futures::{StreamExt, stream};

use crate::{
    lambda::{Deadline, Record, RecordOutcome, each, share_of},
    ports::{PolicyStore, Table},
};

/// How many accounts are reconciled at once.
pub const ACCOUNTS_AT_ONCE: usize = 8;

/// Why no account is reconciled, and what becomes of all records then.
///
/// That the functions change nothing without a policy is what makes it safe.
#[derive(Debug, Clone)]
pub enum Stopped {
    /// No valid policy is in force.
    NoPolicy,
    /// Something of the hub that concerns all accounts could not be read.
    Failed(Error),
}

impl Stopped {
    /// What becomes of a batch, which the log says, too.
    #[must_use]
    pub fn outcomes(&self, batch: &[Record]) -> Vec<RecordOutcome> {
        tracing::warn!("nothing was done: {self}");
        let outcome = match self {
            Self::NoPolicy => RecordOutcome::Done,
            Self::Failed(error) => RecordOutcome::Failed(error.clone()),
        };
        each(batch, &outcome)
    }
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPolicy => f.write_str("no policy is in force"),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

/// The policy that is in force.
pub async fn policy_in_force(store: &impl PolicyStore) -> Result<InForce, Stopped> {
    let labelled = store.labelled().await.map_err(Stopped::Failed)?;
    Labelled::policy(labelled).ok_or(Stopped::NoPolicy)
}

/// What is remembered of the gates that the account's rules have.
pub async fn remembered_gates(
    table: &impl Table,
    policy: &Policy,
    account: &AccountId,
) -> Result<Evidence, Error> {
    let gates = sharing::gates(policy, account);
    let items = async |gate: Gate, partition: String| {
        if !gates.contains(&gate) {
            return Ok(Vec::new());
        }
        let items = table.list(&partition).await?;
        Ok::<_, Error>(items.into_iter().map(|item| item.sk).collect::<Vec<_>>())
    };
    let (succeeded, hooked) = futures::try_join!(
        items(Gate::Succeeded, storage::succeeded_gates(account)),
        items(Gate::Hook, storage::hook_gates(account)),
    )?;
    Ok(Evidence::remembered(succeeded, hooked))
}

/// Reconciles accounts, a few at once, each with its share of the time that is
/// left; the reports are in the order of the accounts.
pub async fn each_account<Q, R>(
    requests: &[Q],
    deadline: Deadline,
    account: impl Fn(&R) -> &AccountId,
    reconcile: impl AsyncFn(&Q, Duration) -> R,
) -> Vec<R> {
    let time = share_of(deadline.time_left(), requests.len(), ACCOUNTS_AT_ONCE);
    let reconciling = requests.iter().map(|request| reconcile(request, time));
    let mut reports: Vec<_> = stream::iter(reconciling)
        .buffer_unordered(ACCOUNTS_AT_ONCE)
        .collect()
        .await;
    reports.sort_by(|a, b| account(a).cmp(account(b)));
    reports
}
