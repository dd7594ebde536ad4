//! What a call wants to bring into a share or take out of it, and whether there is room.

use std::collections::BTreeSet;

use super::{
    entities::{Principal, Resource},
    input::{invalid, is_given},
    model::{AssociationStatus, Key, Share, Subject},
};
use crate::world::{ApiError, Call, World};

/// The principals and resources of a call.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) resources: Vec<Resource>,
    pub(super) principals: Vec<Principal>,
}

impl Wanted {
    /// Reads the principals and resources of a call, each once.
    pub(super) fn read(world: &World, call: &Call) -> Result<Self, ApiError> {
        if is_given(call, "sources") {
            // ASSUMED: the error. Only service principals have sources, and no type
            // of resource that the sandbox knows is shared with service principals.
            return Err(invalid(
                "You can specify sources only for a resource share with a service principal.",
            ));
        }
        let arns = call.texts("resourceArns");
        if arns.len() > world.ram.quotas.resources_per_call {
            return Err(limit("resources per call"));
        }
        let mut seen = BTreeSet::new();
        let mut resources = Vec::new();
        for arn in arns {
            let resource = Resource::parse(&arn)?;
            if seen.insert(resource.key()) {
                resources.push(resource);
            }
        }
        let mut principals = Vec::new();
        for id in call.texts("principals") {
            let principal = Principal::parse(&id)?;
            if seen.insert(principal.key()) {
                principals.push(principal);
            }
        }
        Ok(Self {
            resources,
            principals,
        })
    }

    /// Refuses a call that is about nothing.
    pub(super) fn require_some(&self) -> Result<(), ApiError> {
        if self.resources.is_empty() && self.principals.is_empty() {
            return Err(invalid("Specify at least one resource or principal."));
        }
        Ok(())
    }

    /// The ARNs and account ids, resources first.
    pub(super) fn entities(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().map(|resource| resource.arn.as_str());
        resources.chain(self.principals.iter().map(Principal::id))
    }

    /// The keys of the associations, in the same order.
    pub(super) fn keys(&self) -> Vec<Key> {
        let resources = self.resources.iter().map(Resource::key);
        let principals = self.principals.iter().map(Principal::key);
        resources.chain(principals).collect()
    }

    /// Whether RAM lets all of it into the share.
    pub(super) fn check(&self, world: &World, share: &Share) -> Result<(), ApiError> {
        for principal in &self.principals {
            principal.check(&world.organization, share)?;
        }
        for (entity, key) in self.entities().zip(self.keys()) {
            if share.status_of(&key) == Some(AssociationStatus::Disassociating) {
                return Err(ApiError::new(
                    "InvalidStateTransitionException",
                    format!("The association of {entity} is in DISASSOCIATING status."),
                ));
            }
        }
        self.check_quotas(world, share)
    }

    fn check_quotas(&self, world: &World, share: &Share) -> Result<(), ApiError> {
        let quotas = &world.ram.quotas;
        let is_new = |key: &Key| {
            share
                .status_of(key)
                .is_none_or(|status| !status.is_present())
        };
        let resources = self
            .resources
            .iter()
            .filter(|each| is_new(&each.key()))
            .count();
        let new: Vec<_> = self
            .principals
            .iter()
            .filter(|each| is_new(&each.key()))
            .collect();
        let invited = new
            .iter()
            .filter(|each| must_accept(world, share, each))
            .count();
        let in_share = Totals::of([share].into_iter());
        let in_all = Totals::of(world.ram.owned(&share.owner, &share.region));
        for (new, present, most, what) in [
            (
                resources,
                in_share.resources,
                quotas.resources_per_share,
                "resources per share",
            ),
            (
                new.len(),
                in_share.principals,
                quotas.principals_per_share,
                "principals per share",
            ),
            (resources, in_all.resources, quotas.resources, "resources"),
            (
                new.len(),
                in_all.principals,
                quotas.principals,
                "principals",
            ),
            (
                invited,
                in_all.invited,
                quotas.pending_invitations,
                "pending invitations",
            ),
        ] {
            if new > 0 && present + new > most {
                return Err(limit(what));
            }
        }
        Ok(())
    }
}

/// How much of each quota some shares use.
#[derive(Debug, Default)]
struct Totals {
    resources: usize,
    principals: usize,
    invited: usize,
}

impl Totals {
    fn of<'a>(shares: impl Iterator<Item = &'a Share>) -> Self {
        let mut totals = Self::default();
        let associations = shares.flat_map(|share| share.associations.values());
        for association in associations.filter(|association| association.status.is_present()) {
            match association.subject {
                Subject::Resource(_) => totals.resources += 1,
                Subject::Principal { invited, .. } => {
                    totals.principals += 1;
                    let waits = association.status == AssociationStatus::Associating;
                    totals.invited += usize::from(invited && waits);
                }
            }
        }
        totals
    }
}

/// The error for a quota that would be exceeded.
pub(super) fn limit(what: &str) -> ApiError {
    ApiError::new(
        "ResourceShareLimitExceededException",
        format!("The operation would exceed the limit for {what}."),
    )
}

/// Whether the principal gets access only by accepting an invitation.
pub(super) fn must_accept(world: &World, share: &Share, principal: &Principal) -> bool {
    let is_other_account = principal
        .account()
        .is_some_and(|account| account != share.owner);
    is_other_account
        && (share.retain_sharing || principal.is_external(&world.organization, &share.owner))
}
