//! What was found in an account, and what was answered.

use domain::{
    id::{AccountId, InvitationArn, ShareArn},
    invitation::{Inspection, InvitationOutcome, OfferState, Sample},
    notification::Grant,
    policy::About,
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
    pub(super) answer: Option<InvitationOutcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
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

/// A change of what the account has by a rule; it is sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NotedChange {
    #[serde(flatten)]
    pub(super) grant: Grant,
    #[serde(flatten)]
    pub(super) about: About,
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

/// The metric that counts an answer.
pub(super) fn of_answer(answer: &InvitationOutcome) -> Metric {
    match answer {
        InvitationOutcome::Accepted { .. } => Metric::InvitationsAccepted,
        InvitationOutcome::WouldAccept { .. } => Metric::InvitationsAcceptable,
        InvitationOutcome::AlreadyAccepted { .. } => Metric::InvitationsAlreadyAccepted,
        InvitationOutcome::NothingInside => Metric::InvitationsEmpty,
        InvitationOutcome::NotOurs => Metric::InvitationsNotOurs,
        InvitationOutcome::Over => Metric::InvitationsOver,
        InvitationOutcome::Refused { .. } => Metric::InvitationsRefused,
    }
}

/// The metric that counts what was found in a share.
pub(super) fn of_inspection(inspection: &Inspection) -> Metric {
    match inspection {
        Inspection::Proven { .. } | Inspection::Unchanged { .. } => Metric::SharesProven,
        Inspection::Empty => Metric::SharesEmpty,
        Inspection::NoAccess { .. } => Metric::SharesWithoutAccess,
        Inspection::Distrusted { .. } => Metric::SharesDistrusted,
    }
}
