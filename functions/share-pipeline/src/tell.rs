//! Tells people what only they can mend.

use aws::{
    Error,
    lambda::Record,
    notices::{Destination, Teller},
};
use domain::{
    notification,
    policy::{Policy, PolicyErrors},
};

use crate::{SharePipeline, report::Report};

impl SharePipeline<'_> {
    /// Says once that a version of the policy was not put in force.
    pub(crate) async fn tell_policy_refused(
        &self,
        version: i64,
        errors: &PolicyErrors,
        batch: &[Record],
    ) -> Result<(), Error> {
        let notice =
            notification::policy_refused_notice(&self.config.settings.policy, version, errors);
        self.tell(batch, &notice).await
    }

    /// Says once a day what cannot be done in an account.
    pub(crate) async fn tell_problems(
        &self,
        policy: &Policy,
        batch: &[Record],
        report: &Report,
    ) -> Result<(), Error> {
        for (account, problem) in report.problems() {
            let day = teller(batch).map(|teller| teller.now.strftime("%F").to_string());
            let day = day.unwrap_or_default();
            let notice = notification::problem_notice(policy, account, &problem, &day);
            self.tell(batch, &notice).await?;
        }
        Ok(())
    }

    async fn tell(&self, batch: &[Record], notice: &notification::Notice) -> Result<(), Error> {
        if let Some(teller) = teller(batch) {
            let notices = &self.notices;
            notices
                .publish_once(teller, &Destination::Hub, notice)
                .await?;
        }
        Ok(())
    }
}

/// A batch is told on behalf of its first record.
fn teller(batch: &[Record]) -> Option<Teller<'_>> {
    batch.first().map(Record::teller)
}
