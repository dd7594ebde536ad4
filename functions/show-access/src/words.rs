//! How times, states and runs are said, in every format.

use domain::{
    overview::{AccessEntry, AccessState},
    policy::Gate,
    status::ExecutionStatus,
    text::{Untrusted, flat},
};
use jiff::{SignedDuration, Timestamp, tz::Offset};

use crate::snapshot::{Failure, Run, Snapshot};

/// The longest text of others on a page, in characters.
const LONGEST: usize = 300;

/// A text that somebody outside wrote, as one line; the format escapes it.
pub(crate) fn line(text: &Untrusted) -> String {
    flat(text.raw(), LONGEST)
}

/// A point in time, with date.
pub(crate) fn at(time: Timestamp, offset: Offset) -> String {
    let time = offset.to_datetime(time);
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// A duration in its two largest units.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How long ago a time was; empty if nobody knows what time it is.
pub(crate) fn ago(time: Timestamp, now: Option<Timestamp>) -> String {
    let passed = now.map(|now| now.duration_since(time));
    match passed.filter(|passed| !passed.is_negative()) {
        Some(passed) => format!("{} ago", duration(passed)),
        None => String::new(),
    }
}

/// How far somebody's access is, in a few words.
pub(crate) fn state(entry: &AccessEntry, now: Option<Timestamp>) -> String {
    let level = entry.level.as_str();
    match &entry.state {
        AccessState::Held { .. } if entry.rule.is_none() => {
            format!("{level} by no rule, to be withdrawn")
        }
        AccessState::Held { .. } => level.to_owned(),
        _ => format!("{level} pending: {}", obstacle(entry, now)),
    }
}

/// What somebody waits for.
pub(crate) fn obstacle(entry: &AccessEntry, now: Option<Timestamp>) -> String {
    match &entry.state {
        AccessState::Held { .. } => String::new(),
        AccessState::Invited { .. } => match left(&entry.state, now) {
            Some(left) => format!("invited, {left}"),
            None => "invited".to_owned(),
        },
        AccessState::Gate(Gate::Succeeded) => "gate: no run has succeeded yet".to_owned(),
        AccessState::Gate(Gate::Hook) => "gate: the deployment hook has not let it in".to_owned(),
        AccessState::Gate(Gate::Created) => "gate: it does not exist".to_owned(),
        AccessState::Ceiling(beyond) => format!("ceiling: {beyond}"),
        AccessState::Settling => "the next reconciliation".to_owned(),
        AccessState::Failed { message } => {
            let message = message.as_deref().unwrap_or("no reason given");
            format!("failed: {}", flat(message, LONGEST))
        }
    }
}

/// How much is left of an invitation's time.
pub(crate) fn left(state: &AccessState, now: Option<Timestamp>) -> Option<String> {
    let left = state.ends()?.duration_since(now?);
    Some(if left.is_positive() {
        format!("{} left", duration(left))
    } else {
        "its time is over".to_owned()
    })
}

/// How a run goes or went, in words.
pub(crate) fn run(run: &Run, now: Option<Timestamp>) -> String {
    let status = status(&run.execution.status);
    match run.duration(now) {
        Some(took) if run.execution.status.is_terminal() => {
            format!("{status} after {}", duration(took))
        }
        Some(took) => format!("{status} for {}", duration(took)),
        None => status,
    }
}

/// A status, as one short line: AWS may add others.
pub(crate) fn status(status: &ExecutionStatus) -> String {
    flat(status.as_str(), 40)
}

/// Where and why a run failed: its first failed steps, or else what is known of it.
pub(crate) fn reason(failure: &Failure) -> String {
    let details = &failure.details;
    let steps = details.failed_steps.iter().take(3).map(|step| {
        let why = step.reason.as_ref().map(line);
        let name = line(&step.name);
        format!(
            "step {name}: {}",
            why.unwrap_or("no reason given".to_owned())
        )
    });
    let steps: Vec<_> = steps.collect();
    if steps.is_empty() {
        let known = details.failure_reason.as_ref().map(line);
        return known.unwrap_or("no reason given".to_owned());
    }
    steps.join("; ")
}

/// How the runs of a row went, counted by status, newest status first.
pub(crate) fn tally(runs: &[Run]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for run in runs {
        let status = status(&run.execution.status);
        match counts.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => counts.push((status, 1)),
        }
    }
    let counts = counts
        .iter()
        .map(|(status, count)| format!("{count} {status}"));
    counts.collect::<Vec<_>>().join(", ")
}

/// By which rule somebody has access, since when and until when.
pub(crate) fn grounds(entry: &AccessEntry, offset: Offset) -> String {
    let rule = entry.rule.as_ref();
    let rule = rule.map_or("no rule".to_owned(), |rule| format!("rule {rule}"));
    let since = entry.state.since();
    let since = since.map(|since| format!("since {}", at(since, offset)));
    let until = entry.until.as_ref().map(|until| format!("until {until}"));
    let parts = [Some(rule), since, until];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Which rows of how many are shown.
pub(crate) fn position(snapshot: &Snapshot) -> String {
    let (page, pages, total) = (snapshot.page, snapshot.pages, snapshot.total);
    match total {
        1 => "1 pipeline".to_owned(),
        _ if pages == 1 => format!("{total} pipelines"),
        _ => format!("{total} pipelines, page {page} of {pages}"),
    }
}
