//! Who may act on which pipeline.

use super::{
    arn::{ExecutionId, PipelineId},
    input,
};
use crate::{
    services::{denials, ram},
    world::{ApiError, Call, World},
};

/// Refuses a caller of another account to whom no share grants the action.
///
/// The owner's account may do everything here. A foreign caller learns
/// nothing about what exists: a pipeline that is not there is denied as well.
pub(super) fn authorize(
    world: &World,
    call: &Call,
    action: &str,
    pipeline: &PipelineId,
) -> Result<(), ApiError> {
    if pipeline.account == call.caller.account {
        return Ok(());
    }
    let arn = world
        .sagemaker
        .pipeline(pipeline)
        .map_or_else(|_| pipeline.arn(), |found| found.arn.clone());
    let action = format!("sagemaker:{action}");
    if ram::grants(world, &call.caller, &action, &arn) {
        return Ok(());
    }
    let caller = call.caller.arn();
    Err(denials::without_policy("sagemaker", &caller, &action, &arn))
}

/// The pipeline that the input names or gives the ARN of, once the caller may act on it.
pub(super) fn pipeline(world: &World, call: &Call) -> Result<PipelineId, ApiError> {
    let id = input::pipeline_name_or_arn(call)?;
    accessible(world, call, &id)?;
    Ok(id)
}

/// The execution of which the input gives the ARN, once the caller may act on its pipeline.
pub(super) fn execution(world: &World, call: &Call) -> Result<ExecutionId, ApiError> {
    let id = input::execution_arn(call)?;
    accessible(world, call, &id.pipeline)?;
    Ok(id)
}

/// Whether the caller may carry out the operation on the pipeline through this endpoint.
pub(super) fn accessible(
    world: &World,
    call: &Call,
    pipeline: &PipelineId,
) -> Result<(), ApiError> {
    authorize(world, call, &call.operation, pipeline)?;
    // ASSUMED: an endpoint does not know the pipelines of other Regions.
    if pipeline.region == call.region {
        Ok(())
    } else {
        Err(pipeline.not_found())
    }
}
