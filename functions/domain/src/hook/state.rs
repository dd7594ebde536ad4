//! What one invocation knows of its attempt.
//!
//! An invocation knows nothing but request and token at first. [`next`](super::next)
//! says what is to be found out or done, and whoever did it reports the state by
//! one of the methods here; what the invocation comes to, and what is said of
//! it, follows from the state alone.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Entry, FailedCall, Failure, FailureKind, Grant, GrantState, Identity, JobOutcome, Operation,
    Progress, Request, Round, Started, StrangeToken, Token, Wait, check_started, journal,
    policy_for,
};
use crate::{
    execution::Details,
    id::{AccountId, ExecutionArn, Region},
    policy::{Gate, Policy, Rule},
    sharing::Pipeline,
    status::ExecutionStatus,
};

/// After so many invocations in a row that AWS could not serve, it is not waited for any more.
const MOST_FAILURES: u32 = 20;

/// How long a variable of CodePipeline may get here; all of an action's may have 122,880 bytes.
const LONGEST_VARIABLE: usize = 50_000;

/// An attempt at a request, as far as one invocation knows it.
#[derive(Debug, Clone)]
pub struct State {
    pub(super) request: Request,
    token: Token,
    /// The time at AWS, once the pipeline is found.
    pub(super) now: Timestamp,
    policy: Option<Policy>,
    pub(super) owner: Option<AccountId>,
    is_stranger: bool,
    pub(super) deployed: Option<Box<Deployed>>,
    pub(super) progress: Option<Progress>,
    pub(super) knows_run: bool,
    pub(super) round: Option<Round>,
    pub(super) run: Option<Details>,
    /// The execution that this very invocation has started or run again.
    pub(super) begun: Option<ExecutionArn>,
    pub(super) gates_are_open: bool,
    pub(super) grants: Option<Vec<Grant>>,
    /// Why there is nothing to go on with.
    pub(super) failure: Option<Failure>,
}

/// The pipeline that was deployed, and what the hook remembers it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The account that owns it.
    pub owner: AccountId,
    /// The pipeline.
    pub pipeline: Pipeline,
    /// The deployment and the attempt.
    pub identity: Identity,
}

impl State {
    /// An attempt of which nothing is known but what was asked for.
    #[must_use]
    pub fn new(request: Request, token: Token) -> Self {
        Self {
            request,
            token,
            now: Timestamp::UNIX_EPOCH,
            policy: None,
            owner: None,
            is_stranger: false,
            deployed: None,
            progress: None,
            knows_run: false,
            round: None,
            run: None,
            begun: None,
            gates_are_open: false,
            grants: None,
            failure: None,
        }
    }

    /// What is asked for.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The time at AWS, once the pipeline is found.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The run, if there is one.
    #[must_use]
    pub fn execution(&self) -> Option<&ExecutionArn> {
        let known = self.round.as_ref().and_then(Round::run);
        self.begun.as_ref().or(known)
    }

    /// The policy by which the pipeline is shared; none if it is not to be.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref().filter(|_| self.request.share)
    }

    /// The rules that wait for the hook to let the pipeline join.
    pub fn waiting_rules(&self) -> impl Iterator<Item = &Rule> {
        let covering = self
            .policy()
            .zip(self.deployed.as_ref())
            .map(|(policy, deployed)| super::covering(policy, &deployed.pipeline.arn));
        let covering = covering.into_iter().flatten();
        covering.filter(|rule| rule.after == Gate::Hook)
    }
}

/// What was observed and done.
impl State {
    /// The policy in force was read.
    pub fn read_policy(&mut self, policy: Option<Policy>, region: &Region) {
        match self.request.owner(policy.as_ref(), region) {
            Ok(owner) => {
                self.is_stranger = !policy.as_ref().is_some_and(|policy| knows(policy, &owner));
                self.owner = Some(owner);
            }
            Err(mistakes) => self.failure = Some(mistakes.into()),
        }
        self.policy = policy;
    }

