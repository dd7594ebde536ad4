//! Looks how far things are: the run, the shares, and who can use them.

use aws::{Class, Error, clients::Runner};
use domain::{
    hook::{Access, Grant, Identity, Progress, Run, grants},
    id::{PipelineArn, Principal},
    policy::Policy,
    sharing::Pipeline,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::CodePipelineHook;

/// How many accounts are asked at once.
const ACCOUNTS_AT_ONCE: usize = 8;

impl CodePipelineHook<'_> {
    /// The run of this deployment, if there is one.
    pub(crate) async fn run(
        &self,
        runner: &Runner,
        pipeline: &Pipeline,
        identity: &Identity,
        progress: &Progress,
    ) -> Result<Option<Run>, Error> {
        match &progress.execution {
            Some(execution) => runner.sagemaker.run(execution).await,
            None => runner.sagemaker.find_run(&pipeline.arn, identity).await,
        }
    }

    /// Who has access to the pipeline, of those that the policy names.
    pub(crate) async fn grants(
        &self,
        policy: &Policy,
        runner: &Runner,
        pipeline: &Pipeline,
    ) -> Result<Vec<Grant>, Error> {
        let shares = runner.ram.shares_with(&pipeline.arn).await?;
        let grants = grants(policy, pipeline, &shares);
        stream::iter(grants)
            .map(|grant| self.prove(grant, &pipeline.arn))
            .buffered(ACCOUNTS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Has an account that should have access describe the pipeline.
    ///
    /// For other principals RAM's word is taken: nobody can act in their names.
    async fn prove(&self, mut grant: Grant, pipeline: &PipelineArn) -> Result<Grant, Error> {
        let Principal::Account(account) = &grant.principal else {
            return Ok(grant);
        };
        if grant.access != Access::Granted {
            return Ok(grant);
        }
        let consumer = self.aws.consumer(account).await;
        match consumer.sagemaker.describe(pipeline).await {
            Ok(()) => {}
            Err(error) if error.class() == Class::Transient => return Err(error),
            Err(error) => grant.access = Access::Unproved(error.to_string()),
        }
        Ok(grant)
    }
}
