//! What has to be known beyond one run.

use std::collections::BTreeSet;

use aws::{Error, dynamodb::Values};
use domain::{
    id::AccountId,
    policy::{Gate, Policy},
    sharing::{self, Action, Evidence, Observed, Pipeline, Plan},
    storage::{self, Key, OWNERS},
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::SharePipeline;

/// How many items are written at once.
const ITEMS_AT_ONCE: usize = 8;

impl SharePipeline<'_> {
    /// The accounts that shares were made in, also those that the policy has forgotten since.
    pub(crate) async fn remembered_owners(&self) -> Result<BTreeSet<AccountId>, Error> {
        let items = self.table.list(OWNERS).await?;
        Ok(items
            .iter()
            .filter_map(|item| item.sk.parse().ok())
            .collect())
    }

    /// Remembers the account before the first share is made in it, so that the
    /// share is found and deleted even if no policy names the account any more.
    pub(crate) async fn remember(&self, observed: &Observed, plan: &Plan) -> Result<(), Error> {
        let creates = |action: &Action| matches!(action, Action::Create { .. });
        if plan.steps.iter().any(|step| creates(&step.action)) {
            let account = observed.account.as_str();
            self.table
                .put(OWNERS, account, &Values::new(), None)
                .await?;
        }
        Ok(())
    }

    /// Forgets an account that shares nothing any more.
    ///
    /// Never one that the policy names: another run may be sharing there just now.
    pub(crate) async fn forget(
        &self,
        policy: &Policy,
        observed: &Observed,
        plan: &Plan,
    ) -> Result<(), Error> {
        let shares_nothing = !observed.shares.iter().any(|share| share.live);
        let is_named = policy.owners().contains(&observed.account);
        if shares_nothing && plan.steps.is_empty() && !is_named {
            let account = observed.account.as_str();
            self.table.delete(OWNERS, account).await?;
        }
        Ok(())
    }

    /// What is remembered of the gates that the account's rules have.
    pub(crate) async fn remembered_gates(
        &self,
        policy: &Policy,
        account: &AccountId,
    ) -> Result<Evidence, Error> {
        let gates = sharing::gates(policy, account);
        let items = async |gate: Gate, partition: String| {
            if !gates.contains(&gate) {
                return Ok(Vec::new());
            }
            let items = self.table.list(&partition).await?;
            Ok::<_, Error>(items.into_iter().map(|item| item.sk).collect::<Vec<_>>())
        };
        let (succeeded, hooked) = futures::try_join!(
            items(Gate::Succeeded, storage::succeeded_gates(account)),
            items(Gate::Hook, storage::hook_gates(account)),
        )?;
        Ok(Evidence::remembered(succeeded, hooked))
    }

    /// Remembers of pipelines that `SageMaker` said they have succeeded.
    pub(crate) async fn remember_successes(&self, pipelines: &[Pipeline]) -> Result<(), Error> {
        let keys = pipelines
            .iter()
            .map(|pipeline| storage::succeeded_gate(&pipeline.arn, pipeline.created));
        stream::iter(keys)
            .map(async |key| self.table.put(&key.pk, &key.sk, &Values::new(), None).await)
            .buffer_unordered(ITEMS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Forgets the gates that pipelines have passed which are no more.
    pub(crate) async fn forget_gates(&self, gone: &[Key]) -> Result<(), Error> {
        stream::iter(gone)
            .map(async |key| self.table.delete(&key.pk, &key.sk).await)
            .buffer_unordered(ITEMS_AT_ONCE)
            .try_collect()
            .await
    }
}
