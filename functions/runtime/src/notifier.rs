//! Notifies people and their machines, each of each change once.

mod limited;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::{
    id::{AccountId, ExecutionArn},
    notification::{self, Alert, DeliveryRecord, Destination, Limit, Notification},
    policy::Policy,
    storage::{self, LEASE, Lease, Values},
};
use jiff::Timestamp;

use crate::{
    Class, Error,
    ports::{Address, Publish, Table},
};
pub use limited::{Allowance, day};

/// How long it is remembered that something was sent. Events are repeated
/// within a day; an execution may be retried much later.
const KEEP: Duration = Duration::from_hours(24 * 90);

/// How often it is tried to note that something was sent; the client of the
/// table waits between attempts of its own.
const NOTE_ATTEMPTS: usize = 5;

/// What people have to know when other problems of the day are not sent.
const LAST_PROBLEM: &str = "This is the last message of the day about problems of this account: what \
                            else comes up is in the logs of the functions, and what lasts is told tomorrow.";

/// The ways to notify, and the record of deliveries.
#[derive(Debug, Clone)]
pub struct Notifier<'a, H> {
    hub: &'a H,
    /// The ARN of the hub's topic.
    topic: String,
    /// How often the hub itself refused, and nobody was notified.
    refused_by_hub: Arc<AtomicU64>,
}

/// On whose behalf something is sent.
#[derive(Debug, Clone, Copy)]
pub struct LeaseOwner<'a> {
    /// The same for every delivery of one event: after a crash, its next
    /// delivery takes over at once what the dead run had begun.
    pub holder: &'a str,
    /// The time at AWS, by the event.
    pub now: Timestamp,
}

impl<'a, H: Table + Publish> Notifier<'a, H> {
    /// The table of the hub, and its topic.
    #[must_use]
    pub fn new(hub: &'a H, topic: impl Into<String>) -> Self {
        Self {
            hub,
            topic: topic.into(),
            refused_by_hub: Arc::default(),
        }
    }

    /// How often since the last time nobody could be notified, since the hub's own
    /// topic, key or table refuses: what its alarm counts.
    #[must_use]
    pub fn take_refused_by_hub(&self) -> u64 {
        self.refused_by_hub.swap(0, Ordering::Relaxed)
    }

    /// Publishes a notification.
    pub async fn publish(
        &self,
        destination: &Destination,
        notification: &Notification,
    ) -> Result<(), Error> {
        let address = match destination {
            Destination::Hub => Address::HubTopic(&self.topic),
            Destination::Topic(account) => Address::ConsumerTopic(account),
            Destination::Bus(account) => Address::ConsumerBus(account),
        };
        self.hub.publish(address, notification).await
    }

    /// Publishes a notification, unless that was done; whether it was done now.
    ///
    /// A crash between publishing and noting it doubles the message and never
    /// loses it: the event is delivered again, and its holder may go on.
    pub async fn publish_once(
        &self,
        lease_owner: LeaseOwner<'_>,
        destination: &Destination,
        notification: &Notification,
    ) -> Result<bool, Error> {
        let lease = self
            .publish_leased(lease_owner, destination, notification)
            .await?;
        Ok(lease == Lease::Taken)
    }

    /// The same; who has published it if it was not now.
    pub async fn publish_leased(
        &self,
        lease_owner: LeaseOwner<'_>,
        destination: &Destination,
        notification: &Notification,
    ) -> Result<Lease, Error> {
        let partition = storage::told(&destination.to_string());
        let values = Values::new();
        let lease = self
            .lease(lease_owner, &partition, &notification.id, values)
            .await?;
        if lease == Lease::Taken {
            self.deliver(
                lease_owner,
                destination,
                (&partition, &notification.id),
                notification,
            )
            .await?;
        }
        Ok(lease)
    }

    /// Notifies the hub, once a day, of what only people can fix in an account.
    ///
    /// Whoever has a say in the account can make up other problems each time,
    /// so of different ones only so many are sent.
    ///
    /// That it could not be sent is logged, and counted if the hub itself is
    /// why; it keeps nothing else from being done, and is sent by the next reconciliation.
    pub async fn notify_alerts(
        &self,
        lease_owner: LeaseOwner<'_>,
        policy: &Policy,
        account: &AccountId,
        alerts: &[Alert],
    ) {
        if alerts.is_empty() {
            return;
        }
        let day = day(lease_owner.now);
        let key = storage::alerts(account, &day);
        let notification = |capacity| {
            let notification = notification::problem_notification(policy, account, alerts, &day);
            notification.ending(capacity, LAST_PROBLEM)
        };
        let told = self
            .notify_limited(lease_owner, key, Limit::ALERTS, notification)
            .await;
        if let Err(error) = told {
            tracing::error!(account.id = %account, "nobody could be notified of problems: {error}");
        }
    }

