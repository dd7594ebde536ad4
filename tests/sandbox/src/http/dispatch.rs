//! One call: who fails it, who answers it, and who remembers it.

use serde_json::Value;

use crate::{
    faults::CallEffect,
    services::{self, cloudtrail, iam, lambda, sts},
    world::{ApiError, Call, RecordedCall, World},
};

/// Why a call has no answer to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The service says no.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The connection breaks before the answer.
    #[error("the connection broke before the answer")]
    ConnectionLost,
    /// The function that made the call is dead, and nobody waits for the answer.
    #[error("the function that made the call was killed")]
    CallerKilled,
}

/// Answers a call that was made with this access key, unless a fault was asked for.
pub fn dispatch(world: &mut World, call: &Call, access_key: &str) -> Result<Value, Failure> {
    let origin = sts::origin(world, access_key).to_owned();
    if lambda::is_killed(world, &origin) {
        return Err(Failure::CallerKilled);
    }
    match world.faults.take_call(call) {
        None | Some(CallEffect::Pass) => answer(world, call, access_key),
        Some(CallEffect::Meanwhile { deed, after }) => {
            if !after {
                deed.happen(world);
            }
            let answer = answer(world, call, access_key);
            if after {
                deed.happen(world);
            }
            answer
        }
        Some(CallEffect::AnswerLate(by)) => {
            world.faults.late = Some(by);
            answer(world, call, access_key)
        }
        Some(CallEffect::Refuse(error)) => {
            record(world, call, &Err(error.clone()));
            Err(Failure::Api(error))
        }
        Some(CallEffect::LoseAnswer) => {
            let _ = perform(world, call);
            Err(Failure::ConnectionLost)
        }
        Some(CallEffect::KillCaller { after }) => {
            if after {
                let _ = perform(world, call);
            }
            Err(if lambda::kill(world, &origin) {
                Failure::CallerKilled
            } else {
                Failure::ConnectionLost
            })
        }
    }
}

fn answer(world: &mut World, call: &Call, access_key: &str) -> Result<Value, Failure> {
    let output = perform(world, call)?;
    if let Some(key) = output["Credentials"]["AccessKeyId"].as_str() {
        sts::set_origin(world, key, access_key);
    }
    Ok(output)
}

/// Answers a call without faults, and remembers it.
pub fn perform(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let outcome = permit(world, call).and_then(|()| services::answer(world, call));
    record(world, call, &outcome);
    outcome
}

/// Refuses a role whose policies do not allow everything that the call needs.
fn permit(world: &mut World, call: &Call) -> Result<(), ApiError> {
    if call.caller.role.is_none() {
        return Ok(());
    }
    for wanted in iam::requests::of(world, call)? {
        iam::identity::check(world, &call.caller, &wanted)?;
    }
    Ok(())
}

fn record(world: &mut World, call: &Call, outcome: &Result<Value, ApiError>) {
    cloudtrail::record(world, call, outcome);
    let mut input = call.input.clone();
    if let ("ssm", Some(members)) = (call.service.as_str(), input.as_object_mut()) {
        // The value may be a secret, and who looks at calls does not need it.
        members.remove("Value");
    }
    world.calls.push(RecordedCall {
        time: world.now,
        caller: call.caller.clone(),
        region: call.region.clone(),
        service: call.service.clone(),
        operation: call.operation.clone(),
        input,
        error: outcome.as_ref().err().map(|error| error.code.clone()),
    });
}
