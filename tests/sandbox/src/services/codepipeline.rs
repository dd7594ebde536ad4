//! CodePipeline's side of actions that invoke a function: jobs, their answers, and its patience.
//!
//! Source: CodePipeline User Guide, "Invoke an AWS Lambda function in a
//! pipeline" and "Quotas"; the API reference of `PutJobSuccessResult`. There
//! are no pipelines here, only single actions of them, which tests begin.

mod answers;
mod artifacts;
mod jobs;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

pub use self::artifacts::{Artifact, Artifacts};
use super::lambda;
use crate::world::{self, ApiError, Call, World};

/// What every job's credentials contain, so that it is seen where they get to.
pub const SECRET: &str = "ARTIFACT-SECRET";

/// How long CodePipeline waits for an answer to a job.
const PATIENCE: Duration = Duration::from_mins(20);

/// How long an action may take in all.
const LIMIT: Duration = Duration::from_hours(24);

/// How long after a job that goes on the next one comes.
///
/// ASSUMED: the documentation gives no number.
const PAUSE: Duration = Duration::from_secs(30);

/// All actions and jobs.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    actions: BTreeMap<String, ActionRun>,
    jobs: BTreeMap<String, Job>,
}

/// An action that invokes a function, as a pipeline declares it, in an execution of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Action {
    /// The pipeline of CodePipeline.
    pub pipeline: String,
    /// The stage.
    pub stage: String,
    /// The action.
    pub name: String,
    /// The id of the execution.
    pub execution: String,
    /// The function.
    pub function: String,
    /// The user parameters; the variable of the execution's id is replaced.
    pub user_parameters: String,
}

/// How an action stands.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Status {
    /// It goes on.
    InProgress,
    /// The function said that it is done.
    Succeeded {
        /// The variables that later actions can use.
        variables: BTreeMap<String, String>,
    },
    /// The function said that it failed, or did not say anything in time.
    Failed {
        /// The type of the failure, for instance `JobFailed`.
        kind: String,
        /// What people are told.
        message: String,
    },
    /// Somebody stopped the execution.
    Abandoned,
}

/// One run of an action.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ActionRun {
    /// How it stands.
    pub status: Status,
    /// The jobs that the function was given for it, in order.
    pub jobs: Vec<String>,
    /// What the function said about it last.
    pub summary: Option<String>,
    /// What the function says that it is about.
    pub external_execution: Option<String>,
    account: String,
    region: String,
    action: Action,
    artifacts: Artifacts,
    began: Timestamp,
}

/// One invitation to work on an action.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Job {
    action: String,
    token: Option<String>,
    is_answered: bool,
}

/// What happens later.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Task {
    /// An action goes on with this token.
    GoOn(String, String),
    /// A job was not answered for so long that nobody waits for it any more.
    Silence(String),
    /// An action has taken as long as it may.
    Limit(String),
}

/// Begins an action without artifacts, and returns the id of its run.
pub fn begin(
    world: &mut World,
    account: &str,
    region: &str,
    action: Action,
) -> Result<String, ApiError> {
    begin_with(world, account, region, action, Artifacts::default())
}

/// Begins an action with these artifacts, and returns the id of its run.
pub fn begin_with(
    world: &mut World,
    account: &str,
    region: &str,
    action: Action,
    artifacts: Artifacts,
) -> Result<String, ApiError> {
    artifacts.check()?;
    let length = action.user_parameters.chars().count();
    if !(1..=1000).contains(&length) {
        let message = "The action configuration UserParameters must have 1 to 1000 characters";
        return Err(ApiError::new("InvalidActionDeclarationException", message));
    }
    let id = world.uuid(&format!("action {}", action.name));
    let run = ActionRun {
        status: Status::InProgress,
        jobs: Vec::new(),
        summary: None,
        external_execution: None,
        account: account.to_owned(),
        region: region.to_owned(),
        action,
        artifacts,
        began: world.now,
    };
    world.codepipeline.actions.insert(id.clone(), run);
    world.after(LIMIT, world::Task::CodePipeline(Task::Limit(id.clone())));
    give_job(world, &id, None)?;
    Ok(id)
}

/// The run of an action.
#[must_use]
pub fn action<'a>(world: &'a World, id: &str) -> Option<&'a ActionRun> {
    world.codepipeline.actions.get(id)
}

/// Stops an action, and abandons what it does.
pub fn abandon(world: &mut World, id: &str) {
    end(world, id, Status::Abandoned);
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "GetJobDetails" => answers::details(world, call),
        "PutJobFailureResult" => answers::failure(world, call),
        "PutJobSuccessResult" => answers::success(world, call),
    }
}

/// Carries out what is due.
pub fn run(world: &mut World, task: Task) {
    match task {
        Task::GoOn(action, token) => {
            if is_in_progress(world, &action) && give_job(world, &action, Some(token)).is_err() {
                let message = "The function does not exist any more";
                end(world, &action, failed("ConfigurationError", message));
            }
        }
        Task::Silence(job) => {
            let job = world.codepipeline.jobs.get(&job);
            let Some(job) = job.filter(|job| !job.is_answered).cloned() else {
                return;
            };
            let message = "The AWS Lambda function failed to return a result. Check the function to \
                 verify that it has permission to call the PutJobSuccessResult action and that it \
                 made a call to PutJobSuccessResult.";
            end(world, &job.action, failed("JobFailed", message));
        }
        Task::Limit(action) => {
            end(world, &action, failed("JobFailed", "The action timed out."));
        }
    }
}

fn failed(kind: &str, message: &str) -> Status {
    Status::Failed {
        kind: kind.to_owned(),
        message: message.to_owned(),
    }
}

fn is_in_progress(world: &World, action: &str) -> bool {
    action_is(world, action, &Status::InProgress)
}

fn action_is(world: &World, id: &str, status: &Status) -> bool {
    action(world, id).is_some_and(|action| action.status == *status)
}

/// Ends an action that goes on; its end is not changed any more.
fn end(world: &mut World, id: &str, status: Status) {
    if let Some(action) = world.codepipeline.actions.get_mut(id)
        && action.status == Status::InProgress
    {
        action.status = status;
    }
}

/// Invokes the function with a new job.
///
/// A job that goes on is another one, told apart by its token alone.
fn give_job(world: &mut World, id: &str, token: Option<String>) -> Result<(), ApiError> {
    let Some(run) = world.codepipeline.actions.get(id).cloned() else {
        return Ok(());
    };
    let job = world.uuid(&format!("job of action {}", run.action.name));
    let event = jobs::event(world, &run, &job, token.as_deref());
    let (account, region) = (&run.account, &run.region);
    lambda::invoke_asynchronously(world, account, region, &run.action.function, event)?;
    if let Some(run) = world.codepipeline.actions.get_mut(id) {
        run.jobs.push(job.clone());
    }
    let entry = Job {
        action: id.to_owned(),
        token,
        is_answered: false,
    };
    world.codepipeline.jobs.insert(job.clone(), entry);
    world.after(PATIENCE, world::Task::CodePipeline(Task::Silence(job)));
    Ok(())
}

#[cfg(test)]
mod tests;
