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
    notification::{self, Destination, Limit, Notice, Told, Trouble},
    policy::Policy,
    storage::{self, LEASE, Lease, Values},
};
use jiff::Timestamp;

use crate::{
    Class, Error,
    ports::{Address, Publish, Table},
};
pub use limited::{Allowance, day};

/// How long it is remembered that something was told. Events are repeated
/// within a day; an execution may be retried much later.
const KEEP: Duration = Duration::from_hours(24 * 90);

/// What people have to know when other problems of the day are not told.
const LAST_PROBLEM: &str = "This is the last message of the day about problems of this account: what \
                            else comes up is in the logs of the functions, and what lasts is told tomorrow.";

/// The ways to tell something, and the ledger of what was told to whom.
#[derive(Debug, Clone)]
pub struct Notices<'a, H> {
    hub: &'a H,
    /// The ARN of the hub's topic.
    topic: String,
    /// How often the hub itself refused, and nobody was told.
    refused_by_hub: Arc<AtomicU64>,
}

/// On whose behalf something is told.
#[derive(Debug, Clone, Copy)]
pub struct Teller<'a> {
    /// The same for every delivery of one hint: after a crash, the hint's next
    /// delivery takes over at once what the dead run had begun.
    pub holder: &'a str,
    /// The time at AWS, as the hint tells it.
    pub now: Timestamp,
}

impl<'a, H: Table + Publish> Notices<'a, H> {
    /// The table of the hub, and its topic.
    #[must_use]
    pub fn new(hub: &'a H, topic: impl Into<String>) -> Self {
        Self {
            hub,
            topic: topic.into(),
            refused_by_hub: Arc::default(),
        }
    }

    /// How often since the last time nobody could be told, since the hub's own
    /// topic, key or table refuses: what its alarm rings for.
    #[must_use]
    pub fn take_refused_by_hub(&self) -> u64 {
        self.refused_by_hub.swap(0, Ordering::Relaxed)
    }

    /// Publishes a notice.
    pub async fn publish(&self, destination: &Destination, notice: &Notice) -> Result<(), Error> {
        let address = match destination {
            Destination::Hub => Address::HubTopic(&self.topic),
            Destination::Topic(account) => Address::ConsumerTopic(account),
            Destination::Bus(account) => Address::ConsumerBus(account),
        };
        self.hub.publish(address, notice).await
    }

    /// Publishes a notice, unless that was done; whether it was done now.
    ///
    /// A crash between publishing and noting it doubles the message and never
    /// loses it: the hint is delivered again, and its holder may go on.
    pub async fn publish_once(
        &self,
        teller: Teller<'_>,
        destination: &Destination,
        notice: &Notice,
    ) -> Result<bool, Error> {
        let lease = self.publish_leased(teller, destination, notice).await?;
        Ok(lease == Lease::Taken)
    }

    /// The same; who has published it if it was not now.
    pub async fn publish_leased(
        &self,
        teller: Teller<'_>,
        destination: &Destination,
        notice: &Notice,
    ) -> Result<Lease, Error> {
        let ledger = format!("told|{destination}");
        let values = Values::new();
        let lease = self.lease(teller, &ledger, &notice.id, values).await?;
        if lease == Lease::Taken {
            self.deliver(teller, destination, (&ledger, &notice.id), notice)
                .await?;
        }
        Ok(lease)
    }

    /// Tells the hub, once a day, what only people can mend in an account.
    ///
    /// Whoever has a say in the account can make up other problems each time,
    /// so of different ones only so many are told.
    ///
    /// That it could not be told is logged, and counted if the hub itself is
    /// why; it keeps nothing else from being done, and is told by the next look.
    pub async fn tell_troubles(
        &self,
        teller: Teller<'_>,
        policy: &Policy,
        account: &AccountId,
        troubles: &[Trouble],
    ) {
        if troubles.is_empty() {
            return;
        }
        let day = day(teller.now);
        let key = storage::troubles(account, &day);
        let notice = |room| {
            let notice = notification::problem_notice(policy, account, troubles, &day);
            notice.ending(room, LAST_PROBLEM)
        };
        let told = self
            .tell_limited(teller, key, Limit::TROUBLES, notice)
            .await;
        if let Err(error) = told {
            tracing::error!(account.id = %account, "nobody could be told of problems: {error}");
        }
    }

