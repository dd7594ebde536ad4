//! What a job looks like, to the function and to whoever asks for it.

use serde_json::{Value, json};

use super::{ActionRun, SECRET};
use crate::world::World;

/// The variable that CodePipeline replaces with the id of the execution.
const EXECUTION_ID: &str = "#{codepipeline.PipelineExecutionId}";

/// What the function is invoked with.
pub(super) fn event(world: &mut World, run: &ActionRun, job: &str, token: Option<&str>) -> Value {
    json!({
        "CodePipeline.job": {
            "id": job,
            "accountId": run.account,
            "data": data(world, run, token),
        },
    })
}

/// The data of a job, credentials included.
///
/// The event does not say which pipeline, stage and action it is of.
pub(super) fn data(world: &mut World, run: &ActionRun, token: Option<&str>) -> Value {
    let action = &run.action;
    let parameters = action
        .user_parameters
        .replace(EXECUTION_ID, &action.execution);
    let mut secret = |what: &str| {
        let hex = world.hex(&format!("credentials {what}"));
        format!("{SECRET}-{what}-{hex}")
    };
    let mut data = json!({
        "actionConfiguration": {
            "configuration": { "FunctionName": action.function, "UserParameters": parameters },
        },
        "artifactCredentials": {
            "accessKeyId": secret("access-key"),
            "secretAccessKey": secret("secret-key"),
            "sessionToken": secret("session-token"),
            "expirationTime": (world.now + std::time::Duration::from_hours(1)).as_millisecond(),
        },
    });
    run.artifacts.describe(&mut data);
    if let Some(token) = token {
        data["continuationToken"] = token.into();
    }
    data
}
