//! EventBridge: buses, rules, patterns, targets and schedules.
//!
//! An event reaches a bus at once and is matched there; what its rules send
//! on is delivered a little later, through the agenda.

mod bus;
mod cron;
mod delivery;
mod entries;
mod input;
pub mod pattern;
mod policy;
mod rules;
mod schedule;
mod tags;
mod targets;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    services::{pages, validation::invalid as validation_error},
    world::{ApiError, Call, World},
};

use bus::Bus;
pub use bus::BusId;
use delivery::Delivery;
use rules::RuleId;

/// All buses and rules, and what happened to the events.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// Every event that reached a bus, in order.
    #[serde(skip)]
    pub seen: Vec<SeenEvent>,
    /// Every event that could neither be delivered nor put into a dead-letter queue.
    #[serde(skip)]
    pub dropped: Vec<DroppedEvent>,
    /// How long a delivery from a bus to a target takes.
    pub delivery_delay: Duration,
    #[serde(with = "crate::state::pairs")]
    buses: BTreeMap<BusId, Bus>,
    schedules: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            seen: Vec::new(),
            dropped: Vec::new(),
            delivery_delay: Duration::from_millis(500),
            buses: BTreeMap::new(),
            schedules: 0,
        }
    }
}

impl State {
    /// A bus; the default bus of an account exists from the beginning.
    fn bus(&mut self, id: &BusId) -> Option<&mut Bus> {
        if id.is_default() {
            Some(self.buses.entry(id.clone()).or_default())
        } else {
            self.buses.get_mut(id)
        }
    }
}

/// An event that reached a bus.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenEvent {
    /// When.
    pub time: Timestamp,
    /// The account of the bus.
    pub account: String,
    /// The Region of the bus.
    pub region: String,
    /// The name of the bus.
    pub bus: String,
    /// The event with its envelope.
    pub event: Value,
}

/// An event that was lost on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct DroppedEvent {
    /// When.
    pub time: Timestamp,
    /// The ARN of the rule or, if it never reached a bus, of the account that put it.
    pub source: String,
    /// The ARN of the target that it was meant for.
    pub target: String,
    /// Why, for instance `NO_PERMISSIONS`.
    pub reason: String,
    /// The event with its envelope.
    pub event: Value,
}

/// What EventBridge does later.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub enum Task {
    /// Delivers an event to a target.
    Deliver(Box<Delivery>),
    /// Runs a scheduled rule, and plans its next run.
    Tick {
        /// The rule.
        rule: RuleId,
        /// The schedule as it was when this run was planned; another one replaces it.
        schedule: u64,
    },
}

/// An event of an AWS service, which goes to the default bus of an account.
#[derive(Debug, Clone)]
pub struct ServiceEvent {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// For instance `aws.sagemaker`.
    pub source: String,
    /// The detail type.
    pub detail_type: String,
    /// The ARNs that the event is about.
    pub resources: Vec<String>,
    /// The detail.
    pub detail: Value,
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "PutEvents" => entries::put_events(world, call),
        "TestEventPattern" => rules::test_event_pattern(call),
        "PutRule" => rules::put_rule(world, call),
        "DescribeRule" => rules::describe_rule(world, call),
        "ListRules" => rules::list_rules(world, call),
        "EnableRule" => rules::set_state(world, call, "ENABLED"),
        "DisableRule" => rules::set_state(world, call, "DISABLED"),
        "DeleteRule" => rules::delete_rule(world, call),
        "PutTargets" => targets::put_targets(world, call),
        "RemoveTargets" => targets::remove_targets(world, call),
        "ListTargetsByRule" => targets::list_targets_by_rule(world, call),
        "ListRuleNamesByTarget" => rules::list_rule_names_by_target(world, call),
        "TagResource" => tags::tag_resource(world, call),
        "UntagResource" => tags::untag_resource(world, call),
        "ListTagsForResource" => tags::list_tags_for_resource(world, call),
        "CreateEventBus" => bus::create_event_bus(world, call),
        "UpdateEventBus" => bus::update_event_bus(world, call),
        "DescribeEventBus" => bus::describe_event_bus(world, call),
        "ListEventBuses" => bus::list_event_buses(world, call),
        "DeleteEventBus" => bus::delete_event_bus(world, call),
        "PutPermission" => bus::put_permission(world, call),
        "RemovePermission" => bus::remove_permission(world, call),
    }
}

