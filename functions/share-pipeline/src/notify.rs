//! Notifies people of what only they can fix.
//!
//! That they could not be notified is logged and keeps nothing from being shared.

use domain::{
    notification::{self, Destination, Limit, PolicyAlert, RefusedPolicy, expired_notification},
    policy::{Policy, PolicyErrors, Version},
    sharing::Step,
    storage,
};
use runtime::{
    notifier::{self, LeaseOwner},
    ports::{PolicyStore, Publish, Table},
};

use crate::{SharePipeline, account::Served, ceiling, ports::Bus, promote::Promotion};

/// What people have to know when others of the day are not sent.
const LAST: &str = "This is the last message of the day about invitations of this account that were \
                    not accepted; the log of share-pipeline has the others.";

impl<H: PolicyStore + Publish + Table, A: Bus> SharePipeline<'_, H, A> {
    /// Says what is wrong with the policy, and puts on the trail what was put in force.
    pub(crate) async fn notify_of_policy(
        &self,
        promotion: &Promotion,
        lease_owner: LeaseOwner<'_>,
    ) {
        self.record_policy(promotion).await;
        if let Some((version, errors)) = &promotion.invalid {
            let root = &self.config.settings.policy;
            self.notify_policy_refused(root, version, errors, lease_owner)
                .await;
        }
        let root = &self.config.settings.policy;
        for alert in &promotion.alerts {
            self.notify_policy_alert(root, alert, lease_owner).await;
        }
        let documents = &promotion.documents;
        for (team, version, errors) in &documents.refused {
            let parameter = self.hub.parameter_of(team);
            self.notify_policy_refused(&parameter, version, errors, lease_owner)
                .await;
        }
        for (team, alert) in &documents.alerts {
            let parameter = self.hub.parameter_of(team);
            self.notify_policy_alert(&parameter, alert, lease_owner)
                .await;
        }
    }

    /// Says once that a version of the policy was not put in force.
    async fn notify_policy_refused(
        &self,
        parameter: &str,
        version: &Version,
        errors: &PolicyErrors,
        lease_owner: LeaseOwner<'_>,
    ) {
        let refused = RefusedPolicy {
            parameter,
            version: version.version,
            written: version.written,
            document: &version.text,
        };
        let notification = notification::policy_refused_notification(&refused, errors);
        let told = self
            .notifier
            .publish_once(lease_owner, &Destination::Hub, &notification)
            .await;
        if let Err(error) = told {
            tracing::error!("nobody could be notified that the policy was refused: {error}");
        }
    }

    /// Says once a day what is wrong with the policy's parameter.
    async fn notify_policy_alert(
        &self,
        parameter: &str,
        alert: &PolicyAlert,
        lease_owner: LeaseOwner<'_>,
    ) {
        let day = notifier::day(lease_owner.now);
        let notification = notification::policy_alert_notification(parameter, alert, &day);
        let told = self
            .notifier
            .publish_once(lease_owner, &Destination::Hub, &notification)
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
        lease_owner: LeaseOwner<'_>,
    ) {
        let done = || served.iter().filter(|served| !served.dry_run);
        for served in done() {
            let account = served.account();
            let explain = |step: &Step| {
                let ceiling = served.ceiling.as_ref()?.as_ref().ok()?;
                ceiling::refusal(policy, account, ceiling, step)
            };
            let mut alerts = served.reconciled.alerts(explain);
            alerts.extend(served.abandoned());
            self.notifier
                .notify_alerts(lease_owner, policy, account, &alerts)
                .await;
        }
        for served in done() {
            self.notify_expired(policy, served, lease_owner).await;
        }
    }

    async fn notify_expired(&self, policy: &Policy, served: &Served, lease_owner: LeaseOwner<'_>) {
        let expired = &served.reconciled.plan.expired;
        if expired.is_empty() {
            return;
        }
        let account = served.account();
        let notification = |capacity| {
            let notification = expired_notification(policy, account, expired, lease_owner.now);
            notification.ending(capacity, LAST)
        };
        // Several that decline by turns make another message each time.
        let key = storage::expired(account, &notifier::day(lease_owner.now));
        let told = self
            .notifier
            .notify_limited(lease_owner, key, Limit::EXPIRED, notification);
        if let Err(error) = told.await {
            tracing::error!(account.id = %account, "nobody could be notified of expired invitations: {error}");
        }
    }
}
