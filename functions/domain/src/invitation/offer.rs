//! Where an offered share stands.

use serde::Serialize;

use super::{Invitation, ReceivedShare};
use crate::{id::Principal, policy::Policy, status::InvitationStatus, trigger::Offer};

/// Where an offer stands. That there is no invitation has four different reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OfferState {
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

impl OfferState {
    /// Where an offer stands, by what RAM shows of its share.
    #[must_use]
    pub fn of(
        policy: &Policy,
        offer: &Offer,
        invitations: &[Invitation],
        shares: &[ReceivedShare],
    ) -> Self {
        if shares.iter().any(|share| share.arn == offer.share) {
            return Self::Visible;
        }
        let mut of_share = invitations.iter().filter(|it| it.share == offer.share);
        // A share can have an expired invitation and a new one.
        let newest = of_share
            .clone()
            .find(|invitation| invitation.status == InvitationStatus::Pending)
            .or_else(|| of_share.next());
        let principal = Principal::Account(offer.consumer.clone());
        match newest.map(|invitation| &invitation.status) {
            Some(InvitationStatus::Expired) => Self::Expired,
            Some(InvitationStatus::Rejected) => Self::Rejected,
            Some(InvitationStatus::Accepted) => Self::Accepted,
            Some(_) => Self::Invited,
            None if !policy.must_accept(&principal) => Self::NotNeeded,
            None => Self::NotVisibleYet,
        }
    }
}
