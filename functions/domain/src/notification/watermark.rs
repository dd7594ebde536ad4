//! How far the executions of an account were reconciled, and from when on they are next.
//!
//! A reconciliation begins a while before the last one ended, since what
//! `SageMaker`'s search shows lags behind. One that is cut short marks what it
//! has examined, so that the next one goes on there; and behind a change that
//! the hub could not be notified, nothing is marked, so that it is found again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    id::AccountId,
    time::{after, before},
};

/// How far behind the watermark a reconciliation begins. What SageMaker's search
/// shows lags behind the truth by an undocumented while (ASSUMED: less than this).
const OVERLAP: SignedDuration = SignedDuration::from_mins(30);

/// How far back a reconciliation goes at the most, after they have stood still:
/// what is older is no news.
const HORIZON: SignedDuration = SignedDuration::from_hours(24);

/// How old a change must be before it is sent: its event may be on its way.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

/// After how many executions is marked how far a reconciliation is.
const MARK_EVERY: usize = 20;

const UNTIL: &str = "until";
const EXAMINED: &str = "examined";

/// How far the executions of an account were reconciled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermark {
    /// When the last reconciliation was done: it had seen all that SageMaker showed then.
    pub until: Timestamp,
    /// What one that was cut short has examined since, oldest first.
    pub examined: Option<Timestamp>,
}

impl Watermark {
    /// Where to begin with an account that was never reconciled: what happened
    /// before is no news.
    #[must_use]
    pub fn first(now: Timestamp) -> Self {
        Self {
            until: now,
            examined: None,
        }
    }

    /// What is kept of it, as the texts of an item.
    #[must_use]
    pub fn to_values(&self) -> BTreeMap<String, String> {
        let examined = self.examined.map(|time| (EXAMINED, time));
        let times = [(UNTIL, self.until)].into_iter().chain(examined);
        times
            .map(|(name, time)| (name.to_owned(), time.to_string()))
            .collect()
    }

    /// Reads what was kept; none if it makes no sense.
    #[must_use]
    pub fn from_values(values: &BTreeMap<String, String>) -> Option<Self> {
        let time = |name: &str| values.get(name)?.parse().ok();
        Some(Self {
            until: time(UNTIL)?,
            examined: time(EXAMINED),
        })
    }
}

/// The owners that are to be reconciled, who waits for the longest first,
/// should the time not be enough for all.
#[must_use]
pub fn longest_waiting<'a>(
    watched: BTreeSet<&'a AccountId>,
    marks: &BTreeMap<AccountId, Watermark>,
    only: Option<&AccountId>,
) -> Vec<&'a AccountId> {
    let asked_for = |owner: &&AccountId| only.is_none_or(|only| only == *owner);
    let mut owners: Vec<_> = watched.into_iter().filter(asked_for).collect();
    owners.sort_by_key(|owner| marks.get(*owner).map(|mark| mark.until));
    owners
}

/// What one reconciliation of an account goes through, from its watermark on.
#[derive(Debug, Clone)]
pub struct Interval {
    now: Timestamp,
    mark: Watermark,
    count: usize,
    /// Whether the hub was notified of everything that it had to be.
    is_heard: bool,
}

impl Interval {
    /// Goes on where the last one ended.
    #[must_use]
    pub fn begin(mark: Watermark, now: Timestamp) -> Self {
        // A mark of a time to come would keep every reconciliation from finding
        // anything until then.
        let is_sound = mark.until <= after(now, HORIZON);
        let until = if is_sound { mark.until } else { now };
        let mark = Watermark { until, ..mark };
        Self {
            now,
            mark,
            count: 0,
            is_heard: true,
        }
    }

