//! What has to be known beyond one run.

use aws::{Error, dynamodb::Values};
use domain::{
    hook::covering,
    policy::{Gate, Policy},
    sharing::Pipeline,
    storage,
};

use crate::CodePipelineHook;

impl CodePipelineHook<'_> {
    /// Lets this pipeline, not a namesake after it, join the rules that wait for the hook.
    ///
    /// Returns whether a gate was closed until now.
    pub(crate) async fn remember_passage(
        &self,
        policy: &Policy,
        pipeline: &Pipeline,
    ) -> Result<bool, Error> {
        let waiting = covering(policy, &pipeline.arn).filter(|rule| rule.after == Gate::Hook);
        let mut was_closed = false;
        for rule in waiting {
            let key = storage::hook_gate(&rule.name, &pipeline.arn, pipeline.created);
            was_closed |= self
                .table
                .put_if_absent(&key.pk, &key.sk, &Values::new(), None)
                .await?;
        }
        Ok(was_closed)
    }
}
