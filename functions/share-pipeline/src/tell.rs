//! Tells people what only they can mend.
//!
//! That they could not be told is logged and keeps nothing from being shared.

use domain::{
    notification::{self, Destination, PolicyTrouble, RefusedPolicy},
    policy::{Policy, PolicyErrors, Version},
};
use runtime::{
    lambda::Record,
    notifier::{self, Teller},
};

use crate::{SharePipeline, report::Report};

impl SharePipeline<'_> {
    /// Says once that a version of the policy was not put in force.
    pub(crate) async fn tell_policy_refused(
        &self,
        version: &Version,
        errors: &PolicyErrors,
        batch: &[Record],
    ) {
        let refused = RefusedPolicy {
            parameter: &self.config.settings.policy,
            version: version.version,
            written: version.written,
            document: &version.text,
        };
        let notice = notification::policy_refused_notice(&refused, errors);
        let Some(teller) = teller(batch) else { return };
        let told = self
            .notices
            .publish_once(teller, &Destination::Hub, &notice)
            .await;
        if let Err(error) = told {
            tracing::error!("nobody could be told that the policy was refused: {error}");
        }
    }

    /// Says once a day what is wrong with the policy's parameter.
    pub(crate) async fn tell_policy_trouble(&self, trouble: &PolicyTrouble, batch: &[Record]) {
        let Some(teller) = teller(batch) else { return };
        let day = notifier::day(teller.now);
        let name = &self.config.settings.policy;
        let notice = notification::policy_trouble_notice(name, trouble, &day);
        let told = self
            .notices
            .publish_once(teller, &Destination::Hub, &notice)
            .await;
        if let Err(error) = told {
            tracing::error!("nobody could be told what is wrong with the policy: {error}");
        }
    }

    /// Says once a day what cannot be done in an account.
    pub(crate) async fn tell_troubles(&self, policy: &Policy, batch: &[Record], report: &Report) {
        let Some(teller) = teller(batch) else { return };
        for look in &report.accounts {
            let troubles = look.troubles();
            self.notices
                .tell_troubles(teller, policy, &look.account, &troubles)
                .await;
        }
    }
}

/// A batch is told on behalf of its first record.
pub(crate) fn teller(batch: &[Record]) -> Option<Teller<'_>> {
    batch.first().map(Record::teller)
}
