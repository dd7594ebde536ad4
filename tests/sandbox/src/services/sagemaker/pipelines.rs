//! Operations on pipelines.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    arn::PipelineId,
    authorization,
    definition::Definition,
    idempotency, input, location, output,
    state::{Pipeline, Version},
    tags,
};
use crate::{
    readings::ManagedPipelines,
    services::ram,
    world::{ApiError, Call, World, epoch_seconds},
};

/// `CreatePipeline`.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = PipelineId::own(call, input::pipeline_name(call, "PipelineName")?);
    authorization::authorize(world, call, "CreatePipeline", &id)?;
    let pipeline = new_pipeline(world, call, &id)?;
    idempotency::once(world, call, |world| {
        if world.sagemaker.pipeline(&id).is_ok() {
            return Err(input::invalid(format!(
                "Pipeline names must be unique within an AWS account and region. \
                 Pipeline with name ({}) already exists.",
                id.name
            )));
        }
        let answer = json!({ "PipelineArn": pipeline.arn });
        idempotency::forget_deletion(world, call, &pipeline.arn);
        world.sagemaker.pipelines.insert(id.key(), pipeline);
        Ok(answer)
    })
}

fn new_pipeline(world: &mut World, call: &Call, id: &PipelineId) -> Result<Pipeline, ApiError> {
    input::token(call)?;
    input::required(call, "RoleArn")?;
    let version = new_version(world, call, 1)?.ok_or_else(|| {
        input::invalid("Either PipelineDefinition or PipelineDefinitionS3Location is required.")
    })?;
    let author = output::user_context(&call.caller);
    Ok(Pipeline {
        arn: id.arn(),
        name: id.name.clone(),
        display_name: input::pipeline_display_name(call)?.unwrap_or_else(|| id.name.clone()),
        description: input::description(call, "PipelineDescription")?,
        role: input::role(call)?.unwrap_or_default(),
        parallelism: input::parallelism(call)?,
        created: world.now,
        modified: world.now,
        created_by: author.clone(),
        modified_by: author,
        last_run: None,
        tags: tags::given(call)?,
        versions: vec![version],
        executions: Vec::new(),
    })
}

/// The version that the request's definition makes, if it has one.
fn new_version(world: &mut World, call: &Call, id: u64) -> Result<Option<Version>, ApiError> {
    let text = match location::of(call)? {
        Some(location) => Some(location::read(world, call, &location)?),
        None => input::pipeline_definition(call)?,
    };
    let Some(text) = text else {
        return Ok(None);
    };
    let definition =
        Definition::parse(&text).map_err(|problem| input::invalid(problem.to_string()))?;
    Ok(Some(Version {
        id,
        text,
        definition: Arc::new(definition),
        created: world.now,
        display_name: None,
        description: None,
        last_execution: None,
    }))
}

/// `UpdatePipeline`.
///
/// ASSUMED: a version is made by every request that brings a definition.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    input::pipeline_name(call, "PipelineName")?;
    let id = authorization::pipeline(world, call)?;
    let newest = world.sagemaker.pipeline(&id)?.version(None)?.id;
    let version = new_version(world, call, newest + 1)?;
    let display_name = input::pipeline_display_name(call)?;
    let description = input::description(call, "PipelineDescription")?;
    let role = input::role(call)?;
    let parallelism = input::parallelism(call)?;
    let now = world.now;
    let pipeline = world.sagemaker.pipeline_mut(&id)?;
    pipeline.versions.extend(version);
    if let Some(display_name) = display_name {
        pipeline.display_name = display_name;
    }
    if let Some(role) = role {
        pipeline.role = role;
    }
    pipeline.description = description.or(pipeline.description.take());
    pipeline.parallelism = parallelism.or(pipeline.parallelism);
    pipeline.modified = now;
    pipeline.modified_by = output::user_context(&call.caller);
    Ok(json!({
        "PipelineArn": pipeline.arn,
        "PipelineVersionId": pipeline.version(None)?.id,
    }))
}

