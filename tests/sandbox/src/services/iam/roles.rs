//! IAM's operations on roles and the policies inside them.
//!
//! Source: the service model and the IAM user guide, "IAM and AWS STS quotas".

use regex_lite::Regex;
use serde_json::{Map, Value, json};

use super::{Role, create_role, policy};
use crate::{
    services::{pages, validation::invalid_query as invalid},
    world::{ApiError, Call, World},
};

/// All the policies inside a role may have this many characters, without white space.
const MAX_INLINE: usize = 10_240;

/// How much a list has on a page unless it is asked for something else.
const PAGE: usize = 100;

/// What a document may be made of: Latin-1 without most control characters.
const DOCUMENT: &str = r"[\x09\x0A\x0D\x20-\xFF]+";

/// Names of roles and policies.
const NAME: &str = r"[\w+=,.@-]+";

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "CreateRole" => create(world, call),
        "GetRole" => get(world, call),
        "ListRoles" => list(world, call),
        "DeleteRole" => delete(world, call),
        "PutRolePolicy" => put_policy(world, call),
        "GetRolePolicy" => get_policy(world, call),
        "ListRolePolicies" => list_policies(world, call),
        "DeleteRolePolicy" => delete_policy(world, call),
    }
}

fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    if call.text("PermissionsBoundary").is_some() {
        return Err(ApiError::not_implemented(call));
    }
    let name = required(call, "RoleName", 64, NAME)?;
    let mut properties = Map::new();
    let trust = document(call, "AssumeRolePolicyDocument")?;
    properties.insert("AssumeRolePolicyDocument".to_owned(), trust);
    let path = optional(call, "Path", 512, r"/|/[\x21-\x7E]+/")?;
    properties.insert("Path".to_owned(), path.unwrap_or("/").into());
    if let Some(description) = optional(call, "Description", 1000, DOCUMENT)? {
        properties.insert("Description".to_owned(), description.into());
    }
    if let Some(seconds) = number(call, "MaxSessionDuration", 3600..=43_200)? {
        properties.insert("MaxSessionDuration".to_owned(), seconds.into());
    }
    if let Some(tags) = call.input.get("Tags") {
        properties.insert("Tags".to_owned(), tags.clone());
    }
    let account = &call.caller.account;
    create_role(world, account, name, &Value::Object(properties))?;
    let role = find(world, call)?;
    Ok(json!({ "Role": shape(name, role, true) }))
}

fn get(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "RoleName", 64, NAME)?;
    let role = find(world, call)?;
    Ok(json!({ "Role": shape(name, role, true) }))
}

/// The list leaves out tags, as AWS's does.
fn list(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let prefix = optional(call, "PathPrefix", 512, r"/[\x21-\x7F]*")?.unwrap_or("/");
    let roles = world.iam.roles.iter();
    let roles = roles
        .filter(|((account, _), _)| *account == call.caller.account)
        .filter(|(_, role)| path(role).starts_with(prefix))
        .map(|((_, name), role)| shape(name, role, false));
    page(call, "Roles", roles.collect())
}

fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let role = find(world, call)?;
    let held = ["Policies", "ManagedPolicyArns"];
    let is_empty = |held: &str| policy::list(role.properties.get(held)).next().is_none();
    if !held.into_iter().all(is_empty) {
        return Err(ApiError::with_status(
            409,
            "DeleteConflict",
            "Cannot delete entity, must detach all policies first.",
        ));
    }
    let name = call.text("RoleName").unwrap_or_default();
    super::delete_role(world, &call.caller.account, name);
    Ok(Value::Null)
}

fn put_policy(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "PolicyName", 128, NAME)?;
    let document = document(call, "PolicyDocument")?;
    let role = find_mut(world, call)?;
    let mut policies = inline(role);
    policies.retain(|policy| policy["PolicyName"] != name);
    policies.push(json!({ "PolicyName": name, "PolicyDocument": document }));
    let size = |policy: &Value| policy["PolicyDocument"].to_string().len();
    if policies.iter().map(size).sum::<usize>() > MAX_INLINE {
        let role = call.text("RoleName").unwrap_or_default();
        let message = format!("Maximum policy size of {MAX_INLINE} bytes exceeded for role {role}");
        return Err(ApiError::with_status(409, "LimitExceeded", message));
    }
    role.properties["Policies"] = policies.into();
    Ok(Value::Null)
}

fn get_policy(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "PolicyName", 128, NAME)?;
    let policies = inline(find(world, call)?);
    let found = policies.iter().find(|policy| policy["PolicyName"] == name);
    let found = found.ok_or_else(|| no_such_policy(name))?;
    Ok(json!({
        "RoleName": call.text("RoleName"),
        "PolicyName": name,
        "PolicyDocument": encoded(&found["PolicyDocument"]),
    }))
}

fn list_policies(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let policies = inline(find(world, call)?);
    let mut names: Vec<Value> = policies
        .iter()
        .map(|policy| policy["PolicyName"].clone())
        .collect();
    names.sort_by_key(Value::to_string);
    page(call, "PolicyNames", names)
}

fn delete_policy(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "PolicyName", 128, NAME)?;
    let role = find_mut(world, call)?;
    let mut policies = inline(role);
    let before = policies.len();
    policies.retain(|policy| policy["PolicyName"] != name);
    if policies.len() == before {
        return Err(no_such_policy(name));
    }
    role.properties["Policies"] = policies.into();
    Ok(Value::Null)
}

