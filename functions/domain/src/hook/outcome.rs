//! What comes of an invocation, and whose fault it is if it is an error.

use std::fmt;

use super::{Failure, FailureKind};
use crate::{id::ExecutionArn, status::ExecutionStatus};

/// What came of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// It goes on later.
    Waiting(Wait),
    /// It is done.
    Succeeded,
    /// It will not be done.
    Failed(Failure),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The end of a run.
    Run(ExecutionArn, ExecutionStatus),
    /// The access of principals.
    Access(String),
    /// AWS, which could not serve a call.
    Aws(String),
    /// Others that are at the same work.
    Others,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(execution, status) => write!(f, "{execution} is {status}"),
            Self::Access(lacking) => f.write_str(lacking),
            Self::Aws(why) => write!(f, "trying again: {why}"),
            Self::Others => f.write_str("other attempts at the same"),
        }
    }
}

impl JobOutcome {
    /// One word for machines.
    #[must_use]
    pub fn state(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
        }
    }

    /// The error of an invocation whose caller reads only its result.
    pub fn for_caller(&self) -> Result<(), InvocationError> {
        match self {
            Self::Failed(failure) => Err(InvocationError {
                kind: ErrorKind::Job(failure.kind),
                message: failure.message.clone(),
            }),
            Self::Waiting(_) | Self::Succeeded => Ok(()),
        }
    }

    /// The error of an invocation for a job that `CodePipeline` does not know:
    /// a condition of a stage may go by its result alone.
    ///
    /// Only a success is one; what takes time is an error until it is done.
    pub fn for_nobody(&self) -> Result<(), InvocationError> {
        match self {
            Self::Waiting(wait) => Err(InvocationError {
                kind: ErrorKind::Waiting,
                message: wait.to_string(),
            }),
            done => done.for_caller(),
        }
    }
}

/// Why an invocation ends as an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvocationError {
    /// What kind of error it is, for machines.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
}

/// The kinds of errors of invocations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The work failed.
    Job(FailureKind),
    /// The work is not done, and nobody asks on.
    Waiting,
    /// The payload is none that anybody could be answered for.
    BadEvent,
    /// `CodePipeline` could not be asked, or not be answered.
    Unanswered,
}

impl ErrorKind {
    /// The kind as Lambda's error type has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Job(kind) => kind.as_str(),
            Self::Waiting => "Waiting",
            Self::BadEvent => "BadEvent",
            Self::Unanswered => "Unanswered",
        }
    }

    /// Whether the invocation failed for a reason that is its caller's, and not ours or AWS's.
    ///
    /// What somebody mistyped, and a run that failed, is an error for whoever
    /// asked for it, and no reason to call anybody else.
    #[must_use]
    pub fn is_the_callers(self) -> bool {
        !matches!(
            self,
            Self::Unanswered | Self::Job(FailureKind::SystemUnavailable)
        )
    }
}
