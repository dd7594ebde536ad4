//! What a record of the batch asks for.

use domain::{
    execution::{Execution, ExecutionChange},
    id::AccountId,
    policy::Policy,
    status::ExecutionStatus,
    time::after,
    trigger::{self, Command, CommandAction, Ignored, Trigger, TriggerKind},
};
use jiff::{SignedDuration, Timestamp};
use runtime::lambda::Record;

/// How far the clocks of SageMaker and SQS may be apart (ASSUMED: they are not).
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a record asks for.
#[derive(Debug)]
pub(crate) enum Task {
    /// An event reports a change.
    Notify(Box<ExecutionChange>),
    /// All owners of which some rule wants news, or one of them.
    Reconcile(Option<AccountId>),
}

/// What a record of the batch asks for.
pub(crate) fn route(record: &Record, policy: &Policy, now: Timestamp) -> Result<Task, Ignored> {
    let Trigger { kind, replay, .. } = trigger::parse(&record.body)?;
    match kind {
        TriggerKind::Execution { .. } if replay => Err(Ignored::Replayed),
        TriggerKind::Execution {
            execution,
            previous,
            at,
        } => {
            let sent = record.sent.unwrap_or(Timestamp::MAX);
            read_change(*execution, previous, at.unwrap_or(now), sent)
        }
        TriggerKind::Schedule => Ok(Task::Reconcile(None)),
        TriggerKind::Command(command) => read_command(&command, policy),
        TriggerKind::Pipeline(_)
        | TriggerKind::Policy
        | TriggerKind::Share(_)
        | TriggerKind::Offer(_) => Err(Ignored::NotAnExecution),
        TriggerKind::Confirmation(_) | TriggerKind::Plan(_) | TriggerKind::Explain(_) => {
            Err(Ignored::NotDirect)
        }
    }
}

fn read_change(
    execution: Execution,
    previous: Option<ExecutionStatus>,
    at: Timestamp,
    sent: Timestamp,
) -> Result<Task, Ignored> {
    if at > after(sent, SKEW) {
        return Err(Ignored::OfTheFuture);
    }
    let news = ExecutionChange::of_event(execution, previous, at);
    Ok(Task::Notify(Box::new(news)))
}

fn read_command(command: &Command, policy: &Policy) -> Result<Task, Ignored> {
    if command.dry_run {
        return Err(Ignored::DryRun);
    }
    match command.action {
        CommandAction::Reconcile if command.from.is_none() => {
            let named = command.account.as_ref();
            let named = named.map(|account| trigger::account_of(account, policy));
            Ok(Task::Reconcile(named.transpose()?))
        }
        action => Err(action.not_for_this_function()),
    }
}
