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
    let given = |member: &str| step.document.get(member).map(|value| scope.resolve(value));
    if let Some((member, resource)) = job(&step.kind) {
        return Some(json!({ member: { "Arn": arn(step, place, resource) } }));
    }
    match step.kind.as_str() {
        "QualityCheck" | "ClarifyCheck" => Some(json!({
            &step.kind: { "CheckJobArn": arn(step, place, "processing-job") }
        })),
        "Lambda" => Some(json!({ "Lambda": present(json!({
            "Arn": given("FunctionArn"),
            "OutputParameters": [],
        })) })),
        "Callback" => Some(json!({ "Callback": present(json!({
            "CallbackToken": place.suffix.get(..10),
            "SqsQueueUrl": given("SqsQueueUrl"),
            "OutputParameters": [],
        })) })),
        "EMR" => Some(json!({ "EMR": present(json!({
            "ClusterId": given("ClusterId"),
        })) })),
        _ => None,
    }
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
fn arn(step: &Step, place: &Place<'_>, resource: &str) -> String {
    let Place {
        account,
        region,
        execution,
        suffix,
    } = place;
    let name: String = step.name.replace('_', "-").chars().take(20).collect();
    let suffix: String = suffix.chars().take(10).collect();
    format!("arn:aws:sagemaker:{region}:{account}:{resource}/pipelines-{execution}-{name}-{suffix}")
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
