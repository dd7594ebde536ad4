//! CloudTrail: write calls become events on the caller's default bus, if the account has a trail.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::events::{self, ServiceEvent};
use crate::world::{ApiError, AssumedRole, Call, Caller, World};

#[cfg(test)]
mod tests;

/// CloudTrail leaves out parameters that take more bytes than this.
const LARGEST: usize = 100 * 1024;

/// Which accounts CloudTrail sends no events for.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The accounts without a trail that is logging; every other account has one.
    pub without: BTreeSet<String>,
}

/// Records the outcome of a call.
///
/// Only calls that may change something, and only those of the services whose
/// records somebody waits for, become events; failed ones do too.
pub fn record(world: &mut World, call: &Call, outcome: &Result<Value, ApiError>) {
    for event in copies(world, call, outcome) {
        events::emit(world, event);
    }
}

/// The caller's copy of the record and, if there is one, that of the resource's owner.
fn copies(world: &mut World, call: &Call, outcome: &Result<Value, ApiError>) -> Vec<ServiceEvent> {
    if !is_recorded(call) {
        return Vec::new();
    }
    let mut record = describe(world, call, outcome);
    let owner = owner(call, outcome);
    if owner.is_some() {
        // Tells that the copies are of one record.
        let shared = unique(world, call, "shared event");
        record.insert("sharedEventID".into(), shared.into());
    }
    let mut copies = vec![copy(world, call, &call.caller.account, record.clone())];
    if let Some(owner) = owner {
        record.insert("userIdentity".into(), foreign_identity(&call.caller));
        copies.push(copy(world, call, owner, record));
    }
    copies.retain(|copy| !world.cloudtrail.without.contains(&copy.account));
    copies
}

fn copy(
    world: &mut World,
    call: &Call,
    recipient: &str,
    mut record: Map<String, Value>,
) -> ServiceEvent {
    let id = unique(world, call, &format!("event for {recipient}"));
    record.insert("eventID".into(), id.into());
    record.insert("recipientAccountId".into(), recipient.into());
    ServiceEvent {
        account: recipient.to_owned(),
        region: call.region.clone(),
        source: format!("aws.{}", call.service),
        detail_type: "AWS API Call via CloudTrail".to_owned(),
        // Unlike events of the services themselves, these name no resources.
        resources: Vec::new(),
        detail: Value::Object(record),
    }
}

/// A new id of this kind for a call.
fn unique(world: &mut World, call: &Call, kind: &str) -> String {
    let account = &call.caller.account;
    let operation = &call.operation;
    world.uuid(&format!("CloudTrail {kind}: {operation} by {account}"))
}

fn is_recorded(call: &Call) -> bool {
    let recorded = ["ram", "sagemaker", "ssm"].contains(&call.service.as_str());
    let mut read_only = ["Describe", "Get", "List", "Search"].iter();
    recorded && !read_only.any(|prefix| call.operation.starts_with(prefix))
}

/// The account other than the caller's that also gets the record.
///
/// ASSUMED: SageMaker, like other services, tells the owner of the resource
/// about calls from other accounts; those that fail stay with the caller. For
/// RAM nothing says that a record reaches the account that is invited.
fn owner<'a>(call: &'a Call, outcome: &Result<Value, ApiError>) -> Option<&'a str> {
    if call.service != "sagemaker" || outcome.is_err() {
        return None;
    }
    let members = [
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionArn",
        "ResourceArn",
    ];
    let mut texts = members.iter().filter_map(|member| call.text(member));
    let arn = texts.find(|text| text.starts_with("arn:"))?;
    arn.split(':')
        .nth(4)
        .filter(|owner| *owner != call.caller.account)
}

