//! The form of definitions: which members there are, and of what kind.
//!
//! As the JSON schema that AWS publishes has it (`aws-sagemaker-mlops/
//! sagemaker-model-building-pipeline-definition-JSON-schema`), and beyond it
//! what the SageMaker Python SDK writes and AWS takes: step types, members such
//! as `FailOnViolation`, and null for what is not set.

use serde_json::Value;

use super::{
    conditions,
    definition::Parameter,
    functions,
    problem::{Problem, array, given, members, missing, object, required, string},
};

/// What every step may have.
const COMMON: [&str; 6] = [
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
];

/// What the checks of data and models may have.
const CHECK: [&str; 11] = [
    "CacheConfig",
    "CheckType",
    "FailOnViolation",
    "ModelName",
    "ModelPackageGroupName",
    "PropertyFiles",
    "RegisterNewBaseline",
    "RetryPolicies",
    "SkipCheck",
    "SuppliedBaselineConstraints",
    "SuppliedBaselineStatistics",
];

/// Types that are named in the API's metadata of steps, but whose form is not published.
///
/// ASSUMED: they are called as the members of the metadata are.
const UNPUBLISHED: [&str; 12] = [
    "Athena",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockModelImport",
    "BedrockProvisionedModelThroughput",
    "Cleanup",
    "EMRServerless",
    "ForEach",
    "HubContent",
    "InferenceComponent",
    "Job",
    "Lineage",
];

/// The types of what Lambda and callback steps put out.
const OUTPUT_TYPES: [&str; 4] = ["String", "Integer", "Boolean", "Float"];

/// What a step of this type may have beside what all have; none if the type is unknown.
fn own_members(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "Condition" | "Fail" | "Endpoint" | "EndpointConfig" => &[],
        "Training" | "Transform" | "Tuning" | "AutoML" => &["RetryPolicies", "CacheConfig"],
        "EMR" => &["CacheConfig"],
        "Processing" => &["RetryPolicies", "CacheConfig", "PropertyFiles"],
        "Model" | "RegisterModel" => &["RetryPolicies"],
        "Lambda" => &["CacheConfig", "FunctionArn", "OutputParameters"],
        "Callback" => &["CacheConfig", "SqsQueueUrl", "OutputParameters"],
        "QualityCheck" | "ClarifyCheck" => &CHECK,
        _ => return None,
    })
}

/// Checks everything but the steps.
pub(super) fn check_document(document: &Value) -> Result<(), Problem> {
    let members = members(
        document,
        &[
            "Version",
            "Metadata",
            "Parameters",
            "PipelineExperimentConfig",
            "Steps",
        ],
    )?;
    let metadata = given(members, "Metadata").map(object).transpose()?;
    for value in metadata.into_iter().flat_map(|metadata| metadata.values()) {
        at_most("Metadata", value, 1024)?;
    }
    let parameters = given(members, "Parameters").map(array).transpose()?;
    parameters
        .into_iter()
        .flatten()
        .try_for_each(check_parameter)?;
    array(required(members, "Steps")?).map(drop)
}

fn check_parameter(parameter: &Value) -> Result<(), Problem> {
    let known = ["Name", "Type", "Description", "DefaultValue", "EnumValues"];
    let members = members(parameter, &known)?;
    let name = string(required(members, "Name")?)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    // The schema has names of 64 letters, the API reference of 256.
    if !(1..=256).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(format!("Invalid parameter name '{name}'.").into());
    }
    if members.get("DefaultValue").is_some_and(Value::is_null) {
        return Err(format!("Parameter '{name}' has a value of another type.").into());
    }
    if let Some(description) = given(members, "Description") {
        at_most("Description", description, 4096)?;
    }
    match given(members, "DefaultValue") {
        Some(default @ Value::String(_)) => at_most("DefaultValue", default, 4096),
        _ => Ok(()),
    }
}

fn at_most(member: &str, value: &Value, most: usize) -> Result<(), Problem> {
    if string(value)?.chars().count() <= most {
        return Ok(());
    }
    Err(format!("{member} has more than {most} letters.").into())
}

/// Checks a step, but neither its arguments nor the steps in its branches.
pub(super) fn check_step(step: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    let all = object(step)?;
    let kind = string(required(all, "Type")?)?;
    if UNPUBLISHED.contains(&kind) {
        return required(all, "Name").map(drop);
    }
    let own = own_members(kind).ok_or_else(|| format!("Unknown step type '{kind}'."))?;
    let members = members(step, &[&COMMON, own].concat())?;
    required(members, "Name")?;
    match kind {
        "Lambda" => check_function_step(step, "FunctionArn", parameters)?,
        "Callback" => check_function_step(step, "SqsQueueUrl", parameters)?,
        _ => drop(object(required(members, "Arguments")?)?),
    }
    if own.contains(&"CheckType") {
        required(members, "CheckType").and_then(string)?;
    }
    if let Some(cache) = given(members, "CacheConfig") {
        super::problem::members(cache, &["Enabled", "ExpireAfter"])?;
    }
    if let Some(description) = given(members, "Description") {
        at_most("Description", description, 4096)?;
    }
    match kind {
        "Condition" => check_condition_step(step, parameters),
        _ => Ok(()),
    }
}

/// Checks what a step calls or asks, and what is to come back.
fn check_function_step(
    step: &Value,
    target: &str,
    parameters: &[Parameter],
) -> Result<(), Problem> {
    let all = object(step)?;
    match required(all, target)? {
        function @ Value::Object(_) => functions::check(function, parameters).map(drop)?,
        text => string(text).map(drop)?,
    }
    given(all, "Arguments").map(object).transpose()?;
    let outputs = given(all, "OutputParameters").map(array).transpose()?;
    for output in outputs.unwrap_or_default() {
        let output = members(output, &["OutputName", "OutputType"])?;
        let kind = given(output, "OutputType").map(string).transpose()?;
        if let Some(unknown) = kind.filter(|kind| !OUTPUT_TYPES.contains(kind)) {
            return Err(format!("Unknown output type '{unknown}'.").into());
        }
    }
    Ok(())
}

fn check_condition_step(step: &Value, parameters: &[Parameter]) -> Result<(), Problem> {
    let arguments = step.get("Arguments").ok_or_else(|| missing("Arguments"))?;
    let arguments = members(arguments, &["Conditions", "IfSteps", "ElseSteps"])?;
    for branch in ["IfSteps", "ElseSteps"] {
        given(arguments, branch).map(array).transpose()?;
    }
    let mut all = array(required(arguments, "Conditions")?)?.iter();
    all.try_for_each(|condition| conditions::check(condition, parameters))
}
