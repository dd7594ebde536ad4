//! Resource Access Manager: shares, associations, invitations and permissions.

use serde_json::Value;

use crate::world::{ApiError, Call, Caller, World};

/// All shares.
#[derive(Debug, Default)]
pub struct State {}

/// What RAM does later.
#[derive(Debug, Clone)]
pub enum Task {}

/// Method and path of every operation, since RAM is a REST service.
pub const ROUTES: &[(&str, &str, &str)] = &[];

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Carries out a task that is due.
pub fn run(_world: &mut World, task: Task) {
    match task {}
}

/// Whether shares grant the caller this action on a resource of another account.
#[must_use]
pub fn grants(_world: &World, _caller: &Caller, _action: &str, _resource_arn: &str) -> bool {
    unimplemented!()
}
