//! What users of EventBridge rely on, by what they would touch: calls, rules, deliveries, time.

mod api;
mod deliveries;
mod schedules;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{ServiceEvent, call, emit};
use crate::{
    services::{iam, sqs},
    world::{ApiError, Call, Caller, World, pass},
};

const HUB: &str = "333333333333";
const OWNER: &str = "222222222222";
const STRANGER: &str = "999999999999";
const REGION: &str = "eu-west-1";

/// A world in which the hub and the owner are in the organization and the stranger is not.
fn world() -> World {
    let start: Timestamp = "2026-11-20T10:00:00.25Z".parse().unwrap();
    let mut world = World::new(start);
    world.organization.members = [HUB, OWNER].map(str::to_owned).into();
    world
}

fn ask(world: &mut World, account: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Call {
        caller: Caller::administrator(account),
        region: REGION.to_owned(),
        service: "events".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &request)
}

fn queue_arn(account: &str, name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{account}:{name}")
}

/// Makes a queue to which every rule may send.
fn make_queue(world: &mut World, account: &str, name: &str) -> String {
    let arn = queue_arn(account, name);
    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }});
    sqs::create_queue(world, account, REGION, name, &json!({})).unwrap();
    sqs::set_policy(world, &arn, &policy).unwrap();
    arn
}

/// Makes a role that EventBridge may assume.
fn make_role(world: &mut World, account: &str) -> String {
    let trust = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sts:AssumeRole",
        "Condition": { "StringEquals": { "aws:SourceAccount": account } },
    }});
    let put = json!({ "Statement": {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": "arn:aws:events:*:*:event-bus/*",
    }});
    let properties = json!({
        "AssumeRolePolicyDocument": trust,
        "Policies": [{ "PolicyName": "forward", "PolicyDocument": put }],
    });
    iam::create_role(world, account, "forward", &properties).unwrap();
    format!("arn:aws:iam::{account}:role/forward")
}

/// Makes the bus `hub` in the hub, on which the organization may put events, and gives its ARN.
fn make_hub_bus(world: &mut World) -> String {
    ask(world, HUB, "CreateEventBus", json!({ "Name": "hub" })).unwrap();
    let permission = json!({
        "EventBusName": "hub",
        "StatementId": "organization",
        "Action": "events:PutEvents",
        "Principal": "*",
        "Condition": {
            "Type": "StringEquals",
            "Key": "aws:PrincipalOrgID",
            "Value": world.organization.id,
        },
    });
    ask(world, HUB, "PutPermission", permission).unwrap();
    format!("arn:aws:events:{REGION}:{HUB}:event-bus/hub")
}

/// Puts a rule for all events of `source` on a bus, with one target.
fn make_rule(world: &mut World, account: &str, bus: &str, source: &str, target: &Value) {
    let rule = json!({
        "Name": "rule",
        "EventBusName": bus,
        "EventPattern": json!({ "source": [source] }).to_string(),
    });
    ask(world, account, "PutRule", rule).unwrap();
    let mut target = target.clone();
    target["Id"] = json!("target");
    let targets = json!({ "Rule": "rule", "EventBusName": bus, "Targets": [target] });
    ask(world, account, "PutTargets", targets).unwrap();
}

fn entry(bus: &str, source: &str) -> Value {
    json!({
        "EventBusName": bus,
        "Source": source,
        "DetailType": "Something Happened",
        "Detail": "{\"n\":1,\"text\":\"say \\\"hi\\\"\"}",
    })
}

/// Puts one event and gives the result of its entry.
fn put(world: &mut World, account: &str, entry: &Value) -> Value {
    let mut output = ask(world, account, "PutEvents", json!({ "Entries": [entry] })).unwrap();
    output["Entries"][0].take()
}

fn bodies(world: &World, queue: &str) -> Vec<String> {
    let messages = sqs::messages(world, queue).into_iter();
    messages.map(|message| message.body).collect()
}

fn events_on(world: &World, account: &str, bus: &str) -> Vec<Value> {
    let seen = world.events.seen.iter();
    seen.filter(|seen| seen.account == account && seen.bus == bus)
        .map(|seen| seen.event.clone())
        .collect()
}

fn reasons(world: &World) -> Vec<&str> {
    let dropped = world.events.dropped.iter();
    dropped.map(|dropped| dropped.reason.as_str()).collect()
}

fn execution_event(account: &str) -> ServiceEvent {
    ServiceEvent {
        account: account.to_owned(),
        region: REGION.to_owned(),
        source: "aws.sagemaker".to_owned(),
        detail_type: "SageMaker Model Building Pipeline Execution Status Change".to_owned(),
        resources: vec!["arn:pipeline".to_owned()],
        detail: json!({ "currentPipelineExecutionStatus": "Succeeded" }),
    }
}

fn emit_execution(world: &mut World, account: &str) {
    emit(world, execution_event(account));
}
