//! What SageMaker knows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{
    arn::{ExecutionId, PipelineId},
    definition::Definition,
    idempotency::{Answer, Request},
    selection::Selection,
};
use crate::{
    services::key::ResourceKey,
    world::{ApiError, Call},
};

/// What the key of a tag begins with that lets a step of its pipeline fail, before the
/// step's name. AWS gives such a tag no meaning.
const FAILING: &str = "sandbox:fail:";

/// All pipelines.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// How long a step takes from its start to its end.
    pub step_duration: Duration,
    /// Whether every event is sent twice, as SageMaker at times does.
    pub repeat_events: bool,
    /// The steps that shall fail; each is used up by the first run of the step.
    pub fail_next: Vec<FailStep>,
    /// The pipelines that AWS manages, by name, with the time of their creation.
    pub managed: BTreeMap<String, Timestamp>,
    #[serde(with = "crate::state::pairs")]
    pub(super) pipelines: BTreeMap<ResourceKey, Pipeline>,
    #[serde(with = "crate::state::pairs")]
    pub(super) answers: BTreeMap<Request, Answer>,
    /// How many versions were registered in each group of models, by the group's ARN.
    pub(super) model_packages: BTreeMap<String, u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            step_duration: Duration::from_mins(1),
            repeat_events: false,
            fail_next: Vec::new(),
            managed: BTreeMap::new(),
            pipelines: BTreeMap::new(),
            answers: BTreeMap::new(),
            model_packages: BTreeMap::new(),
        }
    }
}

/// A step that shall fail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FailStep {
    /// The account that owns the pipeline.
    pub account: String,
    /// The name of the pipeline.
    pub pipeline: String,
    /// The name of the step.
    pub step: String,
    /// The failure reason that the step then has.
    pub reason: String,
}

/// How many finished executions of a pipeline stay when somebody tidies up.
const FINISHED: usize = 100;

/// How long tokens stay then.
const TOKENS: Duration = Duration::from_hours(24);

impl State {
    /// The pipelines of the caller in the Region of the call, by name.
    pub(super) fn own_pipelines(&self, call: &Call) -> impl Iterator<Item = &Pipeline> {
        let from_first = self.pipelines.range(ResourceKey::own(call, "")..);
        let own = from_first.take_while(move |(key, _)| key.is_own(call));
        own.map(|(_, pipeline)| pipeline)
    }

    /// Forgets old tokens, and all finished executions of each pipeline but the newest.
    ///
    /// The documents say of neither how long AWS keeps it.
    pub(super) fn tidy(&mut self, now: Timestamp) {
        self.answers.retain(|_, answer| now < answer.time + TOKENS);
        for pipeline in self.pipelines.values_mut() {
            let finished = |execution: &Execution| execution.status.is_final();
            let count = pipeline.executions.iter().filter(|it| finished(it)).count();
            let mut excess = count.saturating_sub(FINISHED);
            pipeline.executions.retain(|execution| {
                let goes = excess > 0 && finished(execution);
                excess -= usize::from(goes);
                !goes
            });
        }
    }

    /// Reads the definitions of versions again, and gives them to their executions.
    pub(super) fn restore(&mut self) {
        for pipeline in self.pipelines.values_mut() {
            for version in &mut pipeline.versions {
                version.definition = Definition::parse(&version.text)
                    .map(Arc::new)
                    .unwrap_or_default();
            }
            let versions = &pipeline.versions;
            for execution in &mut pipeline.executions {
                let version = versions.iter().find(|it| it.id == execution.version);
                let definition = version.map(|version| Arc::clone(&version.definition));
                execution.definition = definition.unwrap_or_default();
            }
        }
    }

    /// How many tokens and executions there are.
    pub(super) fn held(&self) -> [(&'static str, usize); 2] {
        let pipelines = self.pipelines.values();
        let executions = pipelines.map(|pipeline| pipeline.executions.len()).sum();
        [
            ("tokens of runs", self.answers.len()),
            ("executions", executions),
        ]
    }

    /// The pipeline.
    pub(super) fn pipeline(&self, id: &PipelineId) -> Result<&Pipeline, ApiError> {
        let pipeline = self.pipelines.get(&id.key());
        pipeline.ok_or_else(|| id.not_found())
    }

    /// The pipeline, to change it.
    pub(super) fn pipeline_mut(&mut self, id: &PipelineId) -> Result<&mut Pipeline, ApiError> {
        let pipeline = self.pipelines.get_mut(&id.key());
        pipeline.ok_or_else(|| id.not_found())
    }

    /// The execution.
    pub(super) fn execution(&self, id: &ExecutionId) -> Result<&Execution, ApiError> {
        let pipeline = self.pipelines.get(&id.pipeline.key());
        pipeline
            .and_then(|it| it.executions.iter().find(|execution| execution.id == id.id))
            .ok_or_else(|| id.not_found())
    }

    /// The execution, to change it.
    pub(super) fn execution_mut(&mut self, id: &ExecutionId) -> Result<&mut Execution, ApiError> {
        let pipeline = self.pipelines.get_mut(&id.pipeline.key());
        let executions = pipeline.map(|pipeline| pipeline.executions.iter_mut());
        executions
            .and_then(|mut all| all.find(|execution| execution.id == id.id))
            .ok_or_else(|| id.not_found())
    }

    /// The reason for which this run of a step shall fail, if it shall: one that
    /// was asked for once, or what a tag of the pipeline says.
    pub(super) fn take_failure(&mut self, pipeline: &PipelineId, step: &str) -> Option<String> {
        let position = self.fail_next.iter().position(|fault| {
            fault.account == pipeline.account
                && fault.pipeline.eq_ignore_ascii_case(&pipeline.name)
                && fault.step == step
        });
        match position {
            Some(position) => Some(self.fail_next.remove(position).reason),
            None => self.tagged_failure(pipeline, step),
        }
    }

    fn tagged_failure(&self, pipeline: &PipelineId, step: &str) -> Option<String> {
        let key = format!("{FAILING}{step}");
        let reason = self.pipeline(pipeline).ok()?.tags.get(&key)?;
        Some(match reason.as_str() {
            "" => format!("The tag {key} lets this step fail."),
            reason => reason.to_owned(),
        })
    }
}

/// A pipeline, its versions and its executions.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Pipeline {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: Option<String>,
    pub(super) role: String,
    pub(super) parallelism: Option<usize>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) created_by: Value,
    pub(super) modified_by: Value,
    pub(super) last_run: Option<Timestamp>,
    pub(super) tags: BTreeMap<String, String>,
    /// In order of creation; there is always one.
    pub(super) versions: Vec<Version>,
    /// In order of creation.
    pub(super) executions: Vec<Execution>,
}

