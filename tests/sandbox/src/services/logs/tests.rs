//! What users of CloudWatch Logs rely on: what rules write, who lets them, and what is read.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{call, create_group, create_resource_policy};
use crate::{
    services::{events, sqs},
    world::{ApiError, Call, World, pass},
};

const ACCOUNT: &str = "333333333333";
const REGION: &str = "eu-west-1";
const GROUP: &str = "/aws/events/orders";
const ARN: &str = "arn:aws:logs:eu-west-1:333333333333:log-group:/aws/events/orders";

fn world() -> World {
    let start: Timestamp = "2026-11-20T10:00:00.25Z".parse().unwrap();
    World::new(start)
}

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    call(
        world,
        &Call::by_administrator(ACCOUNT, REGION, "logs", operation, input),
    )
}

fn bus(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    events::call(
        world,
        &Call::by_administrator(ACCOUNT, REGION, "events", operation, input),
    )
}

fn make_group(world: &mut World, days: i64) {
    let properties = json!({ "LogGroupName": GROUP, "RetentionInDays": days });
    create_group(world, ACCOUNT, REGION, GROUP, &properties).unwrap();
}

/// A policy that lets rules of EventBridge write; the condition is for the writing.
fn allow(world: &mut World, condition: &Value) {
    let statement = |action: &str, condition: Option<&Value>| {
        let mut statement = json!({
            "Effect": "Allow",
            "Principal": { "Service": ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
            "Action": action,
            "Resource": format!("{ARN}:*"),
        });
        if let Some(condition) = condition {
            statement["Condition"] = condition.clone();
        }
        statement
    };
    let document = json!({ "Version": "2012-10-17", "Statement": [
        statement("logs:CreateLogStream", None),
        statement("logs:PutLogEvents", Some(condition)),
    ]});
    let properties = json!({ "PolicyName": "events", "PolicyDocument": document.to_string() });
    create_resource_policy(world, ACCOUNT, REGION, "events", &properties).unwrap();
}

/// A rule that writes all events of `shop` into the group, with a dead-letter queue.
fn make_rule(world: &mut World) -> String {
    let dead = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:dead");
    sqs::create_queue(world, ACCOUNT, REGION, "dead", &json!({})).unwrap();
    let policy = json!({ "Statement": {
        "Effect": "Allow", "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage", "Resource": dead,
    }});
    sqs::set_policy(world, &dead, &policy).unwrap();
    let pattern = json!({ "source": ["shop"] }).to_string();
    bus(
        world,
        "PutRule",
        json!({ "Name": "orders", "EventPattern": pattern }),
    )
    .unwrap();
    let target = json!({ "Id": "log", "Arn": ARN, "DeadLetterConfig": { "Arn": dead } });
    bus(
        world,
        "PutTargets",
        json!({ "Rule": "orders", "Targets": [target] }),
    )
    .unwrap();
    dead
}

fn order(world: &mut World, number: u32) {
    let detail = json!({ "order": number, "state": "paid" }).to_string();
    let entry = json!({ "Source": "shop", "DetailType": "Order", "Detail": detail });
    bus(world, "PutEvents", json!({ "Entries": [entry] })).unwrap();
    pass(world, 60);
}

fn messages(answer: &Value) -> Vec<Value> {
    let events = answer["events"].as_array().unwrap().iter();
    let parsed = events.map(|it| serde_json::from_str(it["message"].as_str().unwrap()).unwrap());
    parsed.collect()
}

#[test]
fn a_rule_writes_whole_events_that_can_be_read_and_filtered() {
    let mut world = world();
    make_group(&mut world, 90);
    let rule = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/orders");
    allow(&mut world, &json!({ "ArnLike": { "aws:SourceArn": rule } }));
    make_rule(&mut world);
    for number in [1, 2, 30] {
        order(&mut world, number);
    }
    let of = |input: Value| {
        let mut input = input;
        input["logGroupName"] = json!(GROUP);
        input
    };
    let all = ask(&mut world, "FilterLogEvents", of(json!({}))).unwrap();
    let lines = messages(&all);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["detail-type"], "Order");
    assert_eq!(lines[0]["detail"]["order"], 1);
    assert_eq!(all["events"][0]["timestamp"], 1_795_168_800_000_i64);

    let pattern = json!({ "filterPattern": "paid 30" });
    let found = ask(&mut world, "FilterLogEvents", of(pattern)).unwrap();
    assert_eq!(messages(&found)[0]["detail"]["order"], 30);
    let pattern = json!({ "filterPattern": "{ $.detail.order = 1 }" });
    let refused = ask(&mut world, "FilterLogEvents", of(pattern)).unwrap_err();
    assert_eq!(refused.code, "NotImplemented");

    let first = ask(&mut world, "FilterLogEvents", of(json!({ "limit": 2 }))).unwrap();
    let rest = json!({ "limit": 2, "nextToken": first["nextToken"] });
    let rest = ask(&mut world, "FilterLogEvents", of(rest)).unwrap();
    assert_eq!((messages(&first).len(), messages(&rest).len()), (2, 1));
    assert!(rest.get("nextToken").is_none());

    let streams = ask(&mut world, "DescribeLogStreams", of(json!({}))).unwrap();
    let stream = &streams["logStreams"][0]["logStreamName"];
    let page = ask(
        &mut world,
        "GetLogEvents",
        of(json!({ "logStreamName": stream })),
    )
    .unwrap();
    assert_eq!(messages(&page).len(), 3);
    let end = json!({ "logStreamName": stream, "nextToken": page["nextForwardToken"] });
    let end = ask(&mut world, "GetLogEvents", of(end)).unwrap();
    assert_eq!(end["events"], json!([]));
    assert_eq!(end["nextForwardToken"], page["nextForwardToken"]);
}

