//! What others could have us tell as often as they like, and how often it is told at most.

use domain::{
    id::{AccountId, Region},
    invitation::Strangers,
    notification::{self, Destination, Limit, Notice, Room, StrangersOfDay, Tally},
    policy::Policy,
    storage::{self, Key, Values},
    time::after,
};
use jiff::{SignedDuration, Timestamp};

use super::{Notices, Teller};
use crate::{
    Error,
    ports::{Publish, Table},
};

/// Whether there is room for another one of a kind, and how many there were.
#[derive(Debug)]
pub struct Allowance {
    key: Key,
    tally: Tally,
    /// Whether there is room.
    pub room: Room,
}

/// What strangers sent on a day.
#[derive(Debug, Default)]
struct Count {
    count: usize,
    /// Up to when there was something to count.
    until: Option<Timestamp>,
}

impl<H: Table + Publish> Notices<'_, H> {
    /// Tells the hub, once a day, what strangers sent to an account, and
    /// counts it, so that the next day's message has the whole day's number.
    pub async fn tell_strangers(
        &self,
        teller: Teller<'_>,
        policy: &Policy,
        (receiver, region): (&AccountId, &Region),
        strangers: &Strangers,
        rejects: bool,
    ) -> Result<(), Error> {
        let day = day(teller.now);
        let day_before = teller.now.checked_sub(SignedDuration::from_hours(24));
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
            self.note(teller, &key, &Count { count, until }).await?;
        }
        let of_day = StrangersOfDay {
            receiver,
            region,
            day: &day,
            strangers,
            rejects,
            before: before.map(|tally| (tally.count, day_before.as_str())),
        };
        let notice = notification::strangers_notice(policy, &of_day);
        self.publish_once(teller, &Destination::Hub, &notice)
            .await?;
        Ok(())
    }

    /// Tells the hub something once, unless so much of its kind was told today;
    /// whether people know it.
    ///
    /// `notice` is given whether there is room for another one.
    pub async fn tell_limited(
        &self,
        teller: Teller<'_>,
        key: Key,
        limit: Limit,
        notice: impl FnOnce(Room) -> Notice,
    ) -> Result<bool, Error> {
        let allowance = self.allowance(teller, key, limit).await?;
        if allowance.room == Room::Closed {
            tracing::warn!(key = ?allowance.key, "so much of this was told today that it is only logged");
            return Ok(false);
        }
        let notice = notice(allowance.room);
        if self
            .publish_once(teller, &Destination::Hub, &notice)
            .await?
        {
            self.use_up(teller, &allowance).await?;
        }
        Ok(true)
    }

    /// Whether there is room for another one of a kind.
    pub async fn allowance(
        &self,
        teller: Teller<'_>,
        key: Key,
        limit: Limit,
    ) -> Result<Allowance, Error> {
        let values = self.hub.get(&key.pk, &key.sk).await?;
        let tally = values.map_or_else(Tally::default, |values| Tally::from_values(&values));
        let room = limit.room(&tally, teller.now);
        Ok(Allowance { key, tally, room })
    }

    /// Counts one that was told.
    pub async fn use_up(&self, teller: Teller<'_>, allowance: &Allowance) -> Result<(), Error> {
        let Allowance { key, tally, .. } = allowance;
        let values = tally.counted(teller.now).to_values();
        let expires = Some(after(teller.now, Tally::KEPT));
        self.hub.put(&key.pk, &key.sk, &values, expires).await
    }

    async fn tally(&self, key: &Key) -> Result<Option<Count>, Error> {
        let values = self.hub.get(&key.pk, &key.sk).await?;
        Ok(values.map(|values| Count {
            count: number(&values).unwrap_or_default(),
            until: values.get("until").and_then(|time| time.parse().ok()),
        }))
    }

    async fn note(&self, teller: Teller<'_>, key: &Key, tally: &Count) -> Result<(), Error> {
        let until = tally
            .until
            .map(|time| ("until".to_owned(), time.to_string()));
        let count = ("count".to_owned(), tally.count.to_string());
        let values: Values = until.into_iter().chain([count]).collect();
        let expires = teller.now.checked_add(Tally::KEPT).ok();
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