/// The members that all copies of the record have in common.
fn describe(
    world: &mut World,
    call: &Call,
    outcome: &Result<Value, ApiError>,
) -> Map<String, Value> {
    let time = world.now.strftime("%FT%TZ").to_string();
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("eventVersion", "1.11".into());
    put("userIdentity", identity(&call.caller, &time));
    put("eventTime", time.into());
    put(
        "eventSource",
        format!("{}.amazonaws.com", call.service).into(),
    );
    put("eventName", call.operation.as_str().into());
    put("awsRegion", call.region.as_str().into());
    put("sourceIPAddress", "127.0.0.1".into());
    put("userAgent", "sandbox".into());
    if let Err(error) = outcome {
        put("errorCode", error.code.as_str().into());
        put("errorMessage", error.message.as_str().into());
    }
    put("requestParameters", limited(parameters(call)));
    put("responseElements", elements(outcome));
    put("requestID", unique(world, call, "request").into());
    put("readOnly", false.into());
    put("eventType", "AwsApiCall".into());
    put("managementEvent", true.into());
    put("eventCategory", "Management".into());
    record
}

fn parameters(call: &Call) -> Value {
    let mut parameters = lower_camel(&call.input);
    // ASSUMED: the value of a parameter of any type is hidden, not only a secure one's.
    if call.operation == "PutParameter"
        && let Some(value) = parameters.get_mut("value")
    {
        *value = "HIDDEN_DUE_TO_SECURITY_REASONS".into();
    }
    parameters
}

/// ASSUMED: a field that is too large is left out as a whole.
fn limited(parameters: Value) -> Value {
    if parameters.to_string().len() > LARGEST {
        json!({ "omitted": true })
    } else {
        parameters
    }
}

/// The answer, null if there is none or it is empty.
fn elements(outcome: &Result<Value, ApiError>) -> Value {
    match outcome {
        Ok(Value::Object(members)) if !members.is_empty() => lower_camel(&json!(members)),
        _ => Value::Null,
    }
}

/// The same value with member names that start with a small letter.
fn lower_camel(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (lower_first(name), lower_camel(value)))
            .collect(),
        Value::Array(items) => items.iter().map(lower_camel).collect(),
        value => value.clone(),
    }
}

/// A member name as CloudTrail prints it.
pub(super) fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_lowercase().chain(characters).collect()
    })
}

fn identity(caller: &Caller, time: &str) -> Value {
    match &caller.role {
        Some(role) => role_identity(caller, role, time),
        None => json!({
            "type": "IAMUser",
            "principalId": principal_id(caller),
            "arn": caller.arn(),
            "accountId": caller.account,
            "accessKeyId": caller.account,
            "userName": "administrator",
        }),
    }
}

/// The caller as an account sees it that only owns the resource.
fn foreign_identity(caller: &Caller) -> Value {
    json!({
        "type": "AWSAccount",
        "principalId": principal_id(caller),
        "accountId": caller.account,
    })
}

fn role_identity(caller: &Caller, role: &AssumedRole, time: &str) -> Value {
    let account = &caller.account;
    let name = &role.name;
    let issuer = format!("arn:aws:iam::{account}:role/{name}");
    json!({
        "type": "AssumedRole",
        "principalId": principal_id(caller),
        "arn": caller.arn(),
        "accountId": account,
        "accessKeyId": unique_id("ASIA", &caller.arn()),
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id("AROA", &issuer),
                "arn": issuer,
                "accountId": account,
                "userName": name,
            },
            "webIdFederationData": {},
            "attributes": { "creationDate": time, "mfaAuthenticated": "false" },
        },
    })
}

/// The principal id of a caller, as records and answers show it.
pub(super) fn principal_id(caller: &Caller) -> String {
    let account = &caller.account;
    match &caller.role {
        Some(role) => {
            let issuer = format!("arn:aws:iam::{account}:role/{}", role.name);
            format!("{}:{}", unique_id("AROA", &issuer), role.session)
        }
        None => unique_id("AIDA", &caller.arn()),
    }
}

/// A unique id of IAM with this prefix, always the same for the same ARN.
fn unique_id(prefix: &str, arn: &str) -> String {
    use std::fmt::Write;

    let digest = Sha256::digest(arn);
    let digits = digest.iter().take(8);
    digits.fold(prefix.to_owned(), |mut id, byte| {
        let _ = write!(id, "{byte:02X}");
        id
    })
}
