//! Which access is proven once more although nothing about it has changed.
//!
//! A proof is a call for each share, and RAM shows all shares by a few. So
//! what is as it was when it was proven is proven once a day only, each share
//! at an hour of its own, and one of an account's shares each time: what ends
//! all access at once, such as an organization that does not share any more,
//! is noticed by the next reconciliation.

use jiff::{SignedDuration, Timestamp};

use super::triage::spread;
use crate::{id::ShareArn, time::before};

const HOURS: i64 = 24;

/// How late a reconciliation may be that comes once an hour.
const LATE: SignedDuration = SignedDuration::from_mins(10);

/// Whether the access by an unchanged share is proven now; so it is in every
/// reconciliation of one hour of the day.
#[must_use]
pub fn is_proof_due(share: &ShareArn, now: Timestamp) -> bool {
    let mix = |bits: i64, byte: u8| spread(bits ^ i64::from(byte)).cast_signed();
    let its_hour = share.as_str().bytes().fold(0, mix).rem_euclid(HOURS);
    let hour = |time: Timestamp| time.as_second().div_euclid(3_600).rem_euclid(HOURS);
    [now, before(now, LATE)].map(hour).contains(&its_hour)
}

/// Which of so many shares is proven in any case, each time another one.
#[must_use]
pub fn sample(shares: usize, now: Timestamp) -> usize {
    let number = usize::try_from(spread(now.as_second())).unwrap_or_default();
    number.checked_rem(shares).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn share(number: usize) -> ShareArn {
        let arn = format!("arn:aws:ram:eu-west-1:222222222222:resource-share/{number:08}-1111");
        arn.parse().expect("an ARN")
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).expect("a time")
    }

    #[test]
    fn every_share_has_its_turn_within_a_day_whatever_the_schedule() {
        for interval in [5, 15, 30, 60] {
            for late in [0, 7, 59] {
                // Each reconciliation may come some minutes late.
                let times = (0..24 * 60 / interval).map(|it| it * interval + late + it % 3);
                let times: Vec<_> = times.map(at).collect();
                for number in 0..200 {
                    let due = times
                        .iter()
                        .filter(|now| is_proof_due(&share(number), **now));
                    let due = i64::try_from(due.count()).expect("few");
                    assert!(due >= 1, "{number}, every {interval} minutes, {late}");
                    assert!(due <= 70 / interval + 2, "{due}, every {interval} minutes");
                }
            }
        }
    }

    #[test]
    fn the_turns_of_many_shares_are_spread_over_the_day() {
        for hour in 0..24 {
            let due = (0..2_400).filter(|it| is_proof_due(&share(*it), at(60 * hour + 30)));
            let due = due.count();
            assert!((60..=140).contains(&due), "{due} of 2,400 at {hour}");
        }
    }

    #[test]
    fn the_sample_is_another_one_each_time_and_none_of_none() {
        assert_eq!(sample(0, at(0)), 0);
        let samples: BTreeSet<_> = (0..100).map(|it| sample(6, at(15 * it))).collect();
        assert_eq!(samples, BTreeSet::from([0, 1, 2, 3, 4, 5]));
    }
}
