//! What a request asks of an object before it is done: entity tags, times and ranges.

use std::ops::Range;

use jiff::{Timestamp, fmt::rfc2822};

use super::{bucket::no_such_key, invalid_argument, object::Object};
use crate::world::{ApiError, Call};

/// How the members of a condition are called.
pub(super) struct Names {
    pub(super) matches: &'static str,
    pub(super) none_match: &'static str,
    pub(super) modified: &'static str,
    pub(super) unmodified: &'static str,
}

/// The conditions of whoever reads.
pub(super) const OF_READER: Names = Names {
    matches: "IfMatch",
    none_match: "IfNoneMatch",
    modified: "IfModifiedSince",
    unmodified: "IfUnmodifiedSince",
};

/// The conditions of a copy about its source.
pub(super) const OF_SOURCE: Names = Names {
    matches: "CopySourceIfMatch",
    none_match: "CopySourceIfNoneMatch",
    modified: "CopySourceIfModifiedSince",
    unmodified: "CopySourceIfUnmodifiedSince",
};

/// Refuses to read what is not as the request wants it.
///
/// Entity tags go before times, as RFC 7232 says.
pub(super) fn check_read(
    call: &Call,
    names: &Names,
    object: &Object,
    modified: Timestamp,
) -> Result<(), ApiError> {
    let since = |member: &str| call.text(member).and_then(date);
    let tag = |member: &str| call.text(member);
    let seconds = modified.as_second();
    if let Some(tags) = tag(names.matches) {
        if !names_tag(tags, &object.etag) {
            return Err(precondition_failed("If-Match"));
        }
    } else if since(names.unmodified).is_some_and(|time| seconds > time.as_second()) {
        return Err(precondition_failed("If-Unmodified-Since"));
    }
    let unchanged = match tag(names.none_match) {
        Some(tags) => names_tag(tags, &object.etag),
        None => since(names.modified).is_some_and(|time| seconds <= time.as_second()),
    };
    if unchanged && names.none_match != OF_READER.none_match {
        return Err(precondition_failed("If-None-Match"));
    }
    if unchanged {
        return Err(ApiError::with_status(304, "NotModified", "Not Modified"));
    }
    Ok(())
}

/// Refuses to write over what is not as the request wants it.
pub(super) fn check_write(
    call: &Call,
    key: &str,
    current: Option<&Object>,
) -> Result<(), ApiError> {
    match call.text("IfNoneMatch") {
        Some("*") if current.is_some() => return Err(precondition_failed("If-None-Match")),
        None | Some("*") => {}
        Some(_) => {
            let message = "A header you provided implies functionality that is not implemented";
            let error = ApiError::with_status(501, "NotImplemented", message);
            return Err(error.with_member("Header", "If-None-Match"));
        }
    }
    match (call.text("IfMatch"), current) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(no_such_key(key)),
        (Some(tags), Some(object)) if names_tag(tags, &object.etag) => Ok(()),
        (Some(_), Some(_)) => Err(precondition_failed("If-Match")),
    }
}

fn names_tag(tags: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_matches('"').to_owned();
    tags.split(',')
        .any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

fn date(text: &str) -> Option<Timestamp> {
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn precondition_failed(condition: &str) -> ApiError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ApiError::with_status(412, "PreconditionFailed", message).with_member("Condition", condition)
}

/// The bytes that the request asks for; none if it asks for all.
///
/// What is no range of one piece is as good as no range.
pub(super) fn range(call: &Call, length: usize) -> Result<Option<Range<usize>>, ApiError> {
    let Some(text) = call.text("Range") else {
        return Ok(None);
    };
    let Some((first, last)) = text
        .strip_prefix("bytes=")
        .and_then(|it| it.split_once('-'))
    else {
        return Ok(None);
    };
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(last)) if first.is_empty() => length.saturating_sub(last)..length,
        _ => return Ok(None),
    };
    if range.start >= range.end {
        let message = "The requested range is not satisfiable";
        let error = ApiError::with_status(416, "InvalidRange", message);
        return Err(error
            .with_member("RangeRequested", text)
            .with_member("ActualObjectSize", length));
    }
    Ok(Some(range))
}

/// The range of a source that a part is copied from; it must lie within.
pub(super) fn source_range(call: &Call, length: usize) -> Result<Range<usize>, ApiError> {
    let Some(text) = call.text("CopySourceRange") else {
        return Ok(0..length);
    };
    let range = text
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| Some((first.parse().ok()?, last.parse::<usize>().ok()?)))
        .filter(|(first, last)| first <= last && *last < length);
    let range = range.map(|(first, last)| first..last + 1);
    range.ok_or_else(|| {
        let message = format!("Range specified is not valid for source object of size: {length}");
        invalid_argument(message, "x-amz-copy-source-range", text)
    })
}
