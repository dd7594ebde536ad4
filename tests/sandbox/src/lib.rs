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
//!
//! # In a test
//!
//! ```
//! use std::time::Duration;
//!
//! use sandbox::{Call, Options, Sandbox, World};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = World::builder()
//!     .organization("111111111111", ["222222222222"])
//!     .build();
//! let sandbox = Sandbox::start(world, Options::default()).await?;
//! // Any client can call it now at `sandbox.endpoint()`; a test can do without one, too.
//! let call = |account, operation, input| {
//!     let call = Call::by_administrator(account, "us-east-1", "ram", operation, input);
//!     sandbox.world().call(&call)
//! };
//! let share = json!({ "name": "models", "principals": ["222222222222"] });
//! call("111111111111", "CreateResourceShare", share)?;
//! // An invitation takes a moment, which passes at once.
//! sandbox.run_for(Duration::from_secs(60)).await;
//! let received = call("222222222222", "GetResourceShareInvitations", json!({}))?;
//! assert_eq!(received["resourceShareInvitations"][0]["status"], "PENDING");
//! sandbox.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! The README shows the process `sandbox`, which needs no Rust.

pub mod cloudformation;
pub mod end;
pub mod faults;
pub mod http;
pub mod organization;
pub mod readings;
pub mod services;
pub mod world;

mod driver;
mod state;
mod wall_clock;

pub use driver::{Function, Options, Sandbox, StartError, in_process};
pub use services::lambda::{FunctionError, Invocation};
pub use state::LoadError;
pub use world::{Call, World};