/// `DeletePipeline`.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = PipelineId::own(call, input::pipeline_name(call, "PipelineName")?);
    authorization::authorize(world, call, "DeletePipeline", &id)?;
    idempotency::once(world, call, |world| {
        let pipeline = world.sagemaker.pipeline(&id)?;
        let mut executions = pipeline.executions.iter();
        if executions.any(|execution| !execution.status.is_final()) {
            // ASSUMED: the wording.
            return Err(ApiError::new(
                "ConflictException",
                format!("Pipeline '{}' has running executions.", pipeline.arn),
            ));
        }
        let arn = pipeline.arn.clone();
        world.sagemaker.pipelines.remove(&id.key());
        idempotency::forget(world, &arn);
        ram::forget(world, &arn);
        Ok(json!({ "PipelineArn": arn }))
    })
}

/// `DescribePipeline`.
pub(super) fn describe(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::pipeline(world, call)?;
    let wanted = input::positive(call, "PipelineVersionId")?;
    let pipeline = world.sagemaker.pipeline(&id)?;
    let version = pipeline.version(wanted)?;
    let mut answer = record(pipeline);
    answer["PipelineDefinition"] = json!(version.text);
    answer["PipelineVersionDisplayName"] = json!(version.display_name);
    answer["PipelineVersionDescription"] = json!(version.description);
    Ok(output::present(answer))
}

/// Everything about a pipeline but its versions and tags.
pub(super) fn record(pipeline: &Pipeline) -> Value {
    output::present(json!({
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name,
        "PipelineDescription": pipeline.description,
        "RoleArn": pipeline.role,
        "PipelineStatus": "Active",
        "CreationTime": epoch_seconds(pipeline.created),
        "LastModifiedTime": epoch_seconds(pipeline.modified),
        "LastRunTime": pipeline.last_run.map(epoch_seconds),
        "CreatedBy": pipeline.created_by,
        "LastModifiedBy": pipeline.modified_by,
        "ParallelismConfiguration": output::parallelism(pipeline.parallelism),
    }))
}

/// `ListPipelines`, which never shows pipelines that other accounts share, and
/// those that AWS manages only if asked.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let by = input::one_of(call, "SortBy", &["CreationTime", "Name"])?;
    let created = input::Created::of(call)?;
    let prefix = input::name_prefix(call)?.unwrap_or_default();
    let managed_by = match &call.input["ManagedBy"] {
        Value::Null => None,
        _ => Some(input::one_of(call, "ManagedBy", &["AWS", "CUSTOMER"])?),
    };
    // They are in the order of the names.
    let own = world.sagemaker.own_pipelines(call);
    let own = own
        .filter(|_| managed_by != Some("AWS"))
        .map(|pipeline| (&pipeline.name, pipeline.created, Some(pipeline)));
    let shows_managed = managed_by.map_or(
        world.readings.managed_pipelines == ManagedPipelines::Unasked,
        |managed_by| managed_by == "AWS",
    );
    let managed = world.sagemaker.managed.iter();
    let managed = managed
        .filter(|_| shows_managed)
        .map(|(name, created)| (name, *created, None));
    let mut pipelines: Vec<_> = managed
        .chain(own)
        .filter(|(name, time, _)| name.starts_with(prefix) && created.contains(*time))
        .collect();
    if by == "CreationTime" {
        pipelines.sort_by_key(|(_, created, _)| *created);
    } else {
        pipelines.sort_by_key(|(name, ..)| name.to_ascii_lowercase());
    }
    let pipelines = output::ordered(call, pipelines)?;
    output::page_printed(
        call,
        "PipelineSummaries",
        pipelines,
        |(name, created, own)| own.map_or_else(|| managed_summary(call, name, created), summary),
    )
}

/// A pipeline that AWS manages, as every account of the Region sees it.
fn managed_summary(call: &Call, name: &str, created: Timestamp) -> Value {
    json!({
        "PipelineArn": format!("arn:aws:sagemaker:{}:aws:pipeline/{name}", call.region),
        "PipelineName": name,
        "PipelineDisplayName": name,
        "CreationTime": epoch_seconds(created),
        "LastModifiedTime": epoch_seconds(created),
    })
}

fn summary(pipeline: &Pipeline) -> Value {
    output::present(json!({
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name,
        "PipelineDescription": pipeline.description,
        "RoleArn": pipeline.role,
        "CreationTime": epoch_seconds(pipeline.created),
        "LastModifiedTime": epoch_seconds(pipeline.modified),
        "LastExecutionTime": pipeline.last_run.map(epoch_seconds),
    }))
}
