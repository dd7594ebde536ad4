//! Who may put events on a bus: callers of other accounts, and the roles of rules.

use serde_json::{Value, json};

use super::{bus::BusId, rules::RuleId};
use crate::{
    services::{
        arn::Arn,
        denials::denied,
        iam::{
            identity,
            policy::{Decision, Request, evaluate},
            requests::Wanted,
        },
    },
    world::{ApiError, AssumedRole, Caller, World},
};

/// The condition keys of an event, and the fields that they tell of.
const EVENT_KEYS: [(&str, &str); 2] = [
    ("events:source", "source"),
    ("events:detail-type", "detail-type"),
];

/// Refuses a caller of another account unless the bus's policy lets it put this event.
///
/// What the caller's own policies say is asked before the call comes here.
pub(super) fn check_caller(
    world: &mut World,
    caller: &Caller,
    bus: &BusId,
    event: &Value,
) -> Result<(), ApiError> {
    if caller.account == bus.account {
        return Ok(());
    }
    let arn = bus.arn();
    let mut request = Request::of_caller(world, caller, "events:PutEvents", &arn);
    for (key, field) in EVENT_KEYS {
        let value = event[field].as_str().unwrap_or_default();
        request.add(key, value.to_owned());
    }
    // ASSUMED: a bus that is not there denies like one that does not allow.
    let statements = world.events.bus(bus).map(|bus| bus.policy.as_slice());
    let policy = json!({ "Statement": statements.unwrap_or_default() });
    if evaluate(&policy, &request)? == Decision::Allow {
        return Ok(());
    }
    Err(denied(
        "events",
        &caller.arn(),
        "events:PutEvents",
        &arn,
        "",
    ))
}

/// Refuses the role of a rule unless its own policies let it put this event.
pub(super) fn check_role(
    world: &mut World,
    session: &Caller,
    bus: &BusId,
    event: &Value,
) -> Result<(), ApiError> {
    let mut wanted = Wanted::new("events:PutEvents", bus.arn());
    for (key, field) in EVENT_KEYS {
        wanted = wanted.with(key, event[field].as_str().unwrap_or_default());
    }
    identity::check(world, session, &wanted)
}

/// The session in which a rule puts events on another bus.
pub(super) fn session(world: &World, rule: &RuleId, role_arn: &str) -> Result<Caller, ApiError> {
    const EVENTBRIDGE: &str = "events.amazonaws.com";
    const ACTION: &str = "sts:AssumeRole";

    let account = &rule.bus.account;
    let refused = || denied("events", EVENTBRIDGE, ACTION, role_arn, "");
    let (name, found) = world
        .iam
        .role_by_arn(role_arn)
        .filter(|_| Arn::parse(role_arn).is_some_and(|arn| arn.account == account))
        .ok_or_else(refused)?;
    let request = Request::of_service(EVENTBRIDGE, &rule.arn(), account, ACTION, role_arn);
    match evaluate(&found.trust, &request)? {
        Decision::Allow => Ok(Caller {
            account: account.clone(),
            role: Some(AssumedRole {
                name: name.to_owned(),
                session: rule.name.clone(),
            }),
        }),
        Decision::Deny | Decision::Silent => Err(refused()),
    }
}
