//! Lambda: functions, their queues, and the Runtime API that the real binaries speak.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All functions, mappings and invocations.
#[derive(Debug, Default)]
pub struct State {}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Makes a function, as a template's `AWS::Lambda::Function` with these properties would.
pub fn create_function(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Makes a mapping, as a template's `AWS::Lambda::EventSourceMapping` with these properties would.
pub fn create_event_source_mapping(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}
