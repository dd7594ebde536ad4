//! Operations on executions.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    arn::{ExecutionId, PipelineId},
    authorization, idempotency, input, notices, output, progress,
    selection::Selection,
    state::{Execution, Status, StepRun},
};
use crate::{
    readings::RunParameters,
    world::{ApiError, Call, World, epoch_seconds},
};

/// `StartPipelineExecution`.
///
/// The execution belongs to the pipeline's account, whoever starts it.
pub(super) fn start(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::pipeline(world, call)?;
    idempotency::once(world, call, |world| {
        let execution = new_execution(world, call, &id)?;
        let answer = json!({ "PipelineExecutionArn": execution.arn });
        let id = ExecutionId {
            pipeline: id,
            id: execution.id.clone(),
        };
        let event = notices::execution_changed(&id, &execution, None);
        enter(world, &id.pipeline, execution);
        notices::send(world, &event);
        progress::proceed(world, &id);
        Ok(answer)
    })
}

fn new_execution(world: &mut World, call: &Call, id: &PipelineId) -> Result<Execution, ApiError> {
    input::unsupported(call, "MlflowExperimentName")?;
    let wanted = input::positive(call, "PipelineVersionId")?;
    let parameters = parameters(call)?;
    let display_name = input::display_name(call, "PipelineExecutionDisplayName")?;
    let description = input::description(call, "PipelineExecutionDescription")?;
    let parallelism = input::parallelism(call)?;
    let seed = format!("execution of pipeline {}", id.arn());
    let number = world.hex(&seed);
    let pipeline = world.sagemaker.pipeline(id)?;
    let version = pipeline.version(wanted)?;
    let values = version
        .definition
        .bind(&parameters)
        .map_err(input::invalid)?;
    let selection = Selection::of(call, &version.definition)?;
    let steps = match &selection {
        Some(selection) => selection.reused(world, id, &version.definition)?,
        None => Vec::new(),
    };
    let author = output::user_context(&call.caller);
    let number: String = number.chars().take(12).collect();
    let milliseconds = world.now.as_millisecond();
    Ok(Execution {
        arn: format!("{}/execution/{number}", pipeline.arn),
        id: number,
        pipeline_arn: pipeline.arn.clone(),
        pipeline_name: pipeline.name.clone(),
        display_name: display_name.unwrap_or_else(|| format!("execution-{milliseconds}")),
        description,
        status: Status::Executing,
        failure_reason: None,
        created: world.now,
        modified: world.now,
        created_by: author.clone(),
        modified_by: author,
        parallelism: parallelism.or(pipeline.parallelism),
        version: version.id,
        definition: Arc::clone(&version.definition),
        parameters: call
            .input
            .get("PipelineParameters")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default(),
        values,
        selection,
        steps,
        runs: 0,
        jobs: BTreeMap::new(),
    })
}

/// The names and texts of the parameters that the request gives.
fn parameters(call: &Call) -> Result<Vec<(String, String)>, ApiError> {
    let items = input::list(call, "PipelineParameters", 200)?;
    items
        .iter()
        .map(|item| {
            let text = |member: &str| item.get(member).and_then(Value::as_str);
            match (text("Name"), text("Value")) {
                (Some(name), Some("")) => Err(input::invalid(format!(
                    "Parameter [{name}]: [string \"\" is too short (length: 0, required minimum: 1)]"
                ))),
                (Some(_), Some(value)) if value.chars().count() > 1024 => Err(input::constraint(
                    "PipelineParameters.Value",
                    &value.into(),
                    "have length less than or equal to 1024",
                )),
                (Some(name), Some(value)) => Ok((name.to_owned(), value.to_owned())),
                _ => Err(input::missing("PipelineParameters.Name and Value")),
            }
        })
        .collect()
}

/// Enters a new execution into the books of its pipeline.
fn enter(world: &mut World, id: &PipelineId, execution: Execution) {
    let Ok(pipeline) = world.sagemaker.pipeline_mut(id) else {
        return;
    };
    pipeline.last_run = Some(execution.created);
    let mut versions = pipeline.versions.iter_mut();
    if let Some(version) = versions.find(|version| version.id == execution.version) {
        version.last_execution = Some(execution.arn.clone());
    }
    pipeline.executions.push(execution);
}

/// `StopPipelineExecution`.
pub(super) fn stop(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    idempotency::once(world, call, |world| {
        let execution = world.sagemaker.execution_mut(&id)?;
        if execution.status != Status::Executing {
            return Err(input::invalid(
                "Only pipelines with 'Executing' status can be stopped.",
            ));
        }
        execution.modified_by = output::user_context(&call.caller);
        let answer = json!({ "PipelineExecutionArn": execution.arn });
        progress::change_execution(world, &id, Status::Stopping);
        progress::stop_steps(world, &id);
        progress::proceed(world, &id);
        Ok(answer)
    })
}

/// `RetryPipelineExecution`: what succeeded stays, everything else runs again.
pub(super) fn retry(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    let parallelism = input::parallelism(call)?;
    idempotency::once(world, call, |world| {
        let execution = world.sagemaker.execution_mut(&id)?;
        if !matches!(execution.status, Status::Failed | Status::Stopped) {
            // ASSUMED: error and wording, after those of StopPipelineExecution.
            return Err(input::invalid(
                "Only pipelines with 'Failed' or 'Stopped' status can be retried.",
            ));
        }
        let answer = json!({ "PipelineExecutionArn": execution.arn });
        execution.modified_by = output::user_context(&call.caller);
        execution.parallelism = parallelism.or(execution.parallelism);
        execution.failure_reason = None;
        execution
            .steps
            .retain(|step| step.status == Status::Succeeded);
        progress::change_execution(world, &id, Status::Executing);
        progress::proceed(world, &id);
        Ok(answer)
    })
}

