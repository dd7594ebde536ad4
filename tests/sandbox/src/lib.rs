//! A local AWS that behaves as the documentation says AWS does.
//!
//! One process plays an organization: accounts, STS, RAM, SageMaker
//! Pipelines, S3, EventBridge, SQS, SNS, SSM, DynamoDB and CodePipeline's jobs on
//! one loopback port, and the Lambda Runtime API that runs the real function binaries. The
//! account and the Region of a call come from the credential scope of its
//! signature; an access key id of twelve digits is the administrator of that
//! account.
//!
//! Where the documents allow more than one reading, [`readings`] says which one
//! is played; other behaviour that AWS does not document is marked `ASSUMED`
//! where it stands.

pub mod cloudformation;
pub mod faults;
pub mod http;
pub mod organization;
pub mod readings;
pub mod services;
pub mod world;

mod driver;
mod wall_clock;

pub use driver::{Function, Options, Sandbox, StartError};
pub use services::lambda::{FunctionError, Invocation};
