//! Executions on their way through the steps.
//!
//! A step starts when all that it needs has succeeded, is `Starting` for a
//! tenth of its time, then `Executing`, and ends. An execution ends when
//! nothing runs and nothing more can start.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    arn::ExecutionId,
    cache, callbacks, conditions,
    definition::Step,
    metadata, notices, retries,
    state::{Execution, Status, StepRun},
    variables::Scope,
};
use crate::{
    readings::ExecutionEnd,
    world::{self, World, nth_hex},
};

/// How long after its last step an execution ends, if not with it.
const CLOSING: Duration = Duration::from_secs(30);

/// What SageMaker does later.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Task(Later);

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Later {
    /// Move a step on to its next status.
    MoveOn(Move),
    /// End an execution of which nothing runs any more.
    End(ExecutionId),
}

/// A step that is to be moved on.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Move {
    execution: ExecutionId,
    step: String,
    run: u64,
    /// The status that the step is to leave; if it has another by then, nothing happens.
    from: Status,
}

pub(super) fn run(world: &mut World, task: Task) {
    match task.0 {
        Later::MoveOn(task) => move_on(world, task),
        Later::End(id) => end(world, &id),
    }
}

/// Moves a step on, unless it was stopped or started anew in the meantime.
fn move_on(world: &mut World, task: Move) {
    let Move {
        execution: id,
        step,
        run,
        from,
    } = task;
    let execution = world.sagemaker.execution(&id).ok();
    let current = execution.and_then(|execution| execution.step(&step));
    if !current.is_some_and(|current| current.run == run && current.status == from) {
        return;
    }
    let pausing = current.is_some_and(|current| current.pausing);
    match from {
        Status::Starting => execute(world, &id, &step),
        Status::Executing if pausing => execute(world, &id, &step),
        Status::Stopping => change_step(world, &id, &step, Status::Stopped),
        _ => finish_step(world, &id, &step),
    }
    proceed(world, &id);
}

/// Starts what can start, and ends the execution if nothing runs any more.
pub(super) fn proceed(world: &mut World, id: &ExecutionId) {
    while let Some(step) = next_step(world, id) {
        start_step(world, id, &step);
    }
    match world.readings.execution_end {
        ExecutionEnd::AtOnce => end(world, id),
        ExecutionEnd::Later => {
            world.after(
                CLOSING,
                world::Task::SageMaker(Task(Later::End(id.clone()))),
            );
        }
    }
}

/// Ends the execution if nothing runs any more.
fn end(world: &mut World, id: &ExecutionId) {
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    if execution.status.is_final() || execution.running() > 0 {
        return;
    }
    let failed = |step: &StepRun| step.status == Status::Failed;
    let outcome = if execution.steps.iter().any(failed) {
        execution.failure_reason = Some("Step failure: One or multiple steps failed.".to_owned());
        Status::Failed
    } else if execution.status == Status::Stopping {
        Status::Stopped
    } else {
        Status::Succeeded
    };
    change_execution(world, id, outcome);
}

/// Gives the execution a new status and tells so.
pub(super) fn change_execution(world: &mut World, id: &ExecutionId, status: Status) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    let previous = std::mem::replace(&mut execution.status, status);
    execution.modified = now;
    let event = notices::execution_changed(id, execution, Some(previous));
    notices::send(world, &event);
}

/// Stops the steps that are under way.
///
/// The function of a Lambda step cannot be stopped, so its step runs to its end.
/// A callback step is told to stop, and stops when that is answered.
pub(super) fn stop_steps(world: &mut World, id: &ExecutionId) {
    let Ok(execution) = world.sagemaker.execution(id) else {
        return;
    };
    let is_lambda = |name: &str| {
        let step = execution.definition.step(name);
        step.is_some_and(|step| step.kind == "Lambda")
    };
    let names: Vec<String> = execution
        .steps
        .iter()
        .filter(|step| !step.status.is_final() && !is_lambda(&step.name))
        .map(|step| step.name.clone())
        .collect();
    let brief = brief(world);
    for name in names {
        let delay = if asked_to_stop(world, id, &name) {
            callbacks::PATIENCE
        } else {
            brief
        };
        change_step(world, id, &name, Status::Stopping);
        schedule(world, id, &name, delay);
    }
}

