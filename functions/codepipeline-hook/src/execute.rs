//! Carries out step after step until something has to be waited for.

use std::time::Duration;

use aws::{Error, clients::Runner};
use domain::{
    hint::{Action, Command},
    hook::{self, Failure, FailureKind, Identity, PipelineRef, Request, Run, Seen, Step},
    id::{AccountId, ExecutionArn},
    policy::Policy,
    sharing::Pipeline,
    text::flat,
};
use jiff::Timestamp;

use crate::{
    CodePipelineHook,
    report::{Outcome, Report},
};

/// What the steps are about.
struct Work<'w> {
    request: &'w Request,
    /// By what it is shared; none if it is not to be.
    policy: Option<&'w Policy>,
    owner: &'w AccountId,
    runner: Runner,
    pipeline: Pipeline,
    identity: Identity,
}

impl CodePipelineHook<'_> {
    /// Goes as far as it gets without waiting.
    pub(crate) async fn advance(
        &self,
        request: &Request,
        report: &mut Report,
    ) -> Result<Outcome, Error> {
        let ssm = self.aws.ssm();
        let in_force = ssm.policy_in_force(&self.config.policy).await?;
        let policy = in_force.as_ref().map(|in_force| &in_force.policy);
        let owner = match self.owner(request, policy) {
            Ok(owner) => owner,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        let runner = self.aws.runner(&owner).await;
        let pipeline = runner.sagemaker.pipeline_named(&request.pipeline).await?;
        report.pipeline = Some(pipeline.arn.clone());
        let policy = match hook::policy_for(request, policy, &pipeline.arn) {
            Ok(policy) => policy,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        // AWS dates all its answers; without a date, no limit would be reached.
        let now = ssm.time().unwrap_or(pipeline.created);
        report.progress.began.get_or_insert(now);
        let work = Work {
            identity: Identity::of(request, &pipeline.arn, &report.progress.attempt),
            request,
            policy,
            owner: &owner,
            runner,
            pipeline,
        };
        let mut seen = self.observe(&work, now, report).await?;
        loop {
            match hook::next(request, &report.progress, &seen) {
                Step::Start => {
                    // After a run that cannot be run again, this attempt starts another, once.
                    let token = match &seen.run {
                        None => work.identity.start_token(),
                        Some(_) => work.identity.retry_token(),
                    };
                    let arn = start(&work, &token).await?;
                    report.progress.execution = Some(arn.clone());
                    seen.run = Some(Run::started(arn));
                }
                Step::Retry(arn) => {
                    let sagemaker = &work.runner.sagemaker;
                    sagemaker.retry(&arn, &work.identity).await?;
                    report.progress.execution = Some(arn.clone());
                    seen.run = Some(Run::started(arn));
                }
                Step::Share => {
                    self.open_gates(&work).await?;
                    self.ask_to_share(&work).await?;
                    report.progress.sharing = Some(now);
                    seen.grants = self.look_for_access(&work, report).await?;
                }
                Step::Wait(wait) => return Ok(Outcome::waiting(wait)),
                Step::Succeed => return Ok(Outcome::Succeeded),
                Step::Fail(failure) => return Ok(Outcome::Failed(failure)),
            }
        }
    }

    /// The owner of the pipeline, which must be one of this Region.
    fn owner(&self, request: &Request, policy: Option<&Policy>) -> Result<AccountId, Failure> {
        if let PipelineRef::Arn(arn) = &request.pipeline
            && arn.region() != self.aws.region()
        {
            let (theirs, ours) = (arn.region(), self.aws.region());
            let message = format!("the pipeline is in {theirs}, and this hook serves {ours}");
            return Err(Failure::new(FailureKind::ConfigurationError, message));
        }
        Ok(request.owner(policy)?)
    }

    async fn observe(
        &self,
        work: &Work<'_>,
        now: Timestamp,
        report: &mut Report,
    ) -> Result<Seen, Error> {
        let mut seen = Seen {
            now,
            run: None,
            grants: None,
        };
        if report.progress.sharing.is_some() {
            // A rule that is new since then may wait for the hook, too.
            if self.open_gates(work).await? {
                self.ask_to_share(work).await?;
            }
            seen.grants = self.look_for_access(work, report).await?;
        } else if work.request.run {
            let Work {
                runner,
                pipeline,
                identity,
                ..
            } = work;
            seen.run = self
                .run(runner, pipeline, identity, &report.progress)
                .await?;
            if let Some(run) = &seen.run
                && run.is_adoptable()
            {
                report.progress.execution = Some(run.arn.clone());
            }
        }
        Ok(seen)
    }

    /// Opens the gates of the rules that wait for the hook; returns whether one was closed.
    async fn open_gates(&self, work: &Work<'_>) -> Result<bool, Error> {
        match work.policy {
            Some(policy) => self.remember_passage(policy, &work.pipeline).await,
            None => Ok(false),
        }
    }

    /// Has share-pipeline look at the account.
    ///
    /// The queue is the way to the one function that may change shares.
    async fn ask_to_share(&self, work: &Work<'_>) -> Result<(), Error> {
        let command = Command::text(Action::Share, work.owner);
        let queue = &self.config.share_queue;
        let sqs = self.aws.sqs();
        sqs.put_back(queue, &command, Duration::ZERO, 0).await
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

async fn start(work: &Work<'_>, token: &str) -> Result<ExecutionArn, Error> {
    let Work {
        request,
        runner,
        pipeline,
        identity,
        ..
    } = work;
    let description = match &request.execution {
        // SageMaker takes descriptions of a single line.
        Some(execution) => format!("Started by pipeshare for {}", flat(execution, 256)),
        None => "Started by pipeshare".to_owned(),
    };
    let sagemaker = &runner.sagemaker;
    let parameters = &request.parameters;
    sagemaker
        .start(&pipeline.arn, identity, token, parameters, &description)
        .await
}
