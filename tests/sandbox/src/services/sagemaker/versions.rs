//! Operations on the versions of a pipeline.

use serde_json::{Value, json};

use super::{authorization, input, output, state::Version};
use crate::world::{ApiError, Call, World, epoch_seconds};

/// `ListPipelineVersions`.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::pipeline(world, call)?;
    let pipeline = world.sagemaker.pipeline(&id)?;
    let created = input::Created::of(call)?;
    let versions: Vec<&Version> = pipeline
        .versions
        .iter()
        .filter(|version| created.contains(version.created))
        .collect();
    let versions = output::ordered(call, versions)?;
    let summaries = versions.into_iter().map(|version| {
        output::present(json!({
            "PipelineArn": pipeline.arn,
            "PipelineVersionId": version.id,
            "CreationTime": epoch_seconds(version.created),
            "PipelineVersionDisplayName": version.display_name,
            "PipelineVersionDescription": version.description,
            "LastExecutionPipelineExecutionArn": version.last_execution,
        }))
    });
    output::page(call, "PipelineVersionSummaries", summaries.collect())
}

/// `UpdatePipelineVersion`.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = input::pipeline_arn(call, "PipelineArn")?;
    authorization::accessible(world, call, &id)?;
    let wanted = input::positive(call, "PipelineVersionId")?;
    let wanted = wanted.ok_or_else(|| input::missing("PipelineVersionId"))?;
    let display_name = input::display_name(call, "PipelineVersionDisplayName")?;
    let description = input::description(call, "PipelineVersionDescription")?;
    let pipeline = world.sagemaker.pipeline_mut(&id)?;
    let missing = pipeline.version_not_found(wanted);
    let mut versions = pipeline.versions.iter_mut();
    let version = versions.find(|version| version.id == wanted);
    let version = version.ok_or(missing)?;
    version.display_name = display_name.or(version.display_name.take());
    version.description = description.or(version.description.take());
    Ok(json!({ "PipelineArn": pipeline.arn, "PipelineVersionId": wanted }))
}
