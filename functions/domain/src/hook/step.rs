//! The next step, given the state.

use super::{
    Deployed, Entry, Failure, FailureKind, Grant, GrantState, JobOutcome, Operation, Progress,
    Round, State, Wait, journal, progress::is_over,
};
use crate::{
    execution::Details,
    id::{AccountId, ExecutionArn},
    status::ExecutionStatus,
    text::{LONGEST, Untrusted, name, quoted},
};

/// How many principals a message names; the rest is counted.
const NAMED: usize = 20;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextStep {
    /// Find something out, and report it to the state.
    Observe(Question),
    /// Change something about what was deployed, and report it to the state.
    Act(Box<Deployed>, Act),
    /// Answer whoever asked.
    End(JobOutcome),
}

/// What the state does not know yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Which policy is in force: see [`State::read_policy`].
    Policy,
    /// Which pipeline of the account it is: see [`State::found_pipeline`].
    Pipeline(AccountId),
    /// How far the attempt is: see [`State::read_progress`].
    Progress(Box<Deployed>),
    /// Which round is the newest, and how its run goes: see [`State::looked_at_run`].
    Run(Box<Deployed>),
    /// Who has access: see [`State::looked_for_access`].
    Access(Box<Deployed>),
}

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Write an entry about the attempt: see [`State::wrote`].
    Write(Entry),
    /// Write down what the next round does, unless somebody else is faster:
    /// see [`State::round`] and [`State::claimed`].
    Claim(Operation),
    /// Have SageMaker do what the newest round is for: see [`State::performed`].
    Perform(Round),
    /// Note that SageMaker has done what the newest round is for, with this
    /// execution: see [`State::settled`].
    Settle(Round, ExecutionArn),
    /// Open the gates, and have the pipeline shared if one was closed: see [`State::opened_gates`].
    OpenGates,
    /// Open the gates, have the pipeline shared, and note that: see [`State::asked_to_share`].
    Share,
}

/// Says what to do next.
///
/// A run that has failed is run again only by an attempt that does not answer
/// for it yet; otherwise the failure is this attempt's own.
///
/// ```
/// use domain::{
///     hook::{NextStep, Question, Request, State, Token, next},
///     policy::Policy,
/// };
///
/// let request = Request::parse(r#"{ "pipeline": "churn", "owner": "test" }"#).unwrap();
/// let mut state = State::new(request, Token::new("job"));
/// assert_eq!(next(&state), NextStep::Observe(Question::Policy));
///
/// let policy = Policy::parse("version: 1\naccounts: { test: \"222222222222\" }\n")?;
/// state.read_policy(Some(policy), &"eu-west-1".parse()?);
/// let owner = "222222222222".parse()?;
/// assert_eq!(next(&state), NextStep::Observe(Question::Pipeline(owner)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn next(state: &State) -> NextStep {
    if let Some(failure) = &state.failure {
        return NextStep::End(JobOutcome::Failed(failure.clone()));
    }
    let Some(owner) = &state.owner else {
        return NextStep::Observe(Question::Policy);
    };
    let Some(deployed) = &state.deployed else {
        return NextStep::Observe(Question::Pipeline(owner.clone()));
    };
    let Some(progress) = state.progress else {
        return NextStep::Observe(Question::Progress(deployed.clone()));
    };
    if progress.began.is_none() {
        let began = journal::began(state.now, deployed.pipeline.created);
        return NextStep::Act(deployed.clone(), Act::Write(began));
    }
    match after_beginning(state, &progress) {
        Then::Run => NextStep::Observe(Question::Run(deployed.clone())),
        Then::Access => NextStep::Observe(Question::Access(deployed.clone())),
        Then::Act(act) => NextStep::Act(deployed.clone(), act),
        Then::End(outcome) => NextStep::End(outcome),
    }
}

/// The same, once the attempt has begun.
enum Then {
    Run,
    Access,
    Act(Act),
    End(JobOutcome),
}

fn after_beginning(state: &State, progress: &Progress) -> Then {
    if let Some(execution) = &state.begun {
        // How it goes is for the next invocation to see.
        return waiting(Wait::Run(execution.clone(), ExecutionStatus::Executing));
    }
    if state.request.run && !state.knows_run {
        return Then::Run;
    }
    // What was shared once stays shared, whatever becomes of later runs.
    if state.request.run
        && progress.sharing.is_none()
        && let Some(then) = after_run(state, progress)
    {
        return then;
    }
    if !state.request.share {
        return succeed();
    }
    after_sharing(state, progress)
}

