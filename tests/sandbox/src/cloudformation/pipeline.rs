//! Pipelines of SageMaker that a stack deploys.

use serde_json::{Map, Value, json};

use crate::{
    http::perform,
    world::{ApiError, Call, Caller, World},
};

/// Creates the pipeline or, if it is there, updates it, as `AWS::SageMaker::Pipeline` with these properties would.
///
/// It goes through the API as an administrator, so that CloudTrail tells of it.
///
/// ASSUMED: the sandbox keeps no stacks, so what is there is taken to be the stack's.
pub(super) fn deploy(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let call = |operation: &str, input: Value| Call {
        caller: Caller::administrator(account),
        region: region.to_owned(),
        service: "sagemaker".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    let described = perform(
        world,
        &call("DescribePipeline", json!({ "PipelineName": name })),
    );
    let mut input = input(name, properties)?;
    let operation = if described.is_ok() {
        "UpdatePipeline"
    } else {
        let token = world.uuid(&format!("stack with pipeline {name} of {account}"));
        input.insert("ClientRequestToken".to_owned(), token.into());
        if let Some(tags) = properties.get("Tags") {
            input.insert("Tags".to_owned(), tags.clone());
        }
        "CreatePipeline"
    };
    perform(world, &call(operation, Value::Object(input))).map(drop)
}

/// The properties as the API names them.
fn input(name: &str, properties: &Value) -> Result<Map<String, Value>, ApiError> {
    let mut input = Map::new();
    input.insert("PipelineName".to_owned(), name.into());
    for same in [
        "ParallelismConfiguration",
        "PipelineDescription",
        "PipelineDisplayName",
        "RoleArn",
    ] {
        if let Some(value) = properties.get(same) {
            input.insert(same.to_owned(), value.clone());
        }
    }
    let definition = &properties["PipelineDefinition"];
    if let Some(body) = definition["PipelineDefinitionBody"].as_str() {
        input.insert("PipelineDefinition".to_owned(), body.into());
    } else if let Some(location) = definition.get("PipelineDefinitionS3Location") {
        input.insert("PipelineDefinitionS3Location".to_owned(), location.clone());
    } else {
        let message = "PipelineDefinition has neither PipelineDefinitionBody nor PipelineDefinitionS3Location.";
        return Err(ApiError::new("ValidationException", message));
    }
    Ok(input)
}
