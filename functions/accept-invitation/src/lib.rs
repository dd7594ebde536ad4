//! Inspects and accepts invitations in consumer accounts, and proves the access.
//!
//! ```text
//! triggers ──▶ accounts ──▶ invitations ──▶ judge ──▶ accept
//!                      └──▶ accepted shares ──▶ inspect, prove
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
mod changes;
mod config;
mod coverage;
mod endings;
mod extent;
mod inspect;
mod memory;
mod ports;
mod reconcile;
mod report;
mod strangers;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    id::AccountId,
    notification::{Alert, Grant},
    policy::{InForce, Policy},
    reconcile::{FollowUp, follow_up},
    trigger::{self, Command, CommandAction, Ignored, Offer, Trigger, TriggerKind},
};
use runtime::{
    config::Worker,
    lambda::{self, Deadline, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
    notifier::{LeaseOwner, Notifier},
    ports::Hub,
    reconcile::{self as accounts, each_account, policy_in_force},
};

pub use config::Config;
use coverage::Coverage;
use extent::Extent;
use inspect::Proving;
use memory::Known;
pub use ports::Consumers;
use report::{AccountReport, Report};

/// How many accounts are reconciled at once, fewer than elsewhere: an account may be
/// given more than it could share, and two with 25,000 pipelines take half of the memory.
const ACCOUNTS_AT_ONCE: usize = 2;

/// When an account is reconciled again where an invitation or a share has yet
/// to become visible, which takes seconds as a rule.
const REQUEUE_AFTER: Duration = Duration::from_secs(5);

/// How many more reconciliations what seems wrong with a share is given before people are
/// notified, two and a half minutes in all: share-pipeline may be at it just now,
/// and RAM may not have finished.
const REPORT_AFTER_ATTEMPTS: u32 = 5;

/// What the function works with.
#[derive(Debug)]
pub struct AcceptInvitation<'a, H, C> {
    consumers: &'a C,
    config: Config,
    hub: &'a H,
    notifier: Notifier<'a, H>,
    coverage: Coverage,
}

/// A trigger that is worth a reconciliation.
#[derive(Debug, Clone)]
struct Task {
    scope: Scope,
    dry_run: bool,
    /// Whether it is one that comes again by itself, so that it is not repeated by SQS.
    is_scheduled: bool,
}

/// Where a trigger says to look.
#[derive(Debug, Clone)]
enum Scope {
    /// A share was offered to an account.
    Offer(Offer),
    /// Something may have changed in an account.
    Account(AccountId),
    /// What is left of an account, from there on.
    Rest(AccountId, Grant),
    /// RAM reported a change in an account; see [`Coverage`].
    RamEvent(AccountId),
    /// Every account that the policy shares with.
    Everything,
    /// An account that was reconciled since the event was sent.
    Covered,
}

impl Scope {
    /// The account that it is about, if it is about one.
    fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Offer(offer) => Some(&offer.consumer),
            Self::Account(account) | Self::Rest(account, _) | Self::RamEvent(account) => {
                Some(account)
            }
            Self::Everything | Self::Covered => None,
        }
    }

    /// Whether it is about all that an account has.
    fn is_about_everything(&self) -> bool {
        matches!(
            self,
            Self::Account(_) | Self::RamEvent(_) | Self::Everything
        )
    }
}

/// The reconciliation of one account.
#[derive(Debug)]
struct ReconcileRequest<'a> {
    policy: &'a Policy,
    account: &'a AccountId,
    /// The offers that led here; their shares come first.
    offers: Vec<Offer>,
    /// How much of what the account has is reconciled.
    extent: Extent,
    /// Whether only to say what would be done.
    dry_run: bool,
    /// How often a record that led here was requeued, at the most.
    attempts: u32,
    /// What is proven: all of it, as people want who ask, or a part.
    proving: Proving,
    /// Whether another reconciliation comes before people have to be notified.
    can_wait: bool,
    /// That the policy names the account no more, so that only what it has lost
    /// is left to send; the last thing that was remembered about it.
    retired: Option<String>,
    lease_owner: LeaseOwner<'a>,
}

impl ReconcileRequest<'_> {
    /// Adds what another record asks for.
    fn merge(&mut self, scope: &Scope, dry_run: bool, record: &Record) {
        self.dry_run &= dry_run;
        self.attempts = self.attempts.max(record.attempts);
        if dry_run || record.id.is_none() {
            self.proving = Proving::All;
        }
        // A direct invocation has no other reconciliation to come.
        self.can_wait &= record.id.is_some() && record.attempts < REPORT_AFTER_ATTEMPTS;
        match scope {
            Scope::Offer(offer) => self.offers.push(offer.clone()),
            Scope::Rest(_, from) => self.extent.add_rest(from),
            _ => self.extent.add_all(),
        }
    }

    /// That it is tried no more before the schedule comes, although it may be in vain for long.
    fn abandoned(&self, report: &AccountReport) -> Option<Alert> {
        let abandoned = accounts::abandoned(self.attempts, report.worst(), report.is_cut_short());
        abandoned.filter(|_| !self.dry_run)
    }
}