    /// Since when the changes are asked for.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        let examined = self.mark.examined;
        let examined = examined.filter(|time| *time <= after(self.now, HORIZON));
        let since = examined.unwrap_or(before(self.mark.until, OVERLAP));
        since.max(before(before(self.now, HORIZON), OVERLAP))
    }

    /// Whether a change is old enough to be sent.
    #[must_use]
    pub fn is_due(&self, modified: Timestamp) -> bool {
        modified <= before(self.now, GRACE)
    }

    /// A change of this time was examined, and sent to whom it concerns, unless
    /// the hub refused. Returns what is to be marked on the way.
    #[must_use]
    pub fn examined(&mut self, modified: Timestamp, hub_refused: bool) -> Option<Watermark> {
        self.is_heard &= !hub_refused;
        self.count = self.count.saturating_add(1);
        if !self.is_heard {
            return None;
        }
        self.mark.examined = Some(modified);
        self.count.is_multiple_of(MARK_EVERY).then_some(self.mark)
    }

    /// What is to be marked when the time is over before all was examined.
    #[must_use]
    pub fn cut_short(&self) -> Watermark {
        self.mark
    }

    /// What is to be marked after the last change; `is_all` is whether there
    /// were no more of them than were asked for.
    #[must_use]
    pub fn end(&self, is_all: bool) -> Option<Watermark> {
        let all = Watermark::first(self.now.max(self.mark.until));
        let mark = if is_all { all } else { self.mark };
        self.is_heard.then_some(mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + 60 * minutes).unwrap()
    }

    fn interval(until: i64, examined: Option<i64>, now: i64) -> Interval {
        let mark = Watermark {
            until: at(until),
            examined: examined.map(at),
        };
        Interval::begin(mark, at(now))
    }

    #[test]
    fn a_reconciliation_begins_before_the_last_one_ended_and_never_a_day_back() {
        assert_eq!(interval(0, None, 15).since(), at(-30));
        assert_eq!(interval(0, Some(-3), 15).since(), at(-3));
        let day = 24 * 60;
        assert_eq!(interval(0, None, 9 * day).since(), at(8 * day - 30));
        assert_eq!(interval(0, Some(0), 9 * day).since(), at(8 * day - 30));
    }

    #[test]
    fn a_mark_of_a_time_to_come_is_not_gone_by() {
        let day = 24 * 60;
        assert_eq!(interval(3 * day, None, 0).since(), at(-30));
        assert_eq!(interval(0, Some(3 * day), 0).since(), at(-30));
        // The clocks of two services may differ.
        assert_eq!(interval(1, None, 0).since(), at(-29));
        let end = interval(1, None, 0).end(true);
        assert_eq!(end, Some(Watermark::first(at(1))));
    }

    #[test]
    fn a_change_waits_until_its_event_had_its_chance() {
        let interval = interval(0, None, 15);
        assert!(interval.is_due(at(13)));
        assert!(!interval.is_due(at(14)));
    }

    #[test]
    fn what_was_examined_is_marked_on_the_way_and_when_the_time_is_over() {
        let mut interval = interval(0, None, 60);
        for minute in 1..20 {
            assert_eq!(interval.examined(at(minute), false), None);
        }
        let mark = Watermark {
            until: at(0),
            examined: Some(at(20)),
        };
        assert_eq!(interval.examined(at(20), false), Some(mark));
        assert_eq!(interval.cut_short(), mark);
        assert_eq!(interval.end(false), Some(mark));
        assert_eq!(interval.end(true), Some(Watermark::first(at(60))));
    }

    #[test]
    fn behind_what_the_hub_was_not_told_nothing_is_marked() {
        let mut interval = interval(0, None, 60);
        let _ = interval.examined(at(1), false);
        for minute in 2..50 {
            assert_eq!(interval.examined(at(minute), true), None);
            assert_eq!(interval.examined(at(minute), false), None);
        }
        assert_eq!(interval.cut_short().examined, Some(at(1)));
        assert_eq!(interval.end(true), None);
        assert_eq!(interval.end(false), None);
    }

    #[test]
    fn who_waits_for_the_longest_is_reconciled_first_and_one_alone_if_it_is_asked_for() {
        let ids = ["111111111111", "222222222222", "333333333333"];
        let ids = ids.map(|id| id.parse::<AccountId>().unwrap());
        let until = |owner: &AccountId, minutes| (owner.clone(), Watermark::first(at(minutes)));
        let marks = BTreeMap::from([until(&ids[0], 15), until(&ids[1], 0)]);
        let owners = |only| longest_waiting(ids.iter().collect(), &marks, only);
        assert_eq!(owners(None), [&ids[2], &ids[1], &ids[0]]);
        assert_eq!(owners(Some(&ids[0])), [&ids[0]]);
        let nobody = "444444444444".parse().unwrap();
        assert!(owners(Some(&nobody)).is_empty());
    }

    #[test]
    fn a_watermark_is_read_as_it_was_written_and_nothing_else_is_one() {
        for mark in [
            Watermark::first(at(0)),
            Watermark {
                until: Timestamp::MIN,
                examined: Some(Timestamp::MAX),
            },
        ] {
            assert_eq!(Watermark::from_values(&mark.to_values()), Some(mark));
        }
        for until in ["", "yesterday", "9999-99-99"] {
            let values = [(UNTIL.to_owned(), until.to_owned())];
            assert_eq!(Watermark::from_values(&values.into()), None);
        }
    }
}
