//! CloudWatch Logs: groups that rules of EventBridge write into, and that people read.
//!
//! What functions log goes into their groups, and is kept with their invocations, too.

mod functions;
mod groups;
mod reading;
mod resource_policies;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::groups::{Group, Line};
use super::{
    arn::Arn,
    iam::policy::{Context, Decision, Principal, Request, evaluate},
    key::ResourceKey,
};
use crate::world::{ApiError, Call, World};

pub(super) use self::functions::write_function;

/// All log groups and resource policies, by account, Region and name.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    #[serde(with = "crate::state::pairs")]
    groups: BTreeMap<ResourceKey, Group>,
    #[serde(with = "crate::state::pairs")]
    policies: BTreeMap<ResourceKey, Value>,
    lines: u64,
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "CreateLogGroup" => groups::create(world, call),
        "DeleteLogGroup" => groups::delete(world, call),
        "PutRetentionPolicy" => groups::retain(world, call),
        "DescribeLogGroups" => groups::describe(world, call),
        "DescribeLogStreams" => reading::streams(world, call),
        "GetLogEvents" => reading::of_stream(world, call),
        "FilterLogEvents" => reading::filter(world, call),
        "PutResourcePolicy" => resource_policies::put(world, call),
        "DescribeResourcePolicies" => Ok(resource_policies::describe(world, call)),
        "DeleteResourcePolicy" => resource_policies::delete(world, call),
    }
}

/// Makes a log group, as a template's `AWS::Logs::LogGroup` with these properties would.
pub fn create_group(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let key = ResourceKey::new(account, region, name);
    groups::add(world, key, properties["RetentionInDays"].as_i64())
}

/// Sets a resource policy, as a template's `AWS::Logs::ResourcePolicy` would.
pub fn create_resource_policy(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let document = &properties["PolicyDocument"];
    // The property is a text, and newer descriptions of the type take an object, too.
    let text = document
        .as_str()
        .map_or_else(|| document.to_string(), str::to_owned);
    let key = ResourceKey::new(account, region, name);
    resource_policies::set(world, key, &text)
}

/// Writes an event into a log group on behalf of a rule of EventBridge.
///
/// Source: EventBridge user guide, "Using resource-based policies for Amazon
/// EventBridge", CloudWatch Logs permissions: the account's resource policies
/// let it make streams and write into them. ASSUMED, as public repositories
/// found out: only the writing comes with the ARN of the rule.
pub fn deliver(
    world: &mut World,
    group_arn: &str,
    source_arn: &str,
    event: &Value,
) -> Result<(), ApiError> {
    let key = key_of(group_arn).ok_or_else(|| groups::missing(group_arn))?;
    if !world.logs.groups.contains_key(&key) {
        return Err(groups::missing(&key.name));
    }
    let resource = format!("{group_arn}:log-stream:events");
    let account = key.account.clone();
    let (create, put) = ("logs:CreateLogStream", "logs:PutLogEvents");
    let writing = Request::of_service("events.amazonaws.com", source_arn, &account, put, &resource);
    let creating = Request {
        principal: Principal::Service("events.amazonaws.com".to_owned()),
        action: create,
        resource: &resource,
        context: Context::new(),
    };
    for request in [creating, writing] {
        if !is_allowed(world, &key, &request)? {
            let message = format!(
                "No resource policy allows {} on {group_arn}",
                request.action
            );
            return Err(ApiError::new("AccessDeniedException", message));
        }
    }
    let at = event["time"].as_str().and_then(|time| time.parse().ok());
    groups::write(world, &key, at, event.to_string());
    Ok(())
}

/// Forgets all lines of each group but the newest, and what its retention does not keep.
pub(crate) fn tidy(world: &mut World, kept: usize) {
    let groups: Vec<ResourceKey> = world.logs.groups.keys().cloned().collect();
    for key in groups {
        groups::cut(world, &key, kept);
    }
}

/// How many lines there are.
pub(crate) fn held(world: &World) -> (&'static str, usize) {
    let groups = world.logs.groups.values();
    ("lines of logs", groups.map(Group::len).sum())
}

/// The lines of a log group, in the order in which they came: what people read there.
#[must_use]
pub fn lines(world: &World, account: &str, region: &str, name: &str) -> Vec<String> {
    let group = world
        .logs
        .groups
        .get(&ResourceKey::new(account, region, name));
    let lines = group.into_iter().flat_map(|group| group.kept(world.now));
    lines.map(|line: &Line| line.message.clone()).collect()
}

/// The group of an ARN without `:*` at its end.
fn key_of(arn: &str) -> Option<ResourceKey> {
    let parts = Arn::parse(arn)?;
    let name = parts.resource.strip_prefix("log-group:")?;
    (!name.contains(':')).then(|| ResourceKey::new(parts.account, parts.region, name))
}

fn is_allowed(world: &World, key: &ResourceKey, request: &Request<'_>) -> Result<bool, ApiError> {
    let mut allowed = false;
    for (of, policy) in &world.logs.policies {
        if (&of.account, &of.region) != (&key.account, &key.region) {
            continue;
        }
        match evaluate(policy, request)? {
            Decision::Deny => return Ok(false),
            decision => allowed |= decision == Decision::Allow,
        }
    }
    Ok(allowed)
}

/// The group that a call names, by its name or its ARN.
fn group_of<'w>(world: &'w World, call: &Call) -> Result<(ResourceKey, &'w Group), ApiError> {
    let named = call
        .text("logGroupName")
        .or_else(|| call.text("logGroupIdentifier"));
    let named = named
        .ok_or_else(|| invalid("Either logGroupName or logGroupIdentifier must be specified."))?;
    let key = key_of(named.trim_end_matches(":*")).unwrap_or_else(|| ResourceKey::own(call, named));
    match world.logs.groups.get(&key) {
        Some(group) if key.is_own(call) => Ok((key, group)),
        _ => Err(groups::missing(named)),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// What an operation answers that has nothing to say.
fn nothing() -> Value {
    json!({})
}
