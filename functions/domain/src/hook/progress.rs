//! How far an attempt is, and the token that finds it again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Entry, Failure, FailureKind, Identity, journal};

/// The version of the form below.
const VERSION: u32 = 2;

/// The continuation token: which attempt it is, and nothing that is believed.
///
/// `CodePipeline` hands it back as it was, but whoever invokes the function
/// directly may write what they like. How far the attempt is stands in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    v: u32,
    /// Who asked first: `CodePipeline` asks on with jobs of other ids.
    pub attempt: String,
    /// What the attempt is about, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    work: Option<String>,
    /// How many invocations in a row AWS could not serve; more of them end the
    /// caller's own waiting, and nothing else.
    #[serde(default)]
    pub failures: u32,
}

/// A continuation token that this function did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token is not one of this version of the hook; begin without one")]
pub struct UnreadableToken;

/// A continuation token of another request, or of an attempt that nobody remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the continuation token belongs to no attempt at this request; begin without one")]
pub struct StrangeToken;

impl From<StrangeToken> for Failure {
    fn from(strange: StrangeToken) -> Self {
        Self::new(FailureKind::ConfigurationError, strange.to_string())
    }
}

impl From<UnreadableToken> for Failure {
    fn from(unreadable: UnreadableToken) -> Self {
        Self::new(FailureKind::ConfigurationError, unreadable.to_string())
    }
}

impl Token {
    /// The beginning.
    #[must_use]
    pub fn new(attempt: impl Into<String>) -> Self {
        Self {
            v: VERSION,
            attempt: attempt.into(),
            work: None,
            failures: 0,
        }
    }

    /// Reads a continuation token.
    pub fn parse(text: &str) -> Result<Self, UnreadableToken> {
        match serde_json::from_str::<Self>(text) {
            Ok(token) if token.v == VERSION => Ok(token),
            _ => Err(UnreadableToken),
        }
    }

    /// The continuation token as text.
    #[must_use]
    pub fn text(&self) -> String {
        // Texts and numbers: there is nothing that JSON cannot write.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether an attempt at this work was begun with the token.
    ///
    /// One that is about something else is refused, so that a mistake is not
    /// taken for a beginning.
    pub fn is_of(&self, identity: &Identity) -> Result<bool, StrangeToken> {
        match &self.work {
            Some(work) if work == identity.work() => Ok(true),
            Some(_) => Err(StrangeToken),
            None => Ok(false),
        }
    }

    /// Makes the token one of this work, once the attempt is written down.
    pub fn bind(&mut self, identity: &Identity) {
        self.work = Some(identity.work().to_owned());
    }
}

/// How far an attempt is; only the hook writes it, into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// When the first invocation began.
    pub began: Option<Timestamp>,
    /// When the pipeline was created that the first invocation found.
    pub created: Option<Timestamp>,
    /// The first round of the deployment's run that the attempt answers for.
    pub round: Option<u32>,
    /// When the gates were opened and sharing was asked for.
    pub sharing: Option<Timestamp>,
}

impl Progress {
    /// What it is with another entry.
    pub(super) fn add(&mut self, entry: &Entry) {
        let added = journal::progress(std::slice::from_ref(entry));
        self.began = self.began.or(added.began);
        self.created = self.created.or(added.created);
        self.round = self.round.or(added.round);
        self.sharing = self.sharing.or(added.sharing);
    }
}

/// Whether so many minutes have passed since then.
pub(super) fn is_over(since: Option<Timestamp>, minutes: i64, now: Timestamp) -> bool {
    let limit = SignedDuration::from_mins(minutes);
    since.is_some_and(|since| now.duration_since(since) >= limit)
}
