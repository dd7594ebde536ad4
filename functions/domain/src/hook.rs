//! What the deployment hook is asked to do, how far it is, and what it does next.
//!
//! ```text
//! start or adopt the run ──▶ it succeeded ──▶ share ──▶ everybody has access ──▶ success
//! ```
//!
//! The hook is invoked again and again until it is done. Between two
//! invocations nothing is left but what [`journal`] has written into the table;
//! the [`Token`] that travels through `CodePipeline` says where to look. An
//! invocation may be killed anywhere and made again: what it is about to start is
//! written down first, so the next one finds what the last one did.
//!
//! Each invocation keeps what it knows in a [`State`]; [`next`] says what to observe
//! or to do next, whoever did it reports the state, and so on until there is an end.

mod access;
mod failure;
mod identity;
pub mod journal;
mod outcome;
mod progress;
mod request;
mod started;
mod state;
mod step;

pub use access::{Grant, GrantState, Shared, covering, grants, policy_for};
pub use failure::{FailedCall, Failure, FailureKind, ValidationErrors};
pub use identity::Identity;
pub use journal::{Entry, Operation, Round};
pub use outcome::{ErrorKind, InvocationError, JobOutcome, Wait};
pub use progress::{Progress, StrangeToken, Token, UnreadableToken};
pub use request::{PipelineRef, Request};
pub use started::{Started, check_started};
pub use state::{Deployed, State, runs_already};
pub use step::{Act, NextStep, Question, next};
