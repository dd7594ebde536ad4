//! `Search`, for pipelines and their executions.

mod expression;
mod property;

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::{expression::Expression, property::Resource};
use super::{
    executions, input, output, pipelines,
    state::{Execution, Pipeline},
};
use crate::{
    readings::Search,
    services::tags,
    world::{ApiError, Call, World},
};

/// The resources that the model lets clients search for.
const RESOURCES: [&str; 18] = [
    "TrainingJob",
    "Experiment",
    "ExperimentTrial",
    "ExperimentTrialComponent",
    "Endpoint",
    "Model",
    "ModelPackage",
    "ModelPackageGroup",
    "Pipeline",
    "PipelineExecution",
    "FeatureGroup",
    "FeatureMetadata",
    "Image",
    "ImageVersion",
    "Project",
    "HyperParameterTuningJob",
    "ModelCard",
    "PipelineVersion",
];

/// How far the search may lag behind.
const LAG: SignedDuration = SignedDuration::from_mins(10);

/// `Search` among the caller's own pipelines or executions.
pub(super) fn search(world: &World, call: &Call) -> Result<Value, ApiError> {
    let resource = resource(call)?;
    input::unsupported(call, "VisibilityConditions")?;
    let accounts = ["SameAccount", "CrossAccount"];
    if input::one_of(call, "CrossAccountFilterOption", &accounts)? == "CrossAccount" {
        input::unsupported(call, "CrossAccountFilterOption")?;
    }
    let expression = match call.input.get("SearchExpression") {
        None | Some(Value::Null) => None,
        Some(document) => Some(Expression::read(document, resource)?),
    };
    let by = input::text(call, "SortBy")?.unwrap_or("LastModifiedTime");
    resource.kind(by)?;
    let mut found = records(world, call, resource);
    if let Some(expression) = expression {
        found.retain(|record| expression.holds(record));
    }
    found.sort_by(|a, b| order(property::value(a, by), property::value(b, by)));
    let hits = found.len();
    let found = output::ordered(call, found)?.into_iter();
    let results = found.map(|record| json!({ resource.name(): record }));
    let mut answer = output::page(call, "Results", results.collect())?;
    answer["TotalHits"] = json!({ "Value": hits, "Relation": "EqualTo" });
    Ok(answer)
}

fn resource(call: &Call) -> Result<Resource, ApiError> {
    input::required(call, "Resource")?;
    match input::one_of(call, "Resource", &RESOURCES)? {
        "Pipeline" => Ok(Resource::Pipeline),
        "PipelineExecution" => Ok(Resource::Execution),
        _ => Err(ApiError::not_implemented(call)),
    }
}

/// Everything that could be found.
fn records(world: &World, call: &Call, resource: Resource) -> Vec<Value> {
    let pipelines = world.sagemaker.own_pipelines(call);
    let is_shown = |modified: Timestamp| match world.readings.search {
        Search::AtOnce => true,
        Search::TenMinutes => world.now.duration_since(modified) >= LAG,
    };
    match resource {
        Resource::Pipeline => pipelines
            .filter(|it| is_shown(it.modified))
            .map(pipeline)
            .collect(),
        Resource::Execution => pipelines
            .flat_map(|it| &it.executions)
            .filter(|it| is_shown(it.modified))
            .map(execution)
            .collect(),
    }
}

fn pipeline(pipeline: &Pipeline) -> Value {
    let mut record = pipelines::record(pipeline);
    if !pipeline.tags.is_empty() {
        record["Tags"] = Value::from(tags::shown(&pipeline.tags));
    }
    record
}

fn execution(execution: &Execution) -> Value {
    let mut record = executions::record(execution);
    if !execution.parameters.is_empty() {
        record["PipelineParameters"] = Value::from(execution.parameters.clone());
    }
    record
}

/// ASSUMED: what lacks the property comes before what has it.
fn order(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => property::compare(left, right).unwrap_or(Ordering::Equal),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}
