//! Rules: which events, or which times, concern which targets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    bus::{Bus, BusId, is_name, refuse_members},
    not_found, page,
    pattern::{InvalidPattern, Pattern},
    schedule::{self, Schedule},
    tags::{self, Tags},
    targets::Target,
    validation_error,
};
use crate::{
    services::arn::Arn,
    world::{ApiError, Call, World},
};

/// A rule by its bus and its name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RuleId {
    /// The bus.
    pub bus: BusId,
    /// The name.
    pub name: String,
}

impl RuleId {
    /// The rule that a call means.
    pub(super) fn of_call(call: &Call, member: &str) -> Result<Self, ApiError> {
        let name = call
            .text(member)
            .filter(|name| is_name(name) && name.len() <= 64)
            .ok_or_else(|| validation_error(format!("Parameter {member} is not valid.")))?;
        Ok(Self {
            bus: BusId::own(call, "EventBusName")?,
            name: name.to_owned(),
        })
    }

    /// The rule with this ARN; none if it is not the ARN of a rule.
    pub(super) fn from_arn(arn: &str) -> Option<Self> {
        let arn = Arn::parse(arn).filter(|arn| arn.service == "events")?;
        let rule = arn.resource.strip_prefix("rule/")?;
        let mut bus = BusId::default_of(arn.account, arn.region);
        let name = match rule.split_once('/') {
            Some((other, name)) => {
                other.clone_into(&mut bus.name);
                name
            }
            None => rule,
        };
        let name = name.to_owned();
        Some(Self { bus, name })
    }

    /// The ARN of the rule, which names the bus unless it is the default bus.
    #[must_use]
    pub fn arn(&self) -> String {
        let BusId {
            account,
            region,
            name: bus,
        } = &self.bus;
        let bus = if self.bus.is_default() {
            String::new()
        } else {
            format!("{bus}/")
        };
        format!("arn:aws:events:{region}:{account}:rule/{bus}{}", self.name)
    }

    /// The rule itself, or the service's answer that it or its bus is missing.
    pub(super) fn find<'w>(&self, world: &'w mut World) -> Result<&'w mut Rule, ApiError> {
        let bus = find_bus(world, &self.bus)?;
        bus.rules.get_mut(&self.name).ok_or_else(|| {
            not_found(format!(
                "Rule {} does not exist on EventBus {}.",
                self.name, self.bus.name
            ))
        })
    }
}

/// A rule as it was put.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Rule {
    #[serde(skip)]
    pub(super) pattern: Option<Pattern>,
    pub(super) schedule: Option<(Schedule, u64)>,
    pub(super) targets: BTreeMap<String, Target>,
    pub(super) tags: Tags,
    disabled: bool,
    /// The members of `PutRule` that `DescribeRule` gives back.
    description: BTreeMap<String, Value>,
}

impl Rule {
    /// Reads its pattern again, which is not kept but as a text.
    pub(super) fn restore(&mut self) {
        let text = self.description.get("EventPattern").and_then(Value::as_str);
        self.pattern = text.and_then(|text| Pattern::parse(text).ok());
    }

    pub(super) fn is_enabled(&self) -> bool {
        !self.disabled
    }

    fn set_state(&mut self, state: &str) {
        self.disabled = state == "DISABLED";
        self.description.insert("State".to_owned(), state.into());
    }

    fn describe(&self, id: &RuleId) -> Value {
        let mut output = json!({
            "Name": id.name,
            "Arn": id.arn(),
            "EventBusName": id.bus.name,
        });
        for (member, value) in &self.description {
            output[member.as_str()] = value.clone();
        }
        output
    }
}

fn find_bus<'w>(world: &'w mut World, id: &BusId) -> Result<&'w mut Bus, ApiError> {
    world.events.bus(id).ok_or_else(|| id.missing())
}

fn invalid_pattern(error: &InvalidPattern) -> ApiError {
    ApiError::new("InvalidEventPatternException", error.to_string())
}

fn pattern(call: &Call) -> Result<Option<Pattern>, ApiError> {
    let text = call.text("EventPattern");
    text.map(Pattern::parse)
        .transpose()
        .map_err(|error| invalid_pattern(&error))
}

/// A bus may have this many rules.
const MAX_RULES: usize = 300;

/// The answer when a bus or a rule has as much as it may have.
pub(super) fn limit_exceeded() -> ApiError {
    ApiError::new(
        "LimitExceededException",
        "The requested resource exceeds the maximum number allowed.",
    )
}

const STATES: [&str; 3] = [
    "ENABLED",
    "DISABLED",
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
];

