//! Definitions that lie in S3.

use serde_json::Value;

use super::input;
use crate::{
    services::s3,
    world::{ApiError, Call, World},
};

const MEMBER: &str = "PipelineDefinitionS3Location";
const BUCKET_PATTERN: &str = r"[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9]";

/// Where a definition lies.
#[derive(Debug)]
pub(super) struct Location<'a> {
    bucket: &'a str,
    key: &'a str,
    version: Option<&'a str>,
}

/// The place that the request names, if it names one.
///
/// ASSUMED: a request with a text and a place is refused.
pub(super) fn of(call: &Call) -> Result<Option<Location<'_>>, ApiError> {
    let given = |member: &str| call.input.get(member).is_some_and(|it| !it.is_null());
    if !given(MEMBER) {
        return Ok(None);
    }
    if given("PipelineDefinition") {
        return Err(input::invalid(format!(
            "Only one of PipelineDefinition and {MEMBER} can be specified."
        )));
    }
    let bucket = text(call, "Bucket", 63)?.ok_or_else(|| missing("Bucket"))?;
    if !is_bucket(bucket) {
        return Err(input::pattern(&path("Bucket"), bucket, BUCKET_PATTERN));
    }
    Ok(Some(Location {
        bucket,
        key: text(call, "ObjectKey", 1024)?.ok_or_else(|| missing("ObjectKey"))?,
        version: text(call, "VersionId", 1024)?,
    }))
}

/// The definition that lies there; the caller must be allowed to read it.
///
/// ASSUMED: that it is the caller who needs `s3:GetObject`, the errors, and
/// that a definition in S3 may be no longer than one in the request.
pub(super) fn read(
    world: &mut World,
    call: &Call,
    location: &Location<'_>,
) -> Result<String, ApiError> {
    let Location {
        bucket,
        key,
        version,
    } = location;
    let bytes =
        s3::read(world, call, bucket, key, *version).map_err(|error| match error.status {
            501 => error,
            _ => input::invalid(format!(
                "Unable to read the pipeline definition from s3://{bucket}/{key}: {}: {}",
                error.code, error.message
            )),
        })?;
    let text = String::from_utf8(bytes.to_vec()).map_err(|_| {
        input::invalid("Unable to parse pipeline definition. It is not encoded in UTF-8.")
    })?;
    if text.is_empty() || text.chars().count() > input::LONGEST_DEFINITION {
        return Err(input::invalid(format!(
            "The pipeline definition at s3://{bucket}/{key} must have 1 to {} characters.",
            input::LONGEST_DEFINITION
        )));
    }
    Ok(text)
}

/// A member of the place, which is a text within these bounds.
fn text<'a>(call: &'a Call, member: &str, most: usize) -> Result<Option<&'a str>, ApiError> {
    let value = &call.input[MEMBER][member];
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text,
        _ => return Err(input::mistyped(&path(member), "a String")),
    };
    let length = text.chars().count();
    if (1..=most).contains(&length) {
        return Ok(Some(text));
    }
    let wanted = if length == 0 {
        "have length greater than or equal to 1".to_owned()
    } else {
        format!("have length less than or equal to {most}")
    };
    Err(input::constraint(&path(member), value, &wanted))
}

fn is_bucket(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.len() >= 3
        && bytes.first().is_some_and(|byte| allowed(*byte))
        && bytes.last().is_some_and(|byte| allowed(*byte))
        && bytes
            .iter()
            .all(|byte| allowed(*byte) || b".-".contains(byte))
}

fn missing(member: &str) -> ApiError {
    input::missing(&path(member))
}

/// A member as errors name it.
fn path(member: &str) -> String {
    let lower = crate::services::cloudtrail::lower_first(member);
    format!("{MEMBER}.{lower}")
}
