//! Event buses: their names, their policies, and the operations on both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    not_found, page,
    rules::Rule,
    tags::{self, Tags},
    validation_error,
};
use crate::{
    services::{arn::Arn, denials::denied},
    world::{ApiError, Call, World, epoch_seconds},
};

const DEFAULT: &str = "default";

/// A bus policy may have this many characters.
const MAX_POLICY: usize = 10_240;

/// The account, Region and name of a bus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct BusId {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The name; every account has a bus named `default`.
    pub name: String,
}

impl BusId {
    /// The default bus of an account.
    #[must_use]
    pub fn default_of(account: &str, region: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: DEFAULT.to_owned(),
        }
    }

    /// The bus with this ARN; none if it is not the ARN of a bus.
    #[must_use]
    pub fn from_arn(arn: &str) -> Option<Self> {
        let arn = Arn::parse(arn).filter(|arn| arn.service == "events")?;
        let name = arn.resource.strip_prefix("event-bus/")?;
        Some(Self {
            account: arn.account.to_owned(),
            region: arn.region.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The bus that a call is about, which must be the caller's own.
    ///
    /// A bus policy may let other accounts keep rules on a bus; the sandbox
    /// does not have that.
    pub(super) fn own(call: &Call, member: &str) -> Result<Self, ApiError> {
        let id = Self::of_call(call, member)?;
        id.check_own(call)?;
        Ok(id)
    }

    /// Refuses a caller of another account, or through the endpoint of another Region.
    pub(super) fn check_own(&self, call: &Call) -> Result<(), ApiError> {
        if self.account == call.caller.account && self.region == call.region {
            return Ok(());
        }
        let action = format!("events:{}", call.operation);
        let who = call.caller.arn();
        Err(denied("events", &who, &action, &self.arn(), ""))
    }

    /// The bus that a call means by a name or an ARN; the default bus if it names none.
    pub(super) fn of_call(call: &Call, member: &str) -> Result<Self, ApiError> {
        let default = Self::default_of(&call.caller.account, &call.region);
        match call.text(member) {
            None => Ok(default),
            Some(arn) if arn.starts_with("arn:") => Self::from_arn(arn)
                .ok_or_else(|| validation_error(format!("Parameter {member} is not valid."))),
            Some(name) => Ok(Self {
                name: name.to_owned(),
                ..default
            }),
        }
    }

    /// The ARN of the bus.
    #[must_use]
    pub fn arn(&self) -> String {
        let Self {
            account,
            region,
            name,
        } = self;
        format!("arn:aws:events:{region}:{account}:event-bus/{name}")
    }

    pub(super) fn is_default(&self) -> bool {
        self.name == DEFAULT
    }

    /// The answer to a call that means a bus which is not there.
    pub(super) fn missing(&self) -> ApiError {
        not_found(format!("Event bus {} does not exist.", self.name))
    }
}

/// What belongs to a bus.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Bus {
    pub(super) rules: BTreeMap<String, Rule>,
    pub(super) policy: Vec<Value>,
    pub(super) tags: Tags,
    description: Option<String>,
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
}

impl Bus {
    fn describe(&self, id: &BusId) -> Value {
        let mut output = json!({ "Name": id.name, "Arn": id.arn() });
        if let Some(description) = &self.description {
            output["Description"] = description.as_str().into();
        }
        if let Some(created) = self.created {
            output["CreationTime"] = epoch_seconds(created);
        }
        if let Some(modified) = self.modified {
            output["LastModifiedTime"] = epoch_seconds(modified);
        }
        if !self.policy.is_empty() {
            output["Policy"] = self.policy_text().into();
        }
        output
    }

    fn policy_text(&self) -> String {
        json!({ "Version": "2012-10-17", "Statement": self.policy }).to_string()
    }

    /// Sets statements; each replaces the one with the same `Sid`.
    fn set_statements(&mut self, statements: Vec<Value>) -> Result<(), ApiError> {
        let mut policy = std::mem::take(&mut self.policy);
        policy.retain(|old| statements.iter().all(|new| new["Sid"] != old["Sid"]));
        policy.extend(statements);
        self.policy = policy;
        if self.policy_text().len() > MAX_POLICY {
            return Err(ApiError::new(
                "PolicyLengthExceededException",
                "The event bus policy is too long.",
            ));
        }
        Ok(())
    }
}

pub(super) fn create_event_bus(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = call
        .text("Name")
        .filter(|name| is_name(name))
        .ok_or_else(|| validation_error("Parameter Name is not valid."))?;
    refuse_members(call, &["Name", "Description", "Tags"])?;
    let id = BusId {
        name: name.to_owned(),
        ..BusId::default_of(&call.caller.account, &call.region)
    };
    if world.events.bus(&id).is_some() {
        return Err(ApiError::new(
            "ResourceAlreadyExistsException",
            format!("Event bus {name} already exists."),
        ));
    }
    let arn = id.arn();
    let bus = Bus {
        tags: tags::tagged(&Tags::new(), call)?,
        description: description(call)?,
        created: Some(world.now),
        modified: Some(world.now),
        ..Bus::default()
    };
    world.events.buses.insert(id, bus);
    Ok(json!({ "EventBusArn": arn }))
}

pub(super) fn update_event_bus(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    refuse_members(call, &["Name", "Description"])?;
    let id = BusId::own(call, "Name")?;
    let description = description(call)?;
    let now = world.now;
    let bus = world.events.bus(&id).ok_or_else(|| id.missing())?;
    bus.description.clone_from(&description);
    bus.modified = Some(now);
    let mut output = json!({ "Arn": id.arn(), "Name": id.name });
    if let Some(description) = description {
        output["Description"] = description.into();
    }
    Ok(output)
}

fn description(call: &Call) -> Result<Option<String>, ApiError> {
    let description = call.text("Description").map(str::to_owned);
    match description {
        Some(text) if text.chars().count() > 512 => {
            Err(validation_error("Parameter Description is too long."))
        }
        other => Ok(other),
    }
}

/// Refuses what the sandbox would otherwise silently leave out.
pub(super) fn refuse_members(call: &Call, known: &[&str]) -> Result<(), ApiError> {
    let mut members = call.input.as_object().into_iter().flatten();
    match members.find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(ApiError::with_status(
            501,
            "NotImplemented",
            format!(
                "{} of events:{} is not implemented in the sandbox",
                name, call.operation
            ),
        )),
        None => Ok(()),
    }
}

