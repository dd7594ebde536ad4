//! Looks how far things are: the run, the shares, and who can use them.

use aws::{Class, Error, clients::Runner};
use domain::{
    hook::{Access, Grant, Identity, Round, Run, grants},
    id::{PipelineArn, Principal},
    policy::Policy,
    sharing::Pipeline,
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::CodePipelineHook;

/// How many accounts are asked at once.
const ACCOUNTS_AT_ONCE: usize = 8;

impl CodePipelineHook<'_> {
    /// The newest round of the deployment, and the run that it is about, if there is one.
    pub(crate) async fn run(
        &self,
        runner: &Runner,
        pipeline: &Pipeline,
        identity: &Identity,
    ) -> Result<(Option<Round>, Option<Run>), Error> {
        let round = self.latest_round(identity, pipeline).await?;
        let run = match round.as_ref().and_then(Round::run) {
            Some(execution) => runner.sagemaker.run(execution).await?,
            None => None,
        };
        Ok((round, run))
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
        let prover = self.aws.prover(account).await;
        match prover.describe(pipeline).await {
            Ok(()) => {}
            Err(error) if error.class() == Class::Transient => return Err(error),
            Err(error) => grant.access = Access::Unproved(error.to_string()),
        }
        Ok(grant)
    }
}
