//! What has to be known beyond one run.

use aws::{Error, dynamodb::Values};
use domain::{
    hook::covering,
    policy::{Gate, Policy},
    sharing::Pipeline,
};

use crate::CodePipelineHook;

impl CodePipelineHook<'_> {
    /// Lets this pipeline, not a namesake after it, join the rules that wait for the hook.
    pub(crate) async fn open_gates(
        &self,
        policy: &Policy,
        pipeline: &Pipeline,
    ) -> Result<(), Error> {
        let created = pipeline.created.as_millisecond().to_string();
        let arn = pipeline.arn.as_str().to_ascii_lowercase();
        let waiting = covering(policy, &pipeline.arn).filter(|rule| rule.after == Gate::Hook);
        for rule in waiting {
            let key = format!("gate|{}|{arn}", rule.name);
            self.table
                .put_if_absent(&key, &created, &Values::new(), None)
                .await?;
        }
        Ok(())
    }
}
