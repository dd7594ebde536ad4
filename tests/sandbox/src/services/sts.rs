//! STS: temporary credentials of roles.

use serde_json::Value;

use crate::world::{ApiError, Call, Caller, World};

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Who holds this access key: an account's administrator for its twelve digits, or a session.
pub fn caller(_world: &World, _access_key: &str) -> Result<Caller, ApiError> {
    unimplemented!()
}

/// Credentials of a role in its own account, as Lambda gives them to a function.
///
/// Returns the access key id.
pub fn session(_world: &mut World, _account: &str, _role: &str, _session: &str) -> String {
    unimplemented!()
}
