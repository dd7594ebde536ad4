//! Evaluates the policies of roles: what a caller may do, as far as the caller's own account says.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Role,
    policy::{self, Request},
    requests::Wanted,
};
use crate::{
    services::{denials, kms},
    world::{ApiError, Caller, World},
};

/// A permission: one action on one resource, by one statement of one policy of one role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Grant {
    /// The account of the role.
    pub account: String,
    /// The name of the role.
    pub role: String,
    /// The name of the policy.
    pub policy: String,
    /// The `Sid` of the statement, or its position.
    pub statement: String,
    /// The action as the statement writes it.
    pub action: String,
    /// The resource as the statement writes it.
    pub resource: String,
}

/// A policy with the name that it has in the role.
type Named<'a> = (&'a str, &'a Value);

/// Refuses what the caller's own policies do not allow; an administrator may do everything.
///
/// AWS would also take the word of a resource's policy in the caller's own
/// account. Here a role must be allowed by its own policies in any case, so
/// that those are shown to be complete.
pub fn check(world: &mut World, caller: &Caller, wanted: &Wanted) -> Result<(), ApiError> {
    if caller.role.is_none() {
        return Ok(());
    }
    match find(world, caller, wanted)? {
        Ok(grants) if key_agrees(world, caller, wanted)? => {
            world.iam.used.extend(grants);
            Ok(())
        }
        Ok(_) => Err(denied(caller, wanted, "because no key policy allows it")),
        Err(reason) => Err(denied(caller, wanted, reason)),
    }
}

/// Whether [`check`] would let the caller do it.
pub fn permits(world: &mut World, caller: &Caller, wanted: &Wanted) -> bool {
    check(world, caller, wanted).is_ok()
}

/// Every permission that a role has, for comparison with those that were used.
#[must_use]
pub fn granted(world: &World, account: &str, role: &str) -> BTreeSet<Grant> {
    let Some(found) = world.iam.role(account, role) else {
        return BTreeSet::new();
    };
    let policies = policies(world, account, found).unwrap_or_default();
    statements(&policies)
        .filter(|(_, _, statement)| statement["Effect"] == "Allow")
        .flat_map(|(policy, position, statement)| {
            grants(
                account,
                role,
                policy,
                position,
                statement,
                |_| true,
                |_| true,
            )
        })
        .collect()
}

/// The permissions that allow what is wanted, or why nothing does.
fn find(
    world: &World,
    caller: &Caller,
    wanted: &Wanted,
) -> Result<Result<Vec<Grant>, &'static str>, ApiError> {
    let (name, role) = match &caller.role {
        Some(session) => match world.iam.role(&caller.account, &session.name) {
            Some(role) => (session.name.as_str(), role),
            None => return Ok(Err("because the role does not exist")),
        },
        None => return Ok(Ok(Vec::new())),
    };
    let request = request(world, caller, wanted);
    let policies = policies(world, &caller.account, role)?;
    let mut allowed = Vec::new();
    for (policy, position, statement) in statements(&policies) {
        if !policy::covers(statement, &request)? {
            continue;
        }
        if statement["Effect"] == "Deny" {
            return Ok(Err("with an explicit deny in an identity-based policy"));
        }
        allowed.extend(grants(
            &caller.account,
            name,
            policy,
            position,
            statement,
            |action| policy::names_action(action, &wanted.action),
            |resource| policy::names_resource(resource, &request),
        ));
    }
    if allowed.is_empty() {
        return Ok(Err("because no identity-based policy allows it"));
    }
    Ok(if within_boundary(world, role, &request)? {
        Ok(allowed)
    } else {
        Err("because no permissions boundary allows it")
    })
}

/// Keys have the last word about themselves; nothing else has.
fn key_agrees(world: &World, caller: &Caller, wanted: &Wanted) -> Result<bool, ApiError> {
    if wanted.action.starts_with("kms:") {
        kms::permits(world, &request(world, caller, wanted))
    } else {
        Ok(true)
    }
}

fn request<'a>(world: &World, caller: &Caller, wanted: &'a Wanted) -> Request<'a> {
    let mut request = Request::of_caller(world, caller, &wanted.action, &wanted.resource);
    for (key, value) in &wanted.context {
        request.add(key, value.clone());
    }
    request
}

/// The policies inside a role and those that it names.
fn policies<'a>(
    world: &'a World,
    account: &str,
    role: &'a Role,
) -> Result<Vec<Named<'a>>, ApiError> {
    let inline = policy::list(role.properties.get("Policies")).map(|policy| {
        let name = policy["PolicyName"].as_str().unwrap_or_default();
        (name, &policy["PolicyDocument"])
    });
    let mut policies: Vec<Named<'_>> = inline.collect();
    for arn in policy::texts(role.properties.get("ManagedPolicyArns")) {
        policies.push(managed(world, account, arn)?);
    }
    Ok(policies)
}

/// A managed policy by its ARN; those of AWS are not known here.
fn managed<'a>(world: &'a World, account: &str, arn: &'a str) -> Result<Named<'a>, ApiError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let document = arn
        .starts_with(&format!("arn:aws:iam::{account}:policy/"))
        .then(|| world.iam.managed_policy(account, name))
        .flatten();
    document.map(|document| (name, document)).ok_or_else(|| {
        let message = format!("The policy {arn} is not known in the sandbox");
        ApiError::with_status(501, "NotImplemented", message)
    })
}

fn statements<'a>(policies: &'a [Named<'a>]) -> impl Iterator<Item = (&'a str, usize, &'a Value)> {
    policies.iter().flat_map(|(name, document)| {
        policy::list(document.get("Statement"))
            .enumerate()
            .map(move |(position, statement)| (*name, position, statement))
    })
}

fn within_boundary(world: &World, role: &Role, request: &Request<'_>) -> Result<bool, ApiError> {
    let Some(arn) = role.properties.get("PermissionsBoundary") else {
        return Ok(true);
    };
    let account = role.arn.split(':').nth(4).unwrap_or_default();
    let boundary = [managed(world, account, arn.as_str().unwrap_or_default())?];
    let mut allowed = false;
    for (_, _, statement) in statements(&boundary) {
        if policy::covers(statement, request)? {
            if statement["Effect"] == "Deny" {
                return Ok(false);
            }
            allowed = true;
        }
    }
    Ok(allowed)
}

/// The permissions of a statement that are about these actions and resources.
fn grants(
    account: &str,
    role: &str,
    policy: &str,
    position: usize,
    statement: &Value,
    is_action: impl Fn(&str) -> bool,
    is_resource: impl Fn(&str) -> bool,
) -> Vec<Grant> {
    let sid = statement["Sid"].as_str();
    let resources: Vec<&str> = policy::texts(statement.get("Resource"))
        .filter(|resource| is_resource(resource))
        .collect();
    let actions = policy::texts(statement.get("Action")).filter(|action| is_action(action));
    actions
        .flat_map(|action| resources.iter().map(move |resource| (action, *resource)))
        .map(|(action, resource)| Grant {
            account: account.to_owned(),
            role: role.to_owned(),
            policy: policy.to_owned(),
            statement: sid.map_or_else(|| position.to_string(), str::to_owned),
            action: action.to_owned(),
            resource: resource.to_owned(),
        })
        .collect()
}

fn denied(caller: &Caller, wanted: &Wanted, reason: &str) -> ApiError {
    let service = wanted.action.split(':').next().unwrap_or_default();
    denials::denied(
        service,
        &caller.arn(),
        &wanted.action,
        &wanted.resource,
        reason,
    )
}

#[cfg(test)]
mod tests;
