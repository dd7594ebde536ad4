//! Reading lines back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    functions, group_of,
    groups::{self, Line, STREAM},
    invalid,
};
use crate::{
    services::pages,
    world::{ApiError, Call, World},
};

/// How many lines an answer has at most, and as a rule.
const MOST_LINES: usize = 10_000;

pub(super) fn streams(world: &World, call: &Call) -> Result<Value, ApiError> {
    let (key, group) = group_of(world, call)?;
    let mut times: BTreeMap<String, (Timestamp, Timestamp)> = BTreeMap::new();
    for line in group.kept(world.now) {
        let stream = times.entry(functions::stream(&key, line.at));
        let (first, last) = stream.or_insert((line.at, line.at));
        (*first, *last) = ((*first).min(line.at), (*last).max(line.at));
    }
    let streams = times.iter().map(|(stream, (first, last))| {
        json!({
            "logStreamName": stream,
            "creationTime": group.created.as_millisecond(),
            "firstEventTimestamp": first.as_millisecond(),
            "lastEventTimestamp": last.as_millisecond(),
            "lastIngestionTime": world.now.as_millisecond(),
            "arn": format!("{}:log-stream:{stream}", groups::arn(&key)),
            "storedBytes": 0,
        })
    });
    Ok(json!({ "logStreams": streams.collect::<Vec<_>>() }))
}

/// Answers forwards from the beginning, whatever end the call asks for first.
pub(super) fn of_stream(world: &World, call: &Call) -> Result<Value, ApiError> {
    let (key, group) = group_of(world, call)?;
    let stream = call.text("logStreamName").unwrap_or_default();
    let is_in = |line: &&Line| functions::stream(&key, line.at) == stream;
    if stream != STREAM && !group.kept(world.now).any(|line| is_in(&line)) {
        let message = "The specified log stream does not exist.";
        return Err(ApiError::new("ResourceNotFoundException", message));
    }
    let token = call.text("nextToken");
    let token = token.map(|token| token.trim_start_matches("f/").trim_start_matches("b/"));
    let refuse = || invalid("The specified nextToken is invalid.");
    let start = pages::position(token, refuse)?;
    let lines = within(group.kept(world.now).filter(is_in), call)?;
    let size = limit(call)?;
    let page = lines.iter().skip(start).take(size);
    let events = page.map(|line| {
        json!({
            "timestamp": line.at.as_millisecond(),
            "ingestionTime": line.ingested.as_millisecond(),
            "message": line.message,
        })
    });
    let events: Vec<_> = events.collect();
    let end = start.saturating_add(events.len());
    Ok(json!({
        "events": events,
        "nextForwardToken": format!("f/{end}"),
        "nextBackwardToken": format!("b/{start}"),
    }))
}

pub(super) fn filter(world: &World, call: &Call) -> Result<Value, ApiError> {
    let (key, group) = group_of(world, call)?;
    let terms = terms(call.text("filterPattern").unwrap_or_default())?;
    let lines = within(group.kept(world.now), call)?;
    let matching = lines.into_iter().filter(|line| {
        let mut terms = terms.iter();
        terms.all(|term| line.message.contains(term.as_str()))
    });
    let events = matching.map(|line| {
        json!({
            "logStreamName": functions::stream(&key, line.at),
            "timestamp": line.at.as_millisecond(),
            "ingestionTime": line.ingested.as_millisecond(),
            "message": line.message,
            "eventId": line.id.to_string(),
        })
    });
    let token = call.text("nextToken");
    let start = pages::position(token, || invalid("The specified nextToken is invalid."))?;
    let (events, next) = pages::cut(events, start, limit(call)?);
    let mut answer = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(next) = next {
        answer["nextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

/// The lines of the time that a call asks about, the oldest first.
fn within<'l>(
    lines: impl Iterator<Item = &'l Line>,
    call: &Call,
) -> Result<Vec<&'l Line>, ApiError> {
    let time = |member: &str| match call.input.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let time = value.as_i64().map(Timestamp::from_millisecond);
            let time = time.and_then(Result::ok);
            time.map(Some)
                .ok_or_else(|| invalid(format!("{member} is not a time in milliseconds.")))
        }
    };
    let (from, to) = (time("startTime")?, time("endTime")?);
    let is_within =
        |line: &&Line| from.is_none_or(|from| line.at >= from) && to.is_none_or(|to| line.at <= to);
    let mut lines: Vec<_> = lines.filter(is_within).collect();
    lines.sort_by_key(|line| (line.at, line.id));
    Ok(lines)
}

fn limit(call: &Call) -> Result<usize, ApiError> {
    let limit = match call.input.get("limit") {
        None | Some(Value::Null) => return Ok(MOST_LINES),
        Some(limit) => limit.as_u64().and_then(|it| usize::try_from(it).ok()),
    };
    let limit = limit.filter(|limit| (1..=MOST_LINES).contains(limit));
    limit.ok_or_else(|| invalid("limit must be between 1 and 10000."))
}

/// The terms of a pattern, all of which a line has to contain; each is a word or in quotes.
fn terms(pattern: &str) -> Result<Vec<String>, ApiError> {
    let unknown = || {
        let message = "Of filter patterns, the sandbox knows words and texts in quotes alone";
        ApiError::with_status(501, "NotImplemented", message)
    };
    let mut terms = Vec::new();
    let mut rest = pattern.trim();
    while !rest.is_empty() {
        let (term, left) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted.split_once('"').ok_or_else(unknown)?
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        let is_special = !rest.starts_with('"') && term.starts_with(['{', '[', '?', '-', '%']);
        if term.is_empty() || is_special {
            return Err(unknown());
        }
        terms.push(term.to_owned());
        rest = left.trim_start();
    }
    Ok(terms)
}
