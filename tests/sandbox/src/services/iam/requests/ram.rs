//! RAM's requests: "AWS RAM authorizes APIs separately for each principal and resource".

use super::{Wanted, action};
use crate::{
    readings::{
        BareShare, NewShareName, NewSharePermission, PermissionKeys, PermissionResources,
        ResourcePolicy,
    },
    services::ram::{self, ShareFacts},
    world::{Call, World},
};

pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    match call.operation.as_str() {
        "CreateResourceShare" => create(world, call),
        "AssociateResourceShare" | "DisassociateResourceShare" => associate(world, call),
        "AssociateResourceSharePermission" => permission(world, call),
        "DeleteResourceShare" => delete(world, call),
        "UpdateResourceShare" => {
            let share = on_share(world, call, &action(call));
            vec![requested_externals(share, call)]
        }
        _ => vec![on_whatever_is_named(world, call)],
    }
}

fn create(world: &World, call: &Call) -> Vec<Wanted> {
    let bare = requested_externals(with_tags(Wanted::new(action(call), "*"), call), call);
    let mut requests = each_and_bare(world, call, bare);
    let is_tagged = call.input["tags"]
        .as_array()
        .is_some_and(|tags| !tags.is_empty());
    if is_tagged {
        let tag = new_share(world, call, "ram:TagResource");
        requests.push(with_tags(tag, call));
    }
    if world.readings.new_share_permission == NewSharePermission::Asked {
        for arn in call.texts("permissionArns") {
            let associate = new_share(world, call, "ram:AssociateResourceSharePermission");
            requests.extend(permissions(world, associate, &arn));
        }
    }
    let resources = call.texts("resourceArns");
    requests.extend(resource_policies(world, &resources, &["Get", "Put"]));
    requests
}

/// A share that is about to be created, as the resource of a further action.
fn new_share(world: &World, call: &Call, action: &str) -> Wanted {
    let (region, account) = (&call.region, &call.caller.account);
    let share = format!("arn:aws:ram:{region}:{account}:resource-share/new");
    let wanted = Wanted::new(action, share);
    match (world.readings.new_share_name, call.text("name")) {
        (NewShareName::Offered, Some(name)) => wanted.with("ram:ResourceShareName", name),
        _ => wanted,
    }
}

fn associate(world: &World, call: &Call) -> Vec<Wanted> {
    let bare = on_share(world, call, &action(call));
    let mut requests = each_and_bare(world, call, bare);
    let verbs = match call.operation.as_str() {
        "AssociateResourceShare" => ["Get", "Put"],
        _ => ["Get", "Delete"],
    };
    let resources = call.texts("resourceArns");
    requests.extend(resource_policies(world, &resources, &verbs));
    requests
}

fn permission(world: &World, call: &Call) -> Vec<Wanted> {
    let share = on_share(world, call, &action(call));
    let arn = call.text("permissionArn").unwrap_or_default();
    let mut requests = permissions(world, share, arn);
    requests.extend(policies_of_contents(world, call, &["Get", "Put"]));
    requests
}

fn delete(world: &World, call: &Call) -> Vec<Wanted> {
    let mut requests = vec![on_share(world, call, &action(call))];
    requests.extend(policies_of_contents(world, call, &["Get", "Delete"]));
    requests
}

/// The requests for every principal and every resource of the call, and for the share by itself.
fn each_and_bare(world: &World, call: &Call, bare: Wanted) -> Vec<Wanted> {
    let mut requests = each(call, &bare);
    if requests.is_empty() || world.readings.bare_share == BareShare::AsWell {
        requests.push(bare);
    }
    requests
}

fn each(call: &Call, bare: &Wanted) -> Vec<Wanted> {
    let principals = call.texts("principals").into_iter();
    let principals = principals.map(|principal| bare.clone().with("ram:Principal", principal));
    let resources = call.texts("resourceArns").into_iter().map(|arn| {
        let wanted = bare.clone().with("ram:ResourceArn", arn.clone());
        match ram::resource_type_of(&arn) {
            Some(kind) => wanted.with("ram:RequestedResourceType", kind),
            None => wanted,
        }
    });
    principals.chain(resources).collect()
}