/// Whether the step is a callback step that was told to stop and now waits for an answer.
///
/// ASSUMED: it waits as long as for any answer.
fn asked_to_stop(world: &mut World, id: &ExecutionId, name: &str) -> bool {
    let execution = world.sagemaker.execution(id).ok();
    let asked = execution.is_some_and(|execution| {
        let run = execution.step(name);
        callbacks::is_callback(execution, name)
            && run.is_some_and(|run| run.status == Status::Executing && run.failure.is_none())
    });
    asked && callbacks::send(world, id, name, Status::Stopping).is_ok()
}

/// How long a step takes to start and to stop.
fn brief(world: &World) -> Duration {
    world.sagemaker.step_duration / 10
}

/// The first step that can start now, if there is one.
///
/// ASSUMED: after a failure, steps that do not depend on the failed one still start.
fn next_step(world: &World, id: &ExecutionId) -> Option<String> {
    let execution = world.sagemaker.execution(id).ok()?;
    let room = execution
        .parallelism
        .is_none_or(|limit| execution.running() < limit);
    if execution.status != Status::Executing || !room {
        return None;
    }
    let mut steps = execution.definition.steps.iter();
    let ready = steps.find(|step| is_ready(execution, step))?;
    Some(ready.name.clone())
}

fn is_ready(execution: &Execution, step: &Step) -> bool {
    let succeeded = |name: &String| {
        let run = execution.step(name);
        run.is_some_and(|run| run.status == Status::Succeeded)
    };
    let selected = execution.selection.as_ref();
    selected.is_none_or(|selection| selection.contains(step))
        && execution.step(&step.name).is_none()
        && is_taken(execution, step)
        && step.needs.iter().all(succeeded)
}

/// Whether the step's branch is taken.
///
/// ASSUMED: who selects a step but not its condition wants it whatever the outcome.
fn is_taken(execution: &Execution, step: &Step) -> bool {
    step.branch.as_ref().is_none_or(|branch| {
        let condition = execution.step(&branch.condition);
        condition.is_some_and(|run| run.selected_from().is_some())
            || outcome(execution, &branch.condition) == Some(branch.outcome)
    })
}

/// The outcome of a condition step that has one.
fn outcome(execution: &Execution, condition: &str) -> Option<bool> {
    let metadata = execution.step(condition)?.metadata.as_ref()?;
    let outcome = metadata.get("Condition")?.get("Outcome")?.as_str()?;
    Some(outcome == "True")
}

fn start_step(world: &mut World, id: &ExecutionId, name: &str) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution(id) else {
        return;
    };
    let Some(step) = execution.definition.step(name) else {
        return;
    };
    let signature = cache::signature(Scope { execution, now }, step);
    let hit = signature
        .as_ref()
        .and_then(|wanted| cache::find(world, id, step, wanted));
    let failure = match hit {
        Some(_) => None,
        None => world.sagemaker.take_failure(&id.pipeline, name),
    };
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    execution.runs += 1;
    execution.steps.push(StepRun {
        name: name.to_owned(),
        run: execution.runs,
        status: Status::Starting,
        attempt: 1,
        pausing: false,
        started: now,
        ended: None,
        failure,
        metadata: None,
        arguments: Value::Null,
        signature,
        source: None,
    });
    tell_step(world, id, name, None);
    match hit {
        Some(hit) => use_again(world, id, name, hit),
        None => schedule(world, id, name, brief(world)),
    }
}

/// Ends a step at once with what an earlier run has made.
fn use_again(world: &mut World, id: &ExecutionId, name: &str, hit: cache::Hit) {
    let execution = world.sagemaker.execution_mut(id).ok();
    let Some(run) = execution.and_then(|execution| execution.step_mut(name)) else {
        return;
    };
    run.metadata = hit.metadata;
    run.arguments = hit.arguments;
    run.source = Some(hit.source);
    change_step(world, id, name, Status::Succeeded);
}

