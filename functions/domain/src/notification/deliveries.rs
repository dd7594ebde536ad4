//! What a destination was notified of about an execution, and what is new to it.
//!
//! `SageMaker` repeats events, delivers them late and out of order, or not at
//! all; and a retried execution keeps its ARN. So a change is known by its
//! status and its time, and a reconciliation, which sees only the present state,
//! must recognize what an event has led to.

use jiff::{SignedDuration, Timestamp};

use crate::{
    execution::{Details, ExecutionChange, Source},
    status::ExecutionStatus,
    time::{after, before},
};

/// A notification that was sent about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    /// The status that it told.
    pub status: ExecutionStatus,
    /// The time that it told.
    pub at: Timestamp,
    /// How the change had become known.
    pub source: Source,
}

impl DeliveryRecord {
    /// What is noted of a change that is sent.
    #[must_use]
    pub fn of(news: &ExecutionChange) -> Self {
        Self {
            status: news.execution.status.clone(),
            at: news.at,
            source: news.source,
        }
    }
}

/// What to do about a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Notify it. The key is the same for every repetition of this change.
    Send {
        /// What identifies the change among those of its execution.
        key: String,
    },
    /// The destination knows.
    AlreadySent,
    /// The destination was notified of a later state.
    Overtaken,
    /// The execution had ended before, and by what `SageMaker` says it did not begin anew.
    Contradicted,
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
/// `present` is what `SageMaker` says of the execution now, if it was asked.
/// Without it, a decision to send is one only as far as the history goes.
///
/// ```
/// use domain::{
///     execution::{Execution, ExecutionChange},
///     notification::{Decision, DeliveryRecord, decide},
/// };
///
/// let execution = Execution {
///     arn: "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn/execution/p4jn9xou8a8s".parse()?,
///     pipeline: "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn".parse()?,
///     status: "Failed".into(),
///     display_name: None,
///     started: None,
/// };
/// let ended = "2026-01-05T09:03:20Z".parse()?;
/// let news = ExecutionChange::of_event(execution, Some("Executing".into()), ended);
/// let key = "Failed|2026-01-05T09:03:20Z".to_owned();
/// assert_eq!(decide(&[], &news, None), Decision::Send { key });
///
/// // SageMaker repeats its events.
/// let told = DeliveryRecord::of(&news);
/// assert_eq!(decide(&[told], &news, None), Decision::AlreadySent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn decide(
    history: &[DeliveryRecord],
    news: &ExecutionChange,
    present: Option<&Details>,
) -> Decision {
    if news.execution.status.is_terminal() {
        decide_end(history, news)
    } else {
        decide_progress(history, news, present)
    }
}

fn decide_end(history: &[DeliveryRecord], news: &ExecutionChange) -> Decision {
    let status = &news.execution.status;
    let is_same = |told: &DeliveryRecord| {
        let is_same_end = match (told.source, news.source) {
            // An execution does not end before its last step, so an exact end
            // that is known covers every earlier step.
            (Source::Event, Source::Reconciliation) => told.at >= before(news.at, CLOSING),
            (Source::Reconciliation, Source::Event) => {
                told.at.duration_since(news.at).abs() <= CLOSING
            }
            _ => told.at == news.at,
        };
        told.status == *status && is_same_end
    };
    if history.iter().any(is_same) {
        return Decision::AlreadySent;
    }
    let key = format!("{status}|{}", news.at);
    Decision::Send { key }
}

fn decide_progress(
    history: &[DeliveryRecord],
    news: &ExecutionChange,
    present: Option<&Details>,
) -> Decision {
    let status = &news.execution.status;
    let last_end = last_end(history);
    if last_end.is_some_and(|end| news.at <= end) {
        return Decision::Overtaken;
    }
    let same: Vec<_> = history
        .iter()
        .filter(|told| told.status == *status)
        .collect();
    let was_told = same.iter().any(|told| {
        let begins_again = news
            .previous
            .as_ref()
            .is_some_and(ExecutionStatus::is_terminal)
            && news.at > after(told.at, RESTARTING);
        last_end.is_none_or(|end| told.at > end) && !begins_again
    });
    if was_told {
        return Decision::AlreadySent;
    }
    if last_end.is_some() && present.is_some_and(|present| present.status != *status) {
        return Decision::Contradicted;
    }
    let key = format!("{status}|{}", same.len() + 1);
    Decision::Send { key }
}

/// The last end that was sent.
fn last_end(history: &[DeliveryRecord]) -> Option<Timestamp> {
    let ends = history.iter().filter(|told| told.status.is_terminal());
    ends.map(|told| told.at).max()
}

/// How old a change may be that is confirmed: `EventBridge` tries for a day to
/// deliver an event.
const LATEST: SignedDuration = SignedDuration::from_hours(25);

