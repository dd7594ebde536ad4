//! EventBridge: buses, rules, patterns, targets and schedules.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All buses and rules.
#[derive(Debug, Default)]
pub struct State {}

/// What EventBridge does later.
#[derive(Debug, Clone)]
pub enum Task {}

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

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Carries out a task that is due.
pub fn run(_world: &mut World, task: Task) {
    match task {}
}

/// Sends an event of an AWS service to the account's default bus.
pub fn emit(_world: &mut World, _event: ServiceEvent) {
    unimplemented!()
}

/// Makes a bus, as a template's `AWS::Events::EventBus` with these properties would.
pub fn create_bus(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Makes a rule and its targets, as a template's `AWS::Events::Rule` with these properties would.
pub fn create_rule(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Sets a statement of a bus policy, as a template's `AWS::Events::EventBusPolicy` would.
pub fn create_bus_policy(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}
