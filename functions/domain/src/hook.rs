//! What the deployment hook is asked to do, how far it is, and what it does next.
//!
//! ```text
//! start or adopt the run ──▶ it succeeded ──▶ share ──▶ everybody has access ──▶ success
//! ```
//!
//! The hook is invoked again and again until it is done. Between two
//! invocations nothing is left but a [`Progress`], which travels as
//! `CodePipeline`'s continuation token. An invocation may be killed anywhere and
//! made again: names and tokens of what it starts follow from the [`Identity`]
//! of the work, so the next one finds what the last one did.

mod access;
mod failure;
mod identity;
mod progress;
mod request;
mod step;

pub use access::{Access, Grant, Shared, covering, grants, policy_for};
pub use failure::{Failure, FailureKind, Mistakes};
pub use identity::Identity;
pub use progress::{Progress, UnreadableToken};
pub use request::{PipelineRef, Request};
pub use step::{Run, Seen, Step, Wait, next};
