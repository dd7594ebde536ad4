//! Resource shares themselves.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    State, Step, associations,
    input::{
        flag, invalid, is_about_own, is_given, own_share, required, share_arns, unknown_share, word,
    },
    model::{AssociationStatus, Attached, FeatureSet, InvitationStatus, Key, Share, ShareStatus},
    paging, permissions, tags,
    wanted::{Wanted, limit},
};
use crate::world::{ApiError, Call, World};

impl State {
    pub(super) fn share_mut(&mut self, arn: &str) -> Option<&mut Share> {
        self.shares.get_mut(&arn.to_ascii_lowercase())
    }

    /// The shares that an account owns in a Region.
    pub(super) fn owned(&self, account: &str, region: &str) -> impl Iterator<Item = &Share> {
        self.shares
            .values()
            .filter(move |share| share.owner == account && share.region == region)
    }
}

/// `CreateResourceShare`.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let wanted = Wanted::read(world, call)?;
    let mut share = blank(world, call)?;
    let owned = world.ram.owned(&share.owner, &share.region);
    if owned
        .filter(|share| share.status == ShareStatus::Active)
        .count()
        >= world.ram.quotas.shares
    {
        return Err(limit("resource shares"));
    }
    wanted.check(world, &share)?;
    let id = world.uuid(&format!(
        "ram share {} {} {}",
        share.owner, share.region, share.name
    ));
    let arn = format!(
        "arn:aws:ram:{}:{}:resource-share/{id}",
        share.region, share.owner
    );
    share.arn.clone_from(&arn);
    let answer = json!({ "resourceShare": share.to_json(&share.owner) });
    world.ram.shares.insert(arn.clone(), share);
    associations::add(world, &arn, wanted);
    Ok(answer)
}

/// A share as the call describes it, without ARN and contents.
fn blank(world: &World, call: &Call) -> Result<Share, ApiError> {
    let tags = tags::read(call)?;
    tags::check_count(world, tags.len())?;
    let allow_external_principals = flag(call, "allowExternalPrincipals").unwrap_or(true);
    let retain_sharing = call
        .input
        .pointer("/resourceShareConfiguration/retainSharingOnAccountLeaveOrganization")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    if retain_sharing && !allow_external_principals {
        return Err(invalid(
            "retainSharingOnAccountLeaveOrganization requires allowExternalPrincipals.",
        ));
    }
    Ok(Share {
        arn: String::new(),
        owner: call.caller.account.clone(),
        region: call.region.clone(),
        name: name(call)?.to_owned(),
        allow_external_principals,
        retain_sharing,
        tags,
        status: ShareStatus::Active,
        feature_set: FeatureSet::Standard,
        created: world.now,
        updated: world.now,
        permissions: named_permissions(world, call)?,
        associations: BTreeMap::new(),
    })
}

/// The name of a share.
///
/// ASSUMED: the API checks it as the console does.
fn name(call: &Call) -> Result<&str, ApiError> {
    let name = required(call, "name")?;
    let is_valid = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '.' | '-');
    if name.chars().count() > 255 || !name.chars().all(is_valid) {
        return Err(invalid(format!(
            "{name} is not a valid name for a resource share."
        )));
    }
    Ok(name)
}

fn named_permissions(
    world: &World,
    call: &Call,
) -> Result<BTreeMap<&'static str, Attached>, ApiError> {
    let mut attached = BTreeMap::new();
    for arn in call.texts("permissionArns") {
        let permission = permissions::attachable(world, call, &arn)?;
        let new = Attached::default_of(permission, world.now);
        let earlier = attached.insert(permission.resource_type, new);
        if earlier.is_some() {
            return Err(invalid(format!(
                "You can associate only one permission with the resource type {}.",
                permission.resource_type
            )));
        }
    }
    Ok(attached)
}

