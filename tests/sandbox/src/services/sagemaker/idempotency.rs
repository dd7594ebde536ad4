//! Requests that are repeated with the same token are carried out once.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::input;
use crate::{
    readings::RunTokens,
    world::{ApiError, Call, World},
};

/// What tells requests apart: account, Region, operation and token.
///
/// ASSUMED: a token is its caller's account's own.
pub(super) type Request = (String, String, String, String);

/// What was asked and what was answered.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Answer {
    pub(super) time: Timestamp,
    input: Value,
    output: Value,
}

/// Carries out the operation unless the same request was answered before.
///
/// Errors are not kept: after one, the same token tries again.
pub(super) fn once(
    world: &mut World,
    call: &Call,
    operation: impl FnOnce(&mut World) -> Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let request = (
        call.caller.account.clone(),
        call.region.clone(),
        call.operation.clone(),
        input::token(call)?.to_owned(),
    );
    let remembered = world.sagemaker.answers.get(&request);
    if let Some(answer) = remembered.filter(|answer| is_remembered(world, answer)) {
        return if answer.input == call.input {
            Ok(answer.output.clone())
        } else {
            // ASSUMED: what happens to a token that comes back with another request.
            Err(ApiError::new(
                "ConflictException",
                "The ClientRequestToken was already used with different parameters.",
            ))
        };
    }
    let output = operation(world)?;
    let answer = Answer {
        time: world.now,
        input: call.input.clone(),
        output: output.clone(),
    };
    world.sagemaker.answers.insert(request, answer);
    Ok(output)
}

fn is_remembered(world: &World, answer: &Answer) -> bool {
    match world.readings.run_tokens {
        RunTokens::ForGood => true,
        RunTokens::AnHour => world.now < answer.time + SignedDuration::from_hours(1),
    }
}

/// Forgets the answers about a pipeline that is no more.
///
/// Otherwise a pipeline that is deleted and made again with the same token
/// would be reported as made but not exist.
pub(super) fn forget(world: &mut World, pipeline_arn: &str) {
    let answers = &mut world.sagemaker.answers;
    answers.retain(|_, answer| !is_about(answer, pipeline_arn));
}

/// Forgets that a pipeline was deleted which is made again: all else was forgotten then.
///
/// Deletions are few where an estate has thousands of pipelines.
pub(super) fn forget_deletion(world: &mut World, call: &Call, pipeline_arn: &str) {
    let from = |operation: &str| {
        let (account, region) = (call.caller.account.clone(), call.region.clone());
        (account, region, operation.to_owned(), String::new())
    };
    let deletions = from("DeletePipeline")..from("DeletePipeline\0");
    let answers = &mut world.sagemaker.answers;
    let over = answers.extract_if(deletions, |_, answer| is_about(answer, pipeline_arn));
    over.for_each(drop);
}

fn is_about(answer: &Answer, pipeline_arn: &str) -> bool {
    let member = |name: &str| answer.output.get(name).and_then(Value::as_str);
    let executions = || format!("{pipeline_arn}/execution/");
    member("PipelineArn") == Some(pipeline_arn)
        || member("PipelineExecutionArn").is_some_and(|arn| arn.starts_with(&executions()))
}
