mod names;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::services::{iam, sqs};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "eu-west-1";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:jobs";
const DEAD: &str = "arn:aws:sqs:eu-west-1:111111111111:dead";
const ROLE: &str = "arn:aws:iam::111111111111:role/worker";

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let trust = json!({ "AssumeRolePolicyDocument": { "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }}, "Policies": [{ "PolicyName": "work", "PolicyDocument": { "Statement": [
        { "Effect": "Allow", "Action": "logs:*", "Resource": "*" },
        {
            "Effect": "Allow",
            "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
            "Resource": QUEUE,
        },
    ]}}]});
    iam::create_role(&mut world, ACCOUNT, "worker", &trust).unwrap();
    sqs::create_queue(&mut world, ACCOUNT, REGION, "dead", &json!({})).unwrap();
    let queue = json!({
        "VisibilityTimeout": 60,
        "RedrivePolicy": { "deadLetterTargetArn": DEAD, "maxReceiveCount": 2 },
    });
    sqs::create_queue(&mut world, ACCOUNT, REGION, "jobs", &queue).unwrap();
    world
}

fn function(world: &mut World, mut properties: Value) -> Result<(), ApiError> {
    properties["Role"] = json!(ROLE);
    create_function(world, ACCOUNT, REGION, "work", &properties)
}

fn map(world: &mut World, mut properties: Value) -> Result<(), ApiError> {
    properties["EventSourceArn"] = json!(QUEUE);
    properties["FunctionName"] = json!("arn:aws:lambda:eu-west-1:111111111111:function:work");
    create_event_source_mapping(world, ACCOUNT, REGION, &properties)
}

fn mapped(function_properties: Value, mapping: Value) -> World {
    let mut world = world();
    function(&mut world, function_properties).unwrap();
    map(&mut world, mapping).unwrap();
    world
}

fn reporting() -> World {
    let mapping = json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"] });
    mapped(json!({}), mapping)
}

fn send(world: &mut World, body: &str) {
    let url = "https://sqs.eu-west-1.amazonaws.com/111111111111/jobs";
    let call = Call {
        caller: crate::world::Caller::administrator(ACCOUNT),
        region: REGION.to_owned(),
        service: "sqs".to_owned(),
        operation: "SendMessage".to_owned(),
        input: json!({ "QueueUrl": url, "MessageBody": body }),
    };
    sqs::call(world, &call).unwrap();
}

fn pass(world: &mut World, seconds: u64) {
    world.now += Duration::from_secs(seconds);
    world.run_due();
}

fn bodies(start: &Start) -> Vec<&str> {
    let records = start.payload["Records"].as_array().unwrap();
    records
        .iter()
        .map(|record| record["body"].as_str().unwrap())
        .collect()
}

fn failed() -> Result<Value, FunctionError> {
    Err(FunctionError {
        error_type: "Boom".to_owned(),
        message: "it broke".to_owned(),
    })
}

/// Sends two messages, ends their invocation with the outcome, and says how many are left.
fn left_after(
    world: &mut World,
    outcome: impl FnOnce(&Start) -> Result<Value, FunctionError>,
) -> usize {
    send(world, "a");
    send(world, "b");
    let start = start_due(world, 10).remove(0);
    assert_eq!(bodies(&start), ["a", "b"]);
    let outcome = outcome(&start);
    finish(world, &start.request_id, outcome, Vec::new());
    sqs::messages(world, QUEUE).len()
}

#[test]
fn messages_reach_the_function_in_the_shape_of_an_sqs_event() {
    let mut world = reporting();
    send(&mut world, "a");
    let start = start_due(&mut world, 1).remove(0);
    let record = &start.payload["Records"][0];
    assert_eq!(record["body"], "a");
    assert_eq!(record["eventSource"], "aws:sqs");
    assert_eq!(record["eventSourceARN"], QUEUE);
    assert_eq!(record["awsRegion"], REGION);
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["messageAttributes"], json!({}));
    assert_eq!(start.function.key.name, "work");
}

#[test]
fn what_succeeded_leaves_the_queue() {
    for answer in [
        json!(null),
        json!({}),
        json!({ "batchItemFailures": [] }),
        json!({ "batchItemFailures": null }),
    ] {
        assert_eq!(left_after(&mut reporting(), |_| Ok(answer)), 0);
    }
}

