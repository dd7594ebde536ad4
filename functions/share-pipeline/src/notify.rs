//! Notifies people of what only they can fix.
//!
//! That they could not be notified is logged and keeps nothing from being shared.

use domain::{
    notification::{self, Destination, Limit, PolicyTrouble, RefusedPolicy, expired_notice},
    policy::{Policy, PolicyErrors, Version},
    sharing::Step,
    storage,
};
use runtime::{
    notifier::{self, Teller},
    ports::{Publish, Table},
};

use crate::{SharePipeline, account::Served, ceiling, promote::Promotion};

/// What people have to know when others of the day are not told.
const LAST: &str = "This is the last message of the day about invitations of this account that were \
                    not accepted; the log of share-pipeline has the others.";

impl<H: Publish + Table, A> SharePipeline<'_, H, A> {
    /// Says what is wrong with the policy.
    pub(crate) async fn notify_of_policy(&self, promotion: &Promotion, teller: Teller<'_>) {
        if let Some((version, errors)) = &promotion.invalid {
            self.notify_policy_refused(version, errors, teller).await;
        }
        for trouble in &promotion.troubles {
            self.notify_policy_trouble(trouble, teller).await;
        }
    }

    /// Says once that a version of the policy was not put in force.
    async fn notify_policy_refused(
        &self,
        version: &Version,
        errors: &PolicyErrors,
        teller: Teller<'_>,
    ) {
        let refused = RefusedPolicy {
            parameter: &self.config.settings.policy,
            version: version.version,
            written: version.written,
            document: &version.text,
        };
        let notice = notification::policy_refused_notice(&refused, errors);
        let told = self
            .notices
            .publish_once(teller, &Destination::Hub, &notice)
            .await;
        if let Err(error) = told {
            tracing::error!("nobody could be notified that the policy was refused: {error}");
        }
    }

    /// Says once a day what is wrong with the policy's parameter.
    async fn notify_policy_trouble(&self, trouble: &PolicyTrouble, teller: Teller<'_>) {
        let day = notifier::day(teller.now);
        let name = &self.config.settings.policy;
        let notice = notification::policy_trouble_notice(name, trouble, &day);
        let told = self
            .notices
            .publish_once(teller, &Destination::Hub, &notice)
            .await;
        if let Err(error) = told {
            tracing::error!("nobody could be notified what is wrong with the policy: {error}");
        }
    }

    /// Says once a day what cannot be done in accounts, and once for each
    /// invitation that it was not accepted; a dry run notifies nobody.
    pub(crate) async fn notify_of_accounts(
        &self,
        policy: &Policy,
        served: &[Served],
        teller: Teller<'_>,
    ) {
        let done = || served.iter().filter(|served| !served.dry_run);
        for served in done() {
            let account = served.account();
            let explain = |step: &Step| {
                let ceiling = served.ceiling.as_ref()?.as_ref().ok()?;
                ceiling::refusal(policy, account, ceiling, step)
            };
            let troubles = served.reconciled.troubles(explain);
            self.notices
                .tell_troubles(teller, policy, account, &troubles)
                .await;
        }
        for served in done() {
            self.notify_expired(policy, served, teller).await;
        }
    }

    async fn notify_expired(&self, policy: &Policy, served: &Served, teller: Teller<'_>) {
        let expired = &served.reconciled.plan.expired;
        if expired.is_empty() {
            return;
        }
        let account = served.account();
        let notice = |room| {
            let notice = expired_notice(policy, account, expired, teller.now);
            notice.ending(room, LAST)
        };
        // Several that decline by turns make another message each time.
        let key = storage::expired(account, &notifier::day(teller.now));
        let told = self
            .notices
            .tell_limited(teller, key, Limit::EXPIRED, notice);
        if let Err(error) = told.await {
            tracing::error!(account.id = %account, "nobody could be notified of expired invitations: {error}");
        }
    }
}
