//! SQS: standard queues with delays, visibility timeouts and redrive.

use serde_json::Value;

use crate::world::{ApiError, Call, World};

/// All queues.
#[derive(Debug, Default)]
pub struct State {}

/// What SQS does later.
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

/// Makes a queue, as a template's `AWS::SQS::Queue` with these properties would.
pub fn create_queue(
    _world: &mut World,
    _account: &str,
    _region: &str,
    _name: &str,
    _properties: &Value,
) -> Result<(), ApiError> {
    unimplemented!()
}

/// Puts a message into a queue on behalf of another service.
///
/// `source_arn` is the rule or topic that sends; the queue's policy is
/// what allows it.
pub fn deliver(
    _world: &mut World,
    _queue_arn: &str,
    _source_arn: &str,
    _body: &str,
) -> Result<(), ApiError> {
    unimplemented!()
}
