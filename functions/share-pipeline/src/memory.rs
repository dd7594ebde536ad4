//! What has to be known beyond one run.

use std::collections::BTreeSet;

use aws::{Error, dynamodb::Values};
use domain::{
    id::AccountId,
    policy::{Policy, RuleName},
    sharing::{Action, Observed, Pipeline, Plan},
    storage,
};

use crate::SharePipeline;

/// The partition key of the owner accounts in which shares were made.
const OWNERS: &str = "owners";

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

    /// Whether the deployment hook let this pipeline, not a namesake before it, join the rule.
    pub(crate) async fn hook_passed(
        &self,
        rule: &RuleName,
        pipeline: &Pipeline,
    ) -> Result<bool, Error> {
        let key = storage::hook_gate(rule, &pipeline.arn, pipeline.created);
        let item = self.table.get(&key.pk, &key.sk).await?;
        Ok(item.is_some())
    }
}
