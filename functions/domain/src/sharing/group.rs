//! The shares of one rule for one audience, which fill one after the other.

use std::collections::BTreeMap;

use super::{Association, Audience, Pipeline, Reason, Share};
use crate::{
    id::{PermissionArn, PipelineArn, Principal},
    policy::{Policy, Rule},
    status::AssociationStatus,
};

/// A pipeline that may be in a rule's shares, and what let it in.
pub(super) type Admitted<'a> = BTreeMap<&'a PipelineArn, (&'a Pipeline, Reason)>;

/// What all shares of one rule and audience have in common.
pub(super) struct ShareGroup<'a, 'p> {
    pub(super) rule: &'a Rule,
    pub(super) permission: PermissionArn,
    /// Whether shares can have that permission.
    pub(super) can_be_given: bool,
    pub(super) principals: &'p [&'a Principal],
    pub(super) audience: Audience,
    /// The pipelines that no share of the group holds yet.
    pub(super) unplaced: Admitted<'a>,
}

impl<'a> ShareGroup<'a, '_> {
    pub(super) fn allows_external(&self) -> bool {
        self.audience.must_accept()
    }

    pub(super) fn wants(&self, principal: &str) -> bool {
        self.principals.iter().any(|p| p.as_str() == principal)
    }

    /// Notes that a share of the group holds the resource.
    pub(super) fn place(&mut self, entity: &str) {
        if let Ok(arn) = entity.parse::<PipelineArn>() {
            self.unplaced.remove(&arn);
        }
    }

    /// As many pipelines without a place as there is room for.
    pub(super) fn take(&mut self, room: usize) -> Vec<(&'a Pipeline, Reason)> {
        let taken = std::mem::take(&mut self.unplaced);
        let mut taken = taken.into_iter();
        let joined = taken
            .by_ref()
            .take(room)
            .map(|(_, joined)| joined)
            .collect();
        self.unplaced = taken.collect();
        joined
    }

    /// Whether something is under way that needs nobody's consent.
    pub(super) fn is_settling(&self, share: &Share) -> bool {
        use AssociationStatus::{Associating, Disassociating};
        let moves = |a: &Association| matches!(a.status, Associating | Disassociating);
        let leaves = |a: &Association| a.status == Disassociating;
        share.resources.iter().any(moves)
            || match self.audience {
                Audience::Members => share.principals.iter().any(moves),
                Audience::Account(_) => share.principals.iter().any(leaves),
            }
    }
}

/// The audiences of a rule, each with its principals in order.
pub(super) fn audiences<'a>(
    policy: &Policy,
    rule: &'a Rule,
) -> BTreeMap<Audience, Vec<&'a Principal>> {
    let mut audiences: BTreeMap<Audience, Vec<&Principal>> = BTreeMap::new();
    for principal in &rule.with {
        let audience = Audience::of(policy, principal);
        audiences.entry(audience).or_default().push(principal);
    }
    for principals in audiences.values_mut() {
        principals.sort();
    }
    audiences
}
