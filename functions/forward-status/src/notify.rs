//! Tells one change to each destination that wants to know and does not yet.

use aws::{Class, Error};
use domain::{
    execution::{Details, ExecutionChange, Parameter},
    id::AccountId,
    notification::{
        self, Alert, Capacity, Decision, DeliveryOutcome, DeliveryRecord, Destination, Known,
        Limit, Notification, Recipients, decide, is_confirmed, wanting_rules,
    },
    policy::{Policy, Rule, RuleName},
    storage::{self, Lease},
};
use runtime::{
    notifier::{self, Allowance, LeaseOwner, Notifier},
    ports::{Publish, Table},
};

use futures::{StreamExt, stream};
use tokio::sync::{Mutex, OnceCell};

use crate::{
    ceilings::KnownCeilings,
    ports::{Ceilings, Executions},
    report::ChangeReport,
};

/// What people have to know when others of the day are not sent.
const LAST: &str = "This is the last message of the day about changes in this account that SageMaker does \
                    not confirm; the log of forward-status has the others.";

/// How many destinations of a change are notified at once.
const DESTINATIONS_AT_ONCE: usize = 16;

/// What the records of one invocation share.
#[derive(Debug, Default)]
pub(crate) struct Invocation {
    /// What the owners allow.
    ceilings: KnownCeilings,
    /// Held while something is sent of which only so many are sent in a day:
    /// two at once would count as one.
    limited: Mutex<()>,
}

/// Tells changes on behalf of one record.
#[derive(Debug)]
pub(crate) struct ChangeNotifier<'n, A, H> {
    pub(crate) accounts: &'n A,
    pub(crate) notifier: &'n Notifier<'n, H>,
    pub(crate) invocation: &'n Invocation,
    pub(crate) policy: &'n Policy,
    pub(crate) partition: &'n str,
    pub(crate) lease_owner: LeaseOwner<'n>,
}

/// What SageMaker says of the execution of a change, which is asked for once,
/// and only if there is anything to send; none within if it does not say.
type Asked = OnceCell<Option<Details>>;

/// A destination, and what became of the change there.
type Told = (Destination, Result<DeliveryOutcome, Error>);

/// Whether a change may be made up.
enum Doubt {
    /// SageMaker confirms it.
    None,
    /// It does not, and there is capacity to send it all the same.
    Some(Allowance),
}