/// Reads again what is not kept: the patterns of rules.
pub(crate) fn restore(world: &mut World) {
    for bus in world.events.buses.values_mut() {
        bus.rules.values_mut().for_each(rules::Rule::restore);
    }
}

/// Carries out a task that is due.
pub fn run(world: &mut World, task: Task) {
    match task {
        Task::Deliver(delivery) => delivery.carry_out(world),
        Task::Tick { rule, schedule } => schedule::tick(world, &rule, schedule),
    }
}

/// Runs a scheduled rule of an account's default bus now, without waiting for its time;
/// a rule that is not there or disabled does nothing.
pub fn run_schedule(world: &mut World, account: &str, region: &str, name: &str) {
    let id = RuleId {
        bus: BusId::default_of(account, region),
        name: name.to_owned(),
    };
    schedule::run(world, &id);
}

/// Sends an event of an AWS service to the account's default bus.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an event is made to be given away"
)]
pub fn emit(world: &mut World, event: ServiceEvent) {
    let bus = BusId::default_of(&event.account, &event.region);
    let envelope = envelope(world, &event, world.now);
    delivery::arrive(world, &bus, envelope, delivery::Hop::First);
}

/// Puts an event of an AWS service on a bus as if the rule of another account had forwarded it.
///
/// False if there is no such bus.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an event is made to be given away"
)]
pub fn forward(world: &mut World, bus_arn: &str, event: ServiceEvent) -> bool {
    let Some(bus) = BusId::from_arn(bus_arn) else {
        return false;
    };
    let envelope = envelope(world, &event, world.now);
    delivery::arrive(world, &bus, envelope, delivery::Hop::Forwarded)
}

/// Makes a bus, as a template's `AWS::Events::EventBus` with these properties would.
pub fn create_bus(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let mut input = properties.clone();
    input["Name"] = name.into();
    let call = Call::by_administrator(account, region, "events", "CreateEventBus", input);
    bus::create_event_bus(world, &call).map(drop)
}

/// Makes a rule and its targets, as a template's `AWS::Events::Rule` with these properties would.
pub fn create_rule(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let mut rule = properties.clone();
    rule["Name"] = name.into();
    if rule["EventPattern"].is_object() {
        rule["EventPattern"] = rule["EventPattern"].to_string().into();
    }
    let targets = rule.as_object_mut().and_then(|rule| rule.remove("Targets"));
    let input = targets.map(
        |targets| json!({ "Rule": name, "EventBusName": rule["EventBusName"], "Targets": targets }),
    );
    let call = Call::by_administrator(account, region, "events", "PutRule", rule);
    rules::put_rule(world, &call)?;
    if let Some(input) = input {
        let call = Call::by_administrator(account, region, "events", "PutTargets", input);
        targets::put_targets(world, &call)?;
    }
    Ok(())
}

/// Sets a statement of a bus policy, as a template's `AWS::Events::EventBusPolicy` would.
pub fn create_bus_policy(
    world: &mut World,
    account: &str,
    region: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    bus::put_template_statement(world, account, region, properties)
}

/// The event as rules and targets see it.
fn envelope(world: &mut World, event: &ServiceEvent, time: Timestamp) -> Value {
    let ServiceEvent {
        account,
        region,
        source,
        detail_type,
        resources,
        detail,
    } = event;
    let id = world.uuid(&format!("event {account} {region} {source} {detail_type}"));
    json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": region,
        "resources": resources,
        "detail": detail,
    })
}

/// The service's answer when something is not there.
fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new("ResourceNotFoundException", message)
}

/// One page of a list, under the name that the operation gives it.
fn page(call: &Call, member: &str, items: &[Value]) -> Result<Value, ApiError> {
    let refuse = || validation_error("NextToken is not valid.");
    let start = pages::position(call.text("NextToken"), refuse)?;
    let limit = match call.input.get("Limit").map(Value::as_u64) {
        None => 100,
        Some(Some(limit @ 1..=100)) => usize::try_from(limit).unwrap_or(100),
        Some(_) => return Err(validation_error("Limit must be from 1 to 100.")),
    };
    let (items, next) = pages::cut(items.iter().cloned(), start, limit);
    let mut output = json!({ member: items });
    if let Some(next) = next {
        output["NextToken"] = next.to_string().into();
    }
    Ok(output)
}
