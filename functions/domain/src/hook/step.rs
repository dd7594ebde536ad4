//! The next step, given what was seen.

use jiff::Timestamp;

use super::{Access, Failure, FailureKind, Grant, Progress, Request, progress::is_over};
use crate::{
    id::ExecutionArn,
    notification::FailedStep,
    status::ExecutionStatus,
    text::{LONGEST, Untrusted, name, quoted},
};

/// How many principals a message names; the rest is counted.
const NAMED: usize = 20;

/// A run of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The execution.
    pub arn: ExecutionArn,
    /// How it goes.
    pub status: ExecutionStatus,
    /// Whether this attempt started it.
    pub own: bool,
    /// Why it failed, as far as `SageMaker` says.
    pub reason: Option<String>,
    /// The steps that failed.
    pub failed_steps: Vec<FailedStep>,
}

impl Run {
    /// A run that was started just now.
    #[must_use]
    pub fn started(arn: ExecutionArn) -> Self {
        Self {
            arn,
            status: ExecutionStatus::Executing,
            own: true,
            reason: None,
            failed_steps: Vec::new(),
        }
    }

    /// Whether an attempt that finds the run answers for it from now on: it
    /// started it, or the run goes on, or it has succeeded.
    #[must_use]
    pub fn is_adoptable(&self) -> bool {
        match self.status {
            _ if self.own => true,
            ExecutionStatus::Succeeded => true,
            // Somebody ends it; what is left of it can be run again then.
            ExecutionStatus::Stopping => false,
            _ => !self.status.is_terminal(),
        }
    }
}

/// What one invocation sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The time.
    pub now: Timestamp,
    /// The run of this deployment, if there is one.
    pub run: Option<Run>,
    /// Who has access, looked at once sharing was asked for.
    pub grants: Option<Vec<Grant>>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start the run.
    Start,
    /// Run again what failed.
    Retry(ExecutionArn),
    /// Open the gates, ask for sharing, and look who has access.
    Share,
    /// Come back later.
    Wait(Wait),
    /// It is done.
    Succeed,
    /// It will not be done.
    Fail(Failure),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// The end of a run.
    Run(ExecutionArn, ExecutionStatus),
    /// The access of principals.
    Access(String),
}

/// Says what to do next.
///
/// A run that has failed is run again only by an attempt that did not start,
/// adopt or run it again itself; otherwise the failure is this attempt's own.
#[must_use]
pub fn next(request: &Request, progress: &Progress, seen: &Seen) -> Step {
    // What was shared once stays shared, whatever becomes of later runs.
    if request.run && progress.sharing.is_none() {
        match after_run(request, progress, seen) {
            None => {}
            Some(step) => return step,
        }
    }
    if !request.share {
        return Step::Succeed;
    }
    match (&seen.grants, progress.sharing) {
        (Some(grants), Some(_)) => after_sharing(request, progress, seen.now, grants),
        _ => Step::Share,
    }
}

/// The step that the run asks for; none if it has succeeded.
fn after_run(request: &Request, progress: &Progress, seen: &Seen) -> Option<Step> {
    let Some(run) = &seen.run else {
        return Some(match &progress.execution {
            None => Step::Start,
            Some(gone) => Step::Fail(failed(format!("{gone} does not exist any more"))),
        });
    };
    if run.status == ExecutionStatus::Succeeded {
        return None;
    }
    if run.status.is_terminal() {
        return Some(match (&progress.execution, &run.status) {
            (Some(_), _) => Step::Fail(failed(why(run))),
            (None, ExecutionStatus::Failed | ExecutionStatus::Stopped) => {
                Step::Retry(run.arn.clone())
            }
            // ASSUMED: SageMaker retries no others, such as CompletedWithFailures.
            (None, _) => Step::Start,
        });
    }
    if is_over(progress.began, request.run_minutes, seen.now) {
        let (arn, status, minutes) = (&run.arn, &run.status, request.run_minutes);
        let message = format!("{arn} is still {status} after {minutes} minutes; it runs on");
        return Some(Step::Fail(failed(message)));
    }
    Some(Step::Wait(Wait::Run(run.arn.clone(), run.status.clone())))
}

fn after_sharing(request: &Request, progress: &Progress, now: Timestamp, grants: &[Grant]) -> Step {
    let lacking: Vec<_> = grants
        .iter()
        .filter(|grant| grant.access != Access::Granted)
        .collect();
    if lacking.is_empty() || !request.wait_for_access {
        return Step::Succeed;
    }
    let mut named: Vec<_> = lacking
        .iter()
        .take(NAMED)
        .map(ToString::to_string)
        .collect();
    if lacking.len() > NAMED {
        named.push(format!("and {} more", lacking.len() - NAMED));
    }
    let named = named.join("; ");
    if is_over(progress.sharing, request.access_minutes, now) {
        let minutes = request.access_minutes;
        return Step::Fail(failed(format!(
            "after {minutes} minutes, not everybody has access: {named}"
        )));
    }
    Step::Wait(Wait::Access(named))
}

fn failed(message: String) -> Failure {
    Failure::new(FailureKind::JobFailed, message)
}

/// Which steps of a run failed and why, in the words of SageMaker.
fn why(run: &Run) -> String {
    let reason = |reason: Option<&str>| match reason {
        Some(reason) => format!(": {}", quoted(reason, LONGEST)),
        None => String::new(),
    };
    let head = format!("{} ended as {}", run.arn, run.status);
    if run.failed_steps.is_empty() {
        return head + &reason(run.reason.as_deref());
    }
    let steps = run.failed_steps.iter().take(NAMED);
    let mut steps: Vec<_> = steps
        .map(|step| {
            let why = reason(step.reason.as_ref().map(Untrusted::raw));
            format!("step {} failed{why}", name(step.name.raw(), LONGEST))
        })
        .collect();
    if run.failed_steps.len() > NAMED {
        steps.push(format!("and {} more", run.failed_steps.len() - NAMED));
    }
    format!("{head}: {}", steps.join("; "))
}