pub(super) fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !name.is_empty() && name.len() <= 256 && name.chars().all(legal)
}

pub(super) fn describe_event_bus(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = BusId::own(call, "Name")?;
    let bus = world.events.bus(&id).ok_or_else(|| id.missing())?;
    Ok(bus.describe(&id))
}

pub(super) fn list_event_buses(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let default = BusId::default_of(&call.caller.account, &call.region);
    world.events.bus(&default);
    let prefix = call.text("NamePrefix").unwrap_or_default();
    let buses = world
        .events
        .buses
        .iter()
        .filter(|(id, _)| id.account == default.account && id.region == default.region)
        .filter(|(id, _)| id.name.starts_with(prefix))
        .map(|(id, bus)| bus.describe(id))
        .collect::<Vec<_>>();
    page(call, "EventBuses", &buses)
}

pub(super) fn delete_event_bus(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = BusId::own(call, "Name")?;
    if id.is_default() {
        return Err(validation_error("Cannot delete event bus default."));
    }
    let has_rules = |bus: &Bus| !bus.rules.is_empty();
    if world.events.buses.get(&id).is_some_and(has_rules) {
        return Err(validation_error(format!(
            "Cannot delete event bus {} because it has rules.",
            id.name
        )));
    }
    world.events.buses.remove(&id);
    Ok(json!({}))
}

pub(super) fn put_permission(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = BusId::own(call, "EventBusName")?;
    let statements = match call.text("Policy") {
        Some(text) => statements(text)?,
        None => vec![simple_statement(call, &id)?],
    };
    let bus = world.events.bus(&id).ok_or_else(|| id.missing())?;
    if call.text("Policy").is_some() {
        bus.policy.clear();
    }
    bus.set_statements(statements)?;
    Ok(json!({}))
}

fn statements(policy: &str) -> Result<Vec<Value>, ApiError> {
    let mut policy: Value = serde_json::from_str(policy)
        .map_err(|error| validation_error(format!("Policy is not valid JSON: {error}")))?;
    match policy["Statement"].take() {
        Value::Array(statements) => Ok(statements),
        statement @ Value::Object(_) => Ok(vec![statement]),
        _ => Err(validation_error("Policy has no Statement.")),
    }
}

/// The statement that the older members of `PutPermission` stand for.
fn simple_statement(call: &Call, bus: &BusId) -> Result<Value, ApiError> {
    let required = |member: &str| {
        call.text(member)
            .ok_or_else(|| validation_error(format!("Parameter {member} is required.")))
    };
    let principal = match required("Principal")? {
        "*" => json!("*"),
        account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
    };
    let mut statement = json!({
        "Sid": required("StatementId")?,
        "Effect": "Allow",
        "Principal": principal,
        "Action": required("Action")?,
        "Resource": bus.arn(),
    });
    if let Some(condition) = call.input.get("Condition").filter(|c| c.is_object()) {
        let [kind, key] = ["Type", "Key"].map(|member| condition[member].as_str());
        let (kind, key) = kind
            .zip(key)
            .ok_or_else(|| validation_error("Parameter Condition is not valid."))?;
        statement["Condition"] = json!({ kind: { key: condition["Value"] } });
    }
    Ok(statement)
}

/// Sets the statement of an `AWS::Events::EventBusPolicy`.
pub(super) fn put_template_statement(
    world: &mut World,
    account: &str,
    region: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let input = properties.clone();
    let call = Call::by_administrator(account, region, "events", "PutPermission", input);
    let Some(statement) = properties.get("Statement") else {
        return put_permission(world, &call).map(drop);
    };
    let mut statement = statement.clone();
    if !statement.is_object() {
        return Err(validation_error("Statement must be an object."));
    }
    statement["Sid"] = properties["StatementId"].clone();
    let id = BusId::own(&call, "EventBusName")?;
    let bus = world.events.bus(&id).ok_or_else(|| id.missing())?;
    bus.set_statements(vec![statement])
}

pub(super) fn remove_permission(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = BusId::own(call, "EventBusName")?;
    let bus = world.events.bus(&id).ok_or_else(|| id.missing())?;
    if call.input.get("RemoveAllPermissions") == Some(&Value::Bool(true)) {
        bus.policy.clear();
        return Ok(json!({}));
    }
    let statement = call.text("StatementId").unwrap_or_default();
    let before = bus.policy.len();
    bus.policy.retain(|old| old["Sid"] != statement);
    if bus.policy.len() == before {
        return Err(not_found(format!(
            "Statement {statement} does not exist in the policy of the event bus."
        )));
    }
    Ok(json!({}))
}
