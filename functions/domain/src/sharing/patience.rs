//! How long things may be under way.

use jiff::{SignedDuration, Timestamp};

use super::{Association, Observed, Share};
use crate::{status::AssociationStatus, time};

/// For how long something that must leave waits for what RAM has yet to finish.
///
/// ASSUMED: what RAM does by itself takes less, "a few minutes" by its own word
/// (RAM User Guide, "Creating a resource share"); what takes longer waits for somebody.
const SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// From when on people hear of what RAM has not finished.
const LASTING: SignedDuration = SignedDuration::from_hours(1);

/// The same of an invitation, which ends after twelve hours (RAM User Guide,
/// "Accepting and rejecting invitations").
const INVITATION_LASTING: SignedDuration = SignedDuration::from_hours(13);

/// For how long a share stays in which nothing is, and nobody: another
/// reconciliation may be about to fill it.
const UNUSED: SignedDuration = SignedDuration::from_hours(1);

/// For how long a share stays in which nothing is. Whoever must accept would
/// have to do so again when the next pipeline comes.
const EMPTY: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Observed {
    /// Whether something happened longer ago than that, as far as the time is known.
    fn is_past(&self, then: Timestamp, duration: SignedDuration) -> bool {
        self.at.is_some_and(|now| time::after(then, duration) < now)
    }

    /// Whether the association is on its way for longer than RAM takes for it.
    pub(super) fn is_slow(&self, association: &Association) -> bool {
        self.has_lasted(association, SETTLES_WITHIN)
    }

    /// Since when the association is on its way, if that is for people to know.
    ///
    /// `is_invited` says whether it is one of a principal that must accept.
    pub(super) fn lasting(&self, association: &Association, is_invited: bool) -> Option<Timestamp> {
        let is_invitation = is_invited && association.status == AssociationStatus::Associating;
        let most = if is_invitation {
            INVITATION_LASTING
        } else {
            LASTING
        };
        association
            .since()
            .filter(|_| self.has_lasted(association, most))
    }

    /// Whether the invitation has been pending for so long that nobody accepts by machine.
    pub(super) fn is_unanswered(&self, invited: &Association) -> bool {
        self.has_lasted(invited, LASTING)
    }

    fn has_lasted(&self, association: &Association, duration: SignedDuration) -> bool {
        use AssociationStatus::{Associating, Disassociating};
        let is_under_way = matches!(association.status, Associating | Disassociating);
        let since = association.since();
        is_under_way && since.is_some_and(|since| self.is_past(since, duration))
    }

    /// Whether a share that holds nothing has done so for long enough to go.
    pub(super) fn has_served_its_time(&self, share: &Share) -> bool {
        let associations = || share.resources.iter().chain(&share.principals);
        let is_used = associations().any(|it| it.status.is_present());
        let touched = associations().filter_map(Association::since);
        let touched = touched.chain(share.updated).max();
        let touched = touched.map_or(share.created, |touched| touched.max(share.created));
        self.is_past(touched, if is_used { EMPTY } else { UNUSED })
    }
}

impl Association {
    /// Since when it has its status.
    ///
    /// ASSUMED: RAM updates `lastUpdatedTime` of an association whenever its status changes.
    fn since(&self) -> Option<Timestamp> {
        self.updated.or(self.created)
    }
}
