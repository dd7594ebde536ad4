//! Managed permissions as everybody reads them, and which of them a share has.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    associations, catalogue,
    entities::unknown,
    input::{check_arn, flag, invalid, own_share, required, unknown_share, word},
    managed::{self, Home, Permission},
    model::{Attached, FeatureSet, Share, ShareStatus},
    paging,
};
use crate::world::{ApiError, Call, World, epoch_seconds};

/// The permission with this ARN: one of AWS's, or one of the caller's own in the Region.
///
/// ASSUMED: consumers cannot read the permissions of the owner of a share.
pub(super) fn find<'a>(
    world: &'a World,
    call: &Call,
    arn: &str,
) -> Result<&'a Permission, ApiError> {
    check_permission_arn(arn)?;
    let permission = world.ram.permissions.get(&managed::key(arn));
    permission
        .filter(|permission| permission.deleted.is_none() && permission.is_visible(call))
        .ok_or_else(|| unknown(&format!("Permission {arn}")))
}

/// The same, if shares can have it.
pub(super) fn attachable<'a>(
    world: &'a World,
    call: &Call,
    arn: &str,
) -> Result<&'a Permission, ApiError> {
    let permission = find(world, call, arn)?;
    if permission.is_standard() {
        return Ok(permission);
    }
    Err(invalid(format!(
        "The permission {arn} was created from a policy. Promote it first."
    )))
}

fn check_permission_arn(arn: &str) -> Result<(), ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if matches!(parts.as_slice(), ["arn", "aws", "ram", _, _, name] if name.starts_with("permission/"))
    {
        return Ok(());
    }
    Err(ApiError::new(
        "MalformedArnException",
        format!("The specified permission ARN {arn} is not valid. Verify the ARN and try again."),
    ))
}

/// The number of a version that a call names; the query of a `DELETE` has it as a text.
pub(super) fn requested_version(call: &Call, member: &str) -> Result<Option<u64>, ApiError> {
    let number = match call.input.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    number
        .map(Some)
        .ok_or_else(|| invalid(format!("{member} must be the number of a version.")))
}

/// The error for a version that a permission does not have.
pub(super) fn unknown_version(permission: &Permission) -> ApiError {
    unknown(&format!("This version of {}", permission.arn))
}

/// `AssociateResourceSharePermission`.
pub(super) fn associate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = attachable(world, call, required(call, "permissionArn")?)?;
    check_default(call, permission)?;
    let share = own_share(world, call)?;
    let replace = flag(call, "replace").unwrap_or(false);
    if !replace && share.permissions.contains_key(permission.resource_type) {
        return Err(invalid(format!(
            "The resource share already has a permission for the resource type {}. \
             Set replace to true to replace it.",
            permission.resource_type
        )));
    }
    let arn = share.arn.clone();
    let resource_type = permission.resource_type;
    let attached = Attached::default_of(permission, world.now);
    if let Some(share) = world.ram.share_mut(&arn) {
        share.permissions.insert(resource_type, attached);
    }
    Ok(json!({ "returnValue": true }))
}

/// Only the default version can be attached, whether the caller names it or not.
fn check_default(call: &Call, permission: &Permission) -> Result<(), ApiError> {
    match requested_version(call, "permissionVersion")? {
        Some(number) if permission.version(number).is_none() => Err(unknown_version(permission)),
        Some(number) if number != permission.default_version => Err(invalid(format!(
            "Version {number} is not the default version of {}.",
            permission.arn
        ))),
        _ => Ok(()),
    }
}

/// `DisassociateResourceSharePermission`.
pub(super) fn disassociate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = find(world, call, required(call, "permissionArn")?)?;
    let share = own_share(world, call)?;
    if !share.uses(&permission.key(), None) {
        return Err(unknown(&format!(
            "Permission {} of the resource share",
            permission.arn
        )));
    }
    if share.has_resources_of(permission.resource_type) {
        return Err(ApiError::new(
            "InvalidStateTransitionException",
            format!(
                "The resource share has resources of the type {}.",
                permission.resource_type
            ),
        ));
    }
    let arn = share.arn.clone();
    let resource_type = permission.resource_type;
    if let Some(share) = world.ram.share_mut(&arn) {
        share.permissions.remove(resource_type);
    }
    Ok(json!({ "returnValue": true }))
}

/// `ListResourceSharePermissions`, for the owner and for those who see the share.
pub(super) fn list_of_share(world: &World, call: &Call) -> Result<Value, ApiError> {
    let arn = required(call, "resourceShareArn")?;
    check_arn(arn, "resource-share")?;
    let account = &call.caller.account;
    let share = world
        .ram
        .share(arn)
        .filter(|share| share.region == call.region && share.status != ShareStatus::Deleted)
        .filter(|share| share.owner == *account || share.is_visible_to(world, &call.caller))
        .ok_or_else(|| unknown_share(arn))?;
    let permissions = share.permissions.values().filter_map(|attached| {
        let permission = world.ram.permissions.get(&attached.permission)?;
        let mut summary = permission.summary(attached.version, "ASSOCIATED");
        summary["lastUpdatedTime"] = epoch_seconds(attached.since);
        Some(summary)
    });
    paging::page(world, call, "permissions", permissions)
}

