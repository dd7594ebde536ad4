//! What is known beyond one invocation: gates, runs and attempts.

use aws::Error;
use domain::{
    hook::{Deployed, Entry, Progress, Round, journal},
    id::ExecutionArn,
    policy::Rule,
    storage::{self, Item, Values},
};
use jiff::Timestamp;
use runtime::ports::Table;

/// The hub's table, as the hook uses it.
#[derive(Debug)]
pub(crate) struct Memory<'m, H>(pub(crate) &'m H);

impl<H: Table> Memory<'_, H> {
    /// Lets this pipeline, and none that is created after it under its name,
    /// join a rule that waits for the hook. Returns whether the gate was closed until now.
    pub(crate) async fn open_gate(
        &self,
        rule: &Rule,
        Deployed { pipeline, .. }: &Deployed,
        run: Option<&ExecutionArn>,
    ) -> Result<bool, Error> {
        let evidence = run.map(|run| ("execution".to_owned(), run.to_string()));
        let evidence: Values = evidence.into_iter().collect();
        let key = storage::hook_gate(&rule.name, &pipeline.arn, pipeline.created);
        self.0
            .put_if_absent(&key.pk, &key.sk, &evidence, None)
            .await
    }

    /// How far the attempt is.
    pub(crate) async fn progress(&self, deployed: &Deployed) -> Result<Progress, Error> {
        let attempt = storage::attempt(deployed.identity.attempt());
        Ok(journal::progress(&self.read(&attempt).await?))
    }

    /// The newest round of the deployment's runs, of this very pipeline.
    pub(crate) async fn latest_round(&self, deployed: &Deployed) -> Result<Option<Round>, Error> {
        let runs = storage::runs(deployed.identity.deployment());
        let entries = self.read(&runs).await?;
        Ok(journal::latest(&entries, deployed.pipeline.created))
    }

    /// Writes about the attempt, unless the same was written before.
    pub(crate) async fn write_progress(
        &self,
        deployed: &Deployed,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let attempt = storage::attempt(deployed.identity.attempt());
        self.write(&attempt, entry, now).await
    }

    /// Writes about the deployment's runs, unless somebody was faster.
    pub(crate) async fn write_run(
        &self,
        deployed: &Deployed,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let runs = storage::runs(deployed.identity.deployment());
        self.write(&runs, entry, now).await
    }

    async fn read(&self, pk: &str) -> Result<Vec<Entry>, Error> {
        let items = self.0.list(pk).await?.into_iter();
        let entry = |Item { sk, values }| Entry { sk, texts: values };
        Ok(items.map(entry).collect())
    }

    async fn write(&self, pk: &str, entry: &Entry, now: Timestamp) -> Result<bool, Error> {
        let Entry { sk, texts } = entry;
        let expires = journal::expiry(now);
        self.0.put_if_absent(pk, sk, texts, expires).await
    }
}
