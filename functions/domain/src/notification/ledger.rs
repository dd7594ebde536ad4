//! What a destination has been told about an execution, and what is news to it.
//!
//! `SageMaker` repeats events, delivers them late and out of order, or not at
//! all; and a retried execution keeps its ARN. So a change is known by its
//! status and its time, and the sweep, which sees only the present state,
//! must recognize what an event has told.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::{
    status::ExecutionStatus,
    time::{after, before},
};

/// How a change became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// By an event, which carries the exact time.
    ByEvent,
    /// By asking, which yields the end of its last step: about the time of its
    /// own end, which `SageMaker` does not tell.
    ByLooking,
}

impl Seen {
    /// A stable name for the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByEvent => "by-event",
            Self::ByLooking => "by-looking",
        }
    }
}

impl FromStr for Seen {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::ByEvent, Self::ByLooking]
            .into_iter()
            .find(|seen| seen.as_str() == text)
            .ok_or(())
    }
}

/// A change of an execution's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The status.
    pub status: ExecutionStatus,
    /// The status before, if the event says.
    pub previous: Option<ExecutionStatus>,
    /// When the execution ended, or when it took a status that is not an end.
    pub at: Timestamp,
    /// How it became known.
    pub seen: Seen,
}

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The status told.
    pub status: ExecutionStatus,
    /// The time told.
    pub at: Timestamp,
    /// How the change had become known.
    pub seen: Seen,
}

/// What to do about a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Tell it. The key is the same for every repetition of this change.
    Tell {
        /// What identifies the change among those of its execution.
        key: String,
    },
    /// The destination knows.
    AlreadyTold,
    /// The destination was told of a later state.
    Overtaken,
    /// Only `SageMaker` can say whether it is true: the execution had ended before.
    Unconfirmed,
}

/// How long after its last step an execution may end.
///
/// ASSUMED: AWS documents no bound; its own sample events show one second.
const CLOSING: SignedDuration = SignedDuration::from_mins(1);

/// How long after the first event of a run another one is a repetition of it,
/// and not that of a run that began anew.
const RESTARTING: SignedDuration = SignedDuration::from_secs(5);

/// Decides whether a change is news to a destination.
///
/// `present` is the status that `SageMaker` reports now, if it was asked.
///
/// ```
/// use domain::notification::{Change, Decision, Seen, Told, decide};
///
/// let change = Change {
///     status: "Failed".into(),
///     previous: Some("Executing".into()),
///     at: "2026-01-05T09:03:20Z".parse()?,
///     seen: Seen::ByEvent,
/// };
/// let key = "Failed|2026-01-05T09:03:20Z".to_owned();
/// assert_eq!(decide(&[], &change, None), Decision::Tell { key });
///
/// // SageMaker repeats its events.
/// let told = Told {
///     status: change.status.clone(),
///     at: change.at,
///     seen: change.seen,
/// };
/// assert_eq!(decide(&[told], &change, None), Decision::AlreadyTold);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide(history: &[Told], change: &Change, present: Option<&ExecutionStatus>) -> Decision {
    if change.status.is_terminal() {
        decide_end(history, change)
    } else {
        decide_progress(history, change, present)
    }
}

fn decide_end(history: &[Told], change: &Change) -> Decision {
    let is_same = |told: &Told| {
        let is_same_end = match (told.seen, change.seen) {
            // An execution does not end before its last step, so an exact end
            // that is known covers every earlier step.
            (Seen::ByEvent, Seen::ByLooking) => told.at >= before(change.at, CLOSING),
            (Seen::ByLooking, Seen::ByEvent) => told.at.duration_since(change.at).abs() <= CLOSING,
            _ => told.at == change.at,
        };
        told.status == change.status && is_same_end
    };
    if history.iter().any(is_same) {
        return Decision::AlreadyTold;
    }
    let key = format!("{}|{}", change.status, change.at);
    Decision::Tell { key }
}

