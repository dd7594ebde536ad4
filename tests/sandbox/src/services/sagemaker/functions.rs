//! Functions in definitions, such as `{"Get": "Parameters.Epochs"}`, which
//! stand for values that are known when a step starts.

use serde_json::Value;

use super::{
    definition::{Parameter, ParameterType},
    problem::{Problem, array, given, members, required, string, unknown_property},
};

/// What an execution knows about itself: `ExecutionVariables` of the SageMaker Python SDK.
const EXECUTION: [&str; 8] = [
    "CurrentDateTime",
    "PipelineArn",
    "PipelineExecutionArn",
    "PipelineExecutionId",
    "PipelineName",
    "ProcessingJobName",
    "StartDateTime",
    "TrainingJobName",
];

/// What `PipelineExperimentConfig` says of an execution.
const EXPERIMENT: [&str; 2] = ["ExperimentName", "TrialName"];

/// Checks a function, and finds the type of its value if a definition says it.
///
/// What a step leaves behind is as its job's API says, and is taken for any type.
pub(super) fn check(
    function: &Value,
    parameters: &[Parameter],
) -> Result<Option<ParameterType>, Problem> {
    let members = members(function, &["Get", "Std:Join", "Std:JsonGet"])?;
    let mut members = members.iter();
    match (members.next(), members.next()) {
        (Some((name, path)), None) if name == "Get" => check_path(string(path)?, parameters),
        (Some((name, join)), None) if name == "Std:Join" => {
            check_join(join, parameters).map(|()| Some(ParameterType::String))
        }
        (Some((_, json_get)), None) => check_json_get(json_get, parameters).map(|()| None),
        (Some(_), Some((second, _))) => Err(unknown_property(second)),
        (None, _) => Err("An object without members is no function.".into()),
    }
}

/// Checks a text, number, truth value, or a function that stands for one.
pub(super) fn check_value(value: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    match value {
        Value::Object(_) => check(value, parameters).map(drop),
        Value::Array(_) | Value::Null => Err("Expecting a value or a function.".into()),
        _ => Ok(()),
    }
}

fn check_path(path: &str, parameters: &[Parameter]) -> Result<Option<ParameterType>, Problem> {
    let known = match path.split_once('.') {
        Some(("Parameters", name)) => {
            let parameter = parameters.iter().find(|known| known.name() == name);
            let parameter = parameter.ok_or_else(|| format!("Undefined parameter '{name}'."))?;
            return Ok(Some(parameter.kind()));
        }
        Some(("Execution", name)) => EXECUTION.contains(&name),
        Some(("PipelineExperimentConfig", name)) => EXPERIMENT.contains(&name),
        Some(("Steps", path)) => path.contains(['.', '[']),
        _ => false,
    };
    if known {
        Ok(None)
    } else {
        Err(format!("Unknown property reference '{path}'.").into())
    }
}

fn check_join(join: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    let members = members(join, &["On", "Values"])?;
    members.get("On").map_or(Ok(""), string)?;
    let mut values = array(required(members, "Values")?)?.iter();
    values.try_for_each(|value| check_value(value, parameters))
}

fn check_json_get(json_get: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    let members = members(json_get, &["PropertyFile", "S3Uri", "Path"])?;
    string(required(members, "Path")?)?;
    let source = given(members, "PropertyFile").or(given(members, "S3Uri"));
    let source = source.ok_or("Std:JsonGet needs a property file or an S3 URI.")?;
    check_value(source, parameters)
}