/// Whether what `SageMaker` says of the execution shows that the change is true.
///
/// Whoever may send to the queue can make up as many changes as they like. A
/// confirmed one needs a run of its own: the status is that of the run and the
/// time is that of its end, and nothing like it was sent before. What is not
/// confirmed may be true all the same, as where a run was retried meanwhile or
/// is gone; but of these only so many are sent.
///
/// ASSUMED: an execution ends within a minute of its last step, or of its `LastModifiedTime`.
#[must_use]
pub fn is_confirmed(
    history: &[DeliveryRecord],
    news: &ExecutionChange,
    present: Option<&Details>,
    now: Timestamp,
) -> bool {
    if news.source == Source::Reconciliation {
        return true;
    }
    let Some(present) = present.filter(|_| news.at >= before(now, LATEST)) else {
        return false;
    };
    let status = &news.execution.status;
    let is_near = |one: Timestamp, other| one.duration_since(other).abs() <= CLOSING;
    let is_as_told = present.status == *status;
    let same = || history.iter().filter(|told| told.status == *status);
    let evidence = [present.modified, present.last_step].into_iter().flatten();
    let mut evidence = evidence.filter(|time| is_near(*time, news.at));
    if status.is_terminal() {
        // Each time confirms one end.
        return is_as_told && evidence.any(|time| !same().any(|told| is_near(told.at, time)));
    }
    let just_changed = evidence.next().is_some();
    let last_end = last_end(history);
    let was_told = same().any(|told| last_end.is_none_or(|end| told.at > end));
    let is_known = !matches!(status, ExecutionStatus::Other(_));
    !was_told && (is_as_told || is_known && just_changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Execution;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_600_000 + seconds).unwrap()
    }

    fn execution(status: &str) -> Execution {
        let pipeline = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";
        Execution {
            arn: format!("{pipeline}/execution/abc").parse().unwrap(),
            pipeline: pipeline.parse().unwrap(),
            status: status.into(),
            display_name: None,
            started: None,
        }
    }

    fn event(status: &str, previous: &str, seconds: i64) -> ExecutionChange {
        ExecutionChange::of_event(execution(status), Some(previous.into()), at(seconds))
    }

    fn found(status: &str, seconds: i64) -> ExecutionChange {
        ExecutionChange::found(execution(status), at(seconds))
    }

    /// Tells every change that is news, and returns which were.
    fn tell_all(changes: &[ExecutionChange]) -> Vec<bool> {
        let mut history = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        changes
            .iter()
            .map(|change| match decide(&history, change, None) {
                Decision::Send { key } => {
                    assert!(keys.insert(key), "a key identifies one change");
                    history.push(DeliveryRecord::of(change));
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
            tell_all(&[event("Failed", "Executing", 60), found("Failed", 59)]),
            [true, false]
        );
        assert_eq!(
            tell_all(&[found("Failed", 59), event("Failed", "Executing", 60)]),
            [true, false]
        );
        assert_eq!(
            tell_all(&[event("Failed", "Executing", 60), found("Failed", 600)]),
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
        let history = [DeliveryRecord::of(&event("Failed", "Executing", 60))];
        let restart = event("Executing", "Failed", 100);
        let decision =
            |present: &str| decide(&history, &restart, Some(&Details::of(present.into())));
        assert_eq!(decision("Stopped"), Decision::Contradicted);
        assert!(matches!(decision("Executing"), Decision::Send { .. }));
    }

    #[test]
    fn what_is_made_up_of_a_run_is_confirmed_once_at_most() {
        let now = at(1_000);
        let present = Details {
            modified: Some(at(900)),
            ..Details::of("Failed".into())
        };
        // Every status at every second of two days, as often as anybody likes.
        for status in ["Failed", "Succeeded", "Executing", "Quarantined", "Other"] {
            let mut history: Vec<DeliveryRecord> = Vec::new();
            let mut confirmed = 0;
            for seconds in (-172_800..1_000).step_by(7) {
                let change = event(status, "Failed", seconds);
                if is_confirmed(&history, &change, Some(&present), now) {
                    confirmed += 1;
                    history.push(DeliveryRecord::of(&change));
                }
            }
            assert!(confirmed <= 1, "{status}: {confirmed}");
        }
    }

    #[test]
    fn a_true_end_is_confirmed_and_what_nobody_knows_is_not() {
        let now = at(100);
        let present = |modified, last_step| Details {
            modified,
            last_step,
            ..Details::of("Failed".into())
        };
        let end = event("Failed", "Executing", 60);
        let confirms = |present: &Details| is_confirmed(&[], &end, Some(present), now);
        assert!(confirms(&present(Some(at(61)), None)));
        // Somebody gave it another name since.
        assert!(confirms(&present(Some(at(9_000)), Some(at(59)))));
        assert!(!confirms(&present(Some(at(9_000)), None)));
        assert!(!is_confirmed(&[], &end, None, now), "it is gone");
        let found = found("Failed", 60);
        assert!(is_confirmed(&[], &found, None, now), "SageMaker said it");
        let old = at(60 + 26 * 3_600);
        let retold = present(Some(at(60)), None);
        assert!(!is_confirmed(&[], &end, Some(&retold), old), "a day ago");
        let start = event("Executing", "", 10);
        let ended_at_once = present(Some(at(12)), None);
        assert!(is_confirmed(&[], &start, Some(&ended_at_once), now));
        let running = Details {
            status: "Executing".into(),
            ..present(Some(at(10)), None)
        };
        assert!(is_confirmed(&[], &start, Some(&running), now));
    }
}