    /// Publishes a change of an execution, unless that was done.
    ///
    /// `key` tells the change from others of the same execution.
    pub async fn publish_change(
        &self,
        teller: Teller<'_>,
        destination: &Destination,
        execution: &ExecutionArn,
        (key, told): (&str, &Told),
        notice: &Notice,
    ) -> Result<Lease, Error> {
        let ledger = &ledger(destination, execution);
        let value = |name: &str, text: String| (name.to_owned(), text);
        let values = Values::from([
            value("status", told.status.to_string()),
            value("at", told.at.to_string()),
            value("seen", told.source.as_str().to_owned()),
        ]);
        let lease = self.lease(teller, ledger, key, values).await?;
        if lease == Lease::Taken {
            self.deliver(teller, destination, (ledger, key), notice)
                .await?;
        }
        Ok(lease)
    }

    /// Publishes what is leased, and notes that it was told.
    ///
    /// What is refused until people act is told by whoever looks next, and not
    /// only once the lease has run out.
    async fn deliver(
        &self,
        teller: Teller<'_>,
        destination: &Destination,
        (ledger, key): (&str, &str),
        notice: &Notice,
    ) -> Result<(), Error> {
        if let Err(error) = self.publish(destination, notice).await {
            if error.class() == Class::Permanent {
                self.give_back(teller, ledger, key).await;
            }
            return Err(self.counted(error));
        }
        let noted = self.done(teller, ledger, key).await;
        noted.map_err(|error| self.counted(error))
    }

    async fn give_back(&self, teller: Teller<'_>, ledger: &str, key: &str) {
        if let Err(error) = self.hub.release(ledger, key, teller.holder).await {
            tracing::warn!("what was not told is told only after a while: {error}");
        }
    }

    fn counted(&self, error: Error) -> Error {
        let refused = u64::from(error.is_of_hub());
        self.refused_by_hub.fetch_add(refused, Ordering::Relaxed);
        error
    }

    /// What a destination was told of an execution, or is being told by somebody else.
    pub async fn history(
        &self,
        teller: Teller<'_>,
        destination: &Destination,
        execution: &ExecutionArn,
    ) -> Result<Vec<Told>, Error> {
        let ledger = ledger(destination, execution);
        let notices = self.hub.history(&ledger).await?;
        // What somebody else is telling is as good as told, unless that run died.
        let is_alive = |since: &str| {
            let since = since.parse().unwrap_or_default();
            teller.now.as_second().saturating_sub(since) < LEASE.as_secs().cast_signed()
        };
        let concerns = notices.into_iter().filter(|notice| {
            let since = notice.values.get("since").map_or("", String::as_str);
            notice.done || notice.holder != teller.holder && is_alive(since)
        });
        let told = concerns.filter_map(|notice| {
            Some(Told {
                status: notice.values.get("status")?.as_str().into(),
                at: notice.values.get("at")?.parse().ok()?,
                source: notice.values.get("seen")?.parse().ok()?,
            })
        });
        Ok(told.collect())
    }

    async fn lease(
        &self,
        teller: Teller<'_>,
        ledger: &str,
        key: &str,
        values: Values,
    ) -> Result<Lease, Error> {
        let lease = self
            .hub
            .lease(ledger, key, teller.holder, teller.now, KEEP, values);
        lease.await.map_err(|error| self.counted(error))
    }

    /// A lease that was lost meanwhile was taken over after it had expired; that run notes it too.
    async fn done(&self, teller: Teller<'_>, ledger: &str, key: &str) -> Result<(), Error> {
        self.hub.done(ledger, key, teller.holder).await?;
        Ok(())
    }
}

/// The partition with what a destination was told of an execution.
fn ledger(destination: &Destination, execution: &ExecutionArn) -> String {
    format!("told|{destination}|{execution}")
}
