//! Why the hook gives up.

use std::fmt;

use serde::Serialize;

use super::request::Place;
use crate::{id::Region, policy::Policy};

/// The kinds of failure that `CodePipeline` knows and that the hook meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum FailureKind {
    /// The run failed, or what was to be waited for did not come.
    JobFailed,
    /// What the hook was asked to do makes no sense.
    ConfigurationError,
    /// Somebody has to allow something first.
    PermissionError,
    /// AWS could not serve the hook for a while.
    SystemUnavailable,
}

impl FailureKind {
    /// The kind as `CodePipeline` writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JobFailed => "JobFailed",
            Self::ConfigurationError => "ConfigurationError",
            Self::PermissionError => "PermissionError",
            Self::SystemUnavailable => "SystemUnavailable",
        }
    }
}

/// Why the hook gives up, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Who is to fix it.
    pub kind: FailureKind,
    /// What happened, and where.
    pub message: String,
}

impl Failure {
    /// A failure of a kind.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// What AWS made of a call that it did not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedCall<'a> {
    /// Whether the same call may succeed later.
    pub may_pass: bool,
    /// Whether a permission was wanting.
    pub is_denied: bool,
    /// The code of the error.
    pub code: Option<&'a str>,
    /// The error, for people.
    pub message: &'a str,
}

impl FailedCall<'_> {
    /// The failure that the call is, unless trying again may help.
    #[must_use]
    pub fn failure_kind(&self) -> Option<FailureKind> {
        match self.code {
            _ if self.may_pass => None,
            _ if self.is_denied => Some(FailureKind::PermissionError),
            // The pipeline, or a parameter of it, is not what the request takes it for.
            Some("ResourceNotFound" | "ValidationException") => {
                Some(FailureKind::ConfigurationError)
            }
            _ => Some(FailureKind::JobFailed),
        }
    }
}

/// Everything that is wrong with a request, not only the first mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationErrors {
    what: &'static str,
    list: Vec<String>,
    place: Box<Place>,
}

impl ValidationErrors {
    pub(super) fn of(what: &'static str, list: Vec<String>, place: Place) -> Self {
        let place = Box::new(place);
        Self { what, list, place }
    }

    /// Adds what is wrong with the owner, which only the policy in force can tell.
    #[must_use]
    pub fn and_of_place(mut self, policy: Option<&Policy>, region: &Region) -> Self {
        if let Err(mistakes) = self.place.account(policy, region) {
            self.list.extend(mistakes);
        }
        self
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.list.join("; "))
    }
}

impl std::error::Error for ValidationErrors {}

impl From<ValidationErrors> for Failure {
    fn from(mistakes: ValidationErrors) -> Self {
        Self::new(FailureKind::ConfigurationError, mistakes.to_string())
    }
}
