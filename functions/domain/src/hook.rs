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

mod access;
mod failure;
mod identity;
pub mod journal;
mod progress;
mod request;
mod started;
mod step;

pub use access::{Access, Grant, Shared, covering, grants, policy_for};
pub use failure::{Failure, FailureKind, Mistakes};
pub use identity::Identity;
pub use journal::{Operation, Round};
pub use progress::{Progress, StrangeToken, Token, UnreadableToken};
pub use request::{PipelineRef, Request};
pub use started::{Started, check_started};
pub use step::{Run, Seen, Step, Wait, next};
