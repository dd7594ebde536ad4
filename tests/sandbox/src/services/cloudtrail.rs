//! CloudTrail: write calls become events on the caller's default bus, if the account has a trail.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// Records the outcome of a call.
pub fn record(_world: &mut World, _call: &Call, _outcome: &Result<Value, ApiError>) {
    unimplemented!()
}
