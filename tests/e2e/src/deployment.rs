//! Actions of `CodePipeline` that invoke the deployment hook, and what becomes of them.

use sandbox::services::codepipeline::{self, Action, Artifact, Artifacts, Status};
use serde_json::{Value, json};

use crate::{REGION, SHARED, Scenario};

/// A policy whose one rule waits for the hook.
pub const HOOKED: &str = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
rules:
  - { name: readers, owner: test, pipelines: ["*"], with: [dev], access: read, after: hook }
"#;

/// The share of that rule.
pub const READERS: &str = "pipeshare-readers.111111111111";

/// What people write into the action.
#[must_use]
pub fn parameters() -> Value {
    json!({
        "pipeline": "churn",
        "owner": "test",
        "execution": "#{codepipeline.PipelineExecutionId}",
        "action": "Share",
    })
}

/// The same with another key.
#[must_use]
pub fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut parameters = parameters();
    parameters[name] = value.into();
    parameters
}

/// Begins the action of an execution, or begins it again.
pub fn deploy(scenario: &Scenario, execution: &str, parameters: &Value) -> String {
    let action = Action {
        pipeline: "deploy".to_owned(),
        stage: "Test".to_owned(),
        name: "Share".to_owned(),
        execution: execution.to_owned(),
        function: "pipeshare-codepipeline-hook".to_owned(),
        user_parameters: parameters.to_string(),
    };
    let mut world = scenario.estate.sandbox.world();
    let artifact = |name: &str, revision: Option<&str>| Artifact {
        name: name.to_owned(),
        bucket: "artifacts".to_owned(),
        key: format!("deploy/{name}/1"),
        revision: revision.map(str::to_owned),
    };
    let artifacts = Artifacts {
        input: vec![artifact("Built", Some("a1b2c3"))],
        output: vec![artifact("Shared", None)],
        encryption_key: Some(format!("arn:aws:kms:{REGION}:{SHARED}:key/artifacts")),
    };
    let begun = codepipeline::begin_with(&mut world, SHARED, REGION, action, artifacts);
    begun.unwrap_or_else(|error| panic!("{error}"))
}

/// How an action stands.
#[must_use]
pub fn status(scenario: &Scenario, action: &str) -> Status {
    let world = scenario.estate.sandbox.world();
    let run = codepipeline::action(&world, action).expect("the action was begun");
    run.status.clone()
}

/// A variable of an action that succeeded.
#[must_use]
pub fn variable(scenario: &Scenario, action: &str, name: &str) -> String {
    match status(scenario, action) {
        Status::Succeeded { variables } => variables.get(name).cloned().unwrap_or_default(),
        other => panic!("it is {other:?}: {}", scenario.logs()),
    }
}

/// Type and message of the failure of an action.
pub fn failure(scenario: &Scenario, action: &str) -> (String, String) {
    match status(scenario, action) {
        Status::Failed { kind, message } => (kind, message),
        other => panic!("it is {other:?}: {}", scenario.logs()),
    }
}

/// How many executions a pipeline of test has.
pub async fn executions(scenario: &Scenario, pipeline: &str) -> usize {
    let listed = scenario.test.sagemaker.list_pipeline_executions();
    let listed = listed.pipeline_name(pipeline).send().await;
    let listed = listed.unwrap_or_else(|error| panic!("{error:?}"));
    listed.pipeline_execution_summaries().len()
}

/// An estate with this policy, in which test has the pipeline `churn`.
pub async fn deployed(policy: &str) -> Scenario {
    let scenario = Scenario::begin(policy).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    scenario
}
