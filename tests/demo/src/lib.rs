//! AWS's walkthrough of shared pipelines, with nobody clicking *Accept*.
//!
//! [`binaries`] builds the real functions, [`estate`] deploys the project's
//! templates into the accounts of a sandbox, [`people`] are those who work
//! there, with the AWS SDK, [`walkthrough`] plays the twelve steps, and
//! [`serve`] keeps the estate running for whoever has the AWS CLI.

pub mod binaries;
pub mod estate;
pub mod functions;
pub mod people;
pub mod print;
pub mod serve;
pub mod walkthrough;

mod describe;