impl<A: Ceilings + Executions, H: Publish + Table> ChangeNotifier<'_, A, H> {
    /// Tells a change to everyone who wants to know it, may know it, and does
    /// not; and the hub, once a day, of accounts that cannot be notified until people act.
    pub(crate) async fn notify(&self, news: &ExecutionChange) -> ChangeReport {
        let mut report = ChangeReport::new(news);
        let rules = wanting_rules(self.policy, &news.execution);
        if rules.is_empty() {
            report.unwanted = true;
            return report;
        }
        let names: Vec<_> = rules.iter().map(|rule| rule.name.clone()).collect();
        let asked = &Asked::new();
        // The hub always hears; whom else, the owner has a say in, and is asked meanwhile.
        let (told, (recipients, others)) = tokio::join!(
            self.notify_one(news, &Destination::Hub, &names, asked),
            self.notify_accounts(news, &rules, asked),
        );
        report.push(&Destination::Hub, told);
        for (destination, told) in others {
            report.push(&destination, told);
        }
        let recipients = match recipients {
            Ok(recipients) => recipients,
            Err(error) => {
                self.notify_of_unknown_ceiling(news, &error).await;
                report.bound_unknown(&rules, error)
            }
        };
        report.withheld = recipients.withheld;
        for (account, alerts) in report.alerts() {
            self.notify_alerts(account, &alerts).await;
        }
        report
    }

    /// Notifies the hub, once a day, of what only people can fix in an account.
    pub(crate) async fn notify_alerts(&self, account: &AccountId, alerts: &[Alert]) {
        let _limited = self.invocation.limited.lock().await;
        let notifier = self.notifier;
        notifier
            .notify_alerts(self.lease_owner, self.policy, account, alerts)
            .await;
    }

    /// Tells the accounts that the owner lets these rules notify.
    async fn notify_accounts(
        &self,
        news: &ExecutionChange,
        rules: &[&Rule],
        asked: &Asked,
    ) -> (Result<Recipients, Error>, Vec<Told>) {
        let recipients = match self.recipients(news, rules).await {
            Ok(recipients) => recipients,
            Err(error) => return (Err(error), Vec::new()),
        };
        let telling = recipients.destinations().map(async |(destination, rules)| {
            let told = self.notify_one(news, &destination, rules, asked).await;
            (destination, told)
        });
        let told = stream::iter(telling).buffered(DESTINATIONS_AT_ONCE);
        let told = told.collect().await;
        (Ok(recipients), told)
    }

    /// Whom the owner lets these rules notify.
    async fn recipients(
        &self,
        news: &ExecutionChange,
        rules: &[&Rule],
    ) -> Result<Recipients, Error> {
        if !notification::name_accounts(rules) {
            return Ok(Recipients::default());
        }
        let owner = news.execution.arn.account();
        let ceiling = self.invocation.ceilings.of(self.accounts, owner).await?;
        Ok(notification::recipients(rules, &ceiling, self.partition))
    }

    /// Notifies the hub, once a day, that consumers are notified of nothing until people fix it.
    async fn notify_of_unknown_ceiling(&self, news: &ExecutionChange, error: &Error) {
        if error.class() != Class::Permanent {
            return;
        }
        let owner = news.execution.arn.account();
        let alert = Alert::unknown_ceiling(&error.to_string());
        self.notify_alerts(owner, &[alert]).await;
    }

    async fn notify_one(
        &self,
        news: &ExecutionChange,
        destination: &Destination,
        rules: &[RuleName],
        asked: &Asked,
    ) -> Result<DeliveryOutcome, Error> {
        let execution = &news.execution.arn;
        let history = self
            .notifier
            .history(self.lease_owner, destination, execution)
            .await?;
        if let Some(known) = DeliveryOutcome::unsent(&decide(&history, news, None)) {
            return Ok(known);
        }
        let details = asked.get_or_try_init(|| self.details(news)).await?;
        let details = details.as_ref();
        let key = match decide(&history, news, details) {
            Decision::Send { key } => key,
            other => {
                return Ok(DeliveryOutcome::unsent(&other).unwrap_or(DeliveryOutcome::Duplicate));
            }
        };
        let is_confirmed = is_confirmed(&history, news, details, self.lease_owner.now);
        let _limited = if is_confirmed {
            None
        } else {
            Some(self.invocation.limited.lock().await)
        };
        let Some(doubt) = self.doubt(news, destination, is_confirmed).await? else {
            return Ok(DeliveryOutcome::Unconfirmed);
        };
        let known = Known {
            details,
            history: &history,
        };
        let notification = notification::execution_notification(self.policy, news, known, rules);
        let lease = self
            .publish(news, destination, &key, notification, &doubt)
            .await?;
        Ok(DeliveryOutcome::of(lease))
    }

    /// Publishes the change, and counts it if there is doubt about it.
    async fn publish(
        &self,
        news: &ExecutionChange,
        destination: &Destination,
        key: &str,
        mut notification: Notification,
        doubt: &Doubt,
    ) -> Result<Lease, Error> {
        if let Doubt::Some(allowance) = doubt {
            notification = notification.ending(allowance.capacity, LAST);
        }
        let execution = &news.execution.arn;
        let change = (key, &DeliveryRecord::of(news));
        let owner = self.lease_owner;
        let published =
            self.notifier
                .publish_change(owner, destination, execution, change, &notification);
        let lease = published.await?;
        if let (Doubt::Some(allowance), Lease::Taken) = (doubt, lease) {
            self.notifier.use_up(owner, allowance).await?;
        }
        Ok(lease)
    }

    /// Whether SageMaker confirms the change; none if it does not, and if so many
    /// were sent today that it did not confirm that this one is only logged.
    async fn doubt(
        &self,
        news: &ExecutionChange,
        destination: &Destination,
        is_confirmed: bool,
    ) -> Result<Option<Doubt>, Error> {
        if is_confirmed {
            return Ok(Some(Doubt::None));
        }
        let now = self.lease_owner.now;
        let execution = &news.execution.arn;
        let day = notifier::day(now);
        let key = storage::unconfirmed(execution.account(), &destination.to_string(), &day);
        let allowance = self
            .notifier
            .allowance(self.lease_owner, key, Limit::UNCONFIRMED)
            .await?;
        if allowance.capacity == Capacity::Closed {
            tracing::warn!(execution.arn = %execution, %destination,
                "notification not sent: SageMaker does not confirm the change, and so many such changes were sent today");
            return Ok(None);
        }
        Ok(Some(Doubt::Some(allowance)))
    }

    /// What the event lacks. An execution that is gone, or that may not be
    /// read, is sent with what is known.
    async fn details(&self, news: &ExecutionChange) -> Result<Option<Details>, Error> {
        let execution = &news.execution.arn;
        let details = self.accounts.details(execution.account(), execution);
        let (details, parameters) = tokio::join!(details, self.parameters(news));
        match details {
            Ok(details) => Ok(Some(Details {
                parameters,
                ..details
            })),
            Err(error) if error.class() == Class::Permanent => {
                tracing::warn!(execution.arn = %execution, "notification without details: {error}");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// With what an execution was started, for whoever looks for the reason of a failure.
    ///
    /// No notification waits for it: it is sent without if they cannot be read.
    async fn parameters(&self, news: &ExecutionChange) -> Vec<Parameter> {
        if !news.has_failed() {
            return Vec::new();
        }
        let execution = &news.execution.arn;
        let owner = execution.account();
        let parameters = self.accounts.differing_parameters(owner, execution).await;
        parameters.unwrap_or_else(|error| {
            tracing::warn!(execution.arn = %execution, "notification without parameters: {error}");
            Vec::new()
        })
    }
}