fn decide_progress(
    history: &[Told],
    change: &Change,
    present: Option<&ExecutionStatus>,
) -> Decision {
    let ends = history.iter().filter(|told| told.status.is_terminal());
    let last_end = ends.map(|told| told.at).max();
    if last_end.is_some_and(|end| change.at <= end) {
        return Decision::Overtaken;
    }
    let same: Vec<_> = history
        .iter()
        .filter(|told| told.status == change.status)
        .collect();
    let was_told = same.iter().any(|told| {
        let begins_again = change
            .previous
            .as_ref()
            .is_some_and(ExecutionStatus::is_terminal)
            && change.at > after(told.at, RESTARTING);
        last_end.is_none_or(|end| told.at > end) && !begins_again
    });
    if was_told {
        return Decision::AlreadyTold;
    }
    if last_end.is_some() && present.is_some_and(|status| *status != change.status) {
        return Decision::Unconfirmed;
    }
    let key = format!("{}|{}", change.status, same.len() + 1);
    Decision::Tell { key }
}

/// What `SageMaker` says of an execution now.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    /// Its status.
    pub status: &'a ExecutionStatus,
    /// When anything about it changed last.
    pub modified: Option<Timestamp>,
    /// When its last step ended.
    pub last_step: Option<Timestamp>,
}

/// How old a change may be that is confirmed: `EventBridge` tries for a day to
/// deliver an event.
const LATEST: SignedDuration = SignedDuration::from_hours(25);

