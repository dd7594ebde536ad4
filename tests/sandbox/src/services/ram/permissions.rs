//! Managed permissions, and which of them a share has.

use serde_json::{Value, json};

use super::{
    catalogue::{self, PERMISSIONS, Permission},
    entities::unknown,
    input::{check_arn, flag, invalid, own_share, required, unknown_share, word},
    model::{Attached, ShareStatus},
    paging,
};
use crate::world::{ApiError, Call, World};

/// When AWS published its permissions: 1 August 2022, for all of them.
///
/// ASSUMED: nothing depends on it.
const PUBLISHED: i64 = 1_659_312_000;

/// The permission with this ARN.
pub(super) fn find(arn: &str) -> Result<&'static Permission, ApiError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if !matches!(parts.as_slice(), ["arn", "aws", "ram", _, _, name] if name.starts_with("permission/"))
    {
        return Err(ApiError::new(
            "MalformedArnException",
            format!(
                "The specified permission ARN {arn} is not valid. Verify the ARN and try again."
            ),
        ));
    }
    catalogue::permission(arn).ok_or_else(|| unknown(&format!("Permission {arn}")))
}

fn named(call: &Call) -> Result<&'static Permission, ApiError> {
    let permission = find(required(call, "permissionArn")?)?;
    let version = call.input.get("permissionVersion").and_then(Value::as_u64);
    if version.is_some_and(|version| version.to_string() != permission.version) {
        return Err(unknown(&format!("This version of {}", permission.arn())));
    }
    Ok(permission)
}

/// `AssociateResourceSharePermission`.
pub(super) fn associate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = named(call)?;
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
    let since = world.now;
    if let Some(share) = world.ram.share_mut(&arn) {
        let attached = Attached { permission, since };
        share.permissions.insert(permission.resource_type, attached);
    }
    Ok(json!({ "returnValue": true }))
}

/// `DisassociateResourceSharePermission`.
pub(super) fn disassociate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = named(call)?;
    let share = own_share(world, call)?;
    let attached = share.permissions.get(permission.resource_type);
    if attached.is_none_or(|attached| attached.permission != permission) {
        return Err(unknown(&format!(
            "Permission {} of the resource share",
            permission.arn()
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
    if let Some(share) = world.ram.share_mut(&arn) {
        share.permissions.remove(permission.resource_type);
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
        .filter(|share| share.owner == *account || share.is_visible_to(world, account))
        .ok_or_else(|| unknown_share(arn))?;
    let permissions = share.permissions.values().map(|attached| {
        let mut summary = attached.permission.summary("ASSOCIATED");
        summary["lastUpdatedTime"] = crate::world::epoch_seconds(attached.since);
        summary
    });
    paging::page(world, call, "permissions", permissions)
}

/// `ListPermissions`.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let kinds = &["ALL", "AWS_MANAGED", "CUSTOMER_MANAGED"];
    let kind = word(call, "permissionType", kinds)?;
    let resource_type = match call.text("resourceType") {
        Some(name) => Some(
            catalogue::type_named(name)
                .ok_or_else(|| invalid(format!("Invalid resource type: {name}")))?,
        ),
        None => None,
    };
    let permissions = PERMISSIONS
        .iter()
        .filter(|_| kind != Some("CUSTOMER_MANAGED"))
        .filter(|each| resource_type.is_none_or(|wanted| wanted.name == each.resource_type))
        .map(|each| each.summary("ATTACHABLE"));
    paging::page(world, call, "permissions", permissions)
}

/// `GetPermission`.
pub(super) fn get(call: &Call) -> Result<Value, ApiError> {
    let permission = named(call)?;
    let mut detail = permission.summary("ATTACHABLE");
    let document = json!({ "Effect": "Allow", "Action": permission.actions });
    detail["permission"] = document.to_string().into();
    Ok(json!({ "permission": detail }))
}

impl Permission {
    /// The API's `ResourceSharePermissionSummary`.
    fn summary(&self, status: &str) -> Value {
        json!({
            "arn": self.arn(),
            "version": self.version,
            "defaultVersion": true,
            "name": self.name,
            "resourceType": self.resource_type,
            "status": status,
            "creationTime": PUBLISHED,
            "lastUpdatedTime": PUBLISHED,
            "isResourceTypeDefault": self.default,
            "permissionType": "AWS_MANAGED",
            "featureSet": "STANDARD",
        })
    }
}
