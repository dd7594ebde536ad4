//! Client tokens, which make a repeated call harmless.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    readings::ClientTokens,
    world::{ApiError, Call, World},
};

/// The operations that take a client token.
const OPERATIONS: &[&str] = &[
    "AcceptResourceShareInvitation",
    "AssociateResourceShare",
    "AssociateResourceSharePermission",
    "CreatePermission",
    "CreatePermissionVersion",
    "CreateResourceShare",
    "DeletePermission",
    "DeletePermissionVersion",
    "DeleteResourceShare",
    "DisassociateResourceShare",
    "DisassociateResourceSharePermission",
    "PromotePermissionCreatedFromPolicy",
    "RejectResourceShareInvitation",
    "ReplacePermissionAssociations",
    "SetDefaultPermissionVersion",
    "UpdateResourceShare",
];

/// The answers by account, Region and token.
pub(super) type Answers = BTreeMap<(String, String, String), Answered>;

/// A call that succeeded.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Answered {
    operation: String,
    input: Value,
    answer: Value,
    at: Timestamp,
}

impl Answered {
    /// Whether a repetition of the call is known for one.
    pub(super) fn is_remembered(&self, tokens: ClientTokens, now: Timestamp) -> bool {
        match tokens {
            ClientTokens::ForGood => true,
            ClientTokens::AnHour => self.is_within(1, now),
        }
    }

    /// Whether the call was made in the last so many hours.
    pub(super) fn is_within(&self, hours: i64, now: Timestamp) -> bool {
        now.duration_since(self.at) < SignedDuration::from_hours(hours)
    }
}

/// The earlier answer to a call that is repeated with its token.
pub(super) fn replay(world: &World, call: &Call) -> Result<Option<Value>, ApiError> {
    let Some(token) = token(call) else {
        return Ok(None);
    };
    if token.is_empty() {
        return Err(ApiError::new(
            "InvalidClientTokenException",
            "The specified client token is not valid.",
        ));
    }
    let earlier = world.ram.answers.get(&key(call, token));
    let tokens = world.readings.client_tokens;
    let remembered = earlier.filter(|earlier| earlier.is_remembered(tokens, world.now));
    let Some(earlier) = remembered else {
        return Ok(None);
    };
    if earlier.operation != call.operation || earlier.input != call.input {
        return Err(ApiError::new(
            "IdempotentParameterMismatchException",
            "The client token was used with a previous call, but at least one of the other \
             parameters is different from the previous call.",
        ));
    }
    Ok(Some(earlier.answer.clone()))
}

/// Completes an answer with its token, and keeps it for repetitions of the call.
pub(super) fn remember(world: &mut World, call: &Call, mut answer: Value) -> Value {
    if !OPERATIONS.contains(&call.operation.as_str()) {
        return answer;
    }
    let Some(token) = token(call) else {
        answer["clientToken"] = world.uuid("ram client token").into();
        return answer;
    };
    answer["clientToken"] = token.into();
    let answered = Answered {
        operation: call.operation.clone(),
        input: call.input.clone(),
        answer: answer.clone(),
        at: world.now,
    };
    world.ram.answers.insert(key(call, token), answered);
    answer
}

fn token(call: &Call) -> Option<&str> {
    call.text("clientToken")
        .filter(|_| OPERATIONS.contains(&call.operation.as_str()))
}

fn key(call: &Call, token: &str) -> (String, String, String) {
    (
        call.caller.account.clone(),
        call.region.clone(),
        token.to_owned(),
    )
}
