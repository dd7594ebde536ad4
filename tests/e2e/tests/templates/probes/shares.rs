//! What may happen to the shares of an owner account.

use e2e::{DEV, REGION, TEST};
use sandbox::{
    readings::{NewSharePermission, PermissionKeys, PermissionResources, Readings},
    world::World,
};
use serde_json::{Value, json};

use super::{
    OWNER, READ, STRANGER, allowed, forget, managed, pipeline, refused, refused_throughout, share,
};
use crate::tour::Stop;

pub(super) fn owner(world: &mut World) -> Result<(), Stop> {
    let ours = share(world, TEST, "pipeshare-probe", &managed());
    let untagged = share(world, TEST, "pipeshare-untagged", &json!([]));
    let named_otherwise = share(world, TEST, "probe", &managed());
    let outcome = changes(world, &ours, &[&untagged, &named_otherwise])
        .and_then(|()| withdrawal(world, &ours, &untagged, &named_otherwise))
        .and_then(|()| creation(world));
    for share in [&ours, &untagged, &named_otherwise] {
        forget(world, TEST, share);
    }
    outcome
}

/// What may come into shares of ours, and that nothing happens to those of others.
fn changes(world: &mut World, ours: &str, others: &[&String]) -> Result<(), Stop> {
    let add = "ram:AssociateResourceShare";
    let with = |share: &str, member: &str, value: &str| json!({ "resourceShareArn": share, member: [value] });
    allowed(world, OWNER, add, with(ours, "principals", DEV))?;
    refused(world, OWNER, add, with(ours, "principals", STRANGER))?;
    allowed(
        world,
        OWNER,
        add,
        with(ours, "resourceArns", &pipeline(TEST)),
    )?;
    for resource in [
        format!("arn:aws:ec2:{REGION}:{TEST}:subnet/subnet-1"),
        format!("arn:aws:sagemaker:{REGION}:{TEST}:model-package-group/g"),
        format!("arn:aws:sagemaker:eu-west-1:{TEST}:pipeline/probe"),
        pipeline(DEV),
    ] {
        refused(world, OWNER, add, with(ours, "resourceArns", &resource))?;
    }
    let permission = |share: &str, arn: &str| json!({ "resourceShareArn": share, "permissionArn": arn, "replace": true });
    let replace = "ram:AssociateResourceSharePermission";
    allowed(world, OWNER, replace, permission(ours, READ))?;
    let foreign = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet";
    let custom = format!("arn:aws:ram:{REGION}:{TEST}:permission/pipeshare-custom");
    allowed(world, OWNER, replace, permission(ours, &custom))?;
    let own = format!("arn:aws:ram:{REGION}:{TEST}:permission/everything");
    let readings = world.readings();
    for permission in [foreign, &own].map(|arn| permission(ours, arn)) {
        if readings.permission_keys != PermissionKeys::ByResource {
            refused_throughout(world, OWNER, replace, permission)?;
        } else if bounds_permissions(&readings) {
            refused(world, OWNER, replace, permission)?;
        }
    }
    for other in others {
        let bare = json!({ "resourceShareArn": other });
        refused_throughout(world, OWNER, add, with(other, "principals", DEV))?;
        let pipeline = with(other, "resourceArns", &pipeline(TEST));
        refused_throughout(world, OWNER, add, pipeline)?;
        refused_throughout(world, OWNER, add, bare.clone())?;
        refused_throughout(world, OWNER, "ram:UpdateResourceShare", bare)?;
    }
    // A share that is being created has no tags yet, so the name alone tells whose it is.
    let named_otherwise = others.last().map_or("", |share| share.as_str());
    let tagging = json!({ "resourceShareArn": named_otherwise, "tags": managed() });
    refused_throughout(world, OWNER, "ram:TagResource", tagging)?;
    if bounds_shares(&readings) {
        refused(world, OWNER, replace, permission(named_otherwise, READ))?;
        refused(world, OWNER, replace, permission(named_otherwise, &custom))?;
    }
    Ok(())
}

/// Whether a policy can bound which permissions are given, by what AWS asks about.
fn bounds_permissions(readings: &Readings) -> bool {
    readings.permission_keys != PermissionKeys::ByResource
        || readings.permission_resources != PermissionResources::Share
}

/// Whether it can bound which permissions a share is created with.
fn bounds_new_shares(readings: &Readings) -> bool {
    bounds_permissions(readings) && readings.new_share_permission == NewSharePermission::Asked
}

/// Whether it can bound the shares that are given another permission.
fn bounds_shares(readings: &Readings) -> bool {
    readings.permission_resources != PermissionResources::Permission
        || readings.permission_keys == PermissionKeys::All
}

/// That access is taken out of shares with our tag and a name of ours, and out of no others.
fn withdrawal(
    world: &mut World,
    ours: &str,
    untagged: &str,
    named_otherwise: &str,
) -> Result<(), Stop> {
    let remove = "ram:DisassociateResourceShare";
    let delete = "ram:DeleteResourceShare";
    let principal = |share: &str| json!({ "resourceShareArn": share, "principals": [DEV] });
    let bare = |share: &str| json!({ "resourceShareArn": share });
    for other in [untagged, named_otherwise] {
        refused_throughout(world, OWNER, remove, principal(other))?;
        refused_throughout(world, OWNER, delete, bare(other))?;
    }
    allowed(world, OWNER, remove, principal(ours))?;
    allowed(world, OWNER, delete, bare(ours))
}

fn creation(world: &mut World) -> Result<(), Stop> {
    let create = "ram:CreateResourceShare";
    let new = |more: Value| {
        let mut input =
            json!({ "name": "pipeshare-new", "permissionArns": [READ], "tags": managed() });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        input
    };
    allowed(world, OWNER, create, new(json!({})))?;
    for more in [
        json!({ "tags": [] }),
        json!({ "tags": [{ "key": "pipeshare:managed", "value": "false" }] }),
        json!({ "tags": [
            { "key": "pipeshare:managed", "value": "true" },
            { "key": "owner", "value": "somebody-else" },
        ]}),
        json!({ "principals": [STRANGER] }),
        json!({ "resourceArns": [format!("arn:aws:ec2:{REGION}:{TEST}:subnet/subnet-1")] }),
    ] {
        refused(world, OWNER, create, new(more))?;
    }
    let own = format!("arn:aws:ram:{REGION}:{TEST}:permission/everything");
    for permission in [
        "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet",
        &own,
    ] {
        if bounds_new_shares(&world.readings()) {
            let more = json!({ "permissionArns": [permission] });
            refused(world, OWNER, create, new(more))?;
        }
    }
    let tag = |tags: Value| {
        let share = format!("arn:aws:ram:{REGION}:{TEST}:resource-share/any");
        json!({ "resourceShareArn": share, "tags": tags })
    };
    for tags in [
        json!([{ "key": "cost", "value": "1" }]),
        json!([{ "key": "pipeshare:rule", "value": "r" }]),
    ] {
        refused(world, OWNER, "ram:TagResource", tag(tags))?;
    }
    refused(
        world,
        OWNER,
        "sagemaker:StartPipelineExecution",
        json!({ "PipelineName": "probe" }),
    )
}
