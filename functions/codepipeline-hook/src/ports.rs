//! What the function needs of AWS, as traits that its tests can serve from memory.
//!
//! Whatever works in another account takes the account first. What the hub has
//! to offer is in the runtime's ports.

use std::time::Duration;

use aws::{
    Aws, Error,
    codepipeline::{Job, JobAck, Success},
    sagemaker::Start,
};
use domain::{
    execution::Details,
    hook::{Failure, PipelineRef, Shared, Started},
    id::{AccountId, ExecutionArn, PipelineArn},
    sharing::Pipeline,
    trigger::{Command, CommandAction},
};
use runtime::ports::Queue;

/// The jobs of CodePipeline.
pub trait Jobs {
    /// What a job is about; none if CodePipeline knows no such job.
    async fn job(&self, id: &str) -> Result<Option<Job>, Error>;

    /// Says that a job is done.
    async fn succeed(&self, job: &str, success: &Success) -> Result<JobAck, Error>;

    /// Says that a job goes on, so that the function is invoked again with this token.
    async fn go_on(
        &self,
        job: &str,
        token: &str,
        summary: &str,
        execution: Option<String>,
    ) -> Result<JobAck, Error>;

    /// Says that a job has failed.
    async fn fail(
        &self,
        job: &str,
        failure: &Failure,
        execution: Option<String>,
    ) -> Result<JobAck, Error>;
}

impl Jobs for Aws {
    async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        self.codepipeline().job(id).await
    }

    async fn succeed(&self, job: &str, success: &Success) -> Result<JobAck, Error> {
        self.codepipeline().succeed(job, success).await
    }

    async fn go_on(
        &self,
        job: &str,
        token: &str,
        summary: &str,
        execution: Option<String>,
    ) -> Result<JobAck, Error> {
        let codepipeline = self.codepipeline();
        codepipeline.go_on(job, token, summary, execution).await
    }

    async fn fail(
        &self,
        job: &str,
        failure: &Failure,
        execution: Option<String>,
    ) -> Result<JobAck, Error> {
        self.codepipeline().fail(job, failure, execution).await
    }
}

/// The pipelines of an owner account and their runs.
pub trait Runs {
    /// The pipeline of this name or ARN, as it is now.
    async fn pipeline(&self, owner: &AccountId, named: &PipelineRef) -> Result<Pipeline, Error>;

    /// How a run goes; none if there is no such run.
    async fn run(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Details>, Error>;

    /// Starts a run, or returns the one that was started with the same token.
    async fn start(&self, owner: &AccountId, start: &Start<'_>) -> Result<ExecutionArn, Error>;

    /// What a run was started with; none if it is not visible (yet).
    async fn started(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Started>, Error>;

    /// Runs again what failed of a run; with the same token once more, it does nothing.
    async fn retry(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
        token: &str,
    ) -> Result<(), Error>;
}

impl Runs for Aws {
    async fn pipeline(&self, owner: &AccountId, named: &PipelineRef) -> Result<Pipeline, Error> {
        self.runner(owner).sagemaker.pipeline_named(named).await
    }

    async fn run(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Details>, Error> {
        self.runner(owner).sagemaker.run(execution).await
    }

    async fn start(&self, owner: &AccountId, start: &Start<'_>) -> Result<ExecutionArn, Error> {
        self.runner(owner).sagemaker.start(start).await
    }

    async fn started(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Started>, Error> {
        self.runner(owner).sagemaker.started(execution).await
    }

    async fn retry(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
        token: &str,
    ) -> Result<(), Error> {
        let runner = self.runner(owner);
        runner.sagemaker.retry(execution, token).await
    }
}

/// Who can use a pipeline.
pub trait Access {
    /// The shares that hold a pipeline, as its owner sees them.
    async fn shares_with(
        &self,
        owner: &AccountId,
        pipeline: &PipelineArn,
    ) -> Result<Vec<Shared>, Error>;

    /// Has a consumer describe a pipeline: an answer is the proof of access.
    async fn prove(&self, consumer: &AccountId, pipeline: &PipelineArn) -> Result<(), Error>;
}

impl Access for Aws {
    async fn shares_with(
        &self,
        owner: &AccountId,
        pipeline: &PipelineArn,
    ) -> Result<Vec<Shared>, Error> {
        self.runner(owner).ram.shares_with(pipeline).await
    }

    async fn prove(&self, consumer: &AccountId, pipeline: &PipelineArn) -> Result<(), Error> {
        self.prover(consumer).describe(pipeline).await
    }
}

/// The way to share-pipeline, the one function that may change shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharePipeline<'a, H> {
    /// The queues of the hub.
    pub(crate) hub: &'a H,
    /// The URL of its queue.
    pub(crate) queue_url: &'a str,
}

impl<H: Queue> SharePipeline<'_, H> {
    /// Has it bring the shares of an owner in line with the policy.
    pub(crate) async fn share(&self, owner: &AccountId) -> Result<(), Error> {
        let command = Command::text(CommandAction::Share, owner);
        let Self { hub, queue_url } = self;
        hub.send(queue_url, &command, Duration::ZERO, 0).await
    }
}
