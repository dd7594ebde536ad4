//! Systems Manager Parameter Store: versions and labels.

mod history;
pub(crate) mod keys;
mod labels;
mod names;
mod tags;

use std::collections::{BTreeMap, btree_map::Entry};

use serde_json::{Value, json};

use self::{
    history::{Parameter, Tier, Version},
    names::{Reference, Selector},
};
use super::events::{self, ServiceEvent};
use crate::{
    services::{key::ResourceKey, pages, validation::invalid},
    world::{ApiError, Call, World, epoch_seconds},
};

/// The most results of a page, and the default.
const PAGE: usize = 50;

/// All parameters by account, Region and name.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    #[serde(with = "crate::state::pairs")]
    parameters: BTreeMap<ResourceKey, Parameter>,
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "PutParameter" => put(world, call),
        "GetParameter" => get(world, call),
        "GetParameters" => get_many(world, call),
        "GetParametersByPath" => get_by_path(world, call),
        "GetParameterHistory" => history(world, call),
        "LabelParameterVersion" => labels::attach(world, call),
        "UnlabelParameterVersion" => labels::take_away(world, call),
        "DeleteParameter" => delete(world, call),
        "DeleteParameters" => delete_many(world, call),
        "AddTagsToResource" => tags::add(world, call),
        "RemoveTagsFromResource" => tags::remove(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "DescribeParameters" => describe(world, call),
    }
}

/// Makes a parameter, as a template's `AWS::SSM::Parameter` with these properties would.
pub fn create_parameter(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let mut input = properties.clone();
    input["Name"] = json!(name);
    let request = Call {
        caller: crate::world::Caller::administrator(account),
        region: region.to_owned(),
        service: "ssm".to_owned(),
        operation: "PutParameter".to_owned(),
        input,
    };
    call(world, &request).map(drop)
}

