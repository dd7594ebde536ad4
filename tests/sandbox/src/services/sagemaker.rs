//! SageMaker Pipelines: definitions, executions and their steps.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All pipelines.
#[derive(Debug, Default)]
pub struct State {}

/// What SageMaker does later.
#[derive(Debug, Clone)]
pub enum Task {}

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let _ = world;
    Err(ApiError::not_implemented(call))
}

/// Carries out a task that is due.
pub fn run(_world: &mut World, task: Task) {
    match task {}
}
