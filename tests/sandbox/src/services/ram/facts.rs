//! What IAM asks RAM when it authorizes a call.

use super::{
    entities::Resource,
    managed,
    model::{Association, Kind},
};
use crate::world::World;

/// What condition keys tell of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShareFacts {
    pub(crate) name: String,
    pub(crate) allows_external: bool,
    pub(crate) tags: Vec<(String, String)>,
}

/// The share with this ARN, if there is one.
pub(crate) fn share_facts(world: &World, arn: &str) -> Option<ShareFacts> {
    let share = world.ram.share(arn)?;
    let tags = share.tags.iter();
    Some(ShareFacts {
        name: share.name.clone(),
        allows_external: share.allow_external_principals,
        tags: tags
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    })
}

/// The ARNs of what is in a share, on its way in or on its way out.
pub(crate) fn resources_in(world: &World, arn: &str) -> Vec<String> {
    let is_resource = |it: &&Association| it.kind() == Kind::Resource && it.status.is_present();
    let share = world.ram.share(arn).into_iter();
    share
        .flat_map(|share| share.associations.values())
        .filter(is_resource)
        .map(|association| association.entity.clone())
        .collect()
}

/// The owner and the name of the share that an invitation is for.
pub(crate) fn invitation_of(world: &World, arn: &str) -> Option<(String, String)> {
    let invitation = world.ram.invitations.get(arn)?;
    Some((invitation.sender.clone(), invitation.share_name.clone()))
}

/// The type of a resource, for instance `sagemaker:Pipeline`.
pub(crate) fn resource_type_of(arn: &str) -> Option<&'static str> {
    Resource::parse(arn).ok().map(|resource| resource.kind.name)
}

/// The type of the resources that a permission is for.
pub(crate) fn resource_type_of_permission(world: &World, arn: &str) -> Option<&'static str> {
    let permission = world.ram.permissions.get(&managed::key(arn))?;
    Some(permission.resource_type)
}