/// The newest version of the parameter of this name and of those below it: name, number and value.
#[must_use]
pub fn newest_under<'w>(
    world: &'w World,
    account: &str,
    region: &str,
    name: &str,
) -> Vec<(&'w str, u64, &'w str)> {
    let is_under = |key: &ResourceKey| {
        let rest = key.name.strip_prefix(name);
        key.account == account
            && key.region == region
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let parameters = world.ssm.parameters.iter();
    let parameters = parameters.filter(|(key, _)| is_under(key));
    let newest = parameters.map(|(key, parameter)| {
        let newest = parameter.newest();
        (key.name.as_str(), newest.number, newest.value.as_str())
    });
    newest.collect()
}

fn put(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    // Spaces around a name are taken away, as the API reference says.
    let name = required(call, "Name")?.trim_matches(' ');
    let value = put_value(call)?;
    names::check(name, &arn(call, name))?;
    names::check_value(value)?;
    let key = ResourceKey::own(call, name);
    let existing = world.ssm.parameters.get(&key);
    if existing.is_some() && call.input["Overwrite"] != true {
        return Err(ApiError::new(
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option \
             in the request to true.",
        ));
    }
    let version = new_version(world, call, existing, value)?;
    let tags = tags::of_new(call, existing.is_some())?;
    let answer = json!({ "Version": version.number, "Tier": version.tier.as_str() });
    let operation = if existing.is_some() {
        "Update"
    } else {
        "Create"
    };
    match world.ssm.parameters.entry(key) {
        Entry::Occupied(parameter) => parameter.into_mut().add(version)?,
        Entry::Vacant(free) => {
            free.insert(Parameter::new(version)).tags = tags;
        }
    }
    announce(world, call, name, operation);
    Ok(answer)
}

/// The value to put, of at least one letter.
fn put_value(call: &Call) -> Result<&str, ApiError> {
    let value = call.text("Value").filter(|text| !text.is_empty());
    value.ok_or_else(|| {
        // ministryofjustice/modernisation-platform pull request 8116.
        invalid(
            "1 validation error detected: Value at 'value' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        )
    })
}

fn new_version(
    world: &World,
    call: &Call,
    existing: Option<&Parameter>,
    value: &str,
) -> Result<Version, ApiError> {
    let newest = existing.map(Parameter::newest);
    let kind = match call
        .text("Type")
        .or(newest.map(|newest| newest.kind.as_str()))
    {
        Some(kind @ ("String" | "StringList" | "SecureString")) => kind.to_owned(),
        Some(other) => return Err(invalid(format!("Unknown parameter type: {other}"))),
        None => {
            return Err(invalid(
                "A parameter type is required when you create a parameter.",
            ));
        }
    };
    // ASSUMED: a new version without a tier keeps that of the version before.
    let tier = Tier::choose(call.text("Tier"), newest.map(|newest| newest.tier), value)?;
    let key = keys::of_new(world, call, &kind)?;
    Ok(Version {
        key,
        number: newest.map_or(1, |newest| newest.number + 1),
        value: value.to_owned(),
        kind,
        tier,
        description: call.text("Description").map(str::to_owned),
        data_type: call.text("DataType").unwrap_or("text").to_owned(),
        modified: world.now,
        modified_by: call.caller.arn(),
        labels: Vec::new(),
    })
}

fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    let reference = Reference::parse(required(call, "Name")?)?;
    Ok(json!({ "Parameter": look_up(world, call, &reference)? }))
}

fn get_many(world: &World, call: &Call) -> Result<Value, ApiError> {
    let names = call.texts("Names");
    if names.is_empty() || names.len() > 10 {
        return Err(invalid("Member must have between 1 and 10 names"));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        let reference = Reference::parse(&name);
        match reference.and_then(|reference| look_up(world, call, &reference)) {
            Ok(parameter) => found.push(parameter),
            Err(_) => missing.push(name),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": missing }))
}

fn get_by_path(world: &World, call: &Call) -> Result<Value, ApiError> {
    let path = required(call, "Path")?;
    if !path.starts_with('/') {
        return Err(invalid(
            "The parameter path must begin with a forward slash.",
        ));
    }
    let found = own(world, call).filter(|(name, _)| names::is_below(call, name));
    let found: Vec<Value> = found
        .map(|(name, parameter)| shown(call, name, parameter.newest(), None))
        .collect();
    page(call, "Parameters", &found)
}

fn look_up(world: &World, call: &Call, reference: &Reference<'_>) -> Result<Value, ApiError> {
    let (name, version) = look_up_version(world, call, reference)?;
    Ok(shown(call, name, version, reference.selector_text))
}

/// The version that is meant, and the name of its parameter.
fn look_up_version<'a>(
    world: &'a World,
    call: &Call,
    reference: &Reference<'a>,
) -> Result<(&'a str, &'a Version), ApiError> {
    let names = reference.names_for(call).into_iter();
    let mut found = names.filter_map(|name| Some((name, find(world, call, name).ok()?)));
    let (name, parameter) = found.next().ok_or_else(not_found)?;
    let version = match reference.selector {
        Selector::Newest => Some(parameter.newest()),
        Selector::Version(number) => parameter.version(number),
        Selector::Label(label) => parameter.labelled(label),
    };
    let version = version.ok_or_else(|| version_not_found(name))?;
    Ok((name, version))
}

fn shown(call: &Call, name: &str, version: &Version, selector: Option<&str>) -> Value {
    let mut shown = json!({
        "Name": name,
        "Type": version.kind,
        "Value": version.value_for(call),
        "Version": version.number,
        "LastModifiedDate": epoch_seconds(version.modified),
        "ARN": arn(call, name),
        "DataType": version.data_type,
    });
    if let Some(selector) = selector {
        shown["Selector"] = json!(format!(":{selector}"));
    }
    shown
}

fn history(world: &World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "Name")?;
    let parameter = find(world, call, name)?;
    let versions = parameter.versions();
    let versions: Vec<Value> = versions
        .map(|version| {
            let mut shown = described(name, version);
            shown["Value"] = json!(version.value_for(call));
            shown["Labels"] = json!(version.labels);
            shown
        })
        .collect();
    page(call, "Parameters", &versions)
}

fn described(name: &str, version: &Version) -> Value {
    let mut shown = json!({
        "Name": name,
        "Type": version.kind,
        "LastModifiedDate": epoch_seconds(version.modified),
        "LastModifiedUser": version.modified_by,
        "Version": version.number,
        "Tier": version.tier.as_str(),
        "Policies": [],
        "DataType": version.data_type,
    });
    if version.kind == "SecureString" {
        let key = version.key.as_deref();
        shown["KeyId"] = json!(key.unwrap_or("alias/aws/ssm"));
    }
    if let Some(description) = &version.description {
        shown["Description"] = json!(description);
    }
    shown
}

fn delete_many(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let names = call.texts("Names");
    if names.is_empty() || names.len() > 10 {
        return Err(invalid("Member must have between 1 and 10 names"));
    }
    let (deleted, missing): (Vec<_>, Vec<_>) = names
        .into_iter()
        .partition(|name| find(world, call, name).is_ok());
    for name in &deleted {
        announce(world, call, name, "Delete");
        world.ssm.parameters.remove(&ResourceKey::own(call, name));
    }
    Ok(json!({ "DeletedParameters": deleted, "InvalidParameters": missing }))
}

fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(call, "Name")?;
    find(world, call, name)?;
    announce(world, call, name, "Delete");
    world.ssm.parameters.remove(&ResourceKey::own(call, name));
    Ok(json!({}))
}

