//! What steps leave behind: the ARNs of the jobs that they ran.

use serde_json::{Value, json};

use super::{definition::Step, output::present, variables::Scope};
use crate::services::cloudtrail;

/// Where a step runs.
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) execution: &'a str,
    /// Hexadecimal digits of this run alone.
    pub(super) suffix: &'a str,
}

/// The metadata of a step that is executing; none for types without a job.
pub(super) fn of(step: &Step, place: &Place<'_>, scope: Scope<'_>) -> Option<Value> {
    if let Some((member, resource)) = job(&step.kind) {
        return Some(json!({ member: { "Arn": arn(step, place, "sagemaker", resource) } }));
    }
    if let Some(resource) = bedrock(&step.kind) {
        return Some(json!({ &step.kind: { "Arn": arn(step, place, "bedrock", resource) } }));
    }
    let given = |member: &str| step.document.get(member).map(|value| scope.resolve(value));
    let details = match step.kind.as_str() {
        "QualityCheck" | "ClarifyCheck" => check(step, place, scope),
        "Lambda" => json!({ "Arn": given("FunctionArn"), "OutputParameters": [] }),
        "Callback" => json!({
            "CallbackToken": place.suffix.get(..10),
            "SqsQueueUrl": given("SqsQueueUrl"),
            "OutputParameters": [],
        }),
        "EMR" => json!({
            "ClusterId": cluster(step, scope).unwrap_or_else(|| emr_id("j", place, 10)),
            "StepId": emr_id("s", place, 24),
            "StepName": step.name,
        }),
        "Lineage" => json!({ "ActionArns": {}, "ArtifactArns": {}, "ContextArns": {} }),
        _ => return None,
    };
    Some(json!({ &step.kind: present(details) }))
}

/// The cluster that a step of EMR runs on, if it is there already.
fn cluster(step: &Step, scope: Scope<'_>) -> Option<Value> {
    let id = step.document.pointer("/Arguments/ClusterId")?;
    Some(scope.resolve(id))
}

/// An id of EMR, of the digits that begin here; a step without a cluster makes one.
fn emr_id(prefix: &str, place: &Place<'_>, start: usize) -> Value {
    let digits: String = place.suffix.chars().skip(start).take(13).collect();
    format!("{prefix}-{}", digits.to_ascii_uppercase()).into()
}

/// What a check of quality or bias compares, and where it writes what it finds.
///
/// ASSUMED: a supplied baseline is the one that is used, otherwise the one
/// that was calculated; the names of the files; nothing is ever violated.
fn check(step: &Step, place: &Place<'_>, scope: Scope<'_>) -> Value {
    let given = |member: &str| step.document.get(member).map(|value| scope.resolve(value));
    let folder = output_folder(step, scope);
    let file = |name: &str| Some(json!(format!("{}/{name}", folder.as_ref()?)));
    let (constraints, statistics) = if step.kind == "QualityCheck" {
        (file("constraints.json"), file("statistics.json"))
    } else {
        (file("analysis.json"), None)
    };
    let used_constraints = given("SuppliedBaselineConstraints").or_else(|| constraints.clone());
    let used_statistics = given("SuppliedBaselineStatistics").or_else(|| statistics.clone());
    json!({
        "CheckType": given("CheckType"),
        "BaselineUsedForDriftCheckConstraints": used_constraints,
        "BaselineUsedForDriftCheckStatistics": used_statistics,
        "CalculatedBaselineConstraints": constraints,
        "CalculatedBaselineStatistics": statistics,
        "ModelPackageGroupName": given("ModelPackageGroupName"),
        "CheckJobArn": arn(step, place, "sagemaker", "processing-job"),
        "SkipCheck": given("SkipCheck"),
        "RegisterNewBaseline": given("RegisterNewBaseline"),
    })
}

/// Where the processing job of a check writes to, if that is known.
fn output_folder(step: &Step, scope: Scope<'_>) -> Option<String> {
    let outputs = "/Arguments/ProcessingOutputConfig/Outputs/0/S3Output/S3Uri";
    let folder = scope.resolve(step.document.pointer(outputs)?);
    Some(folder.as_str()?.trim_end_matches('/').to_owned())
}

/// The resource type of the steps that work with Amazon Bedrock.
///
/// ASSUMED: these steps are named as the members of the metadata are.
fn bedrock(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "BedrockCustomModel" => "custom-model",
        "BedrockCustomModelDeployment" => "custom-model-deployment",
        "BedrockModelImport" => "imported-model",
        "BedrockProvisionedModelThroughput" => "provisioned-model",
        _ => return None,
    })
}

/// The group of models in which a step registers one.
pub(super) fn model_package_group(step: &Step, scope: Scope<'_>) -> Option<String> {
    if step.kind != "RegisterModel" {
        return None;
    }
    let name = "/Arguments/ModelPackageGroupName";
    let name = scope.resolve(step.document.pointer(name)?);
    name.as_str().map(str::to_owned)
}

/// The member of the metadata and the resource type of the steps that run one job.
fn job(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "Training" => ("TrainingJob", "training-job"),
        "Processing" => ("ProcessingJob", "processing-job"),
        "Transform" => ("TransformJob", "transform-job"),
        "Tuning" => ("TuningJob", "hyper-parameter-tuning-job"),
        "AutoML" => ("AutoMLJob", "automl-job"),
        "Model" => ("Model", "model"),
        "RegisterModel" => ("RegisterModel", "model-package"),
        "Endpoint" => ("Endpoint", "endpoint"),
        "EndpointConfig" => ("EndpointConfig", "endpoint-config"),
        "InferenceComponent" => ("InferenceComponent", "inference-component"),
        _ => return None,
    })
}

/// ASSUMED: how much of the step's name the name of its job keeps; job names
/// have at most 63 characters and no underscores.
fn arn(step: &Step, place: &Place<'_>, service: &str, resource: &str) -> String {
    let Place {
        account,
        region,
        execution,
        suffix,
    } = place;
    let name: String = step.name.replace('_', "-").chars().take(20).collect();
    let suffix: String = suffix.chars().take(10).collect();
    format!("arn:aws:{service}:{region}:{account}:{resource}/pipelines-{execution}-{name}-{suffix}")
}

/// Metadata as events write it.
///
/// ASSUMED: member names start with a small letter at every level, and `EMR` is `emr`.
pub(super) fn for_event(metadata: &Value) -> Value {
    match metadata {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (member_name(name), for_event(value)))
            .collect(),
        Value::Array(items) => items.iter().map(for_event).collect(),
        value => value.clone(),
    }
}

fn member_name(name: &str) -> String {
    if name == "EMR" {
        name.to_ascii_lowercase()
    } else {
        cloudtrail::lower_first(name)
    }
}
