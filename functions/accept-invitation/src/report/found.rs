//! What was found in an account, and what was answered.

use domain::{
    id::{AccountId, InvitationArn, ShareArn},
    invitation::{Refusal, Sample},
    notification::Grant,
};
use runtime::metrics::Metric;
use serde::Serialize;

/// What strangers sent, in short.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Met {
    pub(super) invitations: usize,
    pub(super) shares: usize,
    pub(super) senders: usize,
    pub(super) rejected: usize,
    pub(super) samples: Vec<Sample>,
}

/// An invitation and what was answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnsweredInvitation {
    pub(super) invitation: InvitationArn,
    #[serde(skip)]
    pub(super) share: ShareArn,
    pub(super) share_name: String,
    pub(super) sender: AccountId,
    #[serde(flatten)]
    pub(super) answer: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// What was answered to a pending invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub(crate) enum Answer {
    /// It was accepted.
    Accepted { rule: String },
    /// It would be accepted, if this were no dry run.
    WouldAccept { rule: String },
    /// Somebody had accepted it meanwhile.
    AlreadyAccepted { rule: String },
    /// It stays pending until there is something to judge.
    NothingInside,
    /// It does not claim to be ours.
    NotOurs,
    /// Somebody rejected it meanwhile, its time is over, or its share is gone.
    Over,
    /// It claims to be ours, and is not allowed.
    Refused { refusal: Refusal, rejected: bool },
}

impl Answer {
    pub(super) fn metric(&self) -> Metric {
        match self {
            Self::Accepted { .. } => Metric::InvitationsAccepted,
            Self::WouldAccept { .. } => Metric::InvitationsAcceptable,
            Self::AlreadyAccepted { .. } => Metric::InvitationsAlreadyAccepted,
            Self::NothingInside => Metric::InvitationsEmpty,
            Self::NotOurs => Metric::InvitationsNotOurs,
            Self::Over => Metric::InvitationsOver,
            Self::Refused { .. } => Metric::InvitationsRefused,
        }
    }
}

/// A visible share and what was found inside.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InspectedShare {
    pub(super) share: ShareArn,
    pub(super) share_name: String,
    #[serde(flatten)]
    pub(super) inspection: Option<Inspection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

/// What was found in a share that this account can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "inspection", rename_all = "kebab-case")]
pub(crate) enum Inspection {
    /// The pipelines are those of the rule, and one of them could be described.
    Proven { pipelines: usize },
    /// Nothing is inside.
    Empty,
    /// RAM shows the pipelines, but `SageMaker` does not let the account use them.
    NoAccess { error: String },
    /// The policy does not allow it. A share of pipelines cannot be left, so people must know.
    Distrusted { refusal: Refusal },
}

impl Inspection {
    pub(super) fn metric(&self) -> Metric {
        match self {
            Self::Proven { .. } => Metric::SharesProven,
            Self::Empty => Metric::SharesEmpty,
            Self::NoAccess { .. } => Metric::SharesWithoutAccess,
            Self::Distrusted { .. } => Metric::SharesDistrusted,
        }
    }
}

/// A change of what the account has by a rule; it is told.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotedChange {
    #[serde(flatten)]
    pub(super) grant: Grant,
    pub(super) gained: usize,
    pub(super) lost: usize,
}

/// An offer and where it stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FollowedOffer {
    pub(super) share: ShareArn,
    pub(super) state: OfferState,
}

/// Where an offer stands. That there is no invitation has four different reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OfferState {
    /// The invitation is there and was answered above.
    Invited,
    /// The share is visible: it was accepted, if it needed to be.
    Visible,
    /// It was accepted, and RAM does not show the share yet.
    Accepted,
    /// It was not answered in time; share-pipeline invites again.
    Expired,
    /// Somebody rejected it.
    Rejected,
    /// Members of the organization need no invitation.
    NotNeeded,
    /// Neither invitation nor share is visible yet.
    NotVisibleYet,
}
