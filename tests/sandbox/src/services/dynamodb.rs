//! DynamoDB: items, conditional writes and queries.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All tables.
#[derive(Debug, Default)]
pub struct State {}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Makes a table, as a template's `AWS::DynamoDB::Table` with these properties would.
pub fn create_table(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}
