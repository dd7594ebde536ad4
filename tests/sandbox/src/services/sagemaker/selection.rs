//! Selective execution: only some steps run, and take what they need from an
//! earlier execution of the pipeline.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    arn::{ExecutionId, PipelineId},
    definition::{Definition, Step},
    input,
    state::{Execution, Source, Status, StepRun},
};
use crate::world::{ApiError, Call, World};

const MEMBER: &str = "SelectiveExecutionConfig";
const MOST: usize = 50;

/// Which steps an execution shall run.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Selection {
    /// As the request has it.
    pub(super) config: Value,
    names: BTreeSet<String>,
}

impl Selection {
    /// Reads the request.
    ///
    /// ASSUMED: the wording of what is refused, here and below.
    pub(super) fn of(call: &Call, definition: &Definition) -> Result<Option<Self>, ApiError> {
        let config = match call.input.get(MEMBER) {
            None | Some(Value::Null) => return Ok(None),
            Some(config) => config,
        };
        let member = format!("{MEMBER}.SelectedSteps");
        let steps = config.get("SelectedSteps").and_then(Value::as_array);
        let steps = steps.ok_or_else(|| input::missing(&member))?;
        if steps.is_empty() || steps.len() > MOST {
            let wanted = format!("have length between 1 and {MOST}");
            return Err(input::constraint(
                &member,
                &config["SelectedSteps"],
                &wanted,
            ));
        }
        let names = steps.iter().map(|step| {
            let name = step.get("StepName").and_then(Value::as_str);
            let name = name.ok_or_else(|| input::missing(&format!("{member}.StepName")))?;
            match definition.step(name) {
                Some(_) => Ok(name.to_owned()),
                None => Err(input::invalid(format!(
                    "Selected step '{name}' is not a step of the pipeline."
                ))),
            }
        });
        let selection = Self {
            names: names.collect::<Result<_, _>>()?,
            config: config.clone(),
        };
        selection.check_paths(definition)?;
        Ok(Some(selection))
    }

    /// Whether the step shall run.
    pub(super) fn contains(&self, step: &Step) -> bool {
        self.names.contains(&step.name)
    }

    /// All steps on all paths between two selected steps must be selected.
    fn check_paths(&self, definition: &Definition) -> Result<(), ApiError> {
        for name in &self.names {
            for between in upstream(definition, name).difference(&self.names) {
                if !upstream(definition, between).is_disjoint(&self.names) {
                    return Err(input::invalid(format!(
                        "Step '{between}' lies between selected steps and must be selected."
                    )));
                }
            }
        }
        Ok(())
    }

    /// What the selected steps need of those that do not run, from the source execution.
    ///
    /// The Python SDK looks for the latest execution by itself; the API wants
    /// its ARN wherever one is needed.
    pub(super) fn reused(
        &self,
        world: &World,
        pipeline: &PipelineId,
        definition: &Definition,
    ) -> Result<Vec<StepRun>, ApiError> {
        let source = self.source(world, pipeline)?;
        let steps = definition.steps.iter();
        let selected = steps.filter(|step| self.contains(step));
        let needed: BTreeSet<&String> = selected.flat_map(|step| &step.needs).collect();
        let missing: Vec<&String> = needed
            .difference(&self.names.iter().collect())
            .copied()
            .collect();
        let runs = missing.iter().map(|name| {
            let source = source.ok_or_else(|| self.no_source(&missing))?;
            reuse(source, name)
        });
        runs.collect()
    }

    /// As reported in aws/sagemaker-python-sdk issue 4444.
    fn no_source(&self, missing: &[&String]) -> ApiError {
        let list = |names: Vec<&str>| names.join(", ");
        let selected = list(self.names.iter().map(String::as_str).collect());
        let missing = list(missing.iter().map(|name| name.as_str()).collect());
        input::invalid(format!(
            "Invalid SourcePipelineExecutionArn: null. The selected steps [{selected}] have \
             dependencies on [{missing}]"
        ))
    }

    fn source<'a>(
        &self,
        world: &'a World,
        pipeline: &PipelineId,
    ) -> Result<Option<&'a Execution>, ApiError> {
        let arn = match self.config.get("SourcePipelineExecutionArn") {
            None | Some(Value::Null) => return Ok(None),
            Some(arn) => arn.as_str().unwrap_or_default(),
        };
        let id = ExecutionId::parse(arn)
            .filter(|id| id.pipeline.key() == pipeline.key())
            .ok_or_else(|| {
                input::invalid(format!("'{arn}' is not an execution of this pipeline."))
            })?;
        let source = world.sagemaker.execution(&id)?;
        if matches!(source.status, Status::Succeeded | Status::Failed) {
            return Ok(Some(source));
        }
        Err(input::invalid(
            "The status of the source execution must be 'Succeeded' or 'Failed'.",
        ))
    }
}

/// A run that stands for that of the source.
///
/// ASSUMED: it shows the times of the source, and no event tells of it.
fn reuse(source: &Execution, name: &str) -> Result<StepRun, ApiError> {
    let run = source.step(name);
    let run = run.filter(|run| run.status == Status::Succeeded);
    let run = run.ok_or_else(|| {
        let arn = &source.arn;
        input::invalid(format!("Step '{name}' has not succeeded in '{arn}'."))
    })?;
    Ok(StepRun {
        run: 0,
        source: Some(Source::Selection(source.arn.clone())),
        ..run.clone()
    })
}

/// The steps that must have succeeded before this one, near and far.
fn upstream(definition: &Definition, name: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let needs = definition.step(&name).into_iter();
        for need in needs.flat_map(|step| &step.needs) {
            if found.insert(need.clone()) {
                open.push(need.clone());
            }
        }
    }
    found
}
