//! Who has access through which share.

use jiff::Timestamp;

use super::{
    entities::Principal,
    model::{
        Association, AssociationStatus, Attached, FeatureSet, Key, Share, ShareStatus, Subject,
    },
};
use crate::{
    organization::Organization,
    readings::{RecreatedPipeline, RoleShares},
    services::sagemaker,
    world::{Caller, World},
};

/// Whether shares grant the caller this action on a resource of another account.
///
/// As RAM merges what all shares say about a resource, one share that grants
/// the action is enough.
#[must_use]
pub fn grants(world: &World, caller: &Caller, action: &str, resource_arn: &str) -> bool {
    let resource = Key::resource(resource_arn);
    world
        .ram
        .shares
        .values()
        .filter(|share| share.shares(world, &resource) && share.covers(&world.organization, caller))
        .filter_map(|share| world.ram.template(share.permission_for(&resource)?))
        .any(|template| template.allows(world, caller, action, resource_arn))
}

impl Share {
    fn shares(&self, world: &World, resource: &Key) -> bool {
        self.status == ShareStatus::Active
            && self.associations.get(resource).is_some_and(|association| {
                association.status == AssociationStatus::Associated
                    && !association.is_of_predecessor(world)
            })
    }

    fn permission_for(&self, resource: &Key) -> Option<&Attached> {
        let Subject::Resource(resource_type) = self.associations.get(resource)?.subject else {
            return None;
        };
        self.permissions.get(resource_type.name)
    }

    fn covers(&self, organization: &Organization, caller: &Caller) -> bool {
        self.principals().any(|(association, principal)| {
            association.reaches(organization, &self.owner, &caller.account)
                && principal.is_caller(caller)
        })
    }

    /// Whether the account sees the share among those of other accounts, which
    /// never includes a share that mirrors a policy.
    pub(super) fn is_visible_to(&self, world: &World, caller: &Caller) -> bool {
        let shows = |principal: &Principal| match world.readings.role_shares {
            RoleShares::Account => true,
            RoleShares::Principal => !principal.is_identity() || principal.is_caller(caller),
        };
        self.status == ShareStatus::Active
            && self.feature_set == FeatureSet::Standard
            && self.owner != caller.account
            && self.principals().any(|(association, principal)| {
                association.visible_from() <= Some(world.now)
                    && association.reaches(&world.organization, &self.owner, &caller.account)
                    && shows(principal)
            })
    }
}

impl Association {
    /// Whether it was made for an earlier resource of the same ARN, and ended with that.
    fn is_of_predecessor(&self, world: &World) -> bool {
        let goes = world.readings.recreated_pipeline == RecreatedPipeline::Goes;
        goes && sagemaker::created(world, &self.entity).is_some_and(|time| self.created < time)
    }

    /// Whether the principal means the account, or somebody in it.
    ///
    /// A principal that came in without an invitation stays in only as long as
    /// the organization shares.
    fn reaches(&self, organization: &Organization, owner: &str, account: &str) -> bool {
        let Subject::Principal {
            principal, invited, ..
        } = &self.subject
        else {
            return false;
        };
        principal.reaches(organization, account)
            && (*invited || account == owner || organization.shares_between(owner, account))
    }

    fn visible_from(&self) -> Option<Timestamp> {
        match self.subject {
            Subject::Principal { visible_from, .. } => Some(visible_from),
            Subject::Resource(_) => None,
        }
    }
}
