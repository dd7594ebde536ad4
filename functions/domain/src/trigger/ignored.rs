//! Why a message is no trigger.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::id::AccountId;

/// Why a message is ignored.
///
/// A message may carry anything, pipeline definitions and credentials
/// included, so nothing here repeats a value of it, except for the short names
/// that say what kind of message it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ignored {
    /// It is not JSON.
    #[error("not JSON, from line {line}, column {column} on")]
    NotJson {
        /// The line of the first mistake, from 1.
        line: usize,
        /// The column of the first mistake, from 1.
        column: usize,
    },
    /// It is JSON, but neither an event nor a command.
    #[error("neither an EventBridge event (\"detail-type\") nor a command (\"action\")")]
    NotAnEvent,
    /// It is an event that says nothing about sharing.
    #[error("nothing is triggered by the event {detail_type:?} of {source:?}")]
    UnknownEvent {
        /// Who sent it.
        // Written raw, or `thiserror` would take it for the cause of an error.
        r#source: String,
        /// What kind of event it is.
        detail_type: String,
    },
    /// A call that would have changed a pipeline, but failed.
    #[error("{event_name} failed{}", .error_code.as_ref().map(|code| format!(": {code}")).unwrap_or_default())]
    FailedCall {
        /// The call.
        event_name: String,
        /// The error, where the event tells it.
        error_code: Option<String>,
    },
    /// A call that changes no pipeline.
    #[error("the call {event_name} changes no pipeline")]
    UninterestingCall {
        /// The call.
        event_name: String,
    },
    /// Something is missing that says what to reconcile.
    #[error("{field} is missing")]
    MissingField {
        /// The path of the field.
        field: String,
    },
    /// A field is not what it should be.
    #[error("{field} is not {expected}")]
    BadField {
        /// The path of the field.
        field: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A command has a field that means nothing there, perhaps a misspelled restriction.
    #[error("the command {action} has no field {field:?}")]
    UnknownField {
        /// The action of the command.
        action: &'static str,
        /// The name of the field.
        field: String,
    },
    /// A command asks for something that does not exist.
    #[error(
        "unknown action {action:?}; there are share, accept, reconcile, plan, explain and confirm"
    )]
    UnknownAction {
        /// What it asks for.
        action: String,
    },
    /// A command names an account that the policy in force does not.
    #[error("unknown account {account:?}; {}", match .meant {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => "name it under accounts in the policy, or write its twelve digits".to_owned(),
    })]
    UnknownAccount {
        /// What the command says.
        account: String,
        /// The name of the policy that it may be a misspelling of.
        meant: Option<String>,
    },
    /// A command is meant for another function.
    #[error("the action {action} is not for this function")]
    NotForThisFunction {
        /// What the command asks for.
        action: &'static str,
    },
    /// A confirmation, a plan or a question did not come from a person.
    #[error("a confirmation, a plan or an explanation is a direct invocation of share-pipeline")]
    NotDirect,
    /// A thing in the event is of another account than the event says.
    #[error("{field} is of account {found}, but should be of {expected}")]
    AccountMismatch {
        /// The path of the field.
        field: String,
        /// The account of the thing.
        found: AccountId,
        /// The account that it should be of.
        expected: AccountId,
    },
    /// The execution in the event is not one of the pipeline in the event.
    #[error("the execution is of another pipeline than the event says")]
    PipelineMismatch,
    /// A replay brings back what happened long ago: state is reconciled again,
    /// people are not notified again.
    #[error("nobody is notified again of a replayed event")]
    Replayed,
    /// It would pass for later than everything that happens from now on.
    #[error("the event is of a time that has not come")]
    OfTheFuture,
    /// A dry run of something that has no plan to show.
    #[error("a dry run notifies nobody")]
    DryRun,
    /// The event is for another function.
    #[error("the event is not about an execution")]
    NotAnExecution,
}

/// The reason as data: its code and its text.
impl Serialize for Ignored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut reason = serializer.serialize_struct("Ignored", 2)?;
        reason.serialize_field("code", self.code())?;
        reason.serialize_field("text", &self.to_string())?;
        reason.end()
    }
}

impl Ignored {
    /// A stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "not-json",
            Self::NotAnEvent => "not-an-event",
            Self::UnknownEvent { .. } => "unknown-event",
            Self::FailedCall { .. } => "failed-call",
            Self::UninterestingCall { .. } => "uninteresting-call",
            Self::MissingField { .. } => "missing-field",
            Self::BadField { .. } => "bad-field",
            Self::UnknownField { .. } => "unknown-field",
            Self::UnknownAction { .. } => "unknown-action",
            Self::UnknownAccount { .. } => "unknown-account",
            Self::NotForThisFunction { .. } => "not-for-this-function",
            Self::NotDirect => "not-direct",
            Self::AccountMismatch { .. } => "account-mismatch",
            Self::PipelineMismatch => "pipeline-mismatch",
            Self::Replayed => "replayed",
            Self::OfTheFuture => "of-the-future",
            Self::DryRun => "dry-run",
            Self::NotAnExecution => "not-an-execution",
        }
    }
}

/// A name as it may stand in a log: short, and of no characters that could break a line.
pub(super) fn label(name: &str) -> String {
    const LONGEST: usize = 64;
    let harmless = |c: char| c.is_ascii_alphanumeric() || " -_.:/".contains(c);
    name.chars()
        .take(LONGEST)
        .map(|c| if harmless(c) { c } else { '?' })
        .collect()
}