fn describe(world: &World, call: &Call) -> Result<Value, ApiError> {
    if has_items(call, "Filters") || has_items(call, "ParameterFilters") {
        return Err(ApiError::not_implemented(call));
    }
    let parameters: Vec<Value> = own(world, call)
        .map(|(name, parameter)| {
            let mut shown = described(name, parameter.newest());
            shown["ARN"] = json!(arn(call, name));
            shown
        })
        .collect();
    page(call, "Parameters", &parameters)
}

fn has_items(call: &Call, member: &str) -> bool {
    call.input[member]
        .as_array()
        .is_some_and(|list| !list.is_empty())
}

/// One page of a list; the token is the position that the next one starts at.
fn page(call: &Call, member: &str, items: &[Value]) -> Result<Value, ApiError> {
    let refuse = || ApiError::new("InvalidNextToken", "The specified token isn't valid.");
    let start = pages::position(call.text("NextToken"), refuse)?;
    if start > items.len() {
        return Err(refuse());
    }
    let size = call.input["MaxResults"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    let size = size.unwrap_or(PAGE).min(PAGE);
    let (items, next) = pages::cut(items.iter().cloned(), start, size);
    let mut answer = json!({ member: items });
    if let Some(next) = next {
        answer["NextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

/// Tells the default bus of the account about a change.
fn announce(world: &mut World, call: &Call, name: &str, operation: &str) {
    let kind = match find(world, call, name) {
        Ok(parameter) => parameter.newest().kind.clone(),
        Err(_) => return,
    };
    let event = ServiceEvent {
        account: call.caller.account.clone(),
        region: call.region.clone(),
        source: "aws.ssm".to_owned(),
        detail_type: "Parameter Store Change".to_owned(),
        resources: vec![arn(call, name)],
        detail: json!({ "operation": operation, "name": name, "type": kind }),
    };
    events::emit(world, event);
}

/// The caller's parameters in the Region of the call, by name.
fn own<'a>(world: &'a World, call: &'a Call) -> impl Iterator<Item = (&'a str, &'a Parameter)> {
    let parameters = world.ssm.parameters.iter();
    parameters
        .filter(|(key, _)| key.is_own(call))
        .map(|(key, parameter)| (key.name.as_str(), parameter))
}

fn find<'a>(world: &'a World, call: &Call, name: &str) -> Result<&'a Parameter, ApiError> {
    let parameter = world.ssm.parameters.get(&ResourceKey::own(call, name));
    parameter.ok_or_else(not_found)
}

fn arn(call: &Call, name: &str) -> String {
    let slash = if name.starts_with('/') { "" } else { "/" };
    format!(
        "arn:aws:ssm:{}:{}:parameter{slash}{name}",
        call.region, call.caller.account
    )
}

fn required<'a>(call: &'a Call, member: &str) -> Result<&'a str, ApiError> {
    let value = call.text(member).filter(|text| !text.is_empty());
    value.ok_or_else(|| invalid(format!("{member} must not be empty")))
}

fn invalid_key(id: &str) -> ApiError {
    ApiError::new("InvalidKeyId", format!("Invalid keyId {id}"))
}

fn not_found() -> ApiError {
    ApiError::new("ParameterNotFound", "The parameter couldn't be found.")
}

fn version_not_found(name: &str) -> ApiError {
    ApiError::new(
        "ParameterVersionNotFound",
        format!("Systems Manager could not find a version of {name} with this number or label."),
    )
}

#[cfg(test)]
mod tests;
