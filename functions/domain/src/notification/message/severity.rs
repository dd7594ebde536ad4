//! How much a message matters, for filters of people who get many.

use serde::Serialize;

use super::Notification;
use crate::{
    notification::{
        ENDING_DETAIL_TYPE, EXECUTION_DETAIL_TYPE, EXPIRED_DETAIL_TYPE, PROBLEM_DETAIL_TYPE,
        REFUSAL_DETAIL_TYPE,
    },
    status::ExecutionStatus,
};

/// How much a notification matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Things are as they should be.
    Info,
    /// Somebody may want to do something.
    Warning,
    /// Something does not work until somebody does something.
    Error,
}

impl Severity {
    /// The word for it in events, attributes and filters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The severity of a notification, by its kind and the status that it is about.
pub(super) fn severity(notification: &Notification) -> Severity {
    match notification.detail_type {
        EXECUTION_DETAIL_TYPE => {
            let status = notification.detail["status"].as_str().unwrap_or_default();
            of_status(&status.into())
        }
        PROBLEM_DETAIL_TYPE | REFUSAL_DETAIL_TYPE => Severity::Error,
        ENDING_DETAIL_TYPE | EXPIRED_DETAIL_TYPE => Severity::Warning,
        _ => Severity::Info,
    }
}

fn of_status(status: &ExecutionStatus) -> Severity {
    match status {
        ExecutionStatus::Failed => Severity::Error,
        ExecutionStatus::CompletedWithFailures
        | ExecutionStatus::Stopped
        | ExecutionStatus::Other(_) => Severity::Warning,
        ExecutionStatus::Executing | ExecutionStatus::Stopping | ExecutionStatus::Succeeded => {
            Severity::Info
        }
    }
}
