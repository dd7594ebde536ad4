//! Account by account: the loop that the functions share which work so.

use std::time::Duration;

use domain::{
    error::{Class, Error},
    id::AccountId,
    notification::Alert,
    policy::{Gate, InForce, Labelled, Policy},
    sharing::{self, Evidence},
    storage,
    trigger::{Command, CommandAction},
};
use futures::{StreamExt, stream};

use crate::{
    config::Worker,
    lambda::{Deadline, MAX_ATTEMPTS, Record, RecordOutcome, each, share_of},
    ports::{PolicyStore, Table},
};

/// How many accounts one invocation serves at once, unless they need more memory
/// than most: what is read of large ones is held together.
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
/// There is none for a direct invocation, whose answer is the summary, and none
/// where no queue takes the messages.
#[must_use]
pub fn spread<'a>(
    worker: &Worker,
    record: &Record,
    action: CommandAction,
    accounts: impl IntoIterator<Item = &'a AccountId>,
) -> Option<RecordOutcome> {
    let commands = accounts.into_iter();
    let commands: Vec<_> = commands.map(|it| Command::text(action, it)).collect();
    let has_queue = worker.queue_url.is_some() && record.id.is_some();
    if !has_queue || commands.len() <= MOST_TOGETHER {
        return None;
    }
    let count = u32::try_from(commands.len()).unwrap_or(u32::MAX);
    let over = GAP.saturating_mul(count).min(LONGEST_SPREAD);
    Some(RecordOutcome::Spread { over, commands })
}

/// That an account is tried no more before the schedule comes, although what is in
/// the way may pass by itself.
///
/// `attempts` says how often the record was requeued that led there.
#[must_use]
pub fn abandoned(attempts: u32, failure: Option<&Error>, is_cut_short: bool) -> Option<Alert> {
    let failure = failure.filter(|it| it.class() != Class::Permanent);
    let cut_short = || "the time of an invocation is not enough for it".to_owned();
    let why = failure
        .map(ToString::to_string)
        .or_else(|| is_cut_short.then(cut_short))?;
    let tried = attempts.saturating_add(1);
    (attempts >= MAX_ATTEMPTS).then(|| Alert::unreached(tried, &why))
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
    at_once: usize,
    deadline: Deadline,
    account: impl Fn(&R) -> &AccountId,
    reconcile: impl AsyncFn(&Q, Duration) -> R,
) -> Vec<R> {
    let time = share_of(deadline.time_left(), requests.len(), at_once);
    let reconciling = requests.iter().map(|request| reconcile(request, time));
    let mut reports: Vec<_> = stream::iter(reconciling)
        .buffer_unordered(at_once)
        .collect()
        .await;
    reports.sort_by(|a, b| account(a).cmp(account(b)));
    reports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn accounts(count: u64) -> Vec<AccountId> {
        let ids = (1..=count).map(|number| format!("{number:012}"));
        ids.map(|id| id.parse().unwrap()).collect()
    }

    fn worker(queue_url: Option<&str>) -> Worker {
        let variable = |name: &str| match name {
            "PIPESHARE_QUEUE" => queue_url.map(str::to_owned),
            "AWS_REGION" => Some("us-east-1".to_owned()),
            _ => Some("set".to_owned()),
        };
        Environment::new(variable).worker()
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
        let worker = worker(Some("https://queue"));
        let spread = |id, count| {
            let action = CommandAction::Reconcile;
            super::spread(&worker, &record(id), action, &accounts(count))
        };
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
    #[test]
    fn without_a_queue_no_account_has_a_message() {
        let spread = |worker: &Worker| {
            let action = CommandAction::Reconcile;
            super::spread(worker, &record(Some("m")), action, &accounts(100)).is_some()
        };
        assert!(spread(&worker(Some("https://queue"))));
        assert!(!spread(&worker(None)));
    }
}
