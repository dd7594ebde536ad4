//! The next step, given what was seen.

use jiff::Timestamp;

use super::{
    Access, Failure, FailureKind, Grant, Operation, Progress, Request, Round, progress::is_over,
};
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
            reason: None,
            failed_steps: Vec::new(),
        }
    }
}

/// What one invocation sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The time.
    pub now: Timestamp,
    /// The newest round of this deployment, if there is one.
    pub round: Option<Round>,
    /// The execution that it is about, if there is one.
    pub run: Option<Run>,
    /// Who has access, looked at once sharing was asked for.
    pub grants: Option<Vec<Grant>>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Write down what the next round does, unless somebody else is faster.
    Begin(Operation),
    /// Have SageMaker do what the newest round is for.
    Perform(Round),
    /// Note that SageMaker has done what the newest round is for, with this execution.
    Settle(Round, ExecutionArn),
    /// Answer for the run from this round on.
    Adopt(u32),
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
/// A run that has failed is run again only by an attempt that does not answer
/// for it yet; otherwise the failure is this attempt's own.
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
    let Some(round) = &seen.round else {
        return Some(Step::Begin(Operation::Start));
    };
    let is_own = progress.round.is_some_and(|first| first <= round.number);
    match (round.run(), &seen.run) {
        // Whoever comes after a crash goes on where it happened.
        (None, _) => Some(Step::Perform(round.clone())),
        (Some(gone), None) if is_own => Some(Step::Fail(failed(format!(
            "{gone} does not exist any more"
        )))),
        (Some(_), None) => Some(Step::Begin(Operation::Start)),
        (Some(_), Some(run)) if round.execution.is_none() => {
            Some(unfinished_retry(request, progress, seen.now, round, run))
        }
        (Some(_), Some(run)) if run.status == ExecutionStatus::Succeeded => None,
        (Some(_), Some(run)) if run.status.is_terminal() => Some(if is_own {
            Step::Fail(failed(why(run)))
        } else {
            Step::Begin(after_failure(run))
        }),
        // Somebody ends it; what is left of it can be run again then.
        (Some(_), Some(run)) if run.status == ExecutionStatus::Stopping => {
            Some(wait(request, progress, seen.now, run))
        }
        (Some(_), Some(_)) if progress.round.is_none() => Some(Step::Adopt(round.number)),
        (Some(_), Some(run)) => Some(wait(request, progress, seen.now, run)),
    }
}

/// What another attempt does about a run that ended badly.
fn after_failure(run: &Run) -> Operation {
    match run.status {
        ExecutionStatus::Failed | ExecutionStatus::Stopped => Operation::Retry(run.arn.clone()),
        // ASSUMED: SageMaker retries no others, such as CompletedWithFailures.
        _ => Operation::Start,
    }
}

/// What is to be done for a retry of which nobody knows whether SageMaker has heard of it.
fn unfinished_retry(
    request: &Request,
    progress: &Progress,
    now: Timestamp,
    round: &Round,
    run: &Run,
) -> Step {
    match run.status {
        // If it has, and the run failed once more, the token makes a second call do nothing.
        ExecutionStatus::Failed | ExecutionStatus::Stopped => Step::Perform(round.clone()),
        ExecutionStatus::Stopping => wait(request, progress, now, run),
        _ => Step::Settle(round.clone(), run.arn.clone()),
    }
}

fn wait(request: &Request, progress: &Progress, now: Timestamp, run: &Run) -> Step {
    let (arn, status, minutes) = (&run.arn, &run.status, request.run_minutes);
    if is_over(progress.began, minutes, now) {
        let message = format!("{arn} is still {status} after {minutes} minutes; it runs on");
        return Step::Fail(failed(message));
    }
    Step::Wait(Wait::Run(arn.clone(), status.clone()))
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
