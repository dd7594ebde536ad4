//! Which accounts records point at, and what becomes of the records.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use domain::{
    account::AccountRef,
    id::AccountId,
    policy::Policy,
    reconcile::{AccountOutcome, FollowUp, follow_up},
    trigger::{
        self, Command, CommandAction, Confirmation, ExplainRequest, Ignored, PlanRequest, Trigger,
        TriggerKind,
    },
};
use runtime::{
    config::Worker,
    lambda::{Record, RecordOutcome},
    reconcile,
};

use crate::{
    account::{Served, Turn},
    ports::Asking,
};

/// When an account is reconciled again whose shares are still settling: RAM
/// takes seconds as a rule, and "a few minutes" by its own word.
const REQUEUE_AFTER: Duration = Duration::from_secs(5);

/// Where a record points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope<A = AccountId> {
    /// One account.
    Account(A),
    /// Every account that shares or has shared.
    Everything,
}

/// What a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task<A = AccountId> {
    pub(crate) scope: Scope<A>,
    /// Whether the policy may have been written.
    pub(crate) promotes: bool,
    pub(crate) dry_run: bool,
    /// Who repeats it if it fails.
    pub(crate) repeated: Repeated,
    /// How often its record was requeued.
    pub(crate) attempts: u32,
    /// Whether to record all access that there is.
    pub(crate) records: bool,
    /// The version of a document that somebody confirms.
    pub(crate) confirmation: Option<Confirmation>,
}

/// Who repeats what has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeated {
    /// SQS, until it is a dead letter.
    BySqs,
    /// The schedule, by which it comes again anyway.
    BySchedule,
}

impl Repeated {
    fn of(comes_again: bool) -> Self {
        if comes_again {
            Self::BySchedule
        } else {
            Self::BySqs
        }
    }
}

/// An account to reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) account: AccountId,
    /// Only to say what would be done.
    pub(crate) dry_run: bool,
    /// How often a record that led here was requeued, at the most.
    pub(crate) attempts: u32,
    /// Whether an event leads to it, or only what comes again.
    pub(crate) asking: Asking,
    /// To offer again, too, what was offered before and still awaits acceptance.
    pub(crate) renews_offers: bool,
    /// To record all access that there is.
    pub(crate) records: bool,
    /// On whose behalf: the same for every delivery of a message.
    pub(crate) run: String,
}

/// What a record asks for, or why it is none of the function's.
pub(crate) fn read(record: &Record) -> Result<Task<AccountRef>, Ignored> {
    let Trigger { kind, .. } = trigger::parse(&record.body)?;
    let mut confirmed = None;
    let scope = match kind {
        TriggerKind::Pipeline(account) | TriggerKind::Share(account) => {
            Scope::Account(account.into())
        }
        TriggerKind::Execution { execution, .. } => {
            Scope::Account(execution.arn.account().clone().into())
        }
        TriggerKind::Offer(offer) => Scope::Account(offer.owner.into()),
        TriggerKind::Policy | TriggerKind::Schedule => Scope::Everything,
        TriggerKind::Command(command) => return read_command(command, record),
        // Others may send to the queue; who may invoke the function is granted apart.
        TriggerKind::Plan(_) | TriggerKind::Explain(_) => return Err(Ignored::NotDirect),
        TriggerKind::Confirmation(_) if record.id.is_some() => return Err(Ignored::NotDirect),
        TriggerKind::Confirmation(confirmation) => {
            confirmed = Some(confirmation);
            Scope::Everything
        }
    };
    let is_about_all = scope == Scope::Everything;
    Ok(Task {
        promotes: is_about_all,
        repeated: Repeated::of(is_about_all),
        attempts: record.attempts,
        scope,
        dry_run: false,
        records: false,
        confirmation: confirmed,
    })
}

/// What somebody asks by a direct invocation, which changes nothing.
#[derive(Debug)]
pub(crate) enum Question {
    /// What documents would do.
    Plan(PlanRequest),
    /// Why there is access, or none.
    Explain(ExplainRequest),
}

/// The question of a direct invocation, if it is one.
pub(crate) fn question(batch: &[Record]) -> Option<Question> {
    let [record @ Record { id: None, .. }] = batch else {
        return None;
    };
    match trigger::parse(&record.body).ok()?.kind {
        TriggerKind::Plan(plan) => Some(Question::Plan(plan)),
        TriggerKind::Explain(question) => Some(Question::Explain(question)),
        _ => None,
    }
}