pub(super) fn put_rule(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    const DESCRIBED: [&str; 4] = [
        "EventPattern",
        "ScheduleExpression",
        "Description",
        "RoleArn",
    ];
    let own = ["Name", "EventBusName", "State", "Tags"];
    refuse_members(call, &[&own[..], &DESCRIBED].concat())?;
    let id = RuleId::of_call(call, "Name")?;
    let state = call.text("State").unwrap_or("ENABLED");
    if !STATES.contains(&state) {
        return Err(validation_error("Parameter State is not valid."));
    }
    let pattern = pattern(call)?;
    let schedule = call
        .text("ScheduleExpression")
        .map(Schedule::parse)
        .transpose()?;
    if pattern.is_none() && schedule.is_none() {
        return Err(validation_error(
            "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        ));
    }
    if schedule.is_some() && !id.bus.is_default() {
        return Err(validation_error(
            "ScheduleExpression is supported only on the default event bus.",
        ));
    }
    let described =
        DESCRIBED.map(|member| Some((member.to_owned(), call.input.get(member)?.clone())));

    let rules = &mut find_bus(world, &id.bus)?.rules;
    // Tags are for a new rule; those of an old one stay as they are.
    let tags = match rules.get(&id.name) {
        Some(rule) => rule.tags.clone(),
        None if rules.len() >= MAX_RULES => return Err(limit_exceeded()),
        None => tags::tagged(&Tags::new(), call)?,
    };
    let rule = rules.entry(id.name.clone()).or_default();
    rule.tags = tags;
    rule.pattern = pattern;
    rule.description = described.into_iter().flatten().collect();
    rule.set_state(state);
    schedule::set(world, &id, schedule);
    Ok(json!({ "RuleArn": id.arn() }))
}

pub(super) fn describe_rule(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = RuleId::of_call(call, "Name")?;
    let mut output = id.find(world)?.describe(&id);
    output["CreatedBy"] = id.bus.account.into();
    Ok(output)
}

pub(super) fn list_rules(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let bus = BusId::own(call, "EventBusName")?;
    let prefix = call.text("NamePrefix").unwrap_or_default();
    let rules = find_bus(world, &bus)?
        .rules
        .iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, rule)| {
            let (bus, name) = (bus.clone(), name.clone());
            rule.describe(&RuleId { bus, name })
        })
        .collect::<Vec<_>>();
    page(call, "Rules", &rules)
}

pub(super) fn list_rule_names_by_target(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let target = call
        .text("TargetArn")
        .filter(|arn| !arn.is_empty())
        .ok_or_else(|| validation_error("Parameter TargetArn is required."))?;
    let bus = BusId::own(call, "EventBusName")?;
    let has_it = |rule: &Rule| rule.targets.values().any(|other| other.arn == target);
    let rules = find_bus(world, &bus)?.rules.iter();
    let names: Vec<Value> = rules
        .filter(|(_, rule)| has_it(rule))
        .map(|(name, _)| name.as_str().into())
        .collect();
    page(call, "RuleNames", &names)
}

pub(super) fn set_state(world: &mut World, call: &Call, state: &str) -> Result<Value, ApiError> {
    RuleId::of_call(call, "Name")?.find(world)?.set_state(state);
    Ok(json!({}))
}

pub(super) fn delete_rule(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = RuleId::of_call(call, "Name")?;
    let rules = &mut find_bus(world, &id.bus)?.rules;
    if rules
        .get(&id.name)
        .is_some_and(|rule| !rule.targets.is_empty())
    {
        return Err(validation_error(
            "Rule can't be deleted since it has targets.",
        ));
    }
    rules.remove(&id.name);
    Ok(json!({}))
}

pub(super) fn test_event_pattern(call: &Call) -> Result<Value, ApiError> {
    const REQUIRED: [&str; 7] = [
        "id",
        "account",
        "source",
        "time",
        "region",
        "resources",
        "detail-type",
    ];
    let pattern =
        pattern(call)?.ok_or_else(|| validation_error("Parameter EventPattern is required."))?;
    let event: Value = serde_json::from_str(call.text("Event").unwrap_or_default())
        .map_err(|error| validation_error(format!("Parameter Event is not valid: {error}")))?;
    // ASSUMED: the documentation requires these fields but names no error.
    if let Some(missing) = REQUIRED.iter().find(|field| event.get(field).is_none()) {
        return Err(validation_error(format!(
            "Parameter Event is not valid: it has no {missing}."
        )));
    }
    Ok(json!({ "Result": pattern.matches(&event) }))
}