/// The policies inside a role.
fn inline(role: &Role) -> Vec<Value> {
    policy::list(role.properties.get("Policies"))
        .cloned()
        .collect()
}

fn find<'w>(world: &'w World, call: &Call) -> Result<&'w Role, ApiError> {
    let name = required(call, "RoleName", 64, NAME)?;
    let role = world.iam.role(&call.caller.account, name);
    role.ok_or_else(|| no_such_role(name))
}

fn find_mut<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Role, ApiError> {
    let name = required(call, "RoleName", 64, NAME)?;
    let key = (call.caller.account.clone(), name.to_owned());
    let role = world.iam.roles.get_mut(&key);
    role.ok_or_else(|| no_such_role(name))
}

fn path(role: &Role) -> &str {
    role.properties["Path"].as_str().unwrap_or("/")
}

fn shape(name: &str, role: &Role, is_whole: bool) -> Value {
    let mut shape = json!({
        "Path": path(role),
        "RoleName": name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": format!("{:.0}", role.created),
        "AssumeRolePolicyDocument": encoded(&role.trust),
        "MaxSessionDuration": role.max_session_duration(),
    });
    if let Some(description) = role.properties.get("Description") {
        shape["Description"] = description.clone();
    }
    let tags = role.properties.get("Tags").filter(|_| is_whole);
    if let Some(tags) = tags {
        shape["Tags"] = tags.clone();
    }
    shape
}

/// Answers have documents percent-encoded, "compliant with RFC 3986".
fn encoded(document: &Value) -> String {
    let text = document.to_string();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| match byte {
        byte if unreserved(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// The part of a list that a call asks for; the marker is the position.
fn page(call: &Call, member: &str, items: Vec<Value>) -> Result<Value, ApiError> {
    let size = number(call, "MaxItems", 1..=1000)?;
    let size = size.and_then(|size| usize::try_from(size).ok());
    let start = pages::position(call.text("Marker"), || invalid("Invalid Marker"))?;
    let (items, next) = pages::cut(items, start, size.unwrap_or(PAGE));
    let mut answer = json!({ "IsTruncated": next.is_some(), member: items });
    if let Some(next) = next {
        answer["Marker"] = next.to_string().into();
    }
    Ok(answer)
}

/// A document with statements, each of which says what it does.
fn document(call: &Call, member: &str) -> Result<Value, ApiError> {
    let malformed = |problem: &str| ApiError::new("MalformedPolicyDocument", problem);
    let text = required(call, member, 131_072, DOCUMENT)?;
    let document: Value =
        serde_json::from_str(text).map_err(|_| malformed("Syntax errors in policy."))?;
    let is_trust = member == "AssumeRolePolicyDocument";
    let about = if is_trust { "Principal" } else { "Resource" };
    let mut statements = policy::list(document.get("Statement")).peekable();
    if statements.peek().is_none() {
        return Err(malformed("Syntax errors in policy."));
    }
    for statement in statements {
        let has = |element: &str| {
            statement.get(element).is_some() || statement.get(format!("Not{element}")).is_some()
        };
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) || !has("Action") {
            return Err(malformed("Syntax errors in policy."));
        }
        if !has(about) {
            return Err(malformed(if is_trust {
                "Missing required field Principal"
            } else {
                "Policy statement must contain resources."
            }));
        }
        let forbidden = if is_trust { "Resource" } else { "Principal" };
        if has(forbidden) {
            return Err(malformed(if is_trust {
                "Has prohibited field Resource"
            } else {
                "Policy document should not specify a principal."
            }));
        }
    }
    Ok(document)
}

fn required<'c>(
    call: &'c Call,
    member: &str,
    longest: usize,
    pattern: &str,
) -> Result<&'c str, ApiError> {
    optional(call, member, longest, pattern)?.ok_or_else(|| {
        let member = lower(member);
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: \
             Member must not be null"
        ))
    })
}

fn optional<'c>(
    call: &'c Call,
    member: &str,
    longest: usize,
    pattern: &str,
) -> Result<Option<&'c str>, ApiError> {
    let Some(text) = call.text(member) else {
        return Ok(None);
    };
    let whole = Regex::new(&format!("^(?:{pattern})$"));
    let matches = whole.is_ok_and(|pattern| pattern.is_match(text));
    if matches && text.chars().count() <= longest {
        return Ok(Some(text));
    }
    let member = lower(member);
    Err(invalid(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member \
         must have length less than or equal to {longest} and satisfy regular expression \
         pattern: {pattern}"
    )))
}

/// A form has numbers as texts.
fn number(
    call: &Call,
    member: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, ApiError> {
    let Some(text) = call.text(member) else {
        return Ok(None);
    };
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.map(Some).ok_or_else(|| {
        let (member, from, to) = (lower(member), range.start(), range.end());
        invalid(format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: \
             Member must be between {from} and {to}"
        ))
    })
}

/// IAM writes members in its messages with a small letter.
fn lower(member: &str) -> String {
    let (first, rest) = member.split_at(1);
    first.to_ascii_lowercase() + rest
}

fn no_such_role(name: &str) -> ApiError {
    let message = format!("The role with name {name} cannot be found.");
    ApiError::with_status(404, "NoSuchEntity", message)
}

fn no_such_policy(name: &str) -> ApiError {
    let message = format!("The role policy with name {name} cannot be found.");
    ApiError::with_status(404, "NoSuchEntity", message)
}

#[cfg(test)]
mod tests;
