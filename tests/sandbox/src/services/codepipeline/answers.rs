//! Answers to jobs, held against the limits of the API model.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ActionRun, Job, PAUSE, Status, Task, end, is_in_progress, jobs};
use crate::{
    readings::{JobDetails, JobOver},
    services::validation::invalid,
    world::{self, ApiError, Call, World},
};

/// The size of all variables of an action, in bytes.
const MAX_VARIABLES: usize = 122_880;

const FAILURE_TYPES: [&str; 6] = [
    "JobFailed",
    "ConfigurationError",
    "PermissionError",
    "RevisionOutOfSync",
    "RevisionUnavailable",
    "SystemUnavailable",
];

/// `PutJobSuccessResult`: done, or with a token, to be gone on with.
pub(super) fn success(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = job_id(call)?;
    let token = text(&call.input, "continuationToken", 2048)?;
    let details = object(&call.input, "executionDetails")?;
    let summary = text(&details, "executionDetails.summary", 2048)?;
    let external = text(&details, "executionDetails.externalExecutionId", 1500)?;
    check_percentage(&details["percentComplete"])?;
    check_revision(&object(&call.input, "currentRevision")?)?;
    let variables = variables(&call.input)?;
    if token.is_some() && !variables.is_empty() {
        // ASSUMED: the error; the reference says only that they exclude each other.
        let message = "outputVariables can be included only when there is no continuation token";
        return Err(invalid(message));
    }
    let action = take(world, call, &id)?;
    if let Some(run) = world.codepipeline.actions.get_mut(&action) {
        run.summary = summary.or(run.summary.take());
        run.external_execution = external.or(run.external_execution.take());
    }
    match token {
        Some(token) => {
            let task = Task::GoOn(action, token);
            world.after(PAUSE, world::Task::CodePipeline(task));
        }
        None => end(world, &action, Status::Succeeded { variables }),
    }
    Ok(Value::Null)
}

/// `PutJobFailureResult`.
pub(super) fn failure(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = job_id(call)?;
    let details = object(&call.input, "failureDetails")?;
    let kind = text(&details, "failureDetails.type", usize::MAX)?;
    let kind = kind.ok_or_else(|| missing("failureDetails.type"))?;
    if !FAILURE_TYPES.contains(&kind.as_str()) {
        let values = FAILURE_TYPES.join(", ");
        let wanted = format!("satisfy enum value set: [{values}]");
        return Err(constraint("failureDetails.type", &kind, &wanted));
    }
    let message = text(&details, "failureDetails.message", 5000)?;
    let message = message.ok_or_else(|| missing("failureDetails.message"))?;
    let external = text(&details, "failureDetails.externalExecutionId", 1500)?;
    let action = take(world, call, &id)?;
    if let Some(run) = world.codepipeline.actions.get_mut(&action) {
        run.external_execution = external.or(run.external_execution.take());
    }
    end(world, &action, Status::Failed { kind, message });
    Ok(Value::Null)
}

/// `GetJobDetails`: what the event says, and where the job belongs.
pub(super) fn details(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = job_id(call)?;
    let (job, run) = find(world, call, &id)?;
    if world.readings.job_details == JobDetails::Refused {
        return Err(not_found());
    }
    let mut data = jobs::data(world, &run, job.token.as_deref());
    data["actionTypeId"] =
        json!({ "category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1" });
    // The model counts no seconds here.
    if let Some(credentials) = data["artifactCredentials"].as_object_mut() {
        credentials.remove("expirationTime");
    }
    // The event shows a revision that is not known as null, an answer leaves it out.
    for list in ["inputArtifacts", "outputArtifacts"] {
        let artifacts = data[list].as_array_mut().into_iter().flatten();
        for artifact in artifacts.filter_map(Value::as_object_mut) {
            artifact.retain(|_, value| !value.is_null());
        }
    }
    let (account, region, action) = (&run.account, &run.region, &run.action);
    data["pipelineContext"] = json!({
        "pipelineName": action.pipeline,
        "stage": { "name": action.stage },
        "action": { "name": action.name, "actionExecutionId": job.action },
        "pipelineArn": format!("arn:aws:codepipeline:{region}:{account}:{}", action.pipeline),
        "pipelineExecutionId": action.execution,
    });
    Ok(json!({ "jobDetails": { "id": id, "accountId": account, "data": data } }))
}

