//! Inspects and accepts invitations in consumer accounts, and proves the access.
//!
//! ```text
//! hints ──▶ accounts to look at ──▶ invitations ──▶ judge ──▶ accept
//!                              └──▶ accepted shares ──▶ inspect, prove
//! ```
//!
//! An invitation is judged by what is inside, and an accepted share is
//! inspected again and again, because its owner can add resources to it
//! without asking.
//!
//! Anybody can invite anybody. So what strangers send is counted and not
//! called for, an offered share is asked for by its ARN, and each account has
//! a time of its own, after which the rest follows as a command.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod answer;
mod bells;
mod changes;
mod config;
mod inspect;
mod look;
mod memory;
mod ports;
mod report;
mod strangers;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    hint::{self, Action, Command, Hint, Ignored, Kind, Offer},
    id::AccountId,
    policy::{InForce, Policy},
    reconcile::{FollowUp, follow_up},
};
use runtime::{
    lambda::{self, Deadline, Outcome, Record, Reply},
    metrics::{Metric, Metrics},
    notifier::{Notices, Teller},
    ports::Hub,
    reconcile::{each_account, policy_in_force},
};

use bells::Bells;
pub use config::Config;
use memory::Known;
pub use ports::Consumers;
use report::{AccountReport, Report};

/// When an account is looked at again where an invitation or a share has yet
/// to become visible, which takes seconds as a rule.
const NEXT_LOOK: Duration = Duration::from_secs(5);

/// How many more looks what seems wrong with a share is given before people are
/// told, two and a half minutes in all: share-pipeline may be at it just now,
/// and RAM may not have finished.
const PATIENCE: u32 = 5;

/// What the function works with.
#[derive(Debug)]
pub struct AcceptInvitation<'a, H, C> {
    consumers: &'a C,
    config: Config,
    hub: &'a H,
    notices: Notices<'a, H>,
    bells: Bells,
}

/// A hint that is worth a look.
#[derive(Debug, Clone)]
struct Task {
    scope: Scope,
    dry_run: bool,
}

/// Where a hint says to look.
#[derive(Debug, Clone)]
enum Scope {
    /// A share was offered to an account.
    Offer(Offer),
    /// Something may have changed in an account.
    Account(AccountId),
    /// RAM rang in an account; see [`Bells`].
    Bell(AccountId),
    /// Every account that the policy shares with.
    Everything,
    /// An account that was looked at since the event was sent.
    Covered,
}

/// One look at one account.
#[derive(Debug)]
struct Look<'a> {
    policy: &'a Policy,
    account: &'a AccountId,
    /// The offers that led here; their shares come first.
    offers: Vec<Offer>,
    /// Whether to look at all that the account has, and not at the offers only.
    is_whole: bool,
    /// Whether only to say what would be done.
    dry_run: bool,
    /// Whether there is another look to come before people have to be told.
    can_wait: bool,
    /// That the policy names the account no more, so that only what it has lost
    /// is left to tell; the last thing that was remembered about it.
    retired: Option<String>,
    teller: Teller<'a>,
}

impl<H: Hub, C: Consumers> lambda::Function for AcceptInvitation<'_, H, C> {
    async fn handle(&self, batch: &[Record], deadline: Deadline, metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, deadline, &mut report).await;
        report.count(metrics);
        metrics.count(Metric::HubFailed, self.notices.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a, H: Hub, C: Consumers> AcceptInvitation<'a, H, C> {
    /// The function in its environment.
    #[must_use]
    pub fn new(consumers: &'a C, hub: &'a H, config: Config) -> Self {
        Self {
            hub,
            notices: Notices::new(hub, &config.topic),
            bells: Bells::default(),
            consumers,
            config,
        }
    }

    /// Serves a batch of hints.
    async fn serve(
        &self,
        batch: &[Record],
        deadline: Deadline,
        report: &mut Report,
    ) -> Vec<Outcome> {
        let policy = match policy_in_force(self.hub).await {
            Ok(policy) => policy,
            Err(stopped) => {
                report.stop(&stopped);
                return stopped.outcomes(batch);
            }
        };
        report.policy_version = Some(policy.version);
        let reading = batch.iter().map(|record| self.read(record, &policy.policy));
        let tasks: Vec<_> = reading.collect();

        let retired = self.retired(&policy.policy, &tasks).await;
        let looks = looks(
            &policy,
            &retired,
            &tasks,
            batch,
            self.config.queue_url.is_some(),
        );
        report.accounts = each_account(
            &looks,
            deadline,
            |report: &AccountReport| &report.account,
            async |look, time| self.serve_account(look, deadline, time).await,
        )
        .await;
        let began = batch.iter().filter_map(|record| record.received).max();
        for look in looks.iter().filter(|look| look.is_whole) {
            let mut reports = report.accounts.iter();
            if reports.any(|report| report.account == *look.account && report.is_complete()) {
                self.bells.looked(look.account, began);
            }
        }
        tasks.iter().map(|task| outcome(task, report)).collect()
    }

    /// What a record of the batch asks for.
    fn read(&self, record: &Record, policy: &Policy) -> Result<Task, Ignored> {
        let mut task = read(record, policy)?;
        if let Scope::Bell(account) = &task.scope
            && self.bells.covers(account, record)
        {
            task.scope = Scope::Covered;
        }
        Ok(task)
    }
}

