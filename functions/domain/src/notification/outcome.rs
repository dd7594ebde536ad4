//! What became of a change at one destination.

use serde::Serialize;

use super::Decision;
use crate::storage::Lease;

/// What became of a change at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum DeliveryOutcome {
    /// The notification was sent.
    Sent,
    /// The destination was notified of this change before.
    Duplicate,
    /// The destination was notified of a later state.
    Overtaken,
    /// SageMaker says something else.
    Contradicted,
    /// Another invocation is sending it just now, and is repeated if it does not finish.
    InProgress,
    /// SageMaker does not confirm it, and the limit of such notifications a day is reached.
    Unconfirmed,
    /// It could not be sent.
    Failed {
        /// Why not.
        error: String,
    },
}

impl DeliveryOutcome {
    /// The outcome of a decision against sending; none if the change is to be sent.
    #[must_use]
    pub fn unsent(decision: &Decision) -> Option<Self> {
        match decision {
            Decision::Send { .. } => None,
            Decision::AlreadySent => Some(Self::Duplicate),
            Decision::Overtaken => Some(Self::Overtaken),
            Decision::Contradicted => Some(Self::Contradicted),
        }
    }

    /// The outcome of asking for the lease, and of sending if it was given.
    #[must_use]
    pub fn of(lease: Lease) -> Self {
        match lease {
            Lease::Taken => Self::Sent,
            Lease::Done => Self::Duplicate,
            Lease::HeldByOther => Self::InProgress,
        }
    }

    /// Whether something happened here that is worth a line in a report of a reconciliation.
    #[must_use]
    pub fn is_news(&self) -> bool {
        match self {
            Self::Duplicate | Self::Overtaken | Self::Contradicted => false,
            Self::Sent | Self::InProgress | Self::Unconfirmed | Self::Failed { .. } => true,
        }
    }
}