/// `UpdateResourceShare`.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let share = own_share(world, call)?;
    let arn = share.arn.clone();
    let name = match call.text("name") {
        Some(_) => Some(name(call)?),
        None => None,
    };
    let external = flag(call, "allowExternalPrincipals");
    if external == Some(false) && (share.retain_sharing || share.has_external_principals()) {
        return Err(ApiError::new(
            "OperationNotPermittedException",
            "The resource share has principals outside of your AWS organization.",
        ));
    }
    let now = world.now;
    let Some(share) = world.ram.share_mut(&arn) else {
        return Err(unknown_share(&arn));
    };
    if let Some(name) = name {
        name.clone_into(&mut share.name);
    }
    if let Some(external) = external {
        share.allow_external_principals = external;
    }
    share.updated = now;
    Ok(json!({ "resourceShare": share.to_json(&share.owner) }))
}

/// `DeleteResourceShare`, which also ends what waits for an answer.
///
/// ASSUMED: associations that are ASSOCIATING do not stand in the way, and
/// nobody can answer the invitations any more.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let arn = own_share(world, call)?.arn.clone();
    set_status(world, &arn, ShareStatus::Deleting);
    for key in present(world, &arn) {
        associations::change(world, &arn, &key, AssociationStatus::Disassociating, None);
    }
    world.ram.invitations.retain(|_, invitation| {
        invitation.share != arn || invitation.status != InvitationStatus::Pending
    });
    let delay = world.ram.association_delay;
    world.after(delay, Step::FinishDeletion { share: arn }.into());
    Ok(json!({ "returnValue": true }))
}

/// A share is gone, and with it all that was in it.
pub(super) fn finish_deletion(world: &mut World, arn: &str) {
    for key in present(world, arn) {
        associations::change(world, arn, &key, AssociationStatus::Disassociated, None);
    }
    set_status(world, arn, ShareStatus::Deleted);
}

fn present(world: &World, arn: &str) -> Vec<Key> {
    let share = world.ram.share(arn);
    share
        .into_iter()
        .flat_map(|share| &share.associations)
        .filter(|(_, association)| association.status.is_present())
        .map(|(key, _)| key.clone())
        .collect()
}

fn set_status(world: &mut World, arn: &str, status: ShareStatus) {
    let now = world.now;
    if let Some(share) = world.ram.share_mut(arn) {
        share.status = status;
        share.updated = now;
    }
}

/// `GetResourceShares`.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    let own = is_about_own(call)?;
    let statuses = &["PENDING", "ACTIVE", "FAILED", "DELETING", "DELETED"];
    let status = word(call, "resourceShareStatus", statuses)?;
    let permission = match call.text("permissionArn") {
        Some(arn) => Some(permissions::find(world, call, arn)?.key()),
        None => None,
    };
    if is_given(call, "permissionVersion") && permission.is_none() {
        return Err(invalid("permissionVersion requires permissionArn."));
    }
    let version = permissions::requested_version(call, "permissionVersion")?;
    let filters = tags::filters(call);
    let shares = selected(world, call, own)?
        .into_iter()
        .filter(|share| status.is_none_or(|status| share.status.as_str() == status))
        .filter(|share| call.text("name").is_none_or(|name| share.name == name))
        .filter(|share| {
            permission
                .as_ref()
                .is_none_or(|permission| share.uses(permission, version))
        })
        .filter(|share| filters.is_empty() || own && tags::match_all(&filters, &share.tags))
        .map(|share| share.to_json(&call.caller.account));
    paging::page(world, call, "resourceShares", shares)
}

/// The caller's own shares or those that others share with it, limited to the
/// ARNs in the call if it names any.
pub(super) fn selected<'a>(
    world: &'a World,
    call: &Call,
    own: bool,
) -> Result<Vec<&'a Share>, ApiError> {
    let account = &call.caller.account;
    let is_selectable = |share: &Share| {
        share.region == call.region
            && if own {
                share.owner == *account && share.is_shown(world.now)
            } else {
                share.is_visible_to(world, &call.caller)
            }
    };
    let arns = share_arns(call)?;
    if arns.is_empty() {
        let shares = world.ram.shares.values();
        return Ok(shares.filter(|share| is_selectable(share)).collect());
    }
    let find = |arn: &String| {
        let share = world.ram.share(arn).filter(|share| is_selectable(share));
        share.ok_or_else(|| unknown_share(arn))
    };
    arns.iter().map(find).collect()
}

impl Share {
    fn has_external_principals(&self) -> bool {
        self.associations
            .values()
            .any(|association| association.status.is_present() && association.is_external())
    }
}