/// Whether what `SageMaker` says of the execution shows that the change is true.
///
/// Whoever may send to the queue can make up as many changes as they like. A
/// confirmed one needs a run of its own: the status is that of the run and the
/// time is that of its end, and nothing like it was told before. What is not
/// confirmed may be true all the same, as where a run was retried meanwhile or
/// is gone; but of these only so many are told.
///
/// ASSUMED: an execution ends within a minute of its last step, or of its `LastModifiedTime`.
#[must_use]
pub fn is_confirmed(
    history: &[Told],
    change: &Change,
    present: Option<&Present<'_>>,
    now: Timestamp,
) -> bool {
    if change.seen == Seen::ByLooking {
        return true;
    }
    let Some(present) = present.filter(|_| change.at >= before(now, LATEST)) else {
        return false;
    };
    let is_near = |one: Timestamp, other| one.duration_since(other).abs() <= CLOSING;
    let is_as_told = *present.status == change.status;
    let same = || history.iter().filter(|told| told.status == change.status);
    let evidence = [present.modified, present.last_step].into_iter().flatten();
    let mut evidence = evidence.filter(|time| is_near(*time, change.at));
    if change.status.is_terminal() {
        // Each time confirms one end.
        return is_as_told && evidence.any(|time| !same().any(|told| is_near(told.at, time)));
    }
    let just_changed = evidence.next().is_some();
    let ends = history.iter().filter(|told| told.status.is_terminal());
    let last_end = ends.map(|told| told.at).max();
    let was_told = same().any(|told| last_end.is_none_or(|end| told.at > end));
    let is_known = !matches!(change.status, ExecutionStatus::Other(_));
    !was_told && (is_as_told || is_known && just_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + seconds).unwrap()
    }

    fn event(status: &str, previous: &str, seconds: i64) -> Change {
        Change {
            status: status.into(),
            previous: Some(previous.into()),
            at: at(seconds),
            seen: Seen::ByEvent,
        }
    }

    fn looked(status: &str, seconds: i64) -> Change {
        Change {
            previous: None,
            seen: Seen::ByLooking,
            ..event(status, "", seconds)
        }
    }

    /// Tells every change that is news, and returns which were.
    fn tell_all(changes: &[Change]) -> Vec<bool> {
        let mut history = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        changes
            .iter()
            .map(|change| match decide(&history, change, None) {
                Decision::Tell { key } => {
                    assert!(keys.insert(key), "a key identifies one change");
                    history.push(Told {
                        status: change.status.clone(),
                        at: change.at,
                        seen: change.seen,
                    });
                    true
                }
                _ => false,
            })
            .collect()
    }

    #[test]
    fn every_end_of_a_retried_execution_is_told_and_none_twice() {
        let changes = [
            event("Executing", "", 0),
            event("Failed", "Executing", 60),
            event("Failed", "Executing", 60),
            event("Executing", "Failed", 100),
            event("Failed", "Executing", 160),
            event("Executing", "Failed", 200),
            event("Succeeded", "Executing", 260),
            event("Succeeded", "Executing", 260),
        ];
        assert_eq!(
            tell_all(&changes),
            [true, true, false, true, true, true, true, false]
        );
    }

    #[test]
    fn a_retry_is_told_to_those_who_do_not_hear_of_failures() {
        let changes = [
            event("Executing", "", 0),
            event("Executing", "", 1),
            event("Executing", "Failed", 100),
            event("Executing", "Failed", 101),
        ];
        assert_eq!(tell_all(&changes), [true, false, true, false]);
    }

    #[test]
    fn what_an_event_told_the_sweep_does_not_tell_again_nor_the_other_way_round() {
        assert_eq!(
            tell_all(&[event("Failed", "Executing", 60), looked("Failed", 59)]),
            [true, false]
        );
        assert_eq!(
            tell_all(&[looked("Failed", 59), event("Failed", "Executing", 60)]),
            [true, false]
        );
        assert_eq!(
            tell_all(&[event("Failed", "Executing", 60), looked("Failed", 600)]),
            [true, true],
            "the event of the second failure was lost"
        );
    }

    #[test]
    fn a_late_event_is_told_if_it_is_an_end_and_dropped_if_it_is_not() {
        let late = [
            event("Succeeded", "Executing", 260),
            event("Failed", "Executing", 60),
            event("Executing", "Failed", 200),
        ];
        assert_eq!(tell_all(&late), [true, true, false]);
    }

    #[test]
    fn a_restart_that_sagemaker_does_not_confirm_is_not_told() {
        let history = [Told {
            status: "Failed".into(),
            at: at(60),
            seen: Seen::ByEvent,
        }];
        let restart = event("Executing", "Failed", 100);
        let decision = |present: &str| decide(&history, &restart, Some(&present.into()));
        assert_eq!(decision("Stopped"), Decision::Unconfirmed);
        assert!(matches!(decision("Executing"), Decision::Tell { .. }));
    }
    #[test]
    fn what_is_made_up_of_a_run_is_confirmed_once_at_most() {
        let now = at(1_000);
        let failed: ExecutionStatus = "Failed".into();
        let present = Present {
            status: &failed,
            modified: Some(at(900)),
            last_step: None,
        };
        // Every status at every second of two days, as often as anybody likes.
        for status in ["Failed", "Succeeded", "Executing", "Quarantined", "Other"] {
            let mut history: Vec<Told> = Vec::new();
            let mut confirmed = 0;
            for seconds in (-172_800..1_000).step_by(7) {
                let change = event(status, "Failed", seconds);
                if is_confirmed(&history, &change, Some(&present), now) {
                    confirmed += 1;
                    history.push(Told {
                        status: change.status,
                        at: change.at,
                        seen: Seen::ByEvent,
                    });
                }
            }
            assert!(confirmed <= 1, "{status}: {confirmed}");
        }
    }

    #[test]
    fn a_true_end_is_confirmed_and_what_nobody_knows_is_not() {
        let (now, failed) = (at(100), "Failed".into());
        let present = |modified, last_step| Present {
            status: &failed,
            modified,
            last_step,
        };
        let end = event("Failed", "Executing", 60);
        let confirms = |present: &Present<'_>| is_confirmed(&[], &end, Some(present), now);
        assert!(confirms(&present(Some(at(61)), None)));
        // Somebody gave it another name since.
        assert!(confirms(&present(Some(at(9_000)), Some(at(59)))));
        assert!(!confirms(&present(Some(at(9_000)), None)));
        assert!(!is_confirmed(&[], &end, None, now), "it is gone");
        let looked = looked("Failed", 60);
        assert!(is_confirmed(&[], &looked, None, now), "SageMaker said it");
        let old = at(60 + 26 * 3_600);
        let retold = present(Some(at(60)), None);
        assert!(!is_confirmed(&[], &end, Some(&retold), old), "a day ago");
        let start = event("Executing", "", 10);
        let ended_at_once = present(Some(at(12)), None);
        assert!(is_confirmed(&[], &start, Some(&ended_at_once), now));
        let running = Present {
            status: &"Executing".into(),
            ..present(Some(at(10)), None)
        };
        assert!(is_confirmed(&[], &start, Some(&running), now));
    }
}
