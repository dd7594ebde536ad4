//! What `{"Get": path}` means in an execution.
//!
//! The properties of a step are those that describing its job would show: the
//! arguments that made it, its name and ARN, and the output parameters that
//! somebody gave. What only a real job would know has no value.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    conditions,
    definition::Step,
    state::{Execution, StepRun},
};
use crate::world::epoch_seconds;

/// An execution at a point in time.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) execution: &'a Execution,
    pub(super) now: Timestamp,
}

impl Scope<'_> {
    /// The value at the path, as far as it can be known.
    pub(super) fn get(&self, path: &str) -> Option<Value> {
        let execution = self.execution;
        let (scope, name) = path.split_once('.')?;
        match (scope, name) {
            ("Parameters", name) => execution.values.get(name).cloned(),
            ("Execution", "PipelineName") => Some(execution.pipeline_name.as_str().into()),
            ("Execution", "PipelineArn") => Some(execution.pipeline_arn.as_str().into()),
            ("Execution", "PipelineExecutionId") => Some(execution.id.as_str().into()),
            ("Execution", "PipelineExecutionArn") => Some(execution.arn.as_str().into()),
            ("Execution", "StartDateTime") => Some(epoch_seconds(execution.created)),
            ("Execution", "CurrentDateTime") => Some(epoch_seconds(self.now)),
            ("Steps", path) => self.property(path),
            _ => None,
        }
    }

    /// The value with every expression in it replaced by what it means.
    ///
    /// ASSUMED: an expression that only a real job could answer stays as it is.
    pub(super) fn resolve(&self, value: &Value) -> Value {
        let lookup = |path: &str| self.get(path);
        if value.is_object()
            && let Some(known) = conditions::resolve(value, &lookup)
        {
            return known;
        }
        match value {
            Value::Array(items) => items.iter().map(|item| self.resolve(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (name.clone(), self.resolve(member)))
                .collect(),
            value => value.clone(),
        }
    }

    fn property(&self, path: &str) -> Option<Value> {
        let (name, path) = path.split_at(path.find(['.', '['])?);
        let step = self.execution.definition.step(name)?;
        let run = self.execution.step(name)?;
        let described = described(step, run).and_then(|members| navigate(&members, path));
        described.or_else(|| navigate(&run.arguments, path))
    }
}

/// The properties of a step beside the arguments of its job.
fn described(step: &Step, run: &StepRun) -> Option<Value> {
    let metadata = run.metadata.as_ref()?.as_object()?.values().next()?;
    let Some(arn) = metadata.get("Arn").and_then(Value::as_str) else {
        return Some(outcome_as_boolean(metadata));
    };
    let name = arn.rsplit('/').next()?;
    let job = match step.kind.as_str() {
        "Tuning" => "HyperParameterTuningJob",
        "Training" => "TrainingJob",
        "Processing" => "ProcessingJob",
        "Transform" => "TransformJob",
        "AutoML" => "AutoMLJob",
        "RegisterModel" => return Some(json!({ "ModelPackageArn": arn })),
        "Lambda" => return Some(metadata.clone()),
        other => other,
    };
    let mut members = json!({ format!("{job}Arn"): arn, format!("{job}Name"): name });
    let output = navigate(&run.arguments, ".OutputDataConfig.S3OutputPath");
    if step.kind == "Training"
        && let Some(folder) = output.as_ref().and_then(Value::as_str)
    {
        let folder = folder.trim_end_matches('/');
        let artifacts = format!("{folder}/{name}/output/model.tar.gz");
        members["ModelArtifacts"] = json!({ "S3ModelArtifacts": artifacts });
    }
    Some(members)
}

/// Metadata write the outcome of a condition as a text, properties as a truth value.
fn outcome_as_boolean(metadata: &Value) -> Value {
    match metadata.get("Outcome").and_then(Value::as_str) {
        Some(outcome) => json!({ "Outcome": outcome == "True" }),
        None => metadata.clone(),
    }
}

/// Follows a path such as `.Outputs['train'].S3Output.S3Uri` or `.Containers[0].Image`.
fn navigate(value: &Value, path: &str) -> Option<Value> {
    if path.is_empty() {
        return Some(value.clone());
    }
    if let Some(rest) = path.strip_prefix('.') {
        let (name, rest) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        return navigate(value.get(name)?, rest);
    }
    let (key, rest) = path.strip_prefix('[')?.split_once(']')?;
    match key.trim_matches(['\'', '"']) {
        quoted if quoted != key => navigate(&named(value, quoted)?, rest),
        index => navigate(value.get(index.parse::<usize>().ok()?)?, rest),
    }
}

/// The member of an object, or the item of a list with this `OutputName`,
/// `ChannelName` or other name. A pair of name and value stands for its value.
fn named(value: &Value, name: &str) -> Option<Value> {
    let Some(items) = value.as_array() else {
        return value.get(name).cloned();
    };
    let mut items = items.iter().filter_map(Value::as_object);
    let item = items.find(|item| {
        let mut members = item.iter();
        members.any(|(member, value)| member.ends_with("Name") && value == name)
    })?;
    match item.get("Value") {
        Some(value) if item.contains_key("Name") => Some(value.clone()),
        _ => Some(Value::Object(item.clone())),
    }
}
