//! What AWS keeps of owner and consumer accounts and of the hub, in memory.
//!
//! Tests of decisions and tests of functions run on the same model: shares as
//! RAM keeps them and pipelines as `SageMaker` does, behind plain synchronous
//! methods named like AWS's operations. Every operation can be made to fail.
//! The wire, IAM and time are not its matter; the sandbox has these.

mod account;
mod consumer;
mod failures;
#[cfg(feature = "ports")]
mod hub;
pub mod policies;
mod ram;
mod reconciled;
mod sagemaker;
mod table;

pub use account::Account;
pub use consumer::Consumer;
pub use failures::{Failure, Failures};
#[cfg(feature = "ports")]
pub use hub::{HUB_TOPIC, Hub, Message, Published};
pub use reconciled::Model;
pub use table::Table;

/// The owner account of most tests, which their policies call `test`.
pub const OWNER: &str = "222222222222";
