//! What is wrong with a definition, in the words of the service.
//!
//! Reported by people who met them: `Cannot parse object, unknown property`
//! (aws/sagemaker-python-sdk issue 2746), `Unknown Argument member` (pull
//! request 3472, issue 4994), `Expecting start of Json Array` (issue 2345),
//! `Expecting start of Json Object` (issue 3908), `Model Validation failed`
//! (issue 5099) and `Cannot assign property reference` (issues 2631 and 4867).
//!
//! ASSUMED: the wording of everything else.

use std::fmt::{Display, Formatter, Result};

use serde_json::{Map, Value};

/// What is wrong with a definition.
#[derive(Debug, PartialEq)]
pub(super) enum Problem {
    /// It cannot be parsed.
    Form(String),
    /// It can, but a reference cannot be assigned where it stands.
    Reference(String),
}

impl Display for Problem {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::Form(message) => write!(out, "Unable to parse pipeline definition. {message}"),
            Self::Reference(message) => out.write_str(message),
        }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::Form(message)
    }
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        Self::Form(message.to_owned())
    }
}

/// A member that nobody knows.
pub(super) fn unknown_property(name: &str) -> Problem {
    format!("Cannot parse object, unknown property '{name}'.").into()
}

/// A member that must be there.
pub(super) fn missing(name: &str) -> Problem {
    format!("Missing required property '{name}'.").into()
}

/// The members of what must be an object.
pub(super) fn object(value: &Value) -> std::result::Result<&Map<String, Value>, Problem> {
    value
        .as_object()
        .ok_or_else(|| "Expecting start of Json Object.".into())
}

/// The items of what must be a list.
pub(super) fn array(value: &Value) -> std::result::Result<&[Value], Problem> {
    value
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| "Expecting start of Json Array.".into())
}

/// The text of what must be one.
pub(super) fn string(value: &Value) -> std::result::Result<&str, Problem> {
    value
        .as_str()
        .ok_or_else(|| "Expecting a Json String.".into())
}

/// The members of what must be an object without any others.
pub(super) fn members<'a>(
    value: &'a Value,
    known: &[&str],
) -> std::result::Result<&'a Map<String, Value>, Problem> {
    let members = object(value)?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(unknown_property(unknown)),
        None => Ok(members),
    }
}

/// A member that is there and not null.
pub(super) fn given<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

/// A member that must be there and not null.
pub(super) fn required<'a>(
    members: &'a Map<String, Value>,
    name: &str,
) -> std::result::Result<&'a Value, Problem> {
    given(members, name).ok_or_else(|| missing(name))
}