fn read_command(command: Command, record: &Record) -> Result<Task<AccountRef>, Ignored> {
    let action = command.action;
    if action == CommandAction::Accept || command.from.is_some() {
        return Err(action.not_for_this_function());
    }
    let scope = command.account.map_or(Scope::Everything, Scope::Account);
    let is_about_all = scope == Scope::Everything;
    // One account of a scheduled reconciliation that was spread.
    let is_of_schedule = action != CommandAction::Share && record.id.is_some();
    Ok(Task {
        promotes: is_about_all && !command.dry_run,
        repeated: Repeated::of(is_about_all || is_of_schedule),
        attempts: record.attempts,
        scope,
        dry_run: command.dry_run,
        records: action == CommandAction::Record,
        confirmation: None,
    })
}

impl Task {
    fn is_scheduled(&self) -> bool {
        self.repeated == Repeated::BySchedule
    }
}

impl Task<AccountRef> {
    /// The same task for the account that the policy means.
    pub(crate) fn resolve(self, policy: &Policy) -> Result<Task, Ignored> {
        let scope = match self.scope {
            Scope::Account(account) => Scope::Account(trigger::account_of(&account, policy)?),
            Scope::Everything => Scope::Everything,
        };
        Ok(Task {
            scope,
            promotes: self.promotes,
            repeated: self.repeated,
            attempts: self.attempts,
            dry_run: self.dry_run,
            records: self.records,
            confirmation: self.confirmation,
        })
    }
}

/// Whether it has to be known where shares were made once: where the policy
/// names nobody any more, they may have to be withdrawn yet.
pub(crate) fn needs_remembered(
    tasks: &[Result<Task, Ignored>],
    named: &BTreeSet<AccountId>,
) -> bool {
    let is_named = |task: &Task| match &task.scope {
        Scope::Account(account) => named.contains(account),
        Scope::Everything => false,
    };
    !tasks.iter().flatten().all(is_named)
}

/// What becomes of each record that is about more accounts than one invocation
/// should serve; none of the others.
pub(crate) fn spread(
    tasks: &[Result<Task, Ignored>],
    batch: &[Record],
    known: &BTreeSet<AccountId>,
    worker: &Worker,
) -> Vec<Option<RecordOutcome>> {
    let spread = |(task, record): (&Result<Task, Ignored>, _)| {
        let task = task.as_ref().ok()?;
        let action = if task.records {
            CommandAction::Record
        } else {
            CommandAction::Reconcile
        };
        if task.scope != Scope::Everything || task.dry_run {
            return None;
        }
        reconcile::spread(worker, record, action, known)
    };
    tasks.iter().zip(batch).map(spread).collect()
}

/// The accounts to reconcile, each once for all tasks that point at it, and on
/// behalf of a run.
pub(crate) fn requests<'t>(
    tasks: impl IntoIterator<Item = &'t Task>,
    known: &BTreeSet<AccountId>,
    run: &str,
) -> Vec<Request> {
    let mut requests = BTreeMap::new();
    for task in tasks {
        let accounts: Vec<_> = match &task.scope {
            Scope::Account(account) => known.get(account).into_iter().collect(),
            Scope::Everything => known.iter().collect(),
        };
        for account in accounts {
            let request = requests.entry(account).or_insert(Request {
                account: account.clone(),
                dry_run: true,
                attempts: 0,
                asking: Asking::OnSchedule,
                renews_offers: false,
                records: false,
                run: run.to_owned(),
            });
            request.dry_run &= task.dry_run;
            request.attempts = request.attempts.max(task.attempts);
            if !task.is_scheduled() {
                request.asking = Asking::OnEvent;
            }
            request.renews_offers |= task.is_scheduled() && task.attempts == 0;
            request.records |= task.records && !task.dry_run;
        }
    }
    requests.into_values().collect()
}

/// What becomes of a record, given what came of the accounts that it pointed at.
pub(crate) fn outcome(task: &Result<Task, Ignored>, served: &[Served]) -> RecordOutcome {
    let Ok(task) = task else {
        return RecordOutcome::Done;
    };
    let concerns = |served: &&Served| match &task.scope {
        Scope::Account(account) => served.account() == account,
        Scope::Everything => true,
    };
    let is_unreached = |served: &Served| served.turn == Turn::NotReached;
    if task.scope != Scope::Everything && served.iter().filter(concerns).any(is_unreached) {
        return RecordOutcome::NotReached;
    }
    let accounts = served.iter().filter(concerns).map(|served| AccountOutcome {
        account: served.account(),
        failure: served.reconciled.worst(),
        should_requeue: served.should_requeue(),
    });
    let accounts: Vec<_> = accounts.collect();
    match follow_up(&accounts, task.is_scheduled()) {
        FollowUp::Done => RecordOutcome::Done,
        FollowUp::Retry(error) => RecordOutcome::Failed(error),
        FollowUp::Requeue(accounts) => {
            let action = if task.is_scheduled() {
                CommandAction::Reconcile
            } else {
                CommandAction::Share
            };
            let commands = accounts.iter();
            let commands = commands.map(|account| Command::text(action, account));
            RecordOutcome::followed(REQUEUE_AFTER, commands.collect())
        }
    }
}
