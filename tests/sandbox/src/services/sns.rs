//! SNS: topics whose messages can be read back.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All topics and what was published to them.
#[derive(Debug, Default)]
pub struct State {}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Makes a topic, as a template's `AWS::SNS::Topic` with these properties would.
pub fn create_topic(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Publishes on behalf of another service, for instance a rule.
pub fn deliver(
    _world: &mut World,
    _topic_arn: &str,
    _source_arn: &str,
    _message: &str,
) -> Result<(), ApiError> {
    unimplemented!()
}