/// A permission is asked for on the share and on itself.
fn permissions(world: &World, share: Wanted, arn: &str) -> Vec<Wanted> {
    let about = |wanted: Wanted| {
        let wanted = wanted.with("ram:PermissionArn", arn);
        match ram::resource_type_of_permission(world, arn) {
            Some(kind) => wanted.with("ram:PermissionResourceType", kind),
            None => wanted,
        }
    };
    let itself = about(Wanted::new(share.action.clone(), arn));
    let (share, itself) = match world.readings.permission_keys {
        PermissionKeys::ShareKnowsPermission => (about(share), itself),
        PermissionKeys::ByResource => (share, itself),
        PermissionKeys::All => {
            let keys_of_share = share.context.clone().into_iter();
            let keys_of_share = keys_of_share.filter(|(key, _)| key != "aws:ResourceAccount");
            let itself =
                keys_of_share.fold(itself, |wanted, (key, value)| wanted.with(&key, value));
            (about(share), itself)
        }
    };
    match world.readings.permission_resources {
        PermissionResources::Both => vec![share, itself],
        PermissionResources::Share => vec![share],
        PermissionResources::Permission => vec![itself],
    }
}

/// What RAM does to the policies of resources in the caller's name.
///
/// ASSUMED: which of the actions for which operation.
fn resource_policies(world: &World, resources: &[String], verbs: &[&str]) -> Vec<Wanted> {
    if world.readings.resource_policy == ResourcePolicy::NotAsked {
        return Vec::new();
    }
    let on_each = |verb: &&str| {
        let action = format!("sagemaker:{verb}ResourcePolicy");
        let on = move |arn: &String| Wanted::new(action.clone(), arn);
        resources.iter().map(on).collect::<Vec<_>>()
    };
    verbs.iter().flat_map(on_each).collect()
}

/// The same for all that is in the share which the call names.
fn policies_of_contents(world: &World, call: &Call, verbs: &[&str]) -> Vec<Wanted> {
    let share = call.text("resourceShareArn").unwrap_or_default();
    resource_policies(world, &ram::resources_in(world, share), verbs)
}

fn on_whatever_is_named(world: &World, call: &Call) -> Wanted {
    if call.text("resourceShareArn").is_some() {
        return with_tags(on_share(world, call, &action(call)), call);
    }
    if let Some(arn) = call.text("resourceShareInvitationArn") {
        return on_invitation(world, call, arn);
    }
    let arn = call.text("permissionArn").or(call.text("resourceArn"));
    with_tags(Wanted::new(action(call), arn.unwrap_or("*")), call)
}

/// Accepting and rejecting know the owner; looking inside does not.
fn on_invitation(world: &World, call: &Call, arn: &str) -> Wanted {
    let mut wanted = Wanted::new(action(call), arn);
    if let Some((owner, name)) = ram::invitation_of(world, arn) {
        wanted = wanted.with("ram:ResourceShareName", name);
        if call.operation != "ListPendingInvitationResources" {
            wanted = wanted.with("ram:ShareOwnerAccountId", owner);
        }
    }
    wanted
}

fn on_share(world: &World, call: &Call, action: &str) -> Wanted {
    let arn = call.text("resourceShareArn").unwrap_or_default();
    let wanted = Wanted::new(action, arn);
    let Some(share) = facts(world, call) else {
        return wanted;
    };
    let mut wanted = wanted.with("ram:ResourceShareName", share.name).with(
        "ram:AllowsExternalPrincipals",
        share.allows_external.to_string(),
    );
    for (key, value) in share.tags {
        wanted = wanted
            .with(&format!("aws:ResourceTag/{key}"), value.clone())
            .with(&format!("ram:ResourceTag/{key}"), value);
    }
    wanted
}

fn facts(world: &World, call: &Call) -> Option<ShareFacts> {
    ram::share_facts(world, call.text("resourceShareArn")?)
}

fn with_tags(mut wanted: Wanted, call: &Call) -> Wanted {
    for tag in call.input["tags"].as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["key"].as_str(), tag["value"].as_str()) {
            wanted = wanted
                .with(&format!("aws:RequestTag/{key}"), value)
                .with("aws:TagKeys", key);
        }
    }
    for key in call.texts("tagKeys") {
        wanted = wanted.with("aws:TagKeys", key);
    }
    wanted
}

/// A new share admits principals from outside the organization unless told not to.
fn requested_externals(wanted: Wanted, call: &Call) -> Wanted {
    let requested = call.input["allowExternalPrincipals"].as_bool();
    let requested = requested.or((call.operation == "CreateResourceShare").then_some(true));
    match requested {
        Some(requested) => wanted.with(
            "ram:RequestedAllowsExternalPrincipals",
            requested.to_string(),
        ),
        None => wanted,
    }
}
