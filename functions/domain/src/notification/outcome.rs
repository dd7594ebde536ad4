//! What became of a change at one destination.

use serde::Serialize;

use super::Decision;
use crate::storage::Lease;

/// What became of a change at one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Telling {
    /// It was told.
    Told,
    /// The destination knew it.
    Known,
    /// The destination knew of something later.
    Overtaken,
    /// SageMaker says something else.
    Contradicted,
    /// Another run is telling it just now, and will be repeated if it does not finish.
    ByAnother,
    /// SageMaker does not confirm it, and so many such changes were told today.
    Unconfirmed,
    /// It could not be told.
    Failed {
        /// Why not.
        error: String,
    },
}

impl Telling {
    /// What a decision not to tell comes to; none if it is to be told.
    #[must_use]
    pub fn without_telling(decision: &Decision) -> Option<Self> {
        match decision {
            Decision::Tell { .. } => None,
            Decision::AlreadyTold => Some(Self::Known),
            Decision::Overtaken => Some(Self::Overtaken),
            Decision::Contradicted => Some(Self::Contradicted),
        }
    }

    /// What asking for the right to tell comes to, and telling if it was given.
    #[must_use]
    pub fn of(lease: Lease) -> Self {
        match lease {
            Lease::Taken => Self::Told,
            Lease::Done => Self::Known,
            Lease::HeldByOther => Self::ByAnother,
        }
    }

    /// Whether something happened here that is worth a line in a report of a reconciliation.
    #[must_use]
    pub fn is_news(&self) -> bool {
        match self {
            Self::Known | Self::Overtaken | Self::Contradicted => false,
            Self::Told | Self::ByAnother | Self::Unconfirmed | Self::Failed { .. } => true,
        }
    }
}
