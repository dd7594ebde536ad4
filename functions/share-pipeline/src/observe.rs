//! Reads an owner account: its pipelines, its shares, and what was proved.

use std::collections::{BTreeMap, BTreeSet};

use aws::{Error, ram::Owner};
use domain::{
    id::{AccountId, PermissionArn},
    policy::Policy,
    sharing::{self, Added, Flaw, Observed, Pipeline},
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::SharePipeline;

/// How many questions are put to `SageMaker` at once.
const QUESTIONS_AT_ONCE: usize = 8;

impl SharePipeline<'_> {
    /// Observes an account as far as a plan needs it.
    pub(crate) async fn observe(
        &self,
        policy: &Policy,
        account: &AccountId,
    ) -> Result<Observed, Error> {
        let sagemaker = self.aws.reader(account).await;
        let ram = self.aws.owner(account).await;
        // Items first: what they say of a pipeline that is not listed then, is over.
        let proved = async {
            let evidence = self.remembered_gates(policy, account).await?;
            Ok::<_, Error>((evidence, sagemaker.pipelines().await?))
        };
        let ((evidence, pipelines), shares) = futures::try_join!(proved, ram.shares())?;
        let mut observed = Observed {
            account: account.clone(),
            region: self.aws.region().clone(),
            partition: self.aws.partition().to_owned(),
            pipelines,
            shares,
            lookalikes: Vec::new(),
            evidence,
            proved: Vec::new(),
            flaws: BTreeMap::new(),
        };
        let questions = sharing::questions(policy, &observed);
        let (proved, flaws) = futures::try_join!(
            self.succeeded(account, questions.succeeded),
            flaws(&ram, questions.permissions),
        )?;
        observed.prove(proved);
        observed.flaws = flaws;
        Ok(observed)
    }

    /// Those of the pipelines that have an execution which succeeded.
    async fn succeeded(
        &self,
        account: &AccountId,
        pipelines: Vec<Pipeline>,
    ) -> Result<Vec<Pipeline>, Error> {
        let sagemaker = &self.aws.reader(account).await;
        let succeeded = stream::iter(pipelines)
            .map(async |pipeline| {
                let has = sagemaker
                    .has_succeeded_execution(&pipeline.arn, pipeline.created)
                    .await?;
                Ok::<_, Error>(has.then_some(pipeline))
            })
            .buffer_unordered(QUESTIONS_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        Ok(succeeded.into_iter().flatten().collect())
    }

    /// Whether a pipeline that came into a share has been deleted and made again meanwhile.
    pub(crate) async fn is_another(
        &self,
        account: &AccountId,
        added: &Added,
    ) -> Result<bool, Error> {
        let sagemaker = self.aws.reader(account).await;
        let newer = sagemaker.pipelines_since(added.since()).await?;
        Ok(added.is_another_among(&newer))
    }
}

async fn flaws(
    ram: &Owner,
    permissions: BTreeSet<PermissionArn>,
) -> Result<BTreeMap<PermissionArn, Flaw>, Error> {
    let flaws = stream::iter(permissions)
        .map(async |permission| {
            let flaw = ram.flaw_of(&permission).await?;
            Ok::<_, Error>(flaw.map(|flaw| (permission, flaw)))
        })
        .buffer_unordered(QUESTIONS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(flaws.into_iter().flatten().collect())
}
