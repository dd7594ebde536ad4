//! Targets of rules: where events go, and in which form.

use serde_json::{Value, json};

use super::{
    bus::BusId,
    input::Input,
    page,
    rules::{RuleId, limit_exceeded},
    validation_error,
};
use crate::{
    services::arn::Arn,
    world::{ApiError, Call, World},
};

/// A rule may have this many targets.
const MAX_TARGETS: usize = 5;

/// Something that a rule sends events to.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Target {
    pub(super) arn: String,
    pub(super) destination: Destination,
    pub(super) role: Option<String>,
    pub(super) input: Input,
    pub(super) dead_letters: Option<String>,
    /// The target as `PutTargets` was given it.
    description: Value,
}

/// The kinds of targets that the sandbox delivers to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Destination {
    Queue,
    Topic,
    LogGroup,
    Bus(BusId),
}

impl Destination {
    fn of_arn(arn: &str) -> Option<Self> {
        if let Some(bus) = BusId::from_arn(arn) {
            return Some(Self::Bus(bus));
        }
        match Arn::parse(arn)?.service {
            "sqs" => Some(Self::Queue),
            "sns" => Some(Self::Topic),
            // Not the ARN with `:*` at its end, which some answers and `Fn::GetAtt` give.
            "logs" if !arn.ends_with(":*") => Some(Self::LogGroup),
            _ => None,
        }
    }
}

impl Target {
    fn read(owner: &str, target: &Value) -> Result<Self, ApiError> {
        refuse_members(target)?;
        let arn = required(target, "Arn")?;
        let destination = Destination::of_arn(arn)
            .ok_or_else(|| not_implemented(format!("the target {arn} of a rule")))?;
        let role = target["RoleArn"].as_str().map(str::to_owned);
        if let Destination::Bus(bus) = &destination {
            // ASSUMED: the error; that a role is required is documented.
            if bus.account != owner && role.is_none() {
                return Err(validation_error(format!(
                    "RoleArn is required for target {arn}."
                )));
            }
        }
        let input = Input::read(target)?;
        if matches!(destination, Destination::Bus(_)) && input != Input::Event {
            return Err(not_implemented(
                "the input of a target that is a bus".to_owned(),
            ));
        }
        // "CloudWatch Logs log groups: do not specify a role"; the input is the event.
        if destination == Destination::LogGroup && (role.is_some() || input != Input::Event) {
            return Err(validation_error(format!(
                "RoleArn and Input are not supported for target {arn}."
            )));
        }
        Ok(Self {
            arn: arn.to_owned(),
            destination,
            role,
            input,
            dead_letters: target["DeadLetterConfig"]["Arn"]
                .as_str()
                .map(str::to_owned),
            description: target.clone(),
        })
    }
}

fn required<'v>(target: &'v Value, member: &str) -> Result<&'v str, ApiError> {
    target[member]
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| validation_error(format!("Parameter {member} of a target is required.")))
}

fn not_implemented(what: String) -> ApiError {
    let message = what + " is not implemented in the sandbox";
    ApiError::with_status(501, "NotImplemented", message)
}

/// Refuses what would otherwise silently have no effect.
///
/// A `RetryPolicy` is accepted, because in the sandbox a delivery fails only
/// for reasons that EventBridge does not retry.
fn refuse_members(target: &Value) -> Result<(), ApiError> {
    const KNOWN: [&str; 8] = [
        "Id",
        "Arn",
        "RoleArn",
        "Input",
        "InputPath",
        "InputTransformer",
        "DeadLetterConfig",
        "RetryPolicy",
    ];
    let mut members = target.as_object().into_iter().flatten();
    match members.find(|(name, _)| !KNOWN.contains(&name.as_str())) {
        Some((name, _)) => Err(not_implemented(format!("{name} of a target"))),
        None => Ok(()),
    }
}

pub(super) fn put_targets(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = RuleId::of_call(call, "Rule")?;
    let rule = id.find(world)?;
    let given = call.input["Targets"].as_array().filter(|t| !t.is_empty());
    let given = given.ok_or_else(|| validation_error("Parameter Targets is required."))?;
    let mut targets = rule.targets.clone();
    for target in given {
        let target_id = required(target, "Id")?.to_owned();
        targets.insert(target_id, Target::read(&id.bus.account, target)?);
    }
    if targets.len() > MAX_TARGETS {
        return Err(limit_exceeded());
    }
    rule.targets = targets;
    Ok(json!({ "FailedEntryCount": 0, "FailedEntries": [] }))
}

pub(super) fn remove_targets(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let id = RuleId::of_call(call, "Rule")?;
    let rule = id.find(world)?;
    // ASSUMED: a target that is not there is a failed entry, not a failed call.
    let failed: Vec<Value> = call
        .texts("Ids")
        .into_iter()
        .filter(|target| rule.targets.remove(target).is_none())
        .map(|target| {
            json!({
                "TargetId": target,
                "ErrorCode": "ResourceNotFoundException",
                "ErrorMessage": format!("Rule {} has no target {target}.", id.name),
            })
        })
        .collect();
    Ok(json!({ "FailedEntryCount": failed.len(), "FailedEntries": failed }))
}

pub(super) fn list_targets_by_rule(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let rule = RuleId::of_call(call, "Rule")?;
    let rule = rule.find(world)?;
    let targets = rule.targets.values();
    let targets: Vec<Value> = targets.map(|target| target.description.clone()).collect();
    page(call, "Targets", &targets)
}