/// The step that the run asks for; none if it has succeeded.
fn after_run(state: &State, progress: &Progress) -> Option<Then> {
    let Some(round) = &state.round else {
        return Some(begin(1, progress, Operation::Start));
    };
    let is_own = progress.round.is_some_and(|first| first <= round.number);
    let following = round.number.saturating_add(1);
    let (Some(execution), Some(run)) = (round.run(), &state.run) else {
        return Some(match round.run() {
            // Whoever comes after a crash goes on where it happened.
            None => Then::Act(Act::Perform(round.clone())),
            Some(gone) if is_own => fail(failed(format!("{gone} does not exist any more"))),
            Some(_) => begin(following, progress, Operation::Start),
        });
    };
    if round.execution.is_none() {
        return Some(unfinished_retry(state, progress, round, (execution, run)));
    }
    match &run.status {
        ExecutionStatus::Succeeded => None,
        status if status.is_terminal() && is_own => Some(fail(failed(why(execution, run)))),
        status if status.is_terminal() => {
            let again = after_failure(execution, status);
            Some(begin(following, progress, again))
        }
        // Somebody ends it; what is left of it can be run again then.
        ExecutionStatus::Stopping => Some(wait(state, progress, execution, run)),
        _ if progress.round.is_none() => Some(answer_from(round.number)),
        _ => Some(wait(state, progress, execution, run)),
    }
}

/// Begins a round.
///
/// That the attempt answers for the run from there on is written first: if it is
/// killed in between, it knows that the round is its own to begin.
fn begin(number: u32, progress: &Progress, operation: Operation) -> Then {
    match progress.round {
        None => answer_from(number),
        Some(_) => Then::Act(Act::Claim(operation)),
    }
}

fn answer_from(round: u32) -> Then {
    Then::Act(Act::Write(journal::answers(round)))
}

/// What another attempt does about a run that ended badly.
fn after_failure(execution: &ExecutionArn, status: &ExecutionStatus) -> Operation {
    match status {
        ExecutionStatus::Failed | ExecutionStatus::Stopped => Operation::Retry(execution.clone()),
        // ASSUMED: SageMaker retries no others, such as CompletedWithFailures.
        _ => Operation::Start,
    }
}

/// What is to be done for a retry of which nobody knows whether SageMaker has heard of it.
fn unfinished_retry(
    state: &State,
    progress: &Progress,
    round: &Round,
    (execution, run): (&ExecutionArn, &Details),
) -> Then {
    match run.status {
        // If it has, and the run failed once more, the token makes a second call do nothing.
        ExecutionStatus::Failed | ExecutionStatus::Stopped => {
            Then::Act(Act::Perform(round.clone()))
        }
        ExecutionStatus::Stopping => wait(state, progress, execution, run),
        _ => Then::Act(Act::Settle(round.clone(), execution.clone())),
    }
}

fn wait(state: &State, progress: &Progress, execution: &ExecutionArn, run: &Details) -> Then {
    let (status, minutes) = (&run.status, state.request.run_minutes);
    if is_over(progress.began, minutes, state.now) {
        let message = format!("{execution} is still {status} after {minutes} minutes; it runs on");
        return fail(failed(message));
    }
    waiting(Wait::Run(execution.clone(), status.clone()))
}

fn after_sharing(state: &State, progress: &Progress) -> Then {
    if progress.sharing.is_none() {
        return Then::Act(Act::Share);
    }
    if !state.gates_are_open {
        // A rule that is new since then may wait for the hook, too.
        return Then::Act(Act::OpenGates);
    }
    match &state.grants {
        None => Then::Access,
        Some(grants) => after_looking(state, progress, grants),
    }
}

fn after_looking(state: &State, progress: &Progress, grants: &[Grant]) -> Then {
    let request = &state.request;
    let lacking: Vec<_> = grants
        .iter()
        .filter(|grant| grant.access != GrantState::Granted)
        .collect();
    if lacking.is_empty() || !request.wait_for_access {
        return succeed();
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
    if is_over(progress.sharing, request.access_minutes, state.now) {
        let minutes = request.access_minutes;
        return fail(failed(format!(
            "after {minutes} minutes, not everybody has access: {named}"
        )));
    }
    waiting(Wait::Access(named))
}

fn waiting(wait: Wait) -> Then {
    Then::End(JobOutcome::Waiting(wait))
}

fn succeed() -> Then {
    Then::End(JobOutcome::Succeeded)
}

fn fail(failure: Failure) -> Then {
    Then::End(JobOutcome::Failed(failure))
}

fn failed(message: String) -> Failure {
    Failure::new(FailureKind::JobFailed, message)
}

/// Which steps of a run failed and why, in the words of SageMaker.
fn why(execution: &ExecutionArn, run: &Details) -> String {
    let reason = |reason: Option<&Untrusted>| match reason {
        Some(reason) => format!(": {}", quoted(reason.raw(), LONGEST)),
        None => String::new(),
    };
    let head = format!("{execution} ended as {}", run.status);
    if run.failed_steps.is_empty() {
        return head + &reason(run.failure_reason.as_ref());
    }
    let steps = run.failed_steps.iter().take(NAMED);
    let mut steps: Vec<_> = steps
        .map(|step| {
            let why = reason(step.reason.as_ref());
            format!("step {} failed{why}", name(step.name.raw(), LONGEST))
        })
        .collect();
    if run.failed_steps.len() > NAMED {
        steps.push(format!("and {} more", run.failed_steps.len() - NAMED));
    }
    format!("{head}: {}", steps.join("; "))
}
