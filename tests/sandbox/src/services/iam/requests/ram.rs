//! RAM's requests: "AWS RAM authorizes APIs separately for each principal and resource".

use super::{Wanted, action};
use crate::{
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

/// ASSUMED: the bare share is asked for by itself as well, without principal and resource.
fn create(world: &World, call: &Call) -> Vec<Wanted> {
    let bare = requested_externals(with_tags(Wanted::new(action(call), "*"), call), call);
    let mut requests = each(call, &bare);
    requests.push(bare);
    let share = format!(
        "arn:aws:ram:{}:{}:resource-share/new",
        call.region, call.caller.account
    );
    if call.input["tags"]
        .as_array()
        .is_some_and(|tags| !tags.is_empty())
    {
        requests.push(with_tags(
            Wanted::new("ram:TagResource", share.clone()),
            call,
        ));
    }
    // ASSUMED: the permissions of a new share are asked for like those that are associated later.
    for arn in call.texts("permissionArns") {
        let associate = Wanted::new("ram:AssociateResourceSharePermission", share.clone());
        requests.extend(permissions(world, associate, &arn));
    }
    if !call.texts("resourceArns").is_empty() {
        requests.extend(resource_policy(&["Get", "Put"]));
    }
    requests
}

/// ASSUMED: as for a new share, the bare share is asked for by itself as well.
fn associate(world: &World, call: &Call) -> Vec<Wanted> {
    let bare = on_share(world, call, &action(call));
    let mut requests = each(call, &bare);
    requests.push(bare);
    let has_resources = !call.texts("resourceArns").is_empty();
    match call.operation.as_str() {
        "AssociateResourceShare" if has_resources => {
            requests.extend(resource_policy(&["Get", "Put"]));
        }
        "DisassociateResourceShare" if has_resources => {
            requests.extend(resource_policy(&["Get", "Delete"]));
        }
        _ => {}
    }
    requests
}

fn permission(world: &World, call: &Call) -> Vec<Wanted> {
    let share = on_share(world, call, &action(call));
    let arn = call.text("permissionArn").unwrap_or_default();
    let mut requests = permissions(world, share, arn);
    if facts(world, call).is_some_and(|share| share.has_resources) {
        requests.extend(resource_policy(&["Get", "Put"]));
    }
    requests
}

fn delete(world: &World, call: &Call) -> Vec<Wanted> {
    let mut requests = vec![on_share(world, call, &action(call))];
    if facts(world, call).is_some_and(|share| share.has_resources) {
        requests.extend(resource_policy(&["Get", "Delete"]));
    }
    requests
}

/// The requests for every principal and every resource of the call.
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
///
/// ASSUMED: its keys are there both times, as AWS's own policies for
/// data lakes need them to be.
fn permissions(world: &World, share: Wanted, arn: &str) -> Vec<Wanted> {
    let itself = Wanted::new(share.action.clone(), arn);
    let about = |wanted: Wanted| {
        let wanted = wanted.with("ram:PermissionArn", arn);
        match ram::resource_type_of_permission(world, arn) {
            Some(kind) => wanted.with("ram:PermissionResourceType", kind),
            None => wanted,
        }
    };
    vec![about(share), about(itself)]
}

/// What RAM does to the policies of pipelines in the caller's name; these
/// actions know no resource.
///
/// ASSUMED: which of them for which operation.
fn resource_policy(verbs: &[&str]) -> Vec<Wanted> {
    let action = |verb: &&str| format!("sagemaker:{verb}ResourcePolicy");
    verbs
        .iter()
        .map(|verb| Wanted::new(action(verb), "*"))
        .collect()
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