#[test]
fn only_the_failures_of_a_partial_batch_response_come_back() {
    let mut world = reporting();
    let left = left_after(&mut world, |start| {
        let id = &start.payload["Records"][1]["messageId"];
        Ok(json!({ "batchItemFailures": [{ "itemIdentifier": id }] }))
    });
    assert_eq!(left, 1);
    assert!(start_due(&mut world, 10).is_empty());
    pass(&mut world, 60);
    assert_eq!(bodies(&start_due(&mut world, 10)[0]), ["b"]);
}

#[test]
fn a_response_that_cannot_be_read_fails_the_whole_batch() {
    for answer in [
        json!("done"),
        json!({ "batchItemFailures": "x" }),
        json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }),
        json!({ "batchItemFailures": [{ "itemIdentifier": null }] }),
        json!({ "batchItemFailures": [{ "id": "x" }] }),
        json!({ "batchItemFailures": [{ "itemIdentifier": "unknown" }] }),
    ] {
        assert_eq!(left_after(&mut reporting(), |_| Ok(answer)), 2);
    }
}

#[test]
fn without_reports_any_answer_is_a_success() {
    let mut world = mapped(json!({}), json!({}));
    assert_eq!(left_after(&mut world, |_| Ok(json!("done"))), 0);
}

#[test]
fn a_batch_that_keeps_failing_ends_in_the_dead_letter_queue() {
    let mut world = reporting();
    assert_eq!(left_after(&mut world, |_| failed()), 2);
    pass(&mut world, 60);
    let start = start_due(&mut world, 10).remove(0);
    finish(&mut world, &start.request_id, failed(), Vec::new());
    assert!(sqs::messages(&world, DEAD).is_empty());
    pass(&mut world, 60);
    assert!(start_due(&mut world, 10).is_empty());
    assert_eq!(sqs::messages(&world, DEAD).len(), 2);
    assert!(sqs::messages(&world, QUEUE).is_empty());
}

#[test]
fn a_batch_is_taken_when_it_is_full_or_its_window_ends() {
    let mut world = mapped(
        json!({}),
        json!({ "BatchSize": 2, "MaximumBatchingWindowInSeconds": 5 }),
    );
    send(&mut world, "a");
    assert!(start_due(&mut world, 10).is_empty());
    assert_eq!(world.next_due(), Some(Timestamp::from_second(5).unwrap()));
    pass(&mut world, 5);
    assert_eq!(bodies(&start_due(&mut world, 10)[0]), ["a"]);

    send(&mut world, "b");
    assert!(start_due(&mut world, 10).is_empty());
    send(&mut world, "c");
    assert_eq!(bodies(&start_due(&mut world, 10)[0]), ["b", "c"]);
}

#[test]
fn no_more_runs_at_once_than_driver_function_and_mapping_allow() {
    let started = |world: &mut World, most: usize| {
        for _ in 0..5 {
            send(world, "a");
        }
        start_due(world, most).len()
    };
    let one_each = json!({ "BatchSize": 1 });
    let mut free = mapped(json!({}), one_each.clone());
    assert_eq!(started(&mut free, 3), 3);
    let mut reserved = mapped(
        json!({ "ReservedConcurrentExecutions": 1 }),
        one_each.clone(),
    );
    assert_eq!(started(&mut reserved, 9), 1);
    let mut off = mapped(json!({ "ReservedConcurrentExecutions": 0 }), one_each);
    assert_eq!(started(&mut off, 9), 0);
    let limited = json!({ "BatchSize": 1, "ScalingConfig": { "MaximumConcurrency": 2 } });
    let mut limited = mapped(json!({}), limited);
    assert_eq!(started(&mut limited, 9), 2);
    let mut disabled = mapped(json!({}), json!({ "Enabled": false }));
    assert_eq!(started(&mut disabled, 9), 0);
}