impl<H: Hub, C: Consumers> lambda::Function for AcceptInvitation<'_, H, C> {
    async fn handle(&self, batch: &[Record], deadline: Deadline, metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, deadline, &mut report).await;
        report.count(metrics);
        metrics.count(Metric::HubFailed, self.notifier.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a, H: Hub, C: Consumers> AcceptInvitation<'a, H, C> {
    /// The function in its environment.
    #[must_use]
    pub fn new(consumers: &'a C, hub: &'a H, config: Config) -> Self {
        Self {
            hub,
            notifier: Notifier::new(hub, &config.worker.topic),
            coverage: Coverage::default(),
            consumers,
            config,
        }
    }

    /// Serves a batch of triggers.
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
        let reading = batch.iter().map(|record| self.read(record, &policy.policy));
        let tasks: Vec<_> = reading.collect();

        let retired = self.retired(&policy.policy, &tasks).await;
        let mut consumers: BTreeSet<_> = policy.policy.consumers();
        consumers.extend(retired.keys());
        let worker = &self.config.worker;
        let spread = spread(&tasks, batch, &consumers, worker);
        let own = tasks.iter().zip(batch).zip(&spread);
        let own = own.filter(|(_, spread)| spread.is_none()).map(|(it, _)| it);
        let requests = requests(
            &policy,
            &retired,
            &consumers,
            own,
            worker.queue_url.is_some(),
        );
        report.accounts = each_account(
            &requests,
            ACCOUNTS_AT_ONCE,
            deadline,
            |report: &AccountReport| &report.account,
            async |request, time| self.serve_account(request, deadline, time).await,
        )
        .await;
        self.cover(&requests, batch, report);
        let outcomes = tasks.iter().zip(spread);
        outcomes
            .map(|(task, spread)| spread.unwrap_or_else(|| outcome(task, report)))
            .collect()
    }

    /// Notes the accounts that were reconciled as a whole.
    fn cover(&self, requests: &[ReconcileRequest<'_>], batch: &[Record], report: &Report) {
        let began = batch.iter().filter_map(|record| record.received).max();
        for request in requests
            .iter()
            .filter(|request| request.extent == Extent::Whole)
        {
            let mut reports = report.accounts.iter();
            if reports.any(|report| report.account == *request.account && report.is_complete()) {
                self.coverage.looked(request.account, began);
            }
        }
    }

    /// What a record of the batch asks for.
    fn read(&self, record: &Record, policy: &Policy) -> Result<Task, Ignored> {
        let mut task = read(record, policy)?;
        if let Scope::RamEvent(account) = &task.scope
            && self.coverage.covers(account, record)
        {
            task.scope = Scope::Covered;
        }
        Ok(task)
    }
}

/// What a record of the batch asks for.
fn read(record: &Record, policy: &Policy) -> Result<Task, Ignored> {
    let Trigger { kind, .. } = trigger::parse(&record.body)?;
    let scope = match kind {
        TriggerKind::Offer(offer) => Scope::Offer(offer),
        TriggerKind::Share(account) => Scope::RamEvent(account),
        TriggerKind::Command(command) => return read_command(&command, record, policy),
        TriggerKind::Confirmation(_) | TriggerKind::Plan(_) | TriggerKind::Explain(_) => {
            return Err(Ignored::NotDirect);
        }
        // Whatever happened to a pipeline or to the policy, it may concern everyone.
        TriggerKind::Schedule
        | TriggerKind::Policy
        | TriggerKind::Pipeline(_)
        | TriggerKind::Execution { .. } => Scope::Everything,
    };
    Ok(Task {
        is_scheduled: scope.account().is_none(),
        scope,
        dry_run: false,
    })
}

fn read_command(command: &Command, record: &Record, policy: &Policy) -> Result<Task, Ignored> {
    let named = command.account.as_ref();
    let named = named.map(|account| trigger::account_of(account, policy));
    let scope = match (command.action, named.transpose()?) {
        (CommandAction::Accept | CommandAction::Reconcile, Some(account)) => {
            match command.from.clone() {
                Some(from) => Scope::Rest(account, from),
                None => Scope::Account(account),
            }
        }
        (CommandAction::Accept | CommandAction::Reconcile, None) => Scope::Everything,
        (action @ (CommandAction::Share | CommandAction::Record), _) => {
            return Err(action.not_for_this_function());
        }
    };
    // One account of a scheduled reconciliation that was spread.
    let is_of_schedule = command.action == CommandAction::Reconcile && record.id.is_some();
    Ok(Task {
        is_scheduled: is_of_schedule || scope.account().is_none(),
        scope,
        dry_run: command.dry_run,
    })
}

