//! How often others can have people notified of something in a day.
//!
//! Whoever the policy names still does in its own account what it likes, as
//! often as it likes. The first of a day are sent one by one, the last of them
//! says that more may follow, and the log has all.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::time::after;

/// How much of one kind is sent in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many are sent one by one.
    most: usize,
    /// How long after the last one another is sent even so; none: not on the same day.
    then_every: Option<SignedDuration>,
}

impl Limit {
    /// Refusals of what an owner offers to an account.
    pub const REFUSALS: Self = Self::of(10);

    /// What is wrong with shares of an owner that an account can see.
    pub const EXCESS: Self = Self::of(10);

    /// Invitations of an owner that ended without being accepted.
    pub const EXPIRED: Self = Self::of(10);

    /// Permanent failures in an account.
    pub const ALERTS: Self = Self::of(10);

    /// Changes of executions of an owner that `SageMaker` does not confirm.
    pub const UNCONFIRMED: Self = Self::of(10);

    /// What an account gains and loses by a rule. Whoever deploys much has much
    /// to send, so that what comes after these is sent together, once an hour.
    pub const CHANGES: Self = Self {
        most: 20,
        then_every: Some(SignedDuration::from_hours(1)),
    };

    const fn of(most: usize) -> Self {
        Self {
            most,
            then_every: None,
        }
    }

    /// Whether another can be sent, after these.
    #[must_use]
    pub fn capacity(self, tally: &Tally, now: Timestamp) -> Capacity {
        let (most, count) = (self.most, tally.of_day(now));
        if count.saturating_add(1) < most {
            return Capacity::Open;
        }
        if count < most {
            return Capacity::Last;
        }
        match (self.then_every, tally.last) {
            (Some(every), Some(last)) if now >= after(last, every) => Capacity::Last,
            _ => Capacity::Closed,
        }
    }
}

/// Whether another can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// It can.
    Open,
    /// It can, and it has to say that the next one may not be sent.
    Last,
    /// It cannot.
    Closed,
}

/// How many were sent on a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    count: usize,
    /// When the last one was sent, which also says of which day the count is.
    last: Option<Timestamp>,
}

const COUNT: &str = "count";
const LAST: &str = "last";

impl Tally {
    /// How long it is of use: a message of the next day may still say how many there were.
    pub const KEPT: SignedDuration = SignedDuration::from_hours(72);

    /// One more.
    #[must_use]
    pub fn counted(&self, now: Timestamp) -> Self {
        Self {
            count: self.of_day(now).saturating_add(1),
            last: Some(self.last.map_or(now, |last| last.max(now))),
        }
    }

    /// How many were sent on the day of this time, or on a later one.
    #[must_use]
    pub fn of_day(&self, now: Timestamp) -> usize {
        let date = |time: Timestamp| time.to_zoned(TimeZone::UTC).date();
        match self.last {
            Some(last) if date(last) < date(now) => 0,
            _ => self.count,
        }
    }

    /// What is kept of it, as the texts of an item.
    #[must_use]
    pub fn to_values(&self) -> BTreeMap<String, String> {
        let last = self.last.map(|last| (LAST.to_owned(), last.to_string()));
        let count = (COUNT.to_owned(), self.count.to_string());
        last.into_iter().chain([count]).collect()
    }

    /// Reads what was kept; what makes no sense counts for nothing.
    #[must_use]
    pub fn from_values(values: &BTreeMap<String, String>) -> Self {
        let text = |name| values.get(name);
        Self {
            count: text(COUNT).and_then(|it| it.parse().ok()).unwrap_or(0),
            last: text(LAST).and_then(|it| it.parse().ok()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        // The beginning of a day.
        Timestamp::from_second(1_767_571_200 + seconds).unwrap()
    }

    /// How many of so many attempts, each a minute after the other, are sent.
    fn told(limit: Limit, attempts: i64) -> usize {
        let mut tally = Tally::default();
        let mut told = 0;
        for minute in 0..attempts {
            if limit.capacity(&tally, at(60 * minute)) != Capacity::Closed {
                tally = tally.counted(at(60 * minute));
                told += 1;
            }
            tally = Tally::from_values(&tally.to_values());
        }
        told
    }

    #[test]
    fn the_last_of_a_day_is_known_for_it_and_the_next_day_has_room_again() {
        let mut tally = Tally::default();
        let mut capacities = Vec::new();
        for _ in 0..11 {
            capacities.push(Limit::EXCESS.capacity(&tally, at(100)));
            tally = tally.counted(at(100));
        }
        assert_eq!(capacities[..9], [Capacity::Open; 9]);
        assert_eq!(capacities[9..], [Capacity::Last, Capacity::Closed]);
        assert_eq!(Limit::EXCESS.capacity(&tally, at(86_399)), Capacity::Closed);
        assert_eq!(Limit::EXCESS.capacity(&tally, at(86_400)), Capacity::Open);
        // A message that was sent the day before and comes late opens nothing.
        assert_eq!(Limit::EXCESS.capacity(&tally, at(-1)), Capacity::Closed);
    }

    #[test]
    fn a_day_of_attempts_has_a_bound_and_changes_are_told_hourly_behind_it() {
        let day = 24 * 60;
        assert_eq!(told(Limit::EXCESS, day), 10);
        assert_eq!(told(Limit::EXCESS, 3 * day), 30);
        let changes = told(Limit::CHANGES, day);
        assert!((20 + 23..=20 + 24).contains(&changes), "{changes}");
    }

    #[test]
    fn what_makes_no_sense_in_the_table_counts_for_nothing() {
        let odd = [("count", "many"), ("last", "9999-99-99")];
        let odd = odd.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let tally = Tally::from_values(&odd.into());
        assert_eq!(tally, Tally::default());
        for time in [Timestamp::MIN, Timestamp::MAX] {
            let tally = Tally::default().counted(time);
            assert_eq!(Limit::CHANGES.capacity(&tally, time), Capacity::Open);
        }
    }
}
