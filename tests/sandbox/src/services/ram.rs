//! Resource Access Manager: shares, associations, invitations and permissions.
//!
//! A share joins resources, principals and one managed permission, of AWS or of
//! its owner, per resource type. What it grants follows from the associations as they stand at the
//! moment, so ending an association ends the access at once.

mod access;
mod associations;
mod catalogue;
mod customer;
mod entities;
mod facts;
mod input;
mod invitations;
mod listings;
mod managed;
mod model;
mod notices;
mod paging;
mod permissions;
mod policies;
mod promotions;
mod replacements;
mod routes;
mod shares;
mod tags;
mod template;
mod tidy;
mod tokens;
mod wanted;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

pub(crate) use self::associations::forget;
pub(crate) use self::facts::{
    ShareFacts, invitation_of, resource_type_of, resource_type_of_permission, resources_in,
    share_facts,
};
pub(crate) use self::tidy::{held, tidy};
pub use self::{access::grants, promotions::attach_policy, routes::ROUTES};

use self::model::{Association, Invitation, Key, Share};
use crate::world::{ApiError, Call, World};

/// All shares and invitations, and how fast and how large RAM lets them be.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// How long after the association of a principal its invitation appears.
    pub invitation_delay: Duration,
    /// How long an association takes to settle where nobody must accept it.
    pub association_delay: Duration,
    /// How long an accepted share stays invisible to the account that accepted it.
    pub acceptance_visibility_delay: Duration,
    /// Whether every list starts with an empty page and a token, as AWS reserves the right to do.
    pub empty_first_pages: bool,
    /// The service quotas.
    pub quotas: Quotas,
    shares: BTreeMap<String, Share>,
    permissions: managed::Permissions,
    works: BTreeMap<String, replacements::Work>,
    invitations: BTreeMap<String, Invitation>,
    #[serde(with = "crate::state::pairs")]
    answers: tokens::Answers,
    revisions: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            // ASSUMED: AWS says only that an invitation is not there at once.
            invitation_delay: Duration::from_secs(1),
            // As recorded for principals of the same organization.
            association_delay: Duration::from_secs(2),
            // ASSUMED: AWS says nothing; clients were seen to wait for up to a minute.
            acceptance_visibility_delay: Duration::from_secs(5),
            empty_first_pages: false,
            quotas: Quotas::default(),
            shares: BTreeMap::new(),
            permissions: managed::published(),
            works: BTreeMap::new(),
            invitations: BTreeMap::new(),
            answers: tokens::Answers::default(),
            revisions: 0,
        }
    }
}

/// The service quotas of each account in each Region.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Quotas {
    /// Resources in one call.
    pub resources_per_call: usize,
    /// Resource associations in one share.
    pub resources_per_share: usize,
    /// Principal associations in one share.
    pub principals_per_share: usize,
    /// Shares that an account owns.
    pub shares: usize,
    /// Resource associations in all shares of an account.
    pub resources: usize,
    /// Principal associations in all shares of an account.
    pub principals: usize,
    /// Invitations of an account that nobody has answered yet.
    pub pending_invitations: usize,
    /// Tags on one share or permission.
    pub tags_per_share: usize,
    /// Customer managed permissions.
    pub permissions: usize,
    /// Customer managed permissions for one resource type.
    pub permissions_per_type: usize,
    /// Versions of one customer managed permission.
    pub versions_per_permission: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            resources_per_call: 100,
            resources_per_share: 5_000,
            principals_per_share: 5_000,
            shares: 25_000,
            resources: 25_000,
            principals: 25_000,
            pending_invitations: 250,
            tags_per_share: 50,
            permissions: 1_500,
            permissions_per_type: 10,
            versions_per_permission: 5,
        }
    }
}

impl State {
    /// The share with this ARN, whoever asks.
    fn share(&self, arn: &str) -> Option<&Share> {
        self.shares.get(&arn.to_ascii_lowercase())
    }

    fn association(&self, share: &str, key: &Key) -> Option<&Association> {
        self.share(share)?.associations.get(key)
    }

