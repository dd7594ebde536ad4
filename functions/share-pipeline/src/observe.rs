//! Reads an owner account: its pipelines, its shares, and what was proved.

use aws::Error;
use domain::{
    id::AccountId,
    policy::Policy,
    sharing::{self, Evidence, Observed, Questions},
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
        let (pipelines, shares) = futures::try_join!(sagemaker.pipelines(), ram.shares())?;
        let mut observed = Observed {
            account: account.clone(),
            region: self.aws.region().clone(),
            partition: self.aws.partition().to_owned(),
            pipelines,
            shares,
            evidence: Evidence::default(),
        };
        let questions = sharing::questions(policy, &observed);
        observed.evidence = self.answer(account, questions).await?;
        Ok(observed)
    }

    /// Finds out which gates have been passed.
    async fn answer(&self, account: &AccountId, questions: Questions) -> Result<Evidence, Error> {
        let sagemaker = &self.aws.reader(account).await;
        let succeeded = stream::iter(questions.succeeded)
            .map(async |pipeline| {
                let has = sagemaker
                    .has_succeeded_execution(&pipeline.arn, pipeline.created)
                    .await?;
                Ok::<_, Error>(has.then_some(pipeline.arn))
            })
            .buffer_unordered(QUESTIONS_AT_ONCE)
            .try_collect::<Vec<_>>();
        let hooked = stream::iter(questions.hooked)
            .map(async |(rule, pipeline)| {
                let has = self.hook_passed(&rule, &pipeline).await?;
                Ok::<_, Error>(has.then_some((rule, pipeline.arn)))
            })
            .buffer_unordered(QUESTIONS_AT_ONCE)
            .try_collect::<Vec<_>>();
        let (succeeded, hooked) = futures::try_join!(succeeded, hooked)?;
        Ok(Evidence {
            succeeded: succeeded.into_iter().flatten().collect(),
            hooked: hooked.into_iter().flatten().collect(),
        })
    }
}
