//! Systems Manager Parameter Store: versions and labels.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All parameters.
#[derive(Debug, Default)]
pub struct State {}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Makes a parameter, as a template's `AWS::SSM::Parameter` with these properties would.
pub fn create_parameter(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}
