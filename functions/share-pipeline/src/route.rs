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
use runtime::lambda::{Record, RecordOutcome};

use crate::{account::Served, ports::Asking};

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
    /// Whether to record all access that there is.
    pub(crate) records: bool,
    /// The version of a document that somebody confirms.
    pub(crate) confirmation: Option<Confirmation>,
}

/// An account to reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) account: AccountId,
    /// Only to say what would be done.
    pub(crate) dry_run: bool,
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
        TriggerKind::Command(command) => return read_command(command),
        // Others may send to the queue; who may invoke the function is granted apart.
        TriggerKind::Plan(_) | TriggerKind::Explain(_) => return Err(Ignored::NotDirect),
        TriggerKind::Confirmation(_) if record.id.is_some() => return Err(Ignored::NotDirect),
        TriggerKind::Confirmation(confirmation) => {
            confirmed = Some(confirmation);
            Scope::Everything
        }
    };
    Ok(Task {
        promotes: scope == Scope::Everything,
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

fn read_command(command: Command) -> Result<Task<AccountRef>, Ignored> {
    let action = command.action;
    if action == CommandAction::Accept {
        return Err(action.not_for_this_function());
    }
    let scope = command.account.map_or(Scope::Everything, Scope::Account);
    Ok(Task {
        promotes: scope == Scope::Everything && !command.dry_run,
        scope,
        dry_run: command.dry_run,
        records: action == CommandAction::Record,
        confirmation: None,
    })
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

/// The accounts to reconcile, each once for all records that point at it, and
/// on behalf of a run.
pub(crate) fn requests(
    tasks: &[Result<Task, Ignored>],
    known: &BTreeSet<AccountId>,
    run: &str,
) -> Vec<Request> {
    let mut requests = BTreeMap::new();
    for task in tasks.iter().flatten() {
        let accounts: Vec<_> = match &task.scope {
            Scope::Account(account) => known.get(account).into_iter().collect(),
            Scope::Everything => known.iter().collect(),
        };
        for account in accounts {
            let request = requests.entry(account).or_insert(Request {
                account: account.clone(),
                dry_run: true,
                asking: Asking::OnSchedule,
                renews_offers: false,
                records: false,
                run: run.to_owned(),
            });
            request.dry_run &= task.dry_run;
            if task.scope != Scope::Everything {
                request.asking = Asking::OnEvent;
            }
            request.renews_offers |= task.scope == Scope::Everything;
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
    let accounts = served.iter().filter(concerns).map(|served| AccountOutcome {
        account: served.account(),
        failure: served.reconciled.worst(),
        should_requeue: served.should_requeue(),
    });
    let accounts: Vec<_> = accounts.collect();
    match follow_up(&accounts, task.scope == Scope::Everything) {
        FollowUp::Done => RecordOutcome::Done,
        FollowUp::Retry(error) => RecordOutcome::Failed(error),
        FollowUp::Requeue(accounts) => {
            let commands = accounts.iter();
            let commands = commands.map(|account| Command::text(CommandAction::Share, account));
            RecordOutcome::followed(REQUEUE_AFTER, commands.collect())
        }
    }
}
