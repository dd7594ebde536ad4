//! The events that tell of changes of status.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    arn::ExecutionId,
    definition::Step,
    metadata,
    output::present,
    state::{Execution, Status, StepRun},
};
use crate::{
    services::events::{self, ServiceEvent},
    world::World,
};

/// Sends an event to the default bus of the pipeline's owner, twice if the world wants it so.
pub(super) fn send(world: &mut World, event: &ServiceEvent) {
    let times = if world.sagemaker.repeat_events { 2 } else { 1 };
    for _ in 0..times {
        events::emit(world, event.clone());
    }
}

/// That an execution has a new status.
///
/// ASSUMED: the first event of an execution has no previous status.
pub(super) fn execution_changed(
    id: &ExecutionId,
    execution: &Execution,
    previous: Option<Status>,
) -> ServiceEvent {
    let end = execution.status.is_final().then_some(execution.modified);
    let detail = json!({
        "pipelineExecutionDisplayName": execution.display_name,
        "pipelineExecutionDescription": execution.description,
        "currentPipelineExecutionStatus": execution.status,
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": seconds(execution.created),
        "executionEndTime": end.map(seconds),
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    });
    let kind = "SageMaker Model Building Pipeline Execution Status Change";
    event(id, execution, kind, detail)
}

/// That a step of an execution has a new status.
///
/// ASSUMED: the first event of a step has no previous status.
pub(super) fn step_changed(
    id: &ExecutionId,
    execution: &Execution,
    step: &Step,
    run: &StepRun,
    previous: Option<Status>,
) -> ServiceEvent {
    let failure = run.failure.as_ref();
    let detail = json!({
        "metadata": run.metadata.as_ref().map(metadata::for_event),
        "stepStartTime": seconds(run.started),
        "stepEndTime": run.ended.map(seconds),
        "stepName": run.name,
        "stepType": step.kind,
        "previousStepStatus": previous,
        "currentStepStatus": run.status,
        "cacheHitResult": run.cache_hit().map(|arn| json!({ "sourcePipelineExecutionArn": arn })),
        "failureReason": failure.filter(|_| run.status == Status::Failed),
        "pipelineArn": execution.pipeline_arn,
        "pipelineExecutionArn": execution.arn,
    });
    let kind = "SageMaker Model Building Pipeline Execution Step Status Change";
    event(id, execution, kind, detail)
}

fn event(id: &ExecutionId, execution: &Execution, kind: &str, detail: Value) -> ServiceEvent {
    ServiceEvent {
        account: id.pipeline.account.clone(),
        region: id.pipeline.region.clone(),
        source: "aws.sagemaker".to_owned(),
        detail_type: kind.to_owned(),
        resources: vec![execution.pipeline_arn.clone(), execution.arn.clone()],
        detail: present(detail),
    }
}

fn seconds(time: Timestamp) -> String {
    time.strftime("%FT%TZ").to_string()
}
