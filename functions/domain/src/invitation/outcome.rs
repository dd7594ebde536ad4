//! What became of an invitation, and what was found in a share.

use serde::Serialize;

use super::Refusal;

/// What came of accepting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// By this call.
    Now,
    /// Before it.
    Already,
    /// Not at all: it was rejected, has expired or is gone.
    No,
}

/// What was answered to a pending invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum InvitationOutcome {
    /// It was accepted.
    Accepted {
        /// The rule that allows it.
        rule: String,
    },
    /// It would be accepted, if this were no dry run.
    WouldAccept {
        /// The rule that allows it.
        rule: String,
    },
    /// Somebody had accepted it meanwhile.
    AlreadyAccepted {
        /// The rule that allows it.
        rule: String,
    },
    /// It stays pending until there is something to judge.
    NothingInside,
    /// It does not claim to be ours.
    NotOurs,
    /// Somebody rejected it meanwhile, its time is over, or its share is gone.
    Over,
    /// It claims to be ours, and is not allowed.
    Refused {
        /// Why.
        refusal: Refusal,
        /// Whether it was rejected, and not left pending.
        rejected: bool,
    },
}

impl InvitationOutcome {
    /// Whether the account has the share now, so that it is to be inspected.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::AlreadyAccepted { .. })
    }

    /// Whether it changes by itself within seconds.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        matches!(self, Self::NothingInside | Self::Over)
    }
}

/// What was found in a share that an account can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "inspection", rename_all = "kebab-case")]
pub enum Inspection {
    /// The pipelines are those of the rule, and one of them could be described.
    Proven {
        /// How many there are.
        pipelines: usize,
    },
    /// The pipelines are those of the rule, and nothing has changed since one of them
    /// could be described.
    Unchanged {
        /// How many there are.
        pipelines: usize,
    },
    /// Nothing is inside.
    Empty,
    /// RAM shows the pipelines, but `SageMaker` does not let the account use them.
    NoAccess {
        /// What AWS said.
        error: String,
    },
    /// The policy does not allow it. A share of pipelines cannot be left, so people must know.
    Distrusted {
        /// Why.
        refusal: Refusal,
    },
}

impl Inspection {
    /// Whether it changes by itself within seconds.
    #[must_use]
    pub fn is_settling(&self) -> bool {
        matches!(self, Self::NoAccess { .. } | Self::Empty)
    }

    /// Whether people have to fix it, unless the next reconciliation finds it gone.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self, Self::NoAccess { .. } | Self::Distrusted { .. })
    }
}
