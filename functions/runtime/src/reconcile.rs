//! Account by account: the loop that the functions share which work so.

use std::time::Duration;

use domain::{
    error::Error,
    id::AccountId,
    policy::{Gate, InForce, Labelled, Policy},
    sharing::{self, Evidence},
    storage,
    trigger::{Command, CommandAction},
};
use futures::{StreamExt, stream};

use crate::{
    lambda::{Deadline, Record, RecordOutcome, each, share_of},
    ports::{PolicyStore, Table},
};

/// How many accounts are reconciled at once: what is read of large ones is held
/// in memory together.
pub const ACCOUNTS_AT_ONCE: usize = 4;

/// How many accounts one invocation serves of itself; more become a message each.
const MOST_TOGETHER: usize = ACCOUNTS_AT_ONCE;

/// For each account, how much later the last of many is due.
const GAP: Duration = Duration::from_millis(300);

/// Within what time all accounts have had their turn; the schedule comes every 15 minutes.
const LONGEST_SPREAD: Duration = Duration::from_mins(10);

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

/// What becomes of a record that is about these accounts, if they are more than
/// one invocation should serve: each has a message, a budget, retries and a fate of its own.
///
/// There is none for a direct invocation, whose answer is the summary.
#[must_use]
pub fn spread<'a>(
    record: &Record,
    action: CommandAction,
    accounts: impl IntoIterator<Item = &'a AccountId>,
) -> Option<RecordOutcome> {
    let commands = accounts.into_iter();
    let commands: Vec<_> = commands.map(|it| Command::text(action, it)).collect();
    if record.id.is_none() || commands.len() <= MOST_TOGETHER {
        return None;
    }
    let count = u32::try_from(commands.len()).unwrap_or(u32::MAX);
    let over = GAP.saturating_mul(count).min(LONGEST_SPREAD);
    Some(RecordOutcome::Spread { over, commands })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(count: u64) -> Vec<AccountId> {
        let ids = (1..=count).map(|number| format!("{number:012}"));
        ids.map(|id| id.parse().unwrap()).collect()
    }

    fn record(id: Option<&str>) -> Record {
        Record {
            id: id.map(str::to_owned),
            body: String::new(),
            attempts: 0,
            sent: None,
            received: None,
        }
    }

    #[test]
    fn many_accounts_become_a_message_each_within_a_part_of_the_interval() {
        let spread = |id, count| spread(&record(id), CommandAction::Reconcile, &accounts(count));
        assert!(spread(Some("m"), 4).is_none());
        assert!(spread(None, 5_000).is_none());
        for (count, seconds) in [(5, 1), (100, 30), (5_000, 600)] {
            let Some(RecordOutcome::Spread { over, commands }) = spread(Some("m"), count) else {
                panic!("{count} accounts are spread");
            };
            assert_eq!((commands.len() as u64, over.as_secs()), (count, seconds));
            assert_eq!(
                commands[0],
                r#"{"account":"000000000001","action":"reconcile"}"#
            );
        }
    }
}
