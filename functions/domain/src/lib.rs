//! What pipeshare decides, and why.
//!
//! Everything here is a pure function of its arguments: no AWS SDK, no async
//! runtime, no clock, no environment. The functions observe the accounts, ask
//! this crate for a decision, and execute it.
//!
//! ```text
//! trigger ──▶ which accounts to reconcile
//! policy + observed account ──▶ sharing::plan ──▶ actions, each with its reason
//! policy + invitation ──▶ invitation::judge ──▶ accept, wait or leave alone
//! policy + execution + ceiling ──▶ notification ──▶ who is notified of what
//! hook::State ──▶ hook::next ──▶ the deployment hook's next step
//! observed account + steps ──▶ trail ──▶ what has changed for whom, for the log
//! ```

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod account;
pub mod ceiling;
mod digest;
pub mod error;
pub mod execution;
pub mod hook;
pub mod id;
pub mod invitation;
pub mod notification;
pub mod overview;
pub mod policy;
pub mod reconcile;
pub mod sharing;
pub mod status;
pub mod storage;
pub mod text;
pub mod time;
pub mod trail;
pub mod trigger;
