//! What is known beyond one invocation: gates, runs and attempts.

use aws::Error;
use domain::{
    hook::journal::{self, Entry},
    hook::{Identity, Progress, Round, covering},
    id::ExecutionArn,
    policy::{Gate, Policy},
    sharing::Pipeline,
    storage::{self, Item, Values},
};
use jiff::Timestamp;
use runtime::ports::Table as _;

use crate::CodePipelineHook;

impl CodePipelineHook<'_> {
    /// Lets this pipeline, not a namesake after it, join the rules that wait for the hook.
    ///
    /// Returns whether a gate was closed until now.
    pub(crate) async fn remember_passage(
        &self,
        policy: &Policy,
        pipeline: &Pipeline,
        run: Option<&ExecutionArn>,
    ) -> Result<bool, Error> {
        let evidence = run.map(|run| ("execution".to_owned(), run.to_string()));
        let evidence: Values = evidence.into_iter().collect();
        let waiting = covering(policy, &pipeline.arn).filter(|rule| rule.after == Gate::Hook);
        let mut was_closed = false;
        for rule in waiting {
            let key = storage::hook_gate(&rule.name, &pipeline.arn, pipeline.created);
            was_closed |= self
                .hub
                .put_if_absent(&key.pk, &key.sk, &evidence, None)
                .await?;
        }
        Ok(was_closed)
    }

    /// How far the attempt is.
    pub(crate) async fn progress(&self, identity: &Identity) -> Result<Progress, Error> {
        let entries = self.read(&storage::attempt(identity.attempt())).await?;
        Ok(journal::progress(&entries))
    }

    /// The newest round of the deployment's runs, of this pipeline and no namesake.
    pub(crate) async fn latest_round(
        &self,
        identity: &Identity,
        pipeline: &Pipeline,
    ) -> Result<Option<Round>, Error> {
        let entries = self.read(&storage::runs(identity.deployment())).await?;
        Ok(journal::latest(&entries, pipeline.created))
    }

    /// Writes about the attempt, unless the same was written before.
    pub(crate) async fn write_progress(
        &self,
        identity: &Identity,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let pk = storage::attempt(identity.attempt());
        self.write(&pk, entry, now).await
    }

    /// Writes about the deployment's runs, unless somebody was faster.
    pub(crate) async fn write_run(
        &self,
        identity: &Identity,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let pk = storage::runs(identity.deployment());
        self.write(&pk, entry, now).await
    }

    async fn read(&self, pk: &str) -> Result<Vec<Entry>, Error> {
        let items = self.hub.list(pk).await?.into_iter();
        let entry = |Item { sk, values }| Entry { sk, texts: values };
        Ok(items.map(entry).collect())
    }

    async fn write(&self, pk: &str, entry: &Entry, now: Timestamp) -> Result<bool, Error> {
        let Entry { sk, texts } = entry;
        let expires = journal::expiry(now);
        self.hub.put_if_absent(pk, sk, texts, expires).await
    }
}
