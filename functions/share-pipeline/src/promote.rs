//! Puts the newest valid policy in force.

use aws::{Error, lambda::Record, policy::InForce};
use domain::policy::{self, Policy};

use crate::{SharePipeline, report::Report};

impl SharePipeline<'_> {
    /// Puts the newest policy in force if it is valid; otherwise the last good one stays.
    pub(crate) async fn promote(
        &self,
        in_force: Option<InForce>,
        batch: &[Record],
        report: &mut Report,
    ) -> Result<Option<InForce>, Error> {
        let ssm = self.aws.ssm();
        let Some(newest) = ssm.newest(&self.config.settings.policy).await? else {
            return Ok(in_force);
        };
        if in_force
            .as_ref()
            .is_some_and(|in_force| in_force.version >= newest.version)
        {
            return Ok(in_force);
        }
        if policy::is_unwritten(&newest.text) {
            tracing::info!(
                policy.version = newest.version,
                "nobody has written a policy yet"
            );
            return Ok(in_force);
        }
        match Policy::parse(&newest.text) {
            Ok(policy) => {
                let version = newest.version;
                let name = &self.config.settings.policy;
                if let Err(error) = ssm.put_in_force(name, version).await {
                    // The last good one stays in force; the next sweep tries again.
                    report.refuse_policy(version, &error);
                    return Ok(in_force);
                }
                report.promoted = true;
                Ok(Some(InForce {
                    version,
                    written: newest.written,
                    policy,
                }))
            }
            Err(errors) => {
                report.refuse_policy(newest.version, &errors);
                self.tell_policy_refused(&newest, &errors, batch).await;
                Ok(in_force)
            }
        }
    }
}
