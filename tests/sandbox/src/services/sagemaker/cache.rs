//! Step caching: what succeeded before with the same inputs is not run again.

use jiff::{Span, Timestamp, tz::TimeZone};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    arn::ExecutionId,
    definition::Step,
    state::{Source, Status, StepRun},
    variables::Scope,
};
use crate::world::World;

/// The `CacheConfig` of a step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    enabled: bool,
    expire_after: Option<String>,
}

impl Config {
    /// What is wrong with the configuration, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let text = self.expire_after.as_ref()?;
        let wrong = duration(text).is_none();
        wrong.then(|| format!("ExpireAfter '{text}' is not an ISO 8601 duration."))
    }

    /// The earliest end of a run that may be used again; none if no run may.
    ///
    /// ASSUMED: without `ExpireAfter`, runs may be used for good.
    fn earliest(&self, now: Timestamp) -> Option<Timestamp> {
        if !self.enabled {
            return None;
        }
        let Some(text) = &self.expire_after else {
            return Some(Timestamp::MIN);
        };
        let start = TimeZone::UTC.to_datetime(now).checked_sub(duration(text)?);
        let start = start.and_then(|start| TimeZone::UTC.to_timestamp(start));
        Some(start.unwrap_or(Timestamp::MIN))
    }
}

/// A duration in ISO 8601, or as AWS's own examples write it: `30d`, `T16m`, `30dT5h`.
fn duration(text: &str) -> Option<Span> {
    let text = text.to_ascii_uppercase();
    let digits = text.strip_prefix('P').unwrap_or(&text);
    let span: Span = format!("P{digits}").parse().ok()?;
    span.is_positive().then_some(span)
}

/// What must be the same for a run to be used again; none for steps that are not cached.
///
/// ASSUMED: which of the documented key attributes belong to which type, and
/// that checks have those of their processing job.
pub(super) fn signature(scope: Scope<'_>, step: &Step) -> Option<Value> {
    let names: &[&str] = match step.kind.as_str() {
        "Processing" => &["AppSpecification", "Environment", "ProcessingInputs"],
        "Training" => &[
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ],
        "Tuning" => &[
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition",
            "TrainingJobDefinitions",
        ],
        "AutoML" => &[
            "AutoMLJobConfig",
            "AutoMLJobObjective",
            "InputDataConfig",
            "ProblemType",
        ],
        "Transform" => &[
            "DataProcessing",
            "Environment",
            "ModelName",
            "TransformInput",
        ],
        // The check itself is what its processing job is made of, as the SDK writes it.
        "QualityCheck" | "ClarifyCheck" => &[
            "CheckType",
            "QualityCheckConfig",
            "ClarifyCheckConfig",
            "CheckJobConfig",
            "SkipCheck",
            "RegisterNewBaseline",
            "ModelPackageGroupName",
            "SuppliedBaselineConstraints",
            "SuppliedBaselineStatistics",
            "AppSpecification",
            "Environment",
            "ProcessingInputs",
        ],
        "EMR" => &["ClusterId", "StepConfig"],
        _ => return None,
    };
    let members = names.iter().filter_map(|name| {
        let value = argument(step, name)?;
        let value = only_inputs(name, value);
        Some(((*name).to_owned(), stamp(scope, scope.resolve(&value))))
    });
    Some(json!({ "Type": step.kind, "Inputs": members.collect::<Value>() }))
}

/// Checks and EMR steps keep some of their arguments beside `Arguments`.
fn argument<'a>(step: &'a Step, name: &str) -> Option<&'a Value> {
    let arguments = step.document.get("Arguments");
    let argument = arguments.and_then(|arguments| arguments.get(name));
    argument.or_else(|| step.document.get(name))
}

/// Arguments of which only some members count.
fn only_inputs(name: &str, value: &Value) -> Value {
    let counted: &[&str] = match name {
        "TrainingJobDefinition" => &[
            "AlgorithmSpecification",
            "HyperParameterRanges",
            "InputDataConfig",
            "StaticHyperParameters",
            "TuningObjective",
        ],
        "AutoMLJobConfig" => &[
            "CompletionCriteria",
            "CandidateGenerationConfig",
            "DataSplitConfig",
            "Mode",
        ],
        _ => return value.clone(),
    };
    let members = value.as_object().into_iter().flatten();
    members
        .filter(|(member, _)| counted.contains(&member.as_str()))
        .map(|(member, value)| (member.clone(), value.clone()))
        .collect()
}

/// Tells apart what different runs of a step made, even if nobody knows what it is.
fn stamp(scope: Scope<'_>, value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(|item| stamp(scope, item)).collect(),
        Value::Object(members) => {
            let path = members.get("Get").and_then(Value::as_str);
            let step = path.and_then(|path| path.strip_prefix("Steps."));
            let name = step.and_then(|step| step.split(['.', '[']).next());
            if let Some(run) = name.and_then(|name| scope.execution.step(name)) {
                return json!({ "Get": path, "Of": run.metadata });
            }
            let members = members.into_iter();
            members
                .map(|(name, member)| (name, stamp(scope, member)))
                .collect()
        }
        value => value,
    }
}

/// What a step uses again instead of running.
pub(super) struct Hit {
    pub(super) source: Source,
    pub(super) metadata: Option<Value>,
    pub(super) arguments: Value,
}

/// The most recent successful run with this signature, if the step may use one again.
///
/// ASSUMED: the age of a run counts from its end, and runs that were hits
/// themselves are none.
pub(super) fn find(world: &World, id: &ExecutionId, step: &Step, wanted: &Value) -> Option<Hit> {
    let earliest = step.cache.earliest(world.now)?;
    let pipeline = world.sagemaker.pipeline(&id.pipeline).ok()?;
    let fresh = |run: &StepRun| {
        run.name == step.name
            && run.status == Status::Succeeded
            && run.source.is_none()
            && run.ended.is_some_and(|ended| ended >= earliest)
            && run.signature.as_ref() == Some(wanted)
    };
    let candidates = pipeline.executions.iter().filter_map(|execution| {
        let run = execution.steps.iter().find(|run| fresh(run))?;
        Some((run, execution.arn.clone()))
    });
    let (run, arn) = candidates.max_by_key(|(run, _)| run.ended)?;
    Some(Hit {
        source: Source::Cache(arn),
        metadata: run.metadata.clone(),
        arguments: run.arguments.clone(),
    })
}
