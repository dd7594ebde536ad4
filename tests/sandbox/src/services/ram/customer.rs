//! The managed permissions of customers: making them and their versions, and
//! getting rid of both.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    catalogue,
    entities::unknown,
    input::{invalid, required},
    managed::{Home, Permission, Version},
    permissions::{find, requested_version, unknown_version},
    tags,
    template::Template,
};
use crate::world::{ApiError, Call, World};

/// `CreatePermission`.
///
/// ASSUMED: all of the sandbox's types take permissions of customers; pipelines do.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "name")?;
    check_name(name)?;
    let type_name = required(call, "resourceType")?;
    // Other than in filters, the case of the type matters here.
    let resource_type = catalogue::type_named(type_name)
        .filter(|known| known.name == type_name)
        .ok_or_else(|| invalid(format!("Invalid resource type: {type_name}")))?;
    let template = Template::read(world, call, resource_type)?;
    let version = Version::new(template, world.now);
    let mut permission = Permission::of_customer(Home::of(call), name, resource_type.name, version);
    permission.tags = read_tags(world, call)?;
    let answer = json!({ "permission": permission.summary(1, permission.status(1)) });
    admit(world, permission)?;
    Ok(answer)
}

/// The tags of a call, for an operation that has no errors of its own for them.
fn read_tags(world: &World, call: &Call) -> Result<BTreeMap<String, String>, ApiError> {
    let tags = tags::read(call).map_err(|error| invalid(error.message))?;
    tags::check_count(world, tags.len()).map_err(|error| invalid(error.message))?;
    Ok(tags)
}

/// Adds a permission to those of its account and Region.
///
/// ASSUMED: names are unique without regard to case, and the name of a
/// deleted permission is free at once.
pub(super) fn admit(world: &mut World, permission: Permission) -> Result<(), ApiError> {
    let key = permission.key();
    let existing = world.ram.permissions.get(&key);
    if existing.is_some_and(|existing| existing.deleted.is_none()) {
        return Err(ApiError::with_status(
            409,
            "PermissionAlreadyExistsException",
            format!("The permission {} already exists.", permission.name),
        ));
    }
    let mut own = 0;
    let mut of_type = 0;
    for each in world.ram.permissions.values() {
        if each.deleted.is_none() && each.home == permission.home {
            own += 1;
            of_type += usize::from(each.resource_type == permission.resource_type);
        }
    }
    let quotas = &world.ram.quotas;
    if own >= quotas.permissions || of_type >= quotas.permissions_per_type {
        return Err(ApiError::new(
            "PermissionLimitExceededException",
            "The operation would exceed the limit for customer managed permissions.",
        ));
    }
    world.ram.permissions.insert(key, permission);
    Ok(())
}

/// Checks the name of a customer managed permission.
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    if name.len() > 36 || !name.chars().all(is_valid) {
        return Err(invalid(format!(
            "{name} is not a valid name for a permission."
        )));
    }
    Ok(())
}

/// `CreatePermissionVersion`, which makes the new version the default.
pub(super) fn create_version(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = own(world, call, "InvalidParameterException")?;
    let key = permission.key();
    let resource_type =
        catalogue::type_named(permission.resource_type).ok_or_else(|| unknown(&permission.arn))?;
    let template = Template::read(world, call, resource_type)?;
    if permission.live_versions() >= world.ram.quotas.versions_per_permission {
        return Err(ApiError::new(
            "PermissionVersionsLimitExceededException",
            "The operation would exceed the limit for versions of a permission.",
        ));
    }
    let now = world.now;
    let permission = stored(world, &key)?;
    let number = permission.versions.keys().max().map_or(1, |last| last + 1);
    let version = Version::new(template, now);
    permission.versions.insert(number, version);
    permission.set_default(number, now);
    Ok(json!({ "permission": permission.detail(number) }))
}

/// `SetDefaultPermissionVersion`, which leaves existing shares alone.
pub(super) fn set_default(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = own(world, call, "InvalidParameterException")?;
    let number = required_version(call)?;
    if permission.version(number).is_none() {
        return Err(unknown_version(permission));
    }
    let key = permission.key();
    let now = world.now;
    let permission = stored(world, &key)?;
    if permission.default_version != number {
        permission.set_default(number, now);
    }
    Ok(json!({ "returnValue": true }))
}

/// `DeletePermission`.
///
/// ASSUMED: lists show it as `DELETED` at once.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = own(world, call, "OperationNotPermittedException")?;
    let key = permission.key();
    if world.ram.is_attached(&key, None) {
        return Err(forbidden(
            "The permission is associated with at least one resource share.",
        ));
    }
    let now = world.now;
    stored(world, &key)?.deleted = Some(now);
    Ok(json!({ "returnValue": true, "permissionStatus": "DELETING" }))
}

/// `DeletePermissionVersion`.
pub(super) fn delete_version(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let permission = own(world, call, "OperationNotPermittedException")?;
    let number = required_version(call)?;
    if permission.version(number).is_none() {
        return Err(unknown_version(permission));
    }
    if permission.default_version == number {
        return Err(forbidden(
            "The default version of a permission cannot be deleted.",
        ));
    }
    let key = permission.key();
    if world.ram.is_attached(&key, Some(number)) {
        return Err(forbidden(
            "The version is associated with at least one resource share.",
        ));
    }
    let now = world.now;
    let permission = stored(world, &key)?;
    if let Some(version) = permission.versions.get_mut(&number) {
        version.deleted = Some(now);
    }
    Ok(json!({ "returnValue": true, "permissionStatus": "DELETING" }))
}

/// The permission of the caller's own that the call is about.
///
/// ASSUMED: which error it is that AWS's permissions cannot be changed.
fn own<'a>(world: &'a World, call: &Call, not_own: &str) -> Result<&'a Permission, ApiError> {
    let permission = find(world, call, call.text("permissionArn").unwrap_or_default())?;
    if permission.home.is_none() || !permission.is_standard() {
        return Err(ApiError::new(
            not_own,
            "Only customer managed permissions can be changed.",
        ));
    }
    Ok(permission)
}

/// The same permission, to be changed.
fn stored<'a>(world: &'a mut World, key: &str) -> Result<&'a mut Permission, ApiError> {
    let permission = world.ram.permissions.get_mut(key);
    permission.ok_or_else(|| unknown("The permission"))
}

fn required_version(call: &Call) -> Result<u64, ApiError> {
    requested_version(call, "permissionVersion")?
        .ok_or_else(|| invalid("Missing required parameter permissionVersion."))
}

fn forbidden(message: &str) -> ApiError {
    ApiError::new("OperationNotPermittedException", message)
}

impl Home {
    /// Where the call is made.
    pub(super) fn of(call: &Call) -> Self {
        Self {
            account: call.caller.account.clone(),
            region: call.region.clone(),
        }
    }
}
