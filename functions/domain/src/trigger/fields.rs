//! Reads single fields of a message, whatever the others are.

use std::str::FromStr;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ignored::Ignored;

/// An object of the message, and its path.
///
/// A field that is `null` counts as absent, as AWS writes either.
pub(super) struct Fields<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The message itself, if it is an object.
    pub(super) fn root(value: &'a Value) -> Option<Self> {
        let members = value.as_object()?;
        let path = String::new();
        Some(Self { path, members })
    }

    /// The names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str)
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The path of a field, for a reason.
    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// The reason that a field is not what it should be.
    pub(super) fn bad(&self, name: &str, expected: &'static str) -> Ignored {
        let field = self.path_of(name);
        Ignored::BadField { field, expected }
    }

    /// An object that must be there.
    pub(super) fn object(&self, name: &str) -> Result<Fields<'a>, Ignored> {
        let members = self.required(name)?.as_object();
        Ok(Fields {
            path: format!("{}.", self.path_of(name)),
            members: members.ok_or_else(|| self.bad(name, "an object"))?,
        })
    }

    /// A text that must be there.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Ignored> {
        match self.required(name)?.as_str() {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.bad(name, "a text")),
        }
    }

    /// A text that may be there; anything else is as good as none.
    pub(super) fn optional_text(&self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    /// A whole number that must be there.
    pub(super) fn number(&self, name: &str) -> Result<i64, Ignored> {
        let number = self.required(name)?.as_i64();
        number.ok_or_else(|| self.bad(name, "a whole number"))
    }

    /// An identifier that must be there.
    pub(super) fn id<T: FromStr>(&self, name: &str, expected: &'static str) -> Result<T, Ignored> {
        let text = self.text(name)?;
        text.parse().map_err(|_| self.bad(name, expected))
    }

    /// A time that may be there; anything else is as good as none.
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        self.optional_text(name)?.parse().ok()
    }

    /// `true` or `false`, which is also what an absent field means.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Ignored> {
        self.get(name).map_or(Ok(false), |value| {
            value
                .as_bool()
                .ok_or_else(|| self.bad(name, "true or false"))
        })
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn required(&self, name: &str) -> Result<&'a Value, Ignored> {
        self.get(name).ok_or_else(|| Ignored::MissingField {
            field: self.path_of(name),
        })
    }
}
