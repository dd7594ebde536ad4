//! Callback steps: they send a message and wait for somebody to answer it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    arn::{ExecutionId, PipelineId},
    idempotency, input, progress,
    state::{Execution, Status, StepRun},
    variables::Scope,
};
use crate::{
    services::sqs,
    world::{ApiError, AssumedRole, Call, Caller, World},
};

/// How long a callback step waits for its answer.
///
/// ASSUMED: seven days; the API's own model does not say.
pub(super) const PATIENCE: Duration = Duration::from_hours(7 * 24);

/// Why a step fails that nobody answered.
///
/// ASSUMED: the wording.
pub(super) const TIMED_OUT: &str = "The callback step timed out.";

/// The longest list of output parameters, and the longest name and value in it.
const MOST_OUTPUTS: usize = 50;
const MOST_NAME: usize = 256;
const MOST_VALUE: usize = 1024;

/// Whether the step of this name is a callback step.
pub(super) fn is_callback(execution: &Execution, name: &str) -> bool {
    let step = execution.definition.step(name);
    step.is_some_and(|step| step.kind == "Callback")
}

/// Sends the message about the step: that it is executing, or that it shall stop.
///
/// SageMaker sends with the role of the pipeline. `StopPipelineExecution`
/// documents the second message, and its `Status`.
///
/// ASSUMED: that member, too, is written in small letters.
pub(super) fn send(
    world: &mut World,
    id: &ExecutionId,
    name: &str,
    status: Status,
) -> Result<(), ApiError> {
    let execution = world.sagemaker.execution(id)?;
    let metadata = execution.step(name).and_then(|run| run.metadata.as_ref());
    let callback = metadata.map_or(&Value::Null, |metadata| &metadata["Callback"]);
    let scope = Scope {
        execution,
        now: world.now,
    };
    let step = execution.definition.step(name);
    let arguments = step.and_then(|step| step.document.get("Arguments"));
    let body = json!({
        "token": callback["CallbackToken"],
        "pipelineExecutionArn": execution.arn,
        "arguments": arguments.map_or_else(|| json!({}), |given| scope.resolve(given)),
        "status": status,
    });
    let role = &world.sagemaker.pipeline(&id.pipeline)?.role;
    let role = AssumedRole {
        name: role.rsplit('/').next().unwrap_or_default().to_owned(),
        session: "SageMaker".to_owned(),
    };
    let call = Call {
        caller: Caller {
            account: id.pipeline.account.clone(),
            role: Some(role),
        },
        region: id.pipeline.region.clone(),
        service: "sqs".to_owned(),
        operation: "SendMessage".to_owned(),
        input: json!({ "QueueUrl": callback["SqsQueueUrl"], "MessageBody": body.to_string() }),
    };
    sqs::call(world, &call).map(drop)
}

/// `SendPipelineExecutionStepSuccess`.
pub(super) fn succeed(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let outputs = output_parameters(call)?;
    answer(world, call, None, |run| {
        let callback = run.metadata.as_mut();
        if let Some(callback) = callback.and_then(|metadata| metadata.get_mut("Callback")) {
            callback["OutputParameters"] = outputs;
        }
    })
}

/// `SendPipelineExecutionStepFailure`.
pub(super) fn fail(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let reason = input::text_up_to(call, "FailureReason", 256)?;
    // ASSUMED: the reason of a step whose failure was told without one.
    let reason = reason.unwrap_or_else(|| "The callback step failed.".to_owned());
    answer(world, call, Some(reason), |_| {})
}

/// Ends the step that waits for an answer with this token.
fn answer(
    world: &mut World,
    call: &Call,
    failure: Option<String>,
    change: impl FnOnce(&mut StepRun),
) -> Result<Value, ApiError> {
    let token = input::callback_token(call)?;
    let operation = |world: &mut World| {
        let (id, name) = waiting(world, call, token)?;
        let execution = world.sagemaker.execution_mut(&id)?;
        let answer = json!({ "PipelineExecutionArn": execution.arn });
        if let Some(run) = execution.step_mut(&name) {
            change(run);
            run.failure = failure;
        }
        progress::answered(world, &id, &name);
        Ok(answer)
    };
    if call.input.get("ClientRequestToken").is_none() {
        return operation(world);
    }
    idempotency::once(world, call, operation)
}

/// The step that waits with this token, in the account and Region of the call.
///
/// ASSUMED: which of the operation's errors tells of an unknown token and
/// which of one that was answered, and their wording.
fn waiting(world: &World, call: &Call, token: &str) -> Result<(ExecutionId, String), ApiError> {
    let pipelines = world.sagemaker.pipelines.values();
    let executions = pipelines.flat_map(|pipeline| &pipeline.executions);
    let ids = executions.filter_map(|execution| {
        let pipeline = PipelineId::parse(&execution.pipeline_arn)?;
        let own = pipeline.account == call.caller.account && pipeline.region == call.region;
        let id = ExecutionId {
            pipeline,
            id: execution.id.clone(),
        };
        own.then_some((id, execution))
    });
    for (id, execution) in ids {
        let mut runs = execution.steps.iter().filter(|run| run.source.is_none());
        if let Some(run) = runs.find(|run| token_of(run) == Some(token)) {
            if run.status.is_final() {
                let message = format!("The step of callback token '{token}' has ended.");
                return Err(ApiError::new("ConflictException", message));
            }
            return Ok((id, run.name.clone()));
        }
    }
    let message = format!("Callback token '{token}' does not exist.");
    Err(ApiError::new("ResourceNotFound", message))
}

fn token_of(run: &StepRun) -> Option<&str> {
    let callback = run.metadata.as_ref()?.get("Callback")?;
    callback.get("CallbackToken")?.as_str()
}

/// The output parameters that the call gives.
fn output_parameters(call: &Call) -> Result<Value, ApiError> {
    let member = "OutputParameters";
    let outputs = match call.input.get(member) {
        None | Some(Value::Null) => return Ok(json!([])),
        Some(outputs) => outputs,
    };
    let items = outputs.as_array().map_or(&[][..], Vec::as_slice);
    if items.len() > MOST_OUTPUTS {
        let wanted = format!("have length less than or equal to {MOST_OUTPUTS}");
        return Err(input::constraint(member, outputs, &wanted));
    }
    for item in items {
        for (part, most) in [("Name", MOST_NAME), ("Value", MOST_VALUE)] {
            let path = format!("{member}.{part}");
            let text = item.get(part).and_then(Value::as_str);
            let text = text.ok_or_else(|| input::missing(&path))?;
            if text.chars().count() > most {
                let wanted = format!("have length less than or equal to {most}");
                return Err(input::constraint(&path, &item[part], &wanted));
            }
        }
    }
    Ok(outputs.clone())
}
