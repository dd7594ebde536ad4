//! What all functions share while they run.
//!
//! ```text
//! Lambda ──▶ lambda (records, deadline) ──▶ function ──▶ what becomes of each record ──▶ SQS
//!                                             │
//!                    reconcile (account by account) · notifier (each message once)
//! ```
//!
//! Nothing here names an AWS SDK: what the functions need of AWS is a trait in
//! [`ports`], which the crate `aws` implements, and the tests' in-memory hub.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod clock;
pub mod config;
pub mod lambda;
pub mod log;
pub mod metrics;
pub mod notifier;
pub mod ports;
pub mod reconcile;

pub use domain::error::{Class, Error};
