//! Has SageMaker start a run, or run it again.

use aws::{Error, sagemaker::Start};
use domain::{
    hook::{Operation, Round, Run, Wait, check_started},
    id::ExecutionArn,
    status::ExecutionStatus,
    text::flat,
};

use crate::{
    CodePipelineHook,
    execute::Work,
    report::{Outcome, Report},
};

impl CodePipelineHook<'_> {
    /// The newest round of the deployment, and its run.
    pub(crate) async fn look_at_run(
        &self,
        work: &Work<'_>,
        report: &mut Report,
    ) -> Result<(Option<Round>, Option<Run>), Error> {
        let Work {
            runner,
            pipeline,
            identity,
            ..
        } = work;
        let (round, run) = self.run(runner, pipeline, identity).await?;
        report.execution = round.as_ref().and_then(Round::run).cloned();
        Ok((round, run))
    }

    /// Does what a round is for; how it goes is for the next invocation to see.
    ///
    /// Done again after a crash, by whatever attempt, it does the same, since
    /// the token is the same.
    pub(crate) async fn perform(
        &self,
        work: &Work<'_>,
        round: &Round,
        report: &mut Report,
    ) -> Result<Outcome, Error> {
        match &round.operation {
            Operation::Start => self.start(work, round, report).await,
            Operation::Retry(execution) => {
                report.execution = Some(execution.clone());
                self.retry(work, round, execution).await
            }
        }
    }

    async fn start(
        &self,
        work: &Work<'_>,
        round: &Round,
        report: &mut Report,
    ) -> Result<Outcome, Error> {
        let Work {
            request, pipeline, ..
        } = work;
        let description = match &request.execution {
            Some(execution) => format!("Started by pipeshare for {}", flat(execution, 256)),
            None => "Started by pipeshare".to_owned(),
        };
        let start = Start {
            pipeline: &pipeline.arn,
            display_name: work.identity.display_name(),
            description: &description,
            parameters: &request.parameters,
            version: request.version,
            token: &round.token,
        };
        let sagemaker = &work.runner.sagemaker;
        let execution = sagemaker.start(&start).await?;
        report.execution = Some(execution.clone());
        let Some(started) = sagemaker.started(&execution).await? else {
            // It is not visible yet; the next invocation asks again with the same token.
            return Ok(begun(execution));
        };
        let checked = check_started(request, &pipeline.arn, round, &execution, &started);
        if let Err(failure) = checked {
            return Ok(Outcome::Failed(failure));
        }
        self.settle(work, round, execution).await
    }

    async fn retry(
        &self,
        work: &Work<'_>,
        round: &Round,
        execution: &ExecutionArn,
    ) -> Result<Outcome, Error> {
        let sagemaker = &work.runner.sagemaker;
        match sagemaker.retry(execution, &round.token).await {
            Ok(()) => self.settle(work, round, execution.clone()).await,
            // Somebody else may have run it again just now: then there is nothing to do.
            Err(error) if error.is("ValidationException") => {
                use ExecutionStatus::{Failed, Stopped};
                match sagemaker.run(execution).await? {
                    Some(run) if ![Failed, Stopped].contains(&run.status) => Ok(begun(run.arn)),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Remembers that SageMaker has done what the round was for.
    async fn settle(
        &self,
        work: &Work<'_>,
        round: &Round,
        execution: ExecutionArn,
    ) -> Result<Outcome, Error> {
        let done = round.done(work.pipeline.created, &execution);
        self.write_run(&work.identity, &done, work.now).await?;
        Ok(begun(execution))
    }
}

fn begun(execution: ExecutionArn) -> Outcome {
    Outcome::waiting(Wait::Run(execution, ExecutionStatus::Executing))
}
