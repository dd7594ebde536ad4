//! What others could have us tell as often as they like, and how often it is told at most.

use domain::{
    id::{AccountId, Region},
    invitation::Strangers,
    notification::{self, Notice, StrangersOfDay},
    policy::Policy,
    storage::{self, Key},
};
use jiff::{SignedDuration, Timestamp};

use super::{Destination, Notices, Teller};
use crate::{Error, dynamodb::Values};

/// How long the counts of a day are remembered: the next day tells them.
const KEEP_COUNTS: SignedDuration = SignedDuration::from_hours(72);

/// What is known of a day.
#[derive(Debug, Default)]
struct Tally {
    count: usize,
    /// Up to when there was something to count.
    until: Option<Timestamp>,
}

impl Notices<'_> {
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
            self.note(teller, &key, &Tally { count, until }).await?;
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

    /// Tells the hub of a refusal once, unless so many of this owner were told
    /// today; whether people know it.
    ///
    /// `notice` is given whether it is the last one of the day.
    pub async fn tell_refusal(
        &self,
        teller: Teller<'_>,
        (receiver, owner): (&AccountId, &AccountId),
        most: usize,
        notice: impl FnOnce(bool) -> Notice,
    ) -> Result<bool, Error> {
        let key = storage::refusals(receiver, owner, &day(teller.now));
        let told = self.tally(&key).await?.unwrap_or_default().count;
        if told >= most {
            return Ok(false);
        }
        let count = told + 1;
        let notice = notice(count == most);
        if self
            .publish_once(teller, &Destination::Hub, &notice)
            .await?
        {
            let until = None;
            self.note(teller, &key, &Tally { count, until }).await?;
        }
        Ok(true)
    }

    async fn tally(&self, key: &Key) -> Result<Option<Tally>, Error> {
        let values = self.table.get(&key.pk, &key.sk).await?;
        Ok(values.map(|values| Tally {
            count: number(&values).unwrap_or_default(),
            until: values.get("until").and_then(|time| time.parse().ok()),
        }))
    }

    async fn note(&self, teller: Teller<'_>, key: &Key, tally: &Tally) -> Result<(), Error> {
        let until = tally
            .until
            .map(|time| ("until".to_owned(), time.to_string()));
        let count = ("count".to_owned(), tally.count.to_string());
        let values: Values = until.into_iter().chain([count]).collect();
        let expires = teller.now.checked_add(KEEP_COUNTS).ok();
        self.table.put(&key.pk, &key.sk, &values, expires).await
    }
}

fn number(values: &Values) -> Option<usize> {
    values.get("count")?.parse().ok()
}

fn day(time: Timestamp) -> String {
    time.strftime("%F").to_string()
}
