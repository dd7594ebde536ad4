//! What has to be known beyond one run.

use std::collections::BTreeSet;

use aws::Error;
use domain::{
    id::AccountId,
    policy::{Gate, Policy},
    sharing::{self, Evidence},
    storage::{self, Key, Values},
};
use futures::{StreamExt, TryStreamExt, stream};
use runtime::ports::Table as _;

use crate::SharePipeline;

/// How many items are written at once.
const ITEMS_AT_ONCE: usize = 8;

impl SharePipeline<'_> {
    /// The accounts that shares were made in, also those that the policy has forgotten since.
    pub(crate) async fn remembered_owners(&self) -> Result<BTreeSet<AccountId>, Error> {
        let items = self.hub.list(storage::OWNERS).await?;
        Ok(items
            .iter()
            .filter_map(|item| item.sk.parse().ok())
            .collect())
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
            let items = self.hub.list(&partition).await?;
            Ok::<_, Error>(items.into_iter().map(|item| item.sk).collect::<Vec<_>>())
        };
        let (succeeded, hooked) = futures::try_join!(
            items(Gate::Succeeded, storage::succeeded_gates(account)),
            items(Gate::Hook, storage::hook_gates(account)),
        )?;
        Ok(Evidence::remembered(succeeded, hooked))
    }

    /// Writes items.
    pub(crate) async fn remember(&self, keys: &[Key]) -> Result<(), Error> {
        stream::iter(keys)
            .map(async |key| self.hub.put(&key.pk, &key.sk, &Values::new(), None).await)
            .buffer_unordered(ITEMS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Deletes items.
    pub(crate) async fn forget(&self, keys: &[Key]) -> Result<(), Error> {
        stream::iter(keys)
            .map(async |key| self.hub.delete(&key.pk, &key.sk).await)
            .buffer_unordered(ITEMS_AT_ONCE)
            .try_collect()
            .await
    }
}