/// `ListPermissions`.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let kinds = &["ALL", "AWS_MANAGED", "CUSTOMER_MANAGED"];
    let kind = word(call, "permissionType", kinds)?;
    let resource_type = wanted_type(call)?;
    let permissions = world
        .ram
        .permissions
        .values()
        .filter(|each| each.is_visible(call))
        .filter(|each| {
            each.shown_versions(world.now)
                .any(|number| number == each.default_version)
        })
        .filter(|each| kind.is_none_or(|kind| kind == "ALL" || kind == each.kind()))
        .filter(|each| resource_type.is_none_or(|wanted| wanted == each.resource_type))
        .map(|each| each.summary(each.default_version, each.status(each.default_version)));
    paging::page(world, call, "permissions", permissions)
}

fn wanted_type(call: &Call) -> Result<Option<&'static str>, ApiError> {
    let Some(name) = call.text("resourceType") else {
        return Ok(None);
    };
    let found = catalogue::type_named(name);
    let found = found.ok_or_else(|| invalid(format!("Invalid resource type: {name}")))?;
    Ok(Some(found.name))
}

/// `GetPermission`.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    let permission = find(world, call, required(call, "permissionArn")?)?;
    let version = requested_version(call, "permissionVersion")?;
    let number = version.unwrap_or(permission.default_version);
    if permission.version(number).is_none() {
        return Err(unknown_version(permission));
    }
    Ok(json!({ "permission": permission.detail(number) }))
}

/// `ListPermissionVersions`.
pub(super) fn versions(world: &World, call: &Call) -> Result<Value, ApiError> {
    let permission = find(world, call, required(call, "permissionArn")?)?;
    let versions = permission
        .shown_versions(world.now)
        .map(|number| permission.summary(number, permission.status(number)));
    paging::page(world, call, "permissions", versions)
}

/// `ListPermissionAssociations`, which is about the caller's own shares.
///
/// ASSUMED: a permission that does not exist has no associations, and every
/// association of a permission is `ASSOCIATED`.
pub(super) fn associated(world: &World, call: &Call) -> Result<Value, ApiError> {
    let status = word(call, "associationStatus", associations::STATUSES)?;
    let feature_set = word(call, "featureSet", FeatureSet::WORDS)?;
    let version = requested_version(call, "permissionVersion")?;
    let resource_type = wanted_type(call)?;
    let default_only = flag(call, "defaultVersion").unwrap_or(false);
    let key = call.text("permissionArn").map(managed::key);
    if let Some(arn) = call.text("permissionArn") {
        check_permission_arn(arn)?;
    }
    let associations = world
        .ram
        .owned(&call.caller.account, &call.region)
        .filter(|share| share.is_alive())
        .filter(|_| status.is_none_or(|status| status == "ASSOCIATED"))
        .filter(|share| feature_set.is_none_or(|wanted| wanted == share.feature_set.as_str()))
        .filter(|share| resource_type.is_none_or(|wanted| share.has_resources_of(wanted)))
        .flat_map(|share| share.permissions.values().map(move |each| (share, each)))
        .filter(|(_, each)| key.as_ref().is_none_or(|key| *key == each.permission))
        .filter(|(_, each)| version.is_none_or(|version| version == each.version))
        .filter_map(|(share, each)| {
            Some((share, each, world.ram.permissions.get(&each.permission)?))
        })
        .filter(|(_, each, permission)| !default_only || each.version == permission.default_version)
        .map(|(share, each, permission)| each.to_json(share, permission));
    paging::page(world, call, "permissions", associations)
}

impl Permission {
    /// Whether the caller can see it.
    fn is_visible(&self, call: &Call) -> bool {
        self.home
            .as_ref()
            .is_none_or(|home| *home == Home::of(call))
    }

    /// Whether it can be changed, and shares can have it.
    pub(super) fn is_standard(&self) -> bool {
        self.feature_set == FeatureSet::Standard
    }
}

impl Attached {
    /// The default version of a permission, which is what shares get.
    pub(super) fn default_of(permission: &Permission, since: Timestamp) -> Self {
        Self {
            permission: permission.key(),
            version: permission.default_version,
            since,
        }
    }

    /// The API's `AssociatedPermission`.
    fn to_json(&self, share: &Share, permission: &Permission) -> Value {
        json!({
            "arn": permission.arn,
            "permissionVersion": self.version.to_string(),
            "defaultVersion": self.version == permission.default_version,
            "resourceType": permission.resource_type,
            "status": "ASSOCIATED",
            "featureSet": share.feature_set.as_str(),
            "lastUpdatedTime": epoch_seconds(self.since),
            "resourceShareArn": share.arn,
        })
    }
}