    /// SageMaker knows the pipeline in the account that owns it.
    ///
    /// AWS dates all its answers; without a date, no limit would be reached.
    pub fn found_pipeline(&mut self, owner: AccountId, pipeline: Pipeline, now: Option<Timestamp>) {
        self.now = now.unwrap_or(pipeline.created);
        let policy = policy_for(&self.request, self.policy.as_ref(), &pipeline.arn);
        let identity = Identity::of(&self.request, &pipeline.arn, &self.token.attempt);
        if let Err(failure) = policy {
            self.failure = Some(failure);
        } else if let Err(strange) = self.token.is_of(&identity) {
            self.failure = Some(strange.into());
        }
        self.deployed = Some(Box::new(Deployed {
            owner,
            pipeline,
            identity,
        }));
    }

    /// The table says how far the attempt is.
    pub fn read_progress(&mut self, progress: Progress) {
        let Some(deployed) = &self.deployed else {
            return;
        };
        self.progress = Some(progress);
        match (progress.began, self.token.is_of(&deployed.identity)) {
            (Some(_), Ok(_)) => self.began(),
            (None, Ok(false)) => {}
            // A token of work that nobody remembers is not taken for a beginning.
            (None, Ok(true)) | (_, Err(_)) => self.failure = Some(StrangeToken.into()),
        }
    }

    /// An entry about the attempt was to be written; `is_first` is whether it was.
    ///
    /// If another invocation of the same attempt was faster, what it wrote counts.
    pub fn wrote(&mut self, entry: &Entry, is_first: bool) {
        match (&mut self.progress, is_first) {
            (Some(progress), true) => {
                progress.add(entry);
                self.began();
            }
            _ => self.progress = None,
        }
    }

    /// The attempt is one at this pipeline, which must be the one that it began with.
    fn began(&mut self) {
        let (Some(deployed), Some(progress)) = (&self.deployed, &self.progress) else {
            return;
        };
        self.token.bind(&deployed.identity);
        // A gate is not opened for a pipeline that has taken the place of the one that ran.
        if progress.created != Some(deployed.pipeline.created) {
            let arn = &deployed.pipeline.arn;
            let message =
                format!("{arn} was deleted and made again since this attempt began; begin another");
            self.failure = Some(Failure::new(FailureKind::JobFailed, message));
        }
    }

    /// This is the newest round, and this is how its run goes, if there are any.
    pub fn looked_at_run(&mut self, round: Option<Round>, run: Option<Details>) {
        self.knows_run = true;
        self.round = round;
        self.run = run;
    }

    /// The round that is to be claimed next, with a token that nobody can guess.
    #[must_use]
    pub fn round(&self, operation: Operation, token: String) -> Round {
        let latest = self.round.as_ref();
        Round {
            number: latest.map_or(1, |round| round.number.saturating_add(1)),
            operation,
            token,
            at: self.now,
            execution: None,
        }
    }

    /// A round was to be claimed; `is_ours` is whether nobody was faster.
    ///
    /// If another attempt was, its round serves both.
    pub fn claimed(&mut self, round: Round, is_ours: bool) {
        if is_ours {
            self.round = Some(round);
        } else {
            self.knows_run = false;
        }
    }

    /// SageMaker has returned this execution for the newest round.
    pub fn performed(&mut self, execution: ExecutionArn) {
        self.begun = Some(execution);
    }