/// `UpdatePipelineExecution`.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    let display_name = input::display_name(call, "PipelineExecutionDisplayName")?;
    let description = input::description(call, "PipelineExecutionDescription")?;
    let parallelism = input::parallelism(call)?;
    let now = world.now;
    let execution = world.sagemaker.execution_mut(&id)?;
    if let Some(display_name) = display_name {
        execution.display_name = display_name;
    }
    execution.description = description.or(execution.description.take());
    execution.parallelism = parallelism.or(execution.parallelism);
    execution.modified = now;
    execution.modified_by = output::user_context(&call.caller);
    Ok(json!({ "PipelineExecutionArn": execution.arn }))
}

/// `DescribePipelineExecution`.
pub(super) fn describe(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    Ok(record(world.sagemaker.execution(&id)?))
}

/// Everything about an execution but its steps.
pub(super) fn record(execution: &Execution) -> Value {
    output::present(json!({
        "PipelineArn": execution.pipeline_arn,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.description,
        "FailureReason": execution.failure_reason,
        "CreationTime": epoch_seconds(execution.created),
        "LastModifiedTime": epoch_seconds(execution.modified),
        "CreatedBy": execution.created_by,
        "LastModifiedBy": execution.modified_by,
        "ParallelismConfiguration": output::parallelism(execution.parallelism),
        "SelectiveExecutionConfig": execution.selection.as_ref().map(|selection| &selection.config),
        "PipelineVersionId": execution.version,
    }))
}

/// `ListPipelineExecutions`.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::pipeline(world, call)?;
    let by = input::one_of(call, "SortBy", &["CreationTime", "PipelineExecutionArn"])?;
    let created = input::Created::of(call)?;
    let mut executions: Vec<&Execution> = world
        .sagemaker
        .pipeline(&id)?
        .executions
        .iter()
        .filter(|execution| created.contains(execution.created))
        .collect();
    if by == "PipelineExecutionArn" {
        executions.sort_by_key(|execution| &execution.arn);
    }
    let summaries = output::ordered(call, executions)?.into_iter().map(summary);
    output::page(call, "PipelineExecutionSummaries", summaries.collect())
}

fn summary(execution: &Execution) -> Value {
    output::present(json!({
        "PipelineExecutionArn": execution.arn,
        "StartTime": epoch_seconds(execution.created),
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.description,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionFailureReason": execution.failure_reason,
    }))
}

/// `ListPipelineExecutionSteps`.
pub(super) fn list_steps(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    let execution = world.sagemaker.execution(&id)?;
    let steps = output::ordered(call, execution.steps.iter().collect())?;
    let steps = steps.into_iter().map(|run| step(execution, run));
    output::page(call, "PipelineExecutionSteps", steps.collect())
}

fn step(execution: &Execution, run: &StepRun) -> Value {
    let step = execution.definition.step(&run.name);
    let failure = run.failure.as_ref();
    output::present(json!({
        "StepName": run.name,
        "StepDisplayName": step.and_then(|step| step.display_name.as_ref()),
        "StepDescription": step.and_then(|step| step.description.as_ref()),
        "StartTime": epoch_seconds(run.started),
        "EndTime": run.ended.map(epoch_seconds),
        "StepStatus": run.status,
        "CacheHitResult": run.cache_hit().map(|arn| json!({ "SourcePipelineExecutionArn": arn })),
        "SelectiveExecutionResult": run
            .selected_from()
            .map(|arn| json!({ "SourcePipelineExecutionArn": arn })),
        "FailureReason": failure.filter(|_| run.status == Status::Failed),
        "Metadata": run.metadata,
        "AttemptCount": run.attempt,
    }))
}

/// `DescribePipelineDefinitionForExecution`.
///
/// ASSUMED: `CreationTime` is that of the version.
pub(super) fn describe_definition(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    let wanted = world.sagemaker.execution(&id)?.version;
    let pipeline = world.sagemaker.pipeline(&id.pipeline)?;
    let version = pipeline.version(Some(wanted))?;
    Ok(json!({
        "PipelineDefinition": version.text,
        "CreationTime": epoch_seconds(version.created),
    }))
}

/// `ListPipelineParametersForExecution`.
///
/// Whether it lists what the definition falls back on is a question of [`RunParameters`].
pub(super) fn list_parameters(world: &World, call: &Call) -> Result<Value, ApiError> {
    let id = authorization::execution(world, call)?;
    let execution = world.sagemaker.execution(&id)?;
    let mut parameters = execution.parameters.clone();
    if world.readings.run_parameters == RunParameters::All {
        let is_given = |name: &str| execution.parameters.iter().any(|it| it["Name"] == name);
        let defaults = execution.definition.defaults();
        let others = defaults.filter(|(name, _)| !is_given(name));
        parameters.extend(others.map(|(name, value)| json!({ "Name": name, "Value": value })));
    }
    output::page(call, "PipelineParameters", parameters)
}
