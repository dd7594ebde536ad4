//! What a service answers when it says no.

use serde_json::{Map, Value};

use super::Call;

/// An error as the service's API model knows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The error's name in the model, for instance `UnknownResourceException`.
    pub code: String,
    /// What the service says to people.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// The other members of the error's shape, in the JSON protocols.
    pub members: Map<String, Value>,
}

impl ApiError {
    /// An error of the client, HTTP 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    /// An error with another HTTP status.
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status,
            members: Map::new(),
        }
    }

    /// The same error with one more member of its shape.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The answer to an operation that the sandbox does not have: never a wrong success.
    #[must_use]
    pub fn not_implemented(call: &Call) -> Self {
        Self::with_status(
            501,
            "NotImplemented",
            format!(
                "{}:{} is not implemented in the sandbox",
                call.service, call.operation
            ),
        )
    }
}
