//! What others could cause as often as they like, and how often it is sent at most.

use domain::{
    id::{AccountId, Region},
    invitation::Strangers,
    notification::{self, Capacity, Destination, Limit, Notification, StrangersOfDay, Tally},
    policy::Policy,
    storage::{self, Key, Values},
    time::after,
};
use jiff::{SignedDuration, Timestamp};

use super::{LeaseOwner, Notifier};
use crate::{
    Error,
    ports::{Publish, Table},
};

/// Whether there is capacity for another one of a kind, and how many there were.
#[derive(Debug)]
pub struct Allowance {
    key: Key,
    tally: Tally,
    /// Whether there is capacity.
    pub capacity: Capacity,
}

/// What strangers sent on a day.
#[derive(Debug, Default)]
struct Count {
    count: usize,
    /// Up to when there was something to count.
    until: Option<Timestamp>,
}

impl<H: Table + Publish> Notifier<'_, H> {
    /// Tells the hub, once a day, what strangers sent to an account, and
    /// counts it, so that the next day's message has the whole day's number.
    pub async fn notify_strangers(
        &self,
        lease_owner: LeaseOwner<'_>,
        policy: &Policy,
        (receiver, region): (&AccountId, &Region),
        strangers: &Strangers,
        rejects: bool,
    ) -> Result<(), Error> {
        let day = day(lease_owner.now);
        let day_before = lease_owner.now.checked_sub(SignedDuration::from_hours(24));
        let day_before = day_before.map(self::day).unwrap_or_default();
        let key = storage::strangers(receiver, &day);
        let today = self.tally(&key).await?;
        let before = self
            .tally(&storage::strangers(receiver, &day_before))
            .await?;
        let known = today.as_ref().or(before.as_ref());
        let mark = known.and_then(|tally| tally.until);
        let (newer, newest) = strangers.sent_after(mark);
        if newer > 0 {
            let count = today.map_or(0, |tally| tally.count) + newer;
            let until = newest.max(mark);
            self.note(lease_owner, &key, &Count { count, until })
                .await?;
        }
        let of_day = StrangersOfDay {
            receiver,
            region,
            day: &day,
            strangers,
            rejects,
            before: before.map(|tally| (tally.count, day_before.as_str())),
        };
        let notification = notification::strangers_notification(policy, &of_day);
        self.publish_once(lease_owner, &Destination::Hub, &notification)
            .await?;
        Ok(())
    }

    /// Tells the hub something once, unless so much of its kind was told today;
    /// whether people know it.
    ///
    /// `notification` is given whether there is capacity for another one.
    pub async fn notify_limited(
        &self,
        lease_owner: LeaseOwner<'_>,
        key: Key,
        limit: Limit,
        notification: impl FnOnce(Capacity) -> Notification,
    ) -> Result<bool, Error> {
        let allowance = self.allowance(lease_owner, key, limit).await?;
        if allowance.capacity == Capacity::Closed {
            tracing::warn!(key = ?allowance.key, "so much of this was told today that it is only logged");
            return Ok(false);
        }
        let notification = notification(allowance.capacity);
        if self
            .publish_once(lease_owner, &Destination::Hub, &notification)
            .await?
        {
            self.use_up(lease_owner, &allowance).await?;
        }
        Ok(true)
    }

    /// Whether there is capacity for another one of a kind.
    pub async fn allowance(
        &self,
        lease_owner: LeaseOwner<'_>,
        key: Key,
        limit: Limit,
    ) -> Result<Allowance, Error> {
        let values = self.hub.get(&key.pk, &key.sk).await?;
        let tally = values.map_or_else(Tally::default, |values| Tally::from_values(&values));
        let capacity = limit.capacity(&tally, lease_owner.now);
        Ok(Allowance {
            key,
            tally,
            capacity,
        })
    }

    /// Counts one that was told.
    pub async fn use_up(
        &self,
        lease_owner: LeaseOwner<'_>,
        allowance: &Allowance,
    ) -> Result<(), Error> {
        let Allowance { key, tally, .. } = allowance;
        let values = tally.counted(lease_owner.now).to_values();
        let expires = Some(after(lease_owner.now, Tally::KEPT));
        self.hub.put(&key.pk, &key.sk, &values, expires).await
    }

    async fn tally(&self, key: &Key) -> Result<Option<Count>, Error> {
        let values = self.hub.get(&key.pk, &key.sk).await?;
        Ok(values.map(|values| Count {
            count: number(&values).unwrap_or_default(),
            until: values.get("until").and_then(|time| time.parse().ok()),
        }))
    }

    async fn note(
        &self,
        lease_owner: LeaseOwner<'_>,
        key: &Key,
        tally: &Count,
    ) -> Result<(), Error> {
        let until = tally
            .until
            .map(|time| ("until".to_owned(), time.to_string()));
        let count = ("count".to_owned(), tally.count.to_string());
        let values: Values = until.into_iter().chain([count]).collect();
        let expires = lease_owner.now.checked_add(Tally::KEPT).ok();
        self.hub.put(&key.pk, &key.sk, &values, expires).await
    }
}

fn number(values: &Values) -> Option<usize> {
    values.get("count")?.parse().ok()
}

/// The day that something is counted on, such as `2026-01-05`.
#[must_use]
pub fn day(time: Timestamp) -> String {
    time.strftime("%F").to_string()
}