    fn next_revision(&mut self) -> u64 {
        self.revisions += 1;
        self.revisions
    }
}

/// What RAM does later.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Task(Step);

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Step {
    /// An association reaches the state that it is on the way to.
    Settle(associations::Pending),
    /// The invitation of a principal appears in its account.
    Invite(associations::Pending),
    /// An invitation has lived its life.
    Expire { invitation: String },
    /// A share is gone.
    FinishDeletion { share: String },
    /// Shares get another permission.
    Replace { work: String },
    /// A share that mirrored a policy becomes a standard one.
    Promote { share: String },
}

impl From<Step> for crate::world::Task {
    fn from(step: Step) -> Self {
        Self::Ram(Task(step))
    }
}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    if let Some(answer) = tokens::replay(world, call)? {
        return Ok(answer);
    }
    let answer = answer(world, call)?;
    Ok(tokens::remember(world, call, answer))
}

operations! {
    fn answer(world, call) {
        "CreateResourceShare" => shares::create(world, call),
        "UpdateResourceShare" => shares::update(world, call),
        "DeleteResourceShare" => shares::delete(world, call),
        "GetResourceShares" => shares::get(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        "AssociateResourceShare" => associations::associate(world, call),
        "DisassociateResourceShare" => associations::disassociate(world, call),
        "GetResourceShareAssociations" => associations::get(world, call),
        "GetResourceShareInvitations" => invitations::get(world, call),
        "ListPendingInvitationResources" => invitations::list_resources(world, call),
        "AcceptResourceShareInvitation" => invitations::accept(world, call),
        "RejectResourceShareInvitation" => invitations::reject(world, call),
        "AssociateResourceSharePermission" => permissions::associate(world, call),
        "DisassociateResourceSharePermission" => permissions::disassociate(world, call),
        "ListResourceSharePermissions" => permissions::list_of_share(world, call),
        "ListPermissions" => permissions::list(world, call),
        "GetPermission" => permissions::get(world, call),
        "ListPermissionVersions" => permissions::versions(world, call),
        "ListPermissionAssociations" => permissions::associated(world, call),
        "CreatePermission" => customer::create(world, call),
        "CreatePermissionVersion" => customer::create_version(world, call),
        "SetDefaultPermissionVersion" => customer::set_default(world, call),
        "DeletePermission" => customer::delete(world, call),
        "DeletePermissionVersion" => customer::delete_version(world, call),
        "ReplacePermissionAssociations" => replacements::replace(world, call),
        "ListReplacePermissionAssociationsWork" => replacements::list(world, call),
        "PromotePermissionCreatedFromPolicy" => promotions::promote_permission(world, call),
        "PromoteResourceShareCreatedFromPolicy" => promotions::promote_share(world, call),
        "ListSourceAssociations" => listings::source_associations(world, call),
        "ListResources" => listings::resources(world, call),
        "ListPrincipals" => listings::principals(world, call),
        "ListResourceTypes" => listings::resource_types(world, call),
        "GetResourcePolicies" => policies::get(world, call),
        "EnableSharingWithAwsOrganization" => enable_sharing(world, call),
    }
}

/// Carries out a task that is due.
pub fn run(world: &mut World, task: Task) {
    match task.0 {
        Step::Settle(pending) => associations::settle(world, &pending),
        Step::Invite(pending) => invitations::send(world, &pending),
        Step::Expire { invitation } => invitations::expire(world, &invitation),
        Step::FinishDeletion { share } => shares::finish_deletion(world, &share),
        Step::Replace { work } => replacements::finish(world, &work),
        Step::Promote { share } => promotions::finish(world, &share),
    }
}

fn enable_sharing(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    if call.caller.account != world.organization.management_account {
        return Err(ApiError::new(
            "OperationNotPermittedException",
            "Only the management account of an organization can enable sharing with AWS Organizations.",
        ));
    }
    world.organization.ram_sharing = true;
    Ok(json!({ "returnValue": true }))
}
