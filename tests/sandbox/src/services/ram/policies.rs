//! The resource policies that RAM attaches to what is shared.

use serde_json::{Value, json};

use super::{
    entities::{Principal, Resource},
    input::invalid,
    model::{AssociationStatus, Share, ShareStatus},
    paging,
};
use crate::{
    organization::Organization,
    world::{ApiError, Call, World},
};

/// `GetResourcePolicies`: one document for each of the caller's resources,
/// merged from all shares that it is in.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    let arns = call.texts("resourceArns");
    if arns.is_empty() {
        return Err(invalid("Missing required parameter resourceArns."));
    }
    let principal = call.text("principal").map(Principal::parse).transpose()?;
    let mut policies = Vec::new();
    for arn in &arns {
        let resource = Resource::parse(arn)?;
        if resource.account != call.caller.account || resource.region != call.region {
            return Err(ApiError::new(
                "ResourceArnNotFoundException",
                format!("The resource {arn} was not found."),
            ));
        }
        policies.extend(policy(world, &resource, principal.as_ref()));
    }
    paging::page(
        world,
        call,
        "policies",
        policies.into_iter().map(Value::from),
    )
}

fn policy(world: &World, resource: &Resource, principal: Option<&Principal>) -> Option<String> {
    let statements: Vec<Value> = world
        .ram
        .owned(&resource.account, &resource.region)
        .flat_map(|share| share.statements(world, resource, principal))
        .collect();
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    (!statements.is_empty()).then(|| policy.to_string())
}

impl Share {
    fn statements(
        &self,
        world: &World,
        resource: &Resource,
        only: Option<&Principal>,
    ) -> Vec<Value> {
        let is_shared = self.status == ShareStatus::Active
            && self
                .associations
                .get(&resource.key())
                .is_some_and(|each| each.status == AssociationStatus::Associated);
        let Some(template) = self
            .permissions
            .get(resource.kind.name)
            .filter(|_| is_shared)
            .and_then(|attached| world.ram.template(attached))
        else {
            return Vec::new();
        };
        self.principals()
            .filter(|(_, principal)| only.is_none_or(|only| only.key() == principal.key()))
            .map(|(_, principal)| {
                let mut statement = Value::Object(template.statement());
                merge(&mut statement, principal.statement(&world.organization));
                statement["Resource"] = resource.arn.as_str().into();
                statement
            })
            .collect()
    }
}

/// Adds the members of an object to another one, at every depth.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

impl Principal {
    /// The part of a statement that says whom it is for.
    fn statement(&self, organization: &Organization) -> Value {
        match self {
            Self::Account(account) => {
                json!({ "Principal": { "AWS": format!("arn:aws:iam::{account}:root") } })
            }
            Self::Identity { arn, .. } => json!({ "Principal": { "AWS": arn } }),
            Self::Organization(_) => json!({
                "Principal": "*",
                "Condition": { "StringEquals": { "aws:PrincipalOrgID": organization.id } },
            }),
            Self::Unit(arn) => {
                let unit = arn.rsplit('/').next().unwrap_or_default();
                let path = format!("{}/*/{unit}/*", organization.id);
                json!({
                    "Principal": "*",
                    "Condition": { "ForAnyValue:StringLike": { "aws:PrincipalOrgPaths": [path] } },
                })
            }
        }
    }
}
