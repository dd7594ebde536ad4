//! The thin edge between pipeshare and AWS: one module per service.
//!
//! Adapters take and return domain types, read every page of every list, and
//! turn each failure into one [`Error`] that is classified once, here. They
//! decide nothing. [`Aws`] makes them: for the function's own account, and for
//! other accounts through the roles that the account templates create there.
//!
//! [`Hub`] gives the functions what they need of the hub account, as the ports
//! of the crate `runtime`.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod ceiling;
pub mod clients;
mod clock;
pub mod codepipeline;
pub mod dynamodb;
mod error;
pub mod eventbridge;
mod hub;
pub mod ram;
pub mod random;
#[cfg(test)]
mod replay;
pub mod sagemaker;
pub mod sns;
pub mod sqs;
pub mod ssm;
mod time;

pub use clients::Aws;
pub use error::{Class, Error};
pub use hub::Hub;
