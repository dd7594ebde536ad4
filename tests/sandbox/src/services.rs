//! One module per AWS service.
//!
//! Each module holds the state of its service in all accounts and Regions,
//! answers its API calls (`call`), and carries out what was put on the agenda
//! for later (`run`).

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// Makes a service's list of operations, and the function that answers them.
///
/// What is not listed is refused, so that documents can show the list as it is.
macro_rules! operations {
    ($(#[$attribute:meta])* $visibility:vis fn $function:ident($world:ident, $call:ident) {
        $($($operation:literal)|+ => $answer:expr,)+
    }) => {
        /// The operations that the sandbox answers.
        pub const OPERATIONS: &[&str] = &[$($($operation,)+)+];

        $(#[$attribute])*
        $visibility fn $function(
            $world: &mut World,
            $call: &Call,
        ) -> Result<Value, ApiError> {
            match $call.operation.as_str() {
                $($($operation)|+ => $answer,)+
                _ => Err(ApiError::not_implemented($call)),
            }
        }
    };
}

mod arn;
pub mod cloudtrail;
pub mod codepipeline;
mod denials;
pub mod dynamodb;
pub mod events;
pub mod iam;
pub(crate) mod key;
pub mod kms;
pub mod lambda;
pub mod logs;
mod pages;
pub mod ram;
pub mod s3;
pub mod sagemaker;
pub mod sns;
pub mod sqs;
pub mod ssm;
pub mod sts;
mod tags;
mod validation;

/// A service that has an API.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// What people call it.
    pub title: &'static str,
    /// What signatures call it.
    pub name: &'static str,
    /// The operations that the sandbox answers.
    pub operations: &'static [&'static str],
    answer: fn(&mut World, &Call) -> Result<Value, ApiError>,
}

/// All services that have an API.
pub const SERVICES: &[Service] = &[
    Service {
        title: "CloudWatch Logs",
        name: "logs",
        operations: logs::OPERATIONS,
        answer: logs::call,
    },
    Service {
        title: "CodePipeline",
        name: "codepipeline",
        operations: codepipeline::OPERATIONS,
        answer: codepipeline::call,
    },
    Service {
        title: "DynamoDB",
        name: "dynamodb",
        operations: dynamodb::OPERATIONS,
        answer: dynamodb::call,
    },
    Service {
        title: "EventBridge",
        name: "events",
        operations: events::OPERATIONS,
        answer: events::call,
    },
    Service {
        title: "IAM",
        name: "iam",
        operations: iam::roles::OPERATIONS,
        answer: iam::roles::call,
    },
    Service {
        title: "Lambda",
        name: "lambda",
        operations: lambda::OPERATIONS,
        answer: lambda::call,
    },
    Service {
        title: "Resource Access Manager",
        name: "ram",
        operations: ram::OPERATIONS,
        answer: ram::call,
    },
    Service {
        title: "S3",
        name: "s3",
        operations: s3::OPERATIONS,
        answer: s3::call,
    },
    Service {
        title: "SageMaker Pipelines",
        name: "sagemaker",
        operations: sagemaker::OPERATIONS,
        answer: sagemaker::call,
    },
    Service {
        title: "SNS",
        name: "sns",
        operations: sns::OPERATIONS,
        answer: sns::call,
    },
    Service {
        title: "SQS",
        name: "sqs",
        operations: sqs::OPERATIONS,
        answer: sqs::call,
    },
    Service {
        title: "Systems Manager parameters",
        name: "ssm",
        operations: ssm::OPERATIONS,
        answer: ssm::call,
    },
    Service {
        title: "STS",
        name: "sts",
        operations: sts::OPERATIONS,
        answer: sts::call,
    },
];

/// Answers a call, whichever service it is for.
pub(crate) fn answer(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let service = SERVICES.iter().find(|service| service.name == call.service);
    match service {
        Some(service) => (service.answer)(world, call),
        None => Err(ApiError::not_implemented(call)),
    }
}
