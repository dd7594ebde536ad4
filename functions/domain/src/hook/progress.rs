//! What is known between two invocations.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::ExecutionArn;

/// The version of the form below.
const VERSION: u32 = 1;

/// How far the hook is; nothing in it is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    v: u32,
    /// Who asked first: `CodePipeline` asks on with jobs of other ids.
    pub attempt: String,
    /// When the first invocation began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// The run that was started, run again or adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionArn>,
    /// When the gates were opened and sharing was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharing: Option<Timestamp>,
    /// How many invocations in a row AWS could not serve.
    #[serde(default)]
    pub failures: u32,
}

/// A continuation token that this function did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token is not one of this version of the hook; begin without one")]
pub struct UnreadableToken;

impl Progress {
    /// The beginning.
    #[must_use]
    pub fn new(attempt: impl Into<String>) -> Self {
        Self {
            v: VERSION,
            attempt: attempt.into(),
            began: None,
            execution: None,
            sharing: None,
            failures: 0,
        }
    }

    /// Reads a continuation token.
    pub fn parse(token: &str) -> Result<Self, UnreadableToken> {
        match serde_json::from_str::<Self>(token) {
            Ok(progress) if progress.v == VERSION => Ok(progress),
            _ => Err(UnreadableToken),
        }
    }

    /// The continuation token.
    #[must_use]
    pub fn token(&self) -> String {
        // Texts, numbers and times: there is nothing that JSON cannot write.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Whether so many minutes have passed since then.
pub(super) fn is_over(since: Option<Timestamp>, minutes: i64, now: Timestamp) -> bool {
    let limit = SignedDuration::from_mins(minutes);
    since.is_some_and(|since| now.duration_since(since) >= limit)
}