#[test]
fn without_a_policy_of_the_account_or_a_group_the_event_is_a_dead_letter() {
    for (has_group, condition) in [
        (true, None),
        (
            true,
            Some(json!({ "ArnLike": { "aws:SourceArn": "arn:aws:events:*:*:rule/other" } })),
        ),
        (false, Some(json!({}))),
    ] {
        let mut world = world();
        if has_group {
            make_group(&mut world, 90);
        }
        if let Some(condition) = &condition {
            allow(&mut world, condition);
        }
        let dead = make_rule(&mut world);
        order(&mut world, 1);
        assert_eq!(
            sqs::messages(&world, &dead).len(),
            1,
            "{has_group} {condition:?}"
        );
        assert!(super::lines(&world, ACCOUNT, REGION, GROUP).is_empty());
    }
}

#[test]
fn what_a_target_that_is_a_log_group_may_not_have_is_refused() {
    let mut world = world();
    make_rule(&mut world);
    for target in [
        json!({ "Id": "log", "Arn": ARN, "RoleArn": "arn:aws:iam::333333333333:role/r" }),
        json!({ "Id": "log", "Arn": ARN, "Input": "{}" }),
        json!({ "Id": "log", "Arn": format!("{ARN}:*") }),
    ] {
        let input = json!({ "Rule": "orders", "Targets": [target] });
        assert!(bus(&mut world, "PutTargets", input).is_err(), "{target}");
    }
}

#[test]
fn lines_are_kept_for_as_many_days_as_the_group_says() {
    let mut world = world();
    make_group(&mut world, 1);
    allow(&mut world, &json!({}));
    make_rule(&mut world);
    order(&mut world, 1);
    assert_eq!(super::lines(&world, ACCOUNT, REGION, GROUP).len(), 1);
    pass(&mut world, 24 * 3600);
    assert!(super::lines(&world, ACCOUNT, REGION, GROUP).is_empty());
}

#[test]
fn groups_and_policies_are_made_listed_and_deleted() {
    let mut world = world();
    let group = json!({ "logGroupName": GROUP });
    ask(&mut world, "CreateLogGroup", group.clone()).unwrap();
    let again = ask(&mut world, "CreateLogGroup", group.clone()).unwrap_err();
    assert_eq!(again.code, "ResourceAlreadyExistsException");
    let keep = |days: i64| json!({ "logGroupName": GROUP, "retentionInDays": days });
    ask(&mut world, "PutRetentionPolicy", keep(400)).unwrap();
    assert!(ask(&mut world, "PutRetentionPolicy", keep(2)).is_err());
    let listed = ask(&mut world, "DescribeLogGroups", json!({})).unwrap();
    assert_eq!(listed["logGroups"][0]["retentionInDays"], 400);
    assert_eq!(listed["logGroups"][0]["logGroupArn"], ARN);
    ask(&mut world, "DeleteLogGroup", group.clone()).unwrap();
    let gone = ask(&mut world, "DeleteLogGroup", group).unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException");

    let document = json!({ "Statement": [] }).to_string();
    let policy =
        |number: u32| json!({ "policyName": format!("p{number}"), "policyDocument": document });
    for number in 0..10 {
        ask(&mut world, "PutResourcePolicy", policy(number)).unwrap();
    }
    let refused = ask(&mut world, "PutResourcePolicy", policy(10)).unwrap_err();
    assert_eq!(refused.code, "LimitExceededException");
    ask(
        &mut world,
        "DeleteResourcePolicy",
        json!({ "policyName": "p0" }),
    )
    .unwrap();
    let left = ask(&mut world, "DescribeResourcePolicies", json!({})).unwrap();
    assert_eq!(left["resourcePolicies"].as_array().unwrap().len(), 9);
}