fn execute(world: &mut World, id: &ExecutionId, name: &str) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    let jobs = execution.jobs.entry(name.to_owned()).or_default();
    *jobs += 1;
    let suffix = nth_hex(&format!("job of step {name} of execution {}", id.id), *jobs);
    let place = metadata::Place {
        account: &id.pipeline.account,
        region: &id.pipeline.region,
        execution: &id.id,
        suffix: &suffix,
    };
    let scope = Scope { execution, now };
    let Some(step) = execution.definition.step(name) else {
        return;
    };
    let arguments = step.document.get("Arguments");
    let arguments = arguments.map_or(Value::Null, |arguments| scope.resolve(arguments));
    let job = metadata::of(step, &place, scope);
    let Some(run) = execution.step_mut(name) else {
        return;
    };
    run.metadata = job;
    run.arguments = arguments;
    let again = std::mem::take(&mut run.pausing);
    register(world, id, name);
    let rest = wait(world, id, name);
    if !again {
        change_step(world, id, name, Status::Executing);
    }
    schedule(world, id, name, rest);
}

/// Gives a model that is registered in a group the next version of the group.
///
/// ASSUMED: the version is taken when the step executes, also if it fails then.
fn register(world: &mut World, id: &ExecutionId, name: &str) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution(id) else {
        return;
    };
    let step = execution.definition.step(name);
    let scope = Scope { execution, now };
    let Some(group) = step.and_then(|step| metadata::model_package_group(step, scope)) else {
        return;
    };
    let (region, account) = (&id.pipeline.region, &id.pipeline.account);
    let group = format!("arn:aws:sagemaker:{region}:{account}:model-package/{group}");
    let versions = world.sagemaker.model_packages.entry(group.clone());
    let version = versions.or_default();
    *version += 1;
    let arn = format!("{group}/{version}");
    let execution = world.sagemaker.execution_mut(id).ok();
    if let Some(run) = execution.and_then(|execution| execution.step_mut(name)) {
        run.metadata = Some(json!({ "RegisterModel": { "Arn": arn } }));
    }
}

/// How long the step is going to execute. A callback step asks and waits,
/// unless it is going to fail anyhow.
fn wait(world: &mut World, id: &ExecutionId, name: &str) -> Duration {
    let rest = world.sagemaker.step_duration.saturating_sub(brief(world));
    let execution = world.sagemaker.execution(id).ok();
    let asks = execution.is_some_and(|execution| {
        let run = execution.step(name);
        callbacks::is_callback(execution, name) && run.is_some_and(|run| run.failure.is_none())
    });
    if !asks {
        return rest;
    }
    let Err(error) = callbacks::send(world, id, name, Status::Executing) else {
        return callbacks::PATIENCE;
    };
    let execution = world.sagemaker.execution_mut(id).ok();
    if let Some(run) = execution.and_then(|execution| execution.step_mut(name)) {
        // ASSUMED: the wording of a failure to send the message.
        run.failure = Some(error.to_string());
    }
    rest
}

/// Ends a callback step that somebody answered.
///
/// An answer to a step that is stopping only lets it stop.
pub(super) fn answered(world: &mut World, id: &ExecutionId, name: &str) {
    let execution = world.sagemaker.execution(id).ok();
    let Some(run) = execution.and_then(|execution| execution.step(name)) else {
        return;
    };
    let status = match (run.status, &run.failure) {
        (Status::Stopping, _) => Status::Stopped,
        (_, Some(_)) => Status::Failed,
        (_, None) => Status::Succeeded,
    };
    change_step(world, id, name, status);
    proceed(world, id);
}

