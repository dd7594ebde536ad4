//! What AWS keeps of an owner account, in memory.
//!
//! Tests of decisions and tests of functions run on the same model: shares as
//! RAM keeps them and pipelines as `SageMaker` does, behind plain synchronous
//! methods named like AWS's operations. Every operation can be made to fail.
//! The wire, IAM and time are not its matter; the sandbox has these.

mod account;
mod failures;
pub mod policies;
mod ram;
mod reconciled;
mod sagemaker;

pub use account::Account;
pub use failures::{Failure, Failures};
pub use reconciled::Model;

/// The owner account of most tests, which their policies call `test`.
pub const OWNER: &str = "222222222222";