/// What a record of the batch asks for.
fn read(record: &Record, policy: &Policy) -> Result<Task, Ignored> {
    let Hint { kind, .. } = hint::parse(&record.body)?;
    let scope = match kind {
        Kind::Offer(offer) => Scope::Offer(offer),
        Kind::Share(change) => Scope::Bell(change.account),
        Kind::Command(command) => return read_command(&command, policy),
        // Whatever happened to a pipeline or to the policy, it may concern everyone.
        Kind::Sweep | Kind::Policy(_) | Kind::Pipeline(_) | Kind::Execution(_) | Kind::Step(_) => {
            Scope::Everything
        }
    };
    Ok(Task {
        scope,
        dry_run: false,
    })
}

fn read_command(command: &Command, policy: &Policy) -> Result<Task, Ignored> {
    let named = command.account.as_ref();
    let named = named.map(|account| hint::account_of(account, policy));
    let scope = match (command.action, named.transpose()?) {
        (Action::Accept | Action::Sweep, Some(account)) => Scope::Account(account),
        (Action::Accept | Action::Sweep, None) => Scope::Everything,
        (action @ Action::Share, _) => return Err(action.not_for_this_function()),
    };
    Ok(Task {
        scope,
        dry_run: command.dry_run,
    })
}

/// The accounts to look at: those that the policy shares with, and those that it
/// does not share with any more, as far as a hint names them.
fn looks<'a>(
    policy: &'a InForce,
    retired: &'a Known,
    tasks: &[Result<Task, Ignored>],
    batch: &'a [Record],
    can_wait: bool,
) -> Vec<Look<'a>> {
    let mut consumers: BTreeSet<_> = policy.policy.consumers();
    consumers.extend(retired.keys());
    let mut looks: BTreeMap<&AccountId, Look<'a>> = BTreeMap::new();
    for (task, record) in tasks.iter().zip(batch) {
        let Ok(Task { scope, dry_run }) = task else {
            continue;
        };
        let accounts: Vec<_> = match scope {
            // Anybody in the organization can send an offer; only one that the
            // policy could have made is followed.
            Scope::Offer(offer) if !is_plausible(&policy.policy, offer) => continue,
            Scope::Covered => continue,
            Scope::Offer(Offer { consumer, .. })
            | Scope::Account(consumer)
            | Scope::Bell(consumer) => consumers.get(consumer).copied().into_iter().collect(),
            Scope::Everything => consumers.iter().copied().collect(),
        };
        for account in accounts {
            let look = looks.entry(account).or_insert_with(|| Look {
                policy: &policy.policy,
                account,
                offers: Vec::new(),
                is_whole: false,
                dry_run: true,
                can_wait,
                retired: retired.get(account).cloned(),
                teller: record.teller(),
            });
            look.dry_run &= dry_run;
            // A direct invocation has no other look to come.
            look.can_wait &= record.id.is_some() && record.attempts < PATIENCE;
            match scope {
                Scope::Offer(offer) => look.offers.push(offer.clone()),
                _ => look.is_whole = true,
            }
        }
    }
    let mut looks: Vec<_> = looks.into_values().collect();
    // Where somebody waits for a share comes before what is only looked at again.
    looks.sort_by_key(|look| look.offers.is_empty());
    looks
}

fn is_plausible(policy: &Policy, offer: &Offer) -> bool {
    let rule = policy.rule(&offer.rule);
    rule.is_some_and(|rule| rule.owner == offer.owner && rule.names(&offer.consumer))
}

/// What becomes of a record, given what was found in the accounts it pointed at.
fn outcome(task: &Result<Task, Ignored>, report: &mut Report) -> Outcome {
    let (scope, account) = match task {
        Err(ignored) => {
            report.ignore(ignored);
            return Outcome::Done;
        }
        Ok(Task { scope, .. }) => match scope {
            Scope::Offer(Offer { consumer, .. })
            | Scope::Account(consumer)
            | Scope::Bell(consumer) => (scope, Some(consumer)),
            Scope::Everything => (scope, None),
            Scope::Covered => {
                report.covered += 1;
                return Outcome::Done;
            }
        },
    };
    let is_meant = |look: &&AccountReport| account.is_none_or(|account| *account == look.account);
    let accounts: Vec<_> = report.accounts.iter().filter(is_meant).collect();
    if let Some(account) = account
        && accounts.is_empty()
    {
        report.not_a_consumer.insert(account.clone());
        return Outcome::Done;
    }
    let is_scheduled = account.is_none();
    let found: Vec<_> = accounts
        .iter()
        .map(|report| report.reconciled(is_scheduled))
        .collect();
    let follow_up = follow_up(&found, is_scheduled);
    if let (Scope::Offer(offer), FollowUp::Done | FollowUp::Requeue(_)) = (scope, &follow_up)
        && accounts
            .iter()
            .any(|look| look.awaits(offer) || look.is_cut_short())
    {
        return Outcome::followed(NEXT_LOOK, vec![offer.event().to_string()]);
    }
    match follow_up {
        FollowUp::Done => Outcome::Done,
        FollowUp::Retry(error) => Outcome::Failed(error),
        FollowUp::Requeue(accounts) => {
            let commands = accounts
                .iter()
                .map(|account| Command::text(Action::Accept, account));
            Outcome::followed(NEXT_LOOK, commands.collect())
        }
    }
}

#[cfg(test)]
mod tests;
