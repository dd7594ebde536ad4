//! What clients and event consumers see of SageMaker Pipelines.

mod cache;
mod callbacks;
mod executions;
mod lists;
mod location;
mod notices;
mod pipelines;
mod retries;
mod sdk;
mod search;
mod selection;
mod sharing;
mod steps;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call;
use crate::world::{ApiError, AssumedRole, Call, Caller, World, pass};

const OWNER: &str = "111111111111";
const CONSUMER: &str = "222222222222";
const REGION: &str = "eu-west-1";
const ROLE: &str = "arn:aws:iam::111111111111:role/pipelines";
const CHURN: &str = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/Churn";

fn world() -> World {
    World::new("2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap())
}

/// A call of the owner's administrator.
fn owner(operation: &str, input: Value) -> Call {
    Call {
        caller: Caller::administrator(OWNER),
        region: REGION.to_owned(),
        service: "sagemaker".to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

/// A call of a role in the consumer's account.
fn consumer(operation: &str, input: Value) -> Call {
    let role = AssumedRole {
        name: "engineer".to_owned(),
        session: "ada".to_owned(),
    };
    Call {
        caller: Caller {
            account: CONSUMER.to_owned(),
            role: Some(role),
        },
        ..owner(operation, input)
    }
}

fn ask(world: &mut World, operation: &str, input: Value) -> Value {
    let answer = call(world, &owner(operation, input));
    answer.unwrap_or_else(|error| panic!("{operation}: {error}"))
}

fn refuse(world: &mut World, operation: &str, input: Value) -> ApiError {
    call(world, &owner(operation, input)).expect_err(operation)
}

/// A token that is long enough.
fn token(seed: &str) -> String {
    format!("{seed:-<32}")
}

fn create(world: &mut World, name: &str, definition: &Value) {
    let input = json!({
        "PipelineName": name,
        "PipelineDefinition": definition.to_string(),
        "RoleArn": ROLE,
        "ClientRequestToken": token(&format!("create-{name}")),
    });
    ask(world, "CreatePipeline", input);
}

fn start(world: &mut World, seed: &str) -> String {
    let input = json!({ "PipelineName": "Churn", "ClientRequestToken": token(seed) });
    arn(&ask(world, "StartPipelineExecution", input))
}

fn arn(answer: &Value) -> String {
    let arn = answer["PipelineExecutionArn"].as_str();
    arn.unwrap().to_owned()
}

fn on_execution(world: &mut World, operation: &str, arn: &str) -> Value {
    ask(world, operation, json!({ "PipelineExecutionArn": arn }))
}

fn stop_or_retry(world: &mut World, operation: &str, arn: &str, seed: &str) {
    let input = json!({ "PipelineExecutionArn": arn, "ClientRequestToken": token(seed) });
    ask(world, operation, input);
}

fn status(world: &mut World, arn: &str) -> String {
    let execution = on_execution(world, "DescribePipelineExecution", arn);
    execution["PipelineExecutionStatus"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Name and status of each step that has begun, oldest first.
fn steps(world: &mut World, arn: &str) -> Vec<String> {
    let input = json!({
        "PipelineExecutionArn": arn, "SortOrder": "Ascending", "MaxResults": 100,
    });
    let answer = ask(world, "ListPipelineExecutionSteps", input);
    let steps = answer["PipelineExecutionSteps"].as_array().unwrap();
    let text = |step: &Value, member: &str| step[member].as_str().unwrap().to_owned();
    let line = |step| format!("{} {}", text(step, "StepName"), text(step, "StepStatus"));
    steps.iter().map(line).collect()
}

/// The step of this name, as it is listed.
fn step(world: &mut World, arn: &str, name: &str) -> Value {
    let input = json!({ "PipelineExecutionArn": arn, "MaxResults": 100 });
    let answer = ask(world, "ListPipelineExecutionSteps", input);
    let mut steps = answer["PipelineExecutionSteps"].as_array().unwrap().iter();
    steps.find(|step| step["StepName"] == name).unwrap().clone()
}

fn definition(parameters: Value, steps: Value) -> Value {
    let mut definition = json!({ "Version": "2020-12-01" });
    definition["Parameters"] = parameters;
    definition["Steps"] = steps;
    definition
}

/// Two steps, the second of which uses what the first makes.
fn chain() -> Value {
    definition(
        json!([]),
        json!([
            { "Name": "Prepare", "Type": "Processing", "Arguments": {} },
            { "Name": "Train", "Type": "Training", "Arguments": {
                "HyperParameters": {
                    "input": { "Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri" },
                },
            } },
        ]),
    )
}