/// The job and its action, if they are of the caller's account and Region.
fn find(world: &World, call: &Call, id: &str) -> Result<(Job, ActionRun), ApiError> {
    let state = &world.codepipeline;
    let job = state.jobs.get(id);
    let found = job.and_then(|job| Some((job.clone(), state.actions.get(&job.action)?.clone())));
    let own = |(_, run): &(Job, ActionRun)| {
        run.account == call.caller.account && run.region == call.region
    };
    found.filter(own).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::new(
        "JobNotFoundException",
        "The job was specified in an invalid format or cannot be found.",
    )
}

/// Takes the one answer to a job, and returns its action.
fn take(world: &mut World, call: &Call, id: &str) -> Result<String, ApiError> {
    let (job, _) = find(world, call, id)?;
    if job.is_answered || !is_in_progress(world, &job.action) {
        return Err(match world.readings.job_over {
            JobOver::InvalidState => {
                ApiError::new("InvalidJobStateException", "The job is not in progress.")
            }
            JobOver::NotFound => not_found(),
        });
    }
    if let Some(job) = world.codepipeline.jobs.get_mut(id) {
        job.is_answered = true;
    }
    Ok(job.action)
}

fn job_id(call: &Call) -> Result<String, ApiError> {
    let id = text(&call.input, "jobId", usize::MAX)?;
    let id = id.ok_or_else(|| missing("jobId"))?;
    let is_hex = |part: &str| {
        let mut bytes = part.bytes();
        bytes.all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    if lengths == [8, 4, 4, 4, 12] && id.split('-').all(is_hex) {
        return Ok(id);
    }
    let pattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let wanted = format!("satisfy regular expression pattern: {pattern}");
    Err(constraint("jobId", &id, &wanted))
}

/// A text of 1 to so many characters, by the last part of its path.
fn text(input: &Value, path: &str, most: usize) -> Result<Option<String>, ApiError> {
    let member = path.rsplit('.').next().unwrap_or(path);
    match &input[member] {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => {
            let wanted = "have length greater than or equal to 1";
            Err(constraint(path, text, wanted))
        }
        Value::String(text) if text.chars().count() > most => {
            let wanted = format!("have length less than or equal to {most}");
            Err(constraint(path, text, &wanted))
        }
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(mistyped(path)),
    }
}

fn object(input: &Value, member: &str) -> Result<Value, ApiError> {
    match &input[member] {
        Value::Null => Ok(json!({})),
        object @ Value::Object(_) => Ok(object.clone()),
        _ => Err(mistyped(member)),
    }
}

fn check_percentage(value: &Value) -> Result<(), ApiError> {
    let path = "executionDetails.percentComplete";
    match (value, value.as_i64()) {
        (Value::Null, _) | (_, Some(0..=100)) => Ok(()),
        (_, Some(number)) => {
            let wanted = "have value between 0 and 100";
            Err(constraint(path, &number.to_string(), wanted))
        }
        (_, None) => Err(mistyped(path)),
    }
}

fn check_revision(revision: &Value) -> Result<(), ApiError> {
    if revision.as_object().is_some_and(Map::is_empty) {
        return Ok(());
    }
    for (path, most) in [
        ("currentRevision.revision", 1500),
        ("currentRevision.changeIdentifier", 100),
    ] {
        text(revision, path, most)?.ok_or_else(|| missing(path))?;
    }
    text(revision, "currentRevision.revisionSummary", 2048).map(drop)
}

fn variables(input: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let mut variables = BTreeMap::new();
    let given = object(input, "outputVariables")?;
    for (name, value) in given.as_object().into_iter().flatten() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "@-_".contains(c);
        if name.is_empty() || !name.chars().all(plain) {
            let wanted = "satisfy regular expression pattern: [A-Za-z0-9@\\-_]+";
            return Err(constraint("outputVariables", name, wanted));
        }
        let value = value.as_str().ok_or_else(|| mistyped("outputVariables"))?;
        variables.insert(name.clone(), value.to_owned());
    }
    let size: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > MAX_VARIABLES {
        let message = "Exceeded the total size limit for all variables in the pipeline.";
        return Err(ApiError::new(
            "OutputVariablesSizeExceededException",
            message,
        ));
    }
    Ok(variables)
}

fn missing(path: &str) -> ApiError {
    let wanted = "Member must not be null";
    invalid(format!(
        "1 validation error detected: Value null at '{path}' failed to satisfy constraint: {wanted}"
    ))
}

fn constraint(path: &str, value: &str, wanted: &str) -> ApiError {
    invalid(format!(
        "1 validation error detected: Value '{value}' at '{path}' failed to satisfy constraint: \
         Member must {wanted}"
    ))
}

fn mistyped(path: &str) -> ApiError {
    ApiError::new(
        "SerializationException",
        format!("{path} has an unexpected type"),
    )
}