#[test]
fn an_invocation_answers_whoever_asked_for_it() {
    let mut world = reporting();
    let mut answer = invoke(&mut world, ACCOUNT, REGION, "work", json!({ "a": 1 })).unwrap();
    let start = start_due(&mut world, 1).remove(0);
    assert_eq!(start.payload, json!({ "a": 1 }));
    assert_eq!(in_flight(&world), 1);
    finish(
        &mut world,
        &start.request_id,
        Ok(json!("ok")),
        vec!["line".to_owned()],
    );

    let invocation = answer.try_recv().unwrap();
    assert_eq!(invocation.outcome, Ok(json!("ok")));
    assert_eq!(invocation.logs, ["line"]);
    assert_eq!(world.lambda.finished, [invocation]);
    assert_eq!(in_flight(&world), 0);

    let missing = invoke(&mut world, ACCOUNT, REGION, "other", Value::Null).unwrap_err();
    assert_eq!(missing.code, "ResourceNotFoundException");
}

fn asked(account: &str, operation: &str, input: Value) -> Call {
    Call {
        caller: crate::world::Caller::administrator(account),
        region: REGION.to_owned(),
        service: "lambda".to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

#[test]
fn a_caller_is_told_at_once_when_the_reserved_concurrency_is_used_up() {
    let mut world = world();
    function(&mut world, json!({ "ReservedConcurrentExecutions": 2 })).unwrap();
    let ask = |world: &mut World| invoke(world, ACCOUNT, REGION, "work", json!({}));
    let _first = ask(&mut world).unwrap();
    let start = start_due(&mut world, 1).remove(0);
    // The second has its place before it runs.
    let _second = ask(&mut world).unwrap();
    let refused = ask(&mut world).unwrap_err();
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (429, "TooManyRequestsException")
    );
    assert_eq!(
        refused.members["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    finish(&mut world, &start.request_id, Ok(Value::Null), Vec::new());
    ask(&mut world).unwrap();
}

#[test]
fn an_event_waits_for_room_until_it_is_too_old() {
    for (wait, starts) in [(60, 1), (61, 0)] {
        let mut world = world();
        function(&mut world, json!({ "ReservedConcurrentExecutions": 1 })).unwrap();
        let age = json!({
            "FunctionName": "work", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 60,
        });
        create_event_invoke_config(&mut world, ACCOUNT, REGION, &age).unwrap();
        let _answer = invoke(&mut world, ACCOUNT, REGION, "work", json!({})).unwrap();
        invoke_asynchronously(&mut world, ACCOUNT, REGION, "work", json!({})).unwrap();
        let busy = start_due(&mut world, 10);
        assert_eq!(busy.len(), 1, "there is room for one");
        pass(&mut world, wait);
        finish(&mut world, &busy[0].request_id, Ok(Value::Null), Vec::new());
        assert_eq!(
            start_due(&mut world, 10).len(),
            starts,
            "after {wait} seconds"
        );
    }
}

#[test]
fn a_function_needs_a_role_that_trusts_lambda() {
    let mut world = world();
    let other = json!({ "AssumeRolePolicyDocument": { "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }}});
    iam::create_role(&mut world, ACCOUNT, "other", &other).unwrap();
    for role in [
        "",
        "arn:aws:iam::111111111111:role/missing",
        "arn:aws:iam::111111111111:role/other",
    ] {
        let properties = json!({ "Role": role });
        let error = create_function(&mut world, ACCOUNT, REGION, "work", &properties).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValueException", "{role}");
    }
}

/// A world in which the function's role has exactly these permissions.
fn with_role(statement: &Value) -> World {
    let mut world = world();
    iam::delete_role(&mut world, ACCOUNT, "worker");
    let role = json!({
        "AssumeRolePolicyDocument": { "Statement": {
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }},
        "Policies": [{ "PolicyName": "work", "PolicyDocument": { "Statement": statement } }],
    });
    iam::create_role(&mut world, ACCOUNT, "worker", &role).unwrap();
    function(&mut world, json!({})).unwrap();
    world
}

#[test]
fn a_queue_feeds_only_functions_whose_role_may_read_it() {
    let reading = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
    for missing in reading {
        let actions = reading.iter().filter(|action| **action != missing);
        let actions: Vec<String> = actions.map(|action| format!("sqs:{action}")).collect();
        let allow = json!({ "Effect": "Allow", "Action": actions, "Resource": QUEUE });
        let error = map(&mut with_role(&allow), json!({})).unwrap_err();
        assert!(error.message.contains(missing), "{error}");
    }
    let other = "arn:aws:sqs:eu-west-1:111111111111:other";
    let allow = json!({ "Effect": "Allow", "Action": "sqs:*", "Resource": other });
    map(&mut with_role(&allow), json!({})).unwrap_err();
}

#[test]
fn a_function_that_may_not_write_logs_leaves_none() {
    for (resource, lines) in [
        (
            "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/work:*",
            1,
        ),
        (
            "arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/other:*",
            0,
        ),
    ] {
        let action = ["logs:CreateLogStream", "logs:PutLogEvents"];
        let allow = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        let mut world = with_role(&allow);
        let _answer = invoke(&mut world, ACCOUNT, REGION, "work", json!({})).unwrap();
        let start = start_due(&mut world, 1).remove(0);
        let line = vec!["a line".to_owned()];
        finish(&mut world, &start.request_id, Ok(Value::Null), line);
        assert_eq!(world.lambda.finished[0].logs.len(), lines, "{resource}");
    }
}

#[test]
fn configurations_that_lambda_refuses_are_refused() {
    let mut world = world();
    for properties in [
        json!({ "Timeout": 901 }),
        json!({ "MemorySize": 64 }),
        json!({ "Environment": { "Variables": { "AWS_REGION": "x" } } }),
        json!({ "Environment": { "Variables": { "LONG": "x".repeat(4096) } } }),
    ] {
        assert!(
            function(&mut world, properties.clone()).is_err(),
            "{properties}"
        );
    }
    function(&mut world, json!({ "Timeout": 61 })).unwrap();
    let too_short = map(&mut world, json!({})).unwrap_err();
    assert!(
        too_short.message.contains("less than Function timeout"),
        "{too_short}"
    );
}

#[test]
fn mappings_that_lambda_refuses_are_refused() {
    let mut world = world();
    assert!(map(&mut world, json!({})).is_err(), "without a function");
    function(&mut world, json!({})).unwrap();
    for properties in [
        json!({ "BatchSize": 11 }),
        json!({ "ScalingConfig": { "MaximumConcurrency": 1 } }),
        json!({ "FilterCriteria": { "Filters": [] } }),
    ] {
        assert!(map(&mut world, properties.clone()).is_err(), "{properties}");
    }
    map(&mut world, json!({})).unwrap();
    let twice = map(&mut world, json!({})).unwrap_err();
    assert_eq!(twice.code, "ResourceConflictException");
}

/// Gives the world a function, and an open environment with these credentials.
pub(crate) fn with_environment(world: &mut World) -> (&mut World, String) {
    let mut other = reporting();
    std::mem::swap(world, &mut other);
    let function = world.lambda.functions.values().next().unwrap().clone();
    let (access_key, _) = open_environment(world, &function);
    (world, access_key)
}

#[test]
fn a_killed_environment_is_dead_at_once() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let (world, access_key) = with_environment(&mut world);
    assert!(!is_killed(world, &access_key));
    assert!(kill(world, &access_key));
    assert!(is_killed(world, &access_key));
    assert!(!kill(world, ACCOUNT));
}

#[test]
fn mappings_are_listed_as_they_work() {
    let mapping = json!({ "BatchSize": 5, "ScalingConfig": { "MaximumConcurrency": 2 } });
    let mut world = mapped(json!({}), mapping);
    let ask = |world: &mut World, input: Value| {
        let request = asked(ACCOUNT, "ListEventSourceMappings", input);
        call(world, &request).unwrap()["EventSourceMappings"].clone()
    };
    let all = ask(&mut world, json!({}));
    assert_eq!(all[0]["BatchSize"], 5);
    assert_eq!(all[0]["ScalingConfig"]["MaximumConcurrency"], 2);
    assert_eq!(all[0]["EventSourceArn"], QUEUE);
    assert_eq!(ask(&mut world, json!({ "FunctionName": "work" })), all);
    assert_eq!(
        ask(&mut world, json!({ "EventSourceArn": DEAD })),
        json!([])
    );
}