/// What becomes of each record that is about more accounts than one invocation
/// should serve; none of the others.
fn spread(
    tasks: &[Result<Task, Ignored>],
    batch: &[Record],
    consumers: &BTreeSet<&AccountId>,
    worker: &Worker,
) -> Vec<Option<RecordOutcome>> {
    let spread = |(task, record): (&Result<Task, Ignored>, _)| {
        let task = task.as_ref().ok()?;
        if !matches!(task.scope, Scope::Everything) || task.dry_run {
            return None;
        }
        let consumers = consumers.iter().copied();
        accounts::spread(worker, record, CommandAction::Reconcile, consumers)
    };
    tasks.iter().zip(batch).map(spread).collect()
}

/// The accounts to reconcile: those that the policy shares with, and those that it
/// does not share with any more, as far as a trigger names them.
fn requests<'a, 't>(
    policy: &'a InForce,
    retired: &'a Known,
    consumers: &BTreeSet<&'a AccountId>,
    tasks: impl Iterator<Item = (&'t Result<Task, Ignored>, &'a Record)>,
    can_wait: bool,
) -> Vec<ReconcileRequest<'a>> {
    let mut requests: BTreeMap<&AccountId, ReconcileRequest<'a>> = BTreeMap::new();
    for (task, record) in tasks {
        let Ok(Task { scope, dry_run, .. }) = task else {
            continue;
        };
        let accounts: Vec<_> = match (scope, scope.account()) {
            // Anybody in the organization can send an offer; only one that the
            // policy could have made is followed.
            (Scope::Offer(offer), _) if !is_plausible(&policy.policy, offer) => continue,
            (Scope::Covered, _) => continue,
            (_, Some(consumer)) => consumers.get(consumer).copied().into_iter().collect(),
            (_, None) => consumers.iter().copied().collect(),
        };
        for account in accounts {
            let request = requests.entry(account).or_insert_with(|| ReconcileRequest {
                policy: &policy.policy,
                account,
                offers: Vec::new(),
                extent: Extent::Offers,
                dry_run: true,
                attempts: 0,
                proving: Proving::Changes,
                can_wait,
                retired: retired.get(account).cloned(),
                lease_owner: record.lease_owner(),
            });
            request.merge(scope, *dry_run, record);
        }
    }
    let mut requests: Vec<_> = requests.into_values().collect();
    // Where somebody waits for a share comes before what is only reconciled again.
    requests.sort_by_key(|request| request.offers.is_empty());
    requests
}

fn is_plausible(policy: &Policy, offer: &Offer) -> bool {
    let rule = policy.rule(&offer.rule, &offer.owner);
    rule.is_some_and(|rule| rule.names(&offer.consumer))
}

/// What becomes of a record, given what was found in the accounts it pointed at.
fn outcome(task: &Result<Task, Ignored>, report: &mut Report) -> RecordOutcome {
    let (scope, is_scheduled) = match task {
        Err(ignored) => {
            report.ignore(ignored);
            return RecordOutcome::Done;
        }
        Ok(Task {
            scope: Scope::Covered,
            ..
        }) => {
            report.covered += 1;
            return RecordOutcome::Done;
        }
        Ok(task) => (&task.scope, task.is_scheduled),
    };
    let account = scope.account();
    let is_meant =
        |request: &&AccountReport| account.is_none_or(|account| *account == request.account);
    let accounts: Vec<_> = report.accounts.iter().filter(is_meant).collect();
    if let Some(account) = account
        && accounts.is_empty()
    {
        report.not_a_consumer.insert(account.clone());
        return RecordOutcome::Done;
    }
    if scope.is_about_everything() && accounts.iter().any(|report| report.is_of_rest()) {
        return RecordOutcome::NotReached;
    }
    let found: Vec<_> = accounts
        .iter()
        .map(|report| report.reconciled(is_scheduled))
        .collect();
    let follow_up = follow_up(&found, is_scheduled);
    if let (Scope::Offer(offer), FollowUp::Done | FollowUp::Requeue(_)) = (scope, &follow_up)
        && accounts
            .iter()
            .any(|request| request.awaits(offer) || request.is_cut_short())
    {
        return RecordOutcome::followed(REQUEUE_AFTER, vec![offer.event().to_string()]);
    }
    settle(follow_up, is_scheduled, &accounts)
}

/// What becomes of a record of which nothing is awaited.
fn settle(follow_up: FollowUp, is_scheduled: bool, reports: &[&AccountReport]) -> RecordOutcome {
    match follow_up {
        FollowUp::Done => RecordOutcome::Done,
        FollowUp::Retry(error) => RecordOutcome::Failed(error),
        FollowUp::Requeue(accounts) => {
            let action = if is_scheduled {
                CommandAction::Reconcile
            } else {
                CommandAction::Accept
            };
            let open = || reports.iter().filter(|it| accounts.contains(&it.account));
            RecordOutcome::Followed {
                after: REQUEUE_AFTER,
                by: open()
                    .filter_map(|it| it.again(action, is_scheduled))
                    .collect(),
                next: open().filter_map(|it| it.next(action)).collect(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
