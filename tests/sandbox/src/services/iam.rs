//! IAM: the roles that templates make.

use serde_json::Value;

use crate::world::{ApiError, World};

/// All roles.
#[derive(Debug, Default)]
pub struct State {}

/// Makes a role, as a template's `AWS::IAM::Role` with these properties would.
pub fn create_role(
    _world: &mut World,
    _account: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Deletes a role, as offboarding an account would; unknown names are ignored.
pub fn delete_role(_world: &mut World, _account: &str, _name: &str) {
    unimplemented!()
}
