//! SageMaker Pipelines: definitions, executions and their steps.
//!
//! A pipeline belongs to one account and Region. Its executions run on the
//! sandbox's clock through the steps of the definition that was in force when
//! they started, and tell every change of status to the default bus of the
//! account that owns the pipeline, whoever started them.

mod arguments;
mod arn;
mod authorization;
mod cache;
mod callbacks;
mod conditions;
mod definition;
mod executions;
mod form;
mod functions;
mod idempotency;
mod input;
mod location;
mod metadata;
mod notices;
mod output;
mod pipelines;
mod problem;
mod progress;
mod retries;
mod search;
mod selection;
mod state;
mod tags;
mod variables;
mod versions;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::Value;

use crate::world::{ApiError, Call, World};

pub use progress::Task;
pub use state::{FailStep, State};

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "CreatePipeline" => pipelines::create(world, call),
        "UpdatePipeline" => pipelines::update(world, call),
        "DeletePipeline" => pipelines::delete(world, call),
        "DescribePipeline" => pipelines::describe(world, call),
        "ListPipelines" => pipelines::list(world, call),
        "ListPipelineVersions" => versions::list(world, call),
        "UpdatePipelineVersion" => versions::update(world, call),
        "StartPipelineExecution" => executions::start(world, call),
        "StopPipelineExecution" => executions::stop(world, call),
        "RetryPipelineExecution" => executions::retry(world, call),
        "UpdatePipelineExecution" => executions::update(world, call),
        "DescribePipelineExecution" => executions::describe(world, call),
        "ListPipelineExecutions" => executions::list(world, call),
        "ListPipelineExecutionSteps" => executions::list_steps(world, call),
        "DescribePipelineDefinitionForExecution" => executions::describe_definition(world, call),
        "ListPipelineParametersForExecution" => executions::list_parameters(world, call),
        "SendPipelineExecutionStepSuccess" => callbacks::succeed(world, call),
        "SendPipelineExecutionStepFailure" => callbacks::fail(world, call),
        "Search" => search::search(world, call),
        "AddTags" => tags::add(world, call),
        "ListTags" => tags::list(world, call),
        "DeleteTags" => tags::delete(world, call),
    }
}

/// Carries out a task that is due.
pub fn run(world: &mut World, task: Task) {
    progress::run(world, task);
}

/// Reads again what is not kept: definitions, of which versions have the text.
pub(crate) fn restore(world: &mut World) {
    world.sagemaker.restore();
}

/// Forgets what nobody needs any more.
pub(crate) fn tidy(world: &mut World) {
    world.sagemaker.tidy(world.now);
}

/// How many things there are that time alone makes more.
pub(crate) fn held(world: &World) -> [(&'static str, usize); 2] {
    world.sagemaker.held()
}

/// Makes the next run of a step fail with this reason, in whichever Region it happens.
///
/// A reason may begin with the type that retry policies know the failure by,
/// as in `SageMaker.CAPACITY_ERROR: No more instances.`; one that does not is
/// a `SageMaker.JOB_INTERNAL_ERROR`. Every retry is a run of its own.
pub fn fail_step(world: &mut World, account: &str, pipeline: &str, step: &str, reason: &str) {
    world.sagemaker.fail_next.push(FailStep {
        account: account.to_owned(),
        pipeline: pipeline.to_owned(),
        step: step.to_owned(),
        reason: reason.to_owned(),
    });
}

/// The tags of the pipeline that an ARN means, or to which the execution belongs that it means.
pub(crate) fn tags_of(world: &World, arn: &str) -> Vec<(String, String)> {
    let pipeline = arn
        .split_once("/execution/")
        .map_or(arn, |(pipeline, _)| pipeline);
    let id = arn::PipelineId::parse(pipeline);
    let pipeline = id.and_then(|id| world.sagemaker.pipeline(&id).ok());
    let tags = pipeline.into_iter().flat_map(|pipeline| &pipeline.tags);
    tags.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// When the pipeline of this ARN was created, if it exists.
pub(crate) fn created(world: &World, arn: &str) -> Option<Timestamp> {
    let id = arn::PipelineId::parse(arn)?;
    let pipeline = world.sagemaker.pipeline(&id).ok()?;
    Some(pipeline.created)
}

/// Whether the ARN is that of a pipeline that exists; the case of its name does not matter.
#[must_use]
pub fn pipeline_exists(world: &World, arn: &str) -> bool {
    arn::PipelineId::parse(arn).is_some_and(|id| world.sagemaker.pipeline(&id).is_ok())
}
