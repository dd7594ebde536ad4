//! The ports as AWS provides them.

use aws::{Aws, clients::Role};
use domain::{
    ceiling::Ceiling,
    execution::{Details, Execution},
    id::{AccountId, ExecutionArn, PipelineArn},
    sharing::{Pipeline, Share},
};
use jiff::Timestamp;
use runtime::Error;

use crate::ports::Owners;

/// Owner accounts, each through its role for reading.
#[derive(Debug)]
pub struct Accounts<'a>(&'a Aws);

impl<'a> Accounts<'a> {
    /// The accounts that these clients reach.
    #[must_use]
    pub fn new(aws: &'a Aws) -> Self {
        Self(aws)
    }
}

impl Owners for Accounts<'_> {
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error> {
        self.0.reader(owner).pipelines().await
    }

    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error> {
        self.0.viewer(owner).ram.shares().await
    }

    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error> {
        self.0.ceiling(owner, Role::Reader).await
    }

    async fn newest_runs(
        &self,
        owner: &AccountId,
        pipeline: &PipelineArn,
        since: Timestamp,
        most: u8,
    ) -> Result<Vec<Execution>, Error> {
        let sagemaker = self.0.reader(owner);
        sagemaker.newest_executions(pipeline, since, most).await
    }

    async fn described(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Details, Error> {
        self.0.reader(owner).described(execution).await
    }

    async fn explained(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Details>, Error> {
        self.0.reader(owner).run(execution).await
    }
}
