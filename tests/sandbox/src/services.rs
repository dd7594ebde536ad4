//! One module per AWS service.
//!
//! Each module holds the state of its service in all accounts and Regions,
//! answers its API calls (`call`), and carries out what was put on the agenda
//! for later (`run`).

mod arn;
pub mod cloudtrail;
pub mod codepipeline;
pub mod dynamodb;
pub mod events;
pub mod iam;
pub mod kms;
pub mod lambda;
pub mod ram;
pub mod s3;
pub mod sagemaker;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