impl Pipeline {
    /// The version of this id, or the newest.
    pub(super) fn version(&self, id: Option<u64>) -> Result<&Version, ApiError> {
        let version = match id {
            Some(id) => self.versions.iter().find(|version| version.id == id),
            None => self.versions.last(),
        };
        version.ok_or_else(|| self.version_not_found(id.unwrap_or_default()))
    }

    /// The answer if the pipeline has no such version.
    ///
    /// ASSUMED: the wording.
    pub(super) fn version_not_found(&self, version: u64) -> ApiError {
        let arn = &self.arn;
        let message = format!("Pipeline version {version} of '{arn}' does not exist.");
        ApiError::new("ResourceNotFound", message)
    }
}

/// One definition that a pipeline had or has.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Version {
    pub(super) id: u64,
    pub(super) text: String,
    #[serde(skip)]
    pub(super) definition: Arc<Definition>,
    pub(super) created: Timestamp,
    pub(super) display_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) last_execution: Option<String>,
}

/// A run of a pipeline.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) pipeline_arn: String,
    pub(super) pipeline_name: String,
    pub(super) display_name: String,
    pub(super) description: Option<String>,
    pub(super) status: Status,
    pub(super) failure_reason: Option<String>,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) created_by: Value,
    pub(super) modified_by: Value,
    pub(super) parallelism: Option<usize>,
    pub(super) version: u64,
    #[serde(skip)]
    pub(super) definition: Arc<Definition>,
    /// The parameters as the request gave them.
    pub(super) parameters: Vec<Value>,
    /// The typed value of every parameter that the definition declares.
    pub(super) values: BTreeMap<String, Value>,
    /// The steps that shall run, if not all.
    pub(super) selection: Option<Selection>,
    /// The runs of steps, in the order in which they began.
    pub(super) steps: Vec<StepRun>,
    /// How many runs of steps there ever were, those that a retry replaced included.
    pub(super) runs: u64,
    /// How many jobs each step had so far.
    pub(super) jobs: BTreeMap<String, u64>,
}

impl Execution {
    /// The run of the step, if it has begun.
    pub(super) fn step(&self, name: &str) -> Option<&StepRun> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The run of the step, to change it.
    pub(super) fn step_mut(&mut self, name: &str) -> Option<&mut StepRun> {
        self.steps.iter_mut().find(|step| step.name == name)
    }

    /// The number of steps under way.
    pub(super) fn running(&self) -> usize {
        let under_way = |step: &&StepRun| !step.status.is_final();
        self.steps.iter().filter(under_way).count()
    }
}

/// The run of one step.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct StepRun {
    pub(super) name: String,
    /// Tells this run from an earlier one of the same step.
    pub(super) run: u64,
    pub(super) status: Status,
    /// Counts the attempts of the retry policies, the first included.
    pub(super) attempt: u32,
    /// Whether the run waits for its next attempt.
    pub(super) pausing: bool,
    pub(super) started: Timestamp,
    pub(super) ended: Option<Timestamp>,
    /// Why the run failed or, while it is under way, is going to fail.
    pub(super) failure: Option<String>,
    pub(super) metadata: Option<Value>,
    /// The arguments of the job, without expressions; null until there is a job.
    pub(super) arguments: Value,
    /// What a later run must have in common with this one to use it again.
    pub(super) signature: Option<Value>,
    /// The execution whose run was used instead of a new one.
    pub(super) source: Option<Source>,
}

/// Why and whence a step did not run but took over what an earlier run had made.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) enum Source {
    /// A cache hit, with the ARN of the execution.
    Cache(String),
    /// The step was not selected; with the ARN of the source execution.
    Selection(String),
}

impl StepRun {
    /// The execution that a cache hit leads to.
    pub(super) fn cache_hit(&self) -> Option<&str> {
        match &self.source {
            Some(Source::Cache(arn)) => Some(arn),
            _ => None,
        }
    }

    /// The execution that a step which was not selected took its results from.
    pub(super) fn selected_from(&self) -> Option<&str> {
        match &self.source {
            Some(Source::Selection(arn)) => Some(arn),
            _ => None,
        }
    }
}

/// How far an execution or a step is; executions are never `Starting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
pub(super) enum Status {
    Starting,
    Executing,
    Stopping,
    Stopped,
    Failed,
    Succeeded,
}

impl Status {
    /// Whether nothing changes any more by itself.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Succeeded)
    }
}
