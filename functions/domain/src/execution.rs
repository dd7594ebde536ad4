//! Executions of pipelines: which one, what changed about it, and what `SageMaker` says of it.
//!
//! An [`Execution`] is what every source tells: an event, a search, a question.
//! An [`ExecutionChange`] is that it took a status, since when, and how that is
//! known. [`Details`] are the answer to a question about the present.

mod parameters;

use std::{fmt, str::FromStr};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    id::{ExecutionArn, PipelineArn, PipelineOwner},
    status::ExecutionStatus,
    text::{self, Untrusted},
};

pub(crate) use parameters::is_same_value;
pub use parameters::{Parameter, differing};

/// The longest name of a step that SageMaker takes.
const LONGEST_STEP: usize = 64;

/// An execution and its status, as somebody reported it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The execution.
    pub arn: ExecutionArn,
    /// Its pipeline, which may be one of AWS itself.
    pub pipeline: PipelineArn,
    /// Its status.
    pub status: ExecutionStatus,
    /// The name that people gave it.
    pub display_name: Option<Untrusted>,
    /// When it began.
    pub started: Option<Timestamp>,
}

impl Execution {
    /// Whether it is one of a pipeline that can be shared: a pipeline of AWS
    /// runs in the account and is nobody's to share.
    #[must_use]
    pub fn is_of_own_pipeline(&self) -> bool {
        *self.pipeline.owner() == PipelineOwner::Account(self.arn.account().clone())
    }
}

/// How a change became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// By an event, which carries the exact time.
    Event,
    /// By a reconciliation, which yields the end of its last step: about the
    /// time of its own end, which `SageMaker` does not tell.
    Reconciliation,
}

impl Source {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Event => "by-event",
            Self::Reconciliation => "by-looking",
        }
    }
}

impl FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Event, Self::Reconciliation]
            .into_iter()
            .find(|source| source.as_str() == text)
            .ok_or(())
    }
}

/// An execution took the status that it has here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionChange {
    /// The execution, with the status that it took.
    pub execution: Execution,
    /// The status before, if the event says.
    pub previous: Option<ExecutionStatus>,
    /// When the execution ended, or when it took a status that is not an end.
    pub at: Timestamp,
    /// How the change became known.
    pub source: Source,
}

impl ExecutionChange {
    /// What an event reports.
    #[must_use]
    pub fn of_event(
        execution: Execution,
        previous: Option<ExecutionStatus>,
        at: Timestamp,
    ) -> Self {
        Self {
            execution,
            previous,
            at,
            source: Source::Event,
        }
    }

    /// What a reconciliation finds: all that it has of the time is when
    /// anything about the execution changed last.
    #[must_use]
    pub fn found(execution: Execution, modified: Timestamp) -> Self {
        Self {
            execution,
            previous: None,
            at: modified,
            source: Source::Reconciliation,
        }
    }

    /// The same, dated by the end of the last step, if there is one: the
    /// execution may have been given another name long after its end.
    #[must_use]
    pub fn ended_after(mut self, last_step: Option<Timestamp>) -> Self {
        self.at = last_step.unwrap_or(self.at);
        self
    }

    /// When the execution ended, if this is its end.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.execution.status.is_terminal().then_some(self.at)
    }

    /// How long the execution ran, in whole seconds.
    #[must_use]
    pub fn duration(&self, details: Option<&Details>) -> Option<SignedDuration> {
        let lasted = self.end()?.duration_since(self.started(details)?);
        (!lasted.is_negative()).then(|| SignedDuration::from_secs(lasted.as_secs()))
    }

    /// When the execution began, by the event or else by `SageMaker`.
    #[must_use]
    pub fn started(&self, details: Option<&Details>) -> Option<Timestamp> {
        let asked = details.and_then(|details| details.started);
        self.execution.started.or(asked)
    }

    /// The name that people gave the execution, by the event or else by `SageMaker`.
    #[must_use]
    pub fn display_name<'a>(&'a self, details: Option<&'a Details>) -> Option<&'a Untrusted> {
        let asked = details.and_then(|details| details.display_name.as_ref());
        self.execution.display_name.as_ref().or(asked)
    }

    /// Whether the status is one that has reasons.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(
            self.execution.status,
            ExecutionStatus::Failed | ExecutionStatus::CompletedWithFailures
        )
    }

    /// The details, as far as they explain this change.
    ///
    /// `SageMaker` answers about the present. If the execution has been retried
    /// since, reason and failed steps are those of another run.
    #[must_use]
    pub fn explanation<'a>(&self, details: Option<&'a Details>) -> Option<&'a Details> {
        let status = &self.execution.status;
        details.filter(|details| self.has_failed() && details.status == *status)
    }
}

/// What `SageMaker` says of an execution when it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// How it goes now.
    pub status: ExecutionStatus,
    /// The name that people gave it.
    pub display_name: Option<Untrusted>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When anything about it changed last.
    pub modified: Option<Timestamp>,
    /// When its last step ended, if its steps were asked for.
    pub last_step: Option<Timestamp>,
    /// The version of the pipeline's definition that it runs.
    pub pipeline_version: Option<i64>,
    /// Who started it: an ARN, or the name of a profile of Studio.
    pub started_by: Option<Untrusted>,
    /// Who changed anything about it last, as by stopping it.
    pub changed_by: Option<Untrusted>,
    /// The parameters that are not what the definition says by default, if they were asked for.
    pub parameters: Vec<Parameter>,
    /// Why it failed; absent for some failures of steps.
    pub failure_reason: Option<Untrusted>,
    /// The steps that failed, in the order that they started, if they were asked for.
    pub failed_steps: Vec<FailedStep>,
}

impl Details {
    /// Nothing but a status.
    #[must_use]
    pub fn of(status: ExecutionStatus) -> Self {
        Self {
            status,
            display_name: None,
            started: None,
            modified: None,
            last_step: None,
            pipeline_version: None,
            started_by: None,
            changed_by: None,
            parameters: Vec::new(),
            failure_reason: None,
            failed_steps: Vec::new(),
        }
    }
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedStep {
    /// The name of the step.
    pub name: Untrusted,
    /// Why it failed, as `SageMaker` says, or as the code of the step says to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
}

impl fmt::Display for FailedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::name(self.name.raw(), LONGEST_STEP))?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => f.write_str(": no reason given"),
        }
    }
}
