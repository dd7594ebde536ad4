//! Shares that mirror a policy which was attached without RAM, and their promotion.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Step, customer,
    entities::{Principal, Resource, unknown},
    input::{any_own_share, invalid, required},
    managed::{Home, Permission, Version},
    model::{Association, AssociationStatus, Attached, FeatureSet, Share, ShareStatus, Subject},
    permissions::find,
    template::Template,
};
use crate::world::{ApiError, Call, World};

/// What RAM does when somebody attaches a policy to a resource through the API
/// of the resource's own service: it creates a share that mirrors the policy.
///
/// The sandbox has no service with such an API, so this is for tests. The ARN of
/// the share is the result.
///
/// # Errors
/// If RAM shares no such resource, or a principal is malformed.
pub fn attach_policy(
    world: &mut World,
    resource: &str,
    principals: &[&str],
    actions: &[&str],
) -> Result<String, ApiError> {
    let resource = Resource::parse(resource)?;
    let home = Home {
        account: resource.account.clone(),
        region: resource.region.clone(),
    };
    let id = world.uuid(&format!("ram policy {}", resource.arn));
    let name = format!("created-from-policy-{}", &id[..8]);
    let permission = mirror(world, home, &name, &resource, actions);
    let mut share = share(world, &resource, name, permission);
    for principal in principals {
        let principal = Principal::parse(principal)?;
        let subject = Subject::Principal {
            // Such a principal is in without an invitation, whatever the organization does.
            invited: true,
            external: principal.is_external(&world.organization, &share.owner),
            visible_from: world.now,
            principal: principal.clone(),
        };
        join(world, &mut share, principal.id().to_owned(), subject);
    }
    let kind = resource.kind;
    join(world, &mut share, resource.arn, Subject::Resource(kind));
    let arn = share.arn.clone();
    world.ram.shares.insert(arn.clone(), share);
    Ok(arn)
}

fn mirror(
    world: &mut World,
    home: Home,
    name: &str,
    resource: &Resource,
    actions: &[&str],
) -> Attached {
    let version = Version::new(Template::allowing(actions), world.now);
    let mut permission = Permission::of_customer(home, name, resource.kind.name, version);
    permission.feature_set = FeatureSet::CreatedFromPolicy;
    let attached = Attached::default_of(&permission, world.now);
    world.ram.permissions.insert(permission.key(), permission);
    attached
}

fn share(world: &mut World, resource: &Resource, name: String, permission: Attached) -> Share {
    let (owner, region) = (&resource.account, &resource.region);
    let id = world.uuid(&format!("ram share {owner} {region} {name}"));
    Share {
        arn: format!("arn:aws:ram:{region}:{owner}:resource-share/{id}"),
        owner: owner.clone(),
        region: region.clone(),
        name,
        allow_external_principals: true,
        retain_sharing: false,
        tags: BTreeMap::new(),
        status: ShareStatus::Active,
        feature_set: FeatureSet::CreatedFromPolicy,
        created: world.now,
        updated: world.now,
        permissions: [(resource.kind.name, permission)].into(),
        associations: BTreeMap::new(),
    }
}

fn join(world: &mut World, share: &mut Share, entity: String, subject: Subject) {
    let association = Association {
        entity,
        subject,
        status: AssociationStatus::Associated,
        message: None,
        created: world.now,
        updated: world.now,
        revision: world.ram.next_revision(),
    };
    share.associations.insert(association.key(), association);
}

/// `PromotePermissionCreatedFromPolicy`, which makes a customer managed
/// permission that allows the same and leaves the original alone.
///
/// ASSUMED: which errors say that the permission was not created from a policy,
/// and that the name or the room is taken.
pub(super) fn promote_permission(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "name")?;
    customer::check_name(name)?;
    let original = find(world, call, required(call, "permissionArn")?)?;
    if original.is_standard() {
        return Err(invalid("The permission was not created from a policy."));
    }
    let template = world
        .ram
        .template(&Attached::default_of(original, world.now))
        .ok_or_else(|| unknown(&original.arn))?;
    let version = Version::new(template.clone(), world.now);
    let permission = Permission::of_customer(Home::of(call), name, original.resource_type, version);
    let answer = json!({ "permission": permission.summary(1, permission.status(1)) });
    customer::admit(world, permission)
        .map_err(|error| ApiError::new("OperationNotPermittedException", error.message))?;
    Ok(answer)
}

/// `PromoteResourceShareCreatedFromPolicy`.
///
/// ASSUMED: which errors say that there is nothing to promote.
pub(super) fn promote_share(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let share = any_own_share(world, call)?;
    match share.feature_set {
        FeatureSet::CreatedFromPolicy => {}
        FeatureSet::PromotingToStandard => {
            return Err(ApiError::new(
                "InvalidStateTransitionException",
                "The resource share is being promoted.",
            ));
        }
        FeatureSet::Standard => {
            return Err(invalid("The resource share was not created from a policy."));
        }
    }
    if share.matching_permissions(world).is_none() {
        return Err(ApiError::new(
            "UnmatchedPolicyPermissionException",
            "No managed permission allows the same as the policy. Run \
             PromotePermissionCreatedFromPolicy first.",
        ));
    }
    let arn = share.arn.clone();
    set_feature_set(world, &arn, FeatureSet::PromotingToStandard);
    let delay = world.ram.association_delay;
    world.after(delay, Step::Promote { share: arn }.into());
    Ok(json!({ "returnValue": true }))
}

/// A share becomes a standard one, and the permissions that only it had are gone.
///
/// ASSUMED: a promotion takes as long as an association does, and falls back if
/// the permission that it needs is gone by then.
pub(super) fn finish(world: &mut World, arn: &str) {
    let matching = world
        .ram
        .share(arn)
        .and_then(|share| share.matching_permissions(world));
    let Some(matching) = matching else {
        set_feature_set(world, arn, FeatureSet::CreatedFromPolicy);
        return;
    };
    set_feature_set(world, arn, FeatureSet::Standard);
    let Some(share) = world.ram.share_mut(arn) else {
        return;
    };
    let originals = std::mem::replace(&mut share.permissions, matching);
    for original in originals.into_values() {
        if !world.ram.is_attached(&original.permission, None) {
            world.ram.permissions.remove(&original.permission);
        }
    }
}

fn set_feature_set(world: &mut World, arn: &str, feature_set: FeatureSet) {
    let now = world.now;
    if let Some(share) = world.ram.share_mut(arn) {
        share.feature_set = feature_set;
        share.updated = now;
    }
}

impl Share {
    /// For every permission one that can be managed and allows exactly the same.
    fn matching_permissions(&self, world: &World) -> Option<BTreeMap<&'static str, Attached>> {
        let home = Home {
            account: self.owner.clone(),
            region: self.region.clone(),
        };
        let matching = |resource_type: &'static str, attached: &Attached| {
            let wanted = world.ram.template(attached)?;
            let found = world.ram.permissions.values().find(|each| {
                each.deleted.is_none()
                    && each.is_standard()
                    && each.resource_type == resource_type
                    && each.home.as_ref().is_none_or(|each| *each == home)
                    && each
                        .version(each.default_version)
                        .is_some_and(|version| version.template.is_equivalent(wanted))
            });
            Some((resource_type, Attached::default_of(found?, world.now)))
        };
        self.permissions
            .iter()
            .map(|(resource_type, attached)| matching(resource_type, attached))
            .collect()
    }
}
