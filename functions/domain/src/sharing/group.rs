//! The shares of one rule for one audience, which fill one after the other.

use std::collections::BTreeMap;

use super::{Association, Audience, Observed, Pipeline, Reason, Share};
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

    /// Notes that a share of the group holds the resources, although they have to leave it.
    pub(super) fn place_all(&mut self, leaving: &[(Reason, String)]) {
        for (_, resource) in leaving {
            self.place(resource);
        }
    }

    /// Notes that a share of the group goes that held these.
    pub(super) fn displace(&mut self, resources: &[Association], admitted: &Admitted<'a>) {
        for resource in resources.iter().filter(|it| it.status.is_present()) {
            let arn = resource.entity.parse::<PipelineArn>();
            let held = arn.ok().and_then(|arn| admitted.get_key_value(&arn));
            self.unplaced.extend(held);
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

    /// Whether something is under way that needs nobody's consent, and ends soon.
    pub(super) fn is_settling(&self, share: &Share, observed: &Observed) -> bool {
        use AssociationStatus::{Associating, Disassociating};
        let is =
            |a: &Association, status: AssociationStatus| a.status == status && !observed.is_slow(a);
        let leaves = |a: &Association| is(a, Disassociating);
        let moves = |a: &Association| is(a, Associating) || leaves(a);
        share.resources.iter().any(moves)
            || match self.audience {
                Audience::Members => share.principals.iter().any(moves),
                Audience::Account(_) => share.principals.iter().any(leaves),
            }
    }

    /// Whether somebody else let the principal into a share of the group: what
    /// is made here is for members only, or for one account only.
    pub(super) fn is_let_in(&self, policy: &Policy, share: &Share, principal: &str) -> bool {
        let Ok(principal) = principal.parse::<Principal>() else {
            return true;
        };
        match Audience::of(policy, &principal) {
            Audience::Members => self.audience.must_accept(),
            of_account @ Audience::Account(_) => {
                share.allow_external && of_account != self.audience
            }
        }
    }

    /// Whether it is for others to say when RAM lets go of the share: an
    /// invitation is pending, or RAM takes longer than it does.
    pub(super) fn waits_for_others(&self, share: &Share, observed: &Observed) -> bool {
        let pending = |it: &&Association| it.status == AssociationStatus::Associating;
        let is_slow = |it: &Association| observed.is_slow(it);
        let is_invited = |it: &Association| match &self.audience {
            Audience::Members => share.allow_external && !self.wants(&it.entity),
            Audience::Account(_) => true,
        };
        let mut principals = share.principals.iter().filter(pending);
        let mut resources = share.resources.iter().filter(pending);
        principals.any(|it| is_invited(it) || is_slow(it)) || resources.any(is_slow)
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
