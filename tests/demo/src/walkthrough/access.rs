//! Who can do what with which pipeline, found out by trying.

use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use serde::Serialize;

use super::name;
use crate::people::Person;

/// What the people of an account can do with a pipeline.
#[expect(clippy::struct_excessive_bools, reason = "it is a row of a table")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The name of the account.
    pub account: &'static str,
    /// The ARN of the pipeline.
    pub pipeline: String,
    /// Whether they can describe it.
    pub describe: bool,
    /// Whether they can list its executions.
    pub list: bool,
    /// Whether they can start it.
    pub start: bool,
    /// Whether they can delete it; its owner alone can.
    pub delete: bool,
}

/// Tries what an account can do with a pipeline, and changes nothing.
///
/// SageMaker authorizes a call before it looks at it, so a start with a
/// parameter that does not exist tells whether a start would be allowed.
pub(super) async fn of(person: &Person, pipeline: &str) -> Access {
    let sagemaker = &person.sagemaker;
    let describe = sagemaker.describe_pipeline().pipeline_name(pipeline);
    let list = sagemaker.list_pipeline_executions().pipeline_name(pipeline);
    let parameter = aws_sdk_sagemaker::types::Parameter::builder()
        .name("NoSuchParameter")
        .value("")
        .build();
    let start = sagemaker
        .start_pipeline_execution()
        .pipeline_name(pipeline)
        .client_request_token("only-asks-whether-it-would-be-allowed")
        .pipeline_parameters(parameter);
    let owner = pipeline.split(':').nth(4).unwrap_or_default();
    Access {
        account: name(&person.account),
        pipeline: pipeline.to_owned(),
        describe: describe.send().await.is_ok(),
        list: list.send().await.is_ok(),
        start: is_allowed(&start.send().await),
        // Only a name can be deleted, and a name is one of the own account.
        delete: owner == person.account,
    }
}

fn is_allowed<T, E: ProvideErrorMetadata, R>(answer: &Result<T, SdkError<E, R>>) -> bool {
    match answer {
        Ok(_) => true,
        Err(error) => error.code() == Some("ValidationException"),
    }
}