    /// What SageMaker says that the execution was started with. Returns whether
    /// it is what was asked for; it may not be visible yet, and then the next
    /// invocation asks again with the same token.
    pub fn is_as_asked(&mut self, round: &Round, started: Option<&Started>) -> bool {
        let (Some(deployed), Some(execution)) = (&self.deployed, &self.begun) else {
            return false;
        };
        let arn = &deployed.pipeline.arn;
        let Some(started) = started else { return false };
        match check_started(&self.request, arn, round, execution, started) {
            Ok(()) => true,
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    /// It is noted that SageMaker has done what the newest round was for.
    pub fn settled(&mut self) {
        self.knows_run = false;
    }

    /// The gates of the rules that wait for the hook are open.
    pub fn opened_gates(&mut self) {
        self.gates_are_open = true;
    }

    /// The gates are open, share-pipeline was asked, and both is noted, unless it
    /// was noted before.
    pub fn asked_to_share(&mut self) {
        self.gates_are_open = true;
        if let Some(progress) = &mut self.progress {
            progress.add(&journal::sharing(self.now));
        }
    }

    /// This is who has access.
    pub fn looked_for_access(&mut self, grants: Vec<Grant>) {
        self.grants = Some(grants);
    }
}

/// How it ends.
impl State {
    /// The invocation has come to an end by itself.
    pub fn ended(&mut self) {
        self.token.failures = 0;
    }

    /// A call has failed: what becomes of the work.
    #[must_use]
    pub fn failed(&mut self, call: FailedCall<'_>) -> JobOutcome {
        match call.failure_kind() {
            Some(kind) => {
                self.ended();
                JobOutcome::Failed(Failure::new(kind, call.message))
            }
            None => self.unserved(call.message),
        }
    }

    /// AWS did not serve the invocation; another one may have more luck, but not for ever.
    #[must_use]
    pub fn unserved(&mut self, why: &str) -> JobOutcome {
        self.token.failures = self.token.failures.saturating_add(1);
        if self.token.failures < MOST_FAILURES {
            return JobOutcome::Waiting(Wait::Aws(why.to_owned()));
        }
        let message = format!("after {MOST_FAILURES} tries: {why}");
        JobOutcome::Failed(Failure::new(FailureKind::SystemUnavailable, message))
    }

    /// The token with which the next invocation goes on.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Whether an account that ought to be in order refuses: one that nobody has
    /// named is a mistyped one, as far as anybody knows.
    #[must_use]
    pub fn is_failed_account(&self, outcome: &JobOutcome) -> bool {
        let JobOutcome::Failed(failure) = outcome else {
            return false;
        };
        failure.kind == FailureKind::PermissionError && !self.is_stranger
    }

    /// What people and later actions want to know.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, Option<String>); 4] {
        let grants = || self.grants.iter().flatten();
        let shares = grants().filter_map(|grant| grant.share.as_ref());
        let shares = joined(shares.map(ToString::to_string));
        let consumers = grants().filter(|grant| grant.access == GrantState::Granted);
        let consumers = joined(consumers.map(|grant| grant.principal.as_str().to_owned()));
        let pipeline = self.deployed.as_ref().map(|it| it.pipeline.arn.to_string());
        [
            ("pipelineArn", pipeline),
            ("executionArn", self.execution().map(ToString::to_string)),
            ("shareArns", Some(shares).filter(|list| !list.is_empty())),
            ("consumers", Some(consumers).filter(|list| !list.is_empty())),
        ]
    }

    /// One line about a success, for people.
    #[must_use]
    pub fn success(&self) -> String {
        let ran = self.execution().is_some();
        let begin = if ran { "run succeeded" } else { "not run" };
        let sharing = self.progress.and_then(|progress| progress.sharing);
        let end = if sharing.is_some() {
            let grants = self.grants.as_deref().unwrap_or_default();
            let has = |grant: &&Grant| grant.access == GrantState::Granted;
            let granted = grants.iter().filter(has).count();
            format!("{granted} of {} have access", grants.len())
        } else {
            "not shared".to_owned()
        };
        format!("{begin}; {end}")
    }
}

/// Whether a retry that SageMaker refuses is not needed: somebody else may have
/// run it again just now.
#[must_use]
pub fn runs_already(run: Option<&Details>) -> bool {
    let is_over = |status| matches!(status, ExecutionStatus::Failed | ExecutionStatus::Stopped);
    run.is_some_and(|run| !is_over(run.status.clone()))
}

/// Whether the policy says anything of an account, so that it should be possible to serve it.
fn knows(policy: &Policy, account: &AccountId) -> bool {
    policy.account(account).is_some() || policy.owners().contains(account)
}

/// Distinct texts with commas between them, as many as fit into a variable.
fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: BTreeSet<String> = texts.collect();
    let mut joined = String::new();
    for text in texts {
        if joined.len() + text.len() >= LONGEST_VARIABLE {
            break;
        }
        if !joined.is_empty() {
            joined.push(',');
        }
        joined += &text;
    }
    joined
}