/// Ends a step as it was told to end, or as its own definition says.
fn finish_step(world: &mut World, id: &ExecutionId, name: &str) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    let (decided, message) = conclusion(Scope { execution, now }, name);
    let Some(run) = execution.step_mut(name) else {
        return;
    };
    run.failure = run.failure.take().or(message);
    run.metadata = decided.or(run.metadata.take());
    if try_again(world, id, name) {
        return;
    }
    let execution = world.sagemaker.execution(id).ok();
    let Some(run) = execution.and_then(|execution| execution.step(name)) else {
        return;
    };
    let status = if run.failure.is_some() {
        Status::Failed
    } else {
        Status::Succeeded
    };
    change_step(world, id, name, status);
}

/// Lets the step begin another attempt after a pause, if it failed and its policies say so.
///
/// ASSUMED: a step that is retried keeps executing, also while it pauses.
fn try_again(world: &mut World, id: &ExecutionId, name: &str) -> bool {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution(id) else {
        return false;
    };
    let (Some(step), Some(run)) = (execution.definition.step(name), execution.step(name)) else {
        return false;
    };
    let Some(pause) = retries::pause(step, run, now) else {
        return false;
    };
    let failure = world.sagemaker.take_failure(&id.pipeline, name);
    let execution = world.sagemaker.execution_mut(id).ok();
    if let Some(run) = execution.and_then(|execution| execution.step_mut(name)) {
        run.attempt += 1;
        run.pausing = true;
        run.failure = failure;
    }
    schedule(world, id, name, pause);
    true
}

/// The metadata and the failure reason that Condition, Fail and Callback steps end with.
fn conclusion(scope: Scope<'_>, name: &str) -> (Option<Value>, Option<String>) {
    let Some(step) = scope.execution.definition.step(name) else {
        return (None, None);
    };
    let argument = |member: &str| step.document.get("Arguments")?.get(member);
    let lookup = |path: &str| scope.get(path);
    match step.kind.as_str() {
        "Condition" => {
            let conditions = argument("Conditions").and_then(Value::as_array);
            let holds = conditions.and_then(|all| conditions::all_hold(all, &lookup));
            // ASSUMED: a condition on what only a real job would know holds.
            let outcome = if holds.unwrap_or(true) {
                "True"
            } else {
                "False"
            };
            (Some(json!({ "Condition": { "Outcome": outcome } })), None)
        }
        "Fail" => {
            let message = argument("ErrorMessage").map(|expression| {
                let value = conditions::resolve(expression, &lookup);
                conditions::text(value.as_ref().unwrap_or(expression))
            });
            let message = message.unwrap_or_default();
            let metadata = json!({ "Fail": { "ErrorMessage": message } });
            (Some(metadata), Some(message))
        }
        // Only one that was answered ends otherwise.
        "Callback" => (None, Some(callbacks::TIMED_OUT.to_owned())),
        _ => (None, None),
    }
}

/// Gives a step a new status and tells so.
fn change_step(world: &mut World, id: &ExecutionId, name: &str, status: Status) {
    let now = world.now;
    let Ok(execution) = world.sagemaker.execution_mut(id) else {
        return;
    };
    let Some(run) = execution.step_mut(name) else {
        return;
    };
    let previous = std::mem::replace(&mut run.status, status);
    run.ended = status.is_final().then_some(now);
    tell_step(world, id, name, Some(previous));
}

fn tell_step(world: &mut World, id: &ExecutionId, name: &str, previous: Option<Status>) {
    let Ok(execution) = world.sagemaker.execution(id) else {
        return;
    };
    let (Some(step), Some(run)) = (execution.definition.step(name), execution.step(name)) else {
        return;
    };
    let event = notices::step_changed(id, execution, step, run, previous);
    notices::send(world, &event);
}

/// Puts the step's next change on the agenda.
fn schedule(world: &mut World, id: &ExecutionId, name: &str, delay: Duration) {
    let execution = world.sagemaker.execution(id).ok();
    let Some(run) = execution.and_then(|execution| execution.step(name)) else {
        return;
    };
    let task = Move {
        execution: id.clone(),
        step: name.to_owned(),
        run: run.run,
        from: run.status,
    };
    world.after(delay, world::Task::SageMaker(Task(Later::MoveOn(task))));
}
