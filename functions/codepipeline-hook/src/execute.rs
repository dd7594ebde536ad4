//! Carries out step after step until something has to be waited for.

use std::time::Duration;

use aws::{Error, clients::Runner};
use domain::{
    hint::{Action, Command},
    hook::{
        self, Failure, FailureKind, Identity, Operation, Progress, Request, Round, Seen, Step,
        StrangeToken, journal,
    },
    id::AccountId,
    policy::Policy,
    sharing::Pipeline,
};
use jiff::Timestamp;
use runtime::ports::{Clock as _, PolicyStore as _, Queue as _};

use crate::{
    CodePipelineHook,
    report::{Outcome, Report},
};

/// How many steps an invocation takes; more would mean that others undo each of them.
const MOST_STEPS: usize = 16;

/// What the steps are about.
pub(crate) struct Work<'w> {
    pub(crate) request: &'w Request,
    /// By what it is shared; none if it is not to be.
    policy: Option<&'w Policy>,
    owner: &'w AccountId,
    pub(crate) runner: Runner,
    pub(crate) pipeline: Pipeline,
    pub(crate) identity: Identity,
    pub(crate) now: Timestamp,
}

impl CodePipelineHook<'_> {
    /// Goes as far as it gets without waiting.
    pub(crate) async fn advance(
        &self,
        request: &Request,
        report: &mut Report,
    ) -> Result<Outcome, Error> {
        let in_force = self.hub.labelled().await?.policy();
        let policy = in_force.as_ref().map(|in_force| &in_force.policy);
        let owner = match request.owner(policy, self.aws.region()) {
            Ok(owner) => owner,
            Err(mistakes) => return Ok(Outcome::Failed(mistakes.into())),
        };
        report.is_stranger = !policy.is_some_and(|policy| knows(policy, &owner));
        let runner = self.aws.runner(&owner).await;
        let pipeline = runner.sagemaker.pipeline_named(&request.pipeline).await?;
        report.pipeline = Some(pipeline.arn.clone());
        let policy = match hook::policy_for(request, policy, &pipeline.arn) {
            Ok(policy) => policy,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        let work = Work {
            identity: Identity::of(request, &pipeline.arn, &report.token.attempt),
            request,
            policy,
            owner: &owner,
            runner,
            // AWS dates all its answers; without a date, no limit would be reached.
            now: self.hub.time().unwrap_or(pipeline.created),
            pipeline,
        };
        match self.resume(&work, report).await? {
            Ok(progress) => self.step_by_step(&work, progress, report).await,
            Err(failure) => Ok(Outcome::Failed(failure)),
        }
    }

    /// How far the attempt is, which begins if nobody has begun it.
    async fn resume(
        &self,
        work: &Work<'_>,
        report: &mut Report,
    ) -> Result<Result<Progress, Failure>, Error> {
        let identity = &work.identity;
        let strange = |error: StrangeToken| {
            Err(Failure::new(
                FailureKind::ConfigurationError,
                error.to_string(),
            ))
        };
        let was_begun = match report.token.is_of(identity) {
            Ok(was_begun) => was_begun,
            Err(error) => return Ok(strange(error)),
        };
        let mut progress = self.progress(identity).await?;
        if progress.began.is_none() && was_begun {
            return Ok(strange(StrangeToken));
        }
        if progress.began.is_none() {
            let began = journal::began(work.now, work.pipeline.created);
            let is_first = self.write_progress(identity, &began, work.now).await?;
            progress = if is_first {
                journal::progress(&[began])
            } else {
                self.progress(identity).await?
            };
        }
        report.token.bind(identity);
        report.is_shared = progress.sharing.is_some();
        // A gate is not opened for a pipeline that has taken the place of the one that ran.
        if progress.created != Some(work.pipeline.created) {
            let arn = &work.pipeline.arn;
            let message =
                format!("{arn} was deleted and made again since this attempt began; begin another");
            return Ok(Err(Failure::new(FailureKind::JobFailed, message)));
        }
        Ok(Ok(progress))
    }

    async fn step_by_step(
        &self,
        work: &Work<'_>,
        mut progress: Progress,
        report: &mut Report,
    ) -> Result<Outcome, Error> {
        let mut seen = self.observe(work, progress, report).await?;
        for _ in 0..MOST_STEPS {
            match hook::next(work.request, &progress, &seen) {
                Step::Begin(operation) => {
                    let number = seen.round.map_or(1, |round| round.number.saturating_add(1));
                    seen.round = self
                        .begin_round(work, &mut progress, number, operation)
                        .await?;
                    if seen.round.is_none() {
                        (seen.round, seen.run) = self.look_at_run(work, report).await?;
                    }
                }
                Step::Perform(round) => return self.perform(work, &round, report).await,
                Step::Settle(round, execution) => {
                    let done = round.done(work.pipeline.created, &execution);
                    self.write_run(&work.identity, &done, work.now).await?;
                    (seen.round, seen.run) = self.look_at_run(work, report).await?;
                }
                Step::Adopt(round) => self.answer_from(work, &mut progress, round).await?,
                Step::Share => {
                    self.open_gates(work, report).await?;
                    self.ask_to_share(work).await?;
                    let sharing = journal::sharing(work.now);
                    self.write_progress(&work.identity, &sharing, work.now)
                        .await?;
                    progress.sharing = Some(work.now);
                    report.is_shared = true;
                    seen.grants = self.look_for_access(work, report).await?;
                }
                Step::Wait(wait) => return Ok(Outcome::waiting(wait)),
                Step::Succeed => return Ok(Outcome::Succeeded),
                Step::Fail(failure) => return Ok(Outcome::Failed(failure)),
            }
        }
        Ok(Outcome::Waiting("other attempts at the same".to_owned()))
    }

    async fn observe(
        &self,
        work: &Work<'_>,
        progress: Progress,
        report: &mut Report,
    ) -> Result<Seen, Error> {
        let mut seen = Seen {
            now: work.now,
            round: None,
            run: None,
            grants: None,
        };
        if work.request.run {
            (seen.round, seen.run) = self.look_at_run(work, report).await?;
        }
        if progress.sharing.is_some() {
            // A rule that is new since then may wait for the hook, too.
            if self.open_gates(work, report).await? {
                self.ask_to_share(work).await?;
            }
            seen.grants = self.look_for_access(work, report).await?;
        }
        Ok(seen)
    }

    /// Writes down that this attempt begins a round, and then which one it is.
    ///
    /// If it is killed in between, the attempt knows that the round is its own
    /// to begin; if another attempt is faster, that one's round serves both, and
    /// there is none to return.
    async fn begin_round(
        &self,
        work: &Work<'_>,
        progress: &mut Progress,
        number: u32,
        operation: Operation,
    ) -> Result<Option<Round>, Error> {
        self.answer_from(work, progress, number).await?;
        let round = Round {
            number,
            operation,
            token: format!("pipeshare-{}", aws::random::secret()?),
            at: work.now,
            execution: None,
        };
        let claim = round.claim(work.pipeline.created);
        let is_ours = self.write_run(&work.identity, &claim, work.now).await?;
        Ok(is_ours.then_some(round))
    }

    async fn answer_from(
        &self,
        work: &Work<'_>,
        progress: &mut Progress,
        round: u32,
    ) -> Result<(), Error> {
        let identity = &work.identity;
        let answers = journal::answers(round);
        let is_first = self.write_progress(identity, &answers, work.now).await?;
        progress.round = if is_first {
            Some(round)
        } else {
            self.progress(identity).await?.round
        };
        Ok(())
    }

    /// Opens the gates of the rules that wait for the hook; returns whether one was closed.
    async fn open_gates(&self, work: &Work<'_>, report: &Report) -> Result<bool, Error> {
        match work.policy {
            Some(policy) => {
                self.remember_passage(policy, &work.pipeline, report.execution.as_ref())
                    .await
            }
            None => Ok(false),
        }
    }

    /// Has share-pipeline look at the account.
    ///
    /// The queue is the way to the one function that may change shares.
    async fn ask_to_share(&self, work: &Work<'_>) -> Result<(), Error> {
        let command = Command::text(Action::Share, work.owner);
        let queue = &self.config.share_queue;
        self.hub.send(queue, &command, Duration::ZERO, 0).await
    }

    async fn look_for_access(
        &self,
        work: &Work<'_>,
        report: &mut Report,
    ) -> Result<Option<Vec<hook::Grant>>, Error> {
        let Some(policy) = work.policy else {
            return Ok(None);
        };
        let grants = self.grants(policy, &work.runner, &work.pipeline).await?;
        report.grants.clone_from(&grants);
        Ok(Some(grants))
    }
}

/// Whether the policy says anything of an account, so that it should be possible to serve it.
fn knows(policy: &Policy, account: &AccountId) -> bool {
    policy.account(account).is_some() || policy.owners().contains(account)
}