    /// Publishes a change of an execution, unless that was done.
    ///
    /// `key` tells the change from others of the same execution.
    pub async fn publish_change(
        &self,
        lease_owner: LeaseOwner<'_>,
        destination: &Destination,
        execution: &ExecutionArn,
        (key, told): (&str, &DeliveryRecord),
        notification: &Notification,
    ) -> Result<Lease, Error> {
        let partition = &deliveries(destination, execution);
        let value = |name: &str, text: String| (name.to_owned(), text);
        let values = Values::from([
            value("status", told.status.to_string()),
            value("at", told.at.to_string()),
            value("seen", told.source.as_str().to_owned()),
        ]);
        let lease = self.lease(lease_owner, partition, key, values).await?;
        if lease == Lease::Taken {
            self.deliver(lease_owner, destination, (partition, key), notification)
                .await?;
        }
        Ok(lease)
    }

    /// Publishes what is leased, and notes that it was sent.
    ///
    /// What is refused until people act is sent by the next reconciliation, and not
    /// only once the lease has run out.
    async fn deliver(
        &self,
        lease_owner: LeaseOwner<'_>,
        destination: &Destination,
        (partition, key): (&str, &str),
        notification: &Notification,
    ) -> Result<(), Error> {
        if let Err(error) = self.publish(destination, notification).await {
            if error.class() == Class::Permanent {
                self.give_back(lease_owner, partition, key).await;
            }
            return Err(self.counted(error));
        }
        let noted = self.done(lease_owner, partition, key).await;
        noted.map_err(|error| self.counted(error))
    }

    async fn give_back(&self, lease_owner: LeaseOwner<'_>, partition: &str, key: &str) {
        if let Err(error) = self.hub.release(partition, key, lease_owner.holder).await {
            tracing::warn!(
                "the lease of an unsent notification could not be released; it is sent after the lease has run out: {error}"
            );
        }
    }

    fn counted(&self, error: Error) -> Error {
        let refused = u64::from(error.is_of_hub());
        self.refused_by_hub.fetch_add(refused, Ordering::Relaxed);
        error
    }

    /// What a destination was notified of about an execution, or is being sent by another run.
    pub async fn history(
        &self,
        lease_owner: LeaseOwner<'_>,
        destination: &Destination,
        execution: &ExecutionArn,
    ) -> Result<Vec<DeliveryRecord>, Error> {
        let partition = deliveries(destination, execution);
        let sent = self.hub.history(&partition).await?;
        // What another run is sending is as good as sent, unless that run died.
        let is_alive = |since: &str| {
            let since = since.parse().unwrap_or_default();
            lease_owner.now.as_second().saturating_sub(since) < LEASE.as_secs().cast_signed()
        };
        let concerns = sent.into_iter().filter(|notification| {
            let since = notification.values.get("since").map_or("", String::as_str);
            notification.done || notification.holder != lease_owner.holder && is_alive(since)
        });
        let told = concerns.filter_map(|notification| {
            Some(DeliveryRecord {
                status: notification.values.get("status")?.as_str().into(),
                at: notification.values.get("at")?.parse().ok()?,
                source: notification.values.get("seen")?.parse().ok()?,
            })
        });
        Ok(told.collect())
    }

    async fn lease(
        &self,
        lease_owner: LeaseOwner<'_>,
        partition: &str,
        key: &str,
        values: Values,
    ) -> Result<Lease, Error> {
        let lease = self.hub.lease(
            partition,
            key,
            lease_owner.holder,
            lease_owner.now,
            KEEP,
            values,
        );
        lease.await.map_err(|error| self.counted(error))
    }

    /// Notes that something was sent, however long the table is busy: who tries the
    /// whole of it again sends it again.
    ///
    /// A lease that was lost meanwhile was taken over after it had expired; that run notes it too.
    async fn done(
        &self,
        lease_owner: LeaseOwner<'_>,
        partition: &str,
        key: &str,
    ) -> Result<(), Error> {
        let mut noted = self.hub.done(partition, key, lease_owner.holder).await;
        for _ in 1..NOTE_ATTEMPTS {
            match &noted {
                Err(error) if error.class() == Class::Transient => {
                    noted = self.hub.done(partition, key, lease_owner.holder).await;
                }
                _ => break,
            }
        }
        noted.map(|_| ())
    }
}

/// The partition with the deliveries of an execution to a destination.
fn deliveries(destination: &Destination, execution: &ExecutionArn) -> String {
    storage::told_of(&destination.to_string(), execution)
}
