use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::world::Caller;

const ACCOUNT: &str = "111111111111";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:jobs";
const DEAD: &str = "arn:aws:sqs:eu-west-1:111111111111:dead";
const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111111111111/jobs";
const RULE: &str = "arn:aws:events:eu-west-1:111111111111:rule/hub/r";

fn ask(world: &mut World, account: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Call {
        caller: Caller::administrator(account),
        region: "eu-west-1".to_owned(),
        service: "sqs".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &request)
}

fn on_queue(world: &mut World, operation: &str, mut input: Value) -> Value {
    input["QueueUrl"] = json!(URL);
    ask(world, ACCOUNT, operation, input).unwrap()
}

fn refused(world: &mut World, operation: &str, mut input: Value) -> String {
    input["QueueUrl"] = json!(URL);
    ask(world, ACCOUNT, operation, input).unwrap_err().code
}

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    create_queue(&mut world, ACCOUNT, "eu-west-1", "dead", &json!({})).unwrap();
    let properties = json!({
        "QueueName": "jobs",
        "VisibilityTimeout": 60,
        "RedrivePolicy": { "deadLetterTargetArn": DEAD, "maxReceiveCount": 2 },
    });
    create_queue(&mut world, ACCOUNT, "eu-west-1", "jobs", &properties).unwrap();
    world
}

fn pass(world: &mut World, seconds: u64) {
    world.now += Duration::from_secs(seconds);
    world.run_due();
}

fn receive_bodies(world: &mut World) -> Vec<String> {
    let answer = on_queue(
        world,
        "ReceiveMessage",
        json!({ "MaxNumberOfMessages": 10 }),
    );
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    messages
        .iter()
        .map(|message| message["Body"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_received_message_is_hidden_until_its_visibility_timeout() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    assert_eq!(receive_bodies(&mut world), ["a"]);
    assert!(receive_bodies(&mut world).is_empty());
    pass(&mut world, 59);
    assert!(receive_bodies(&mut world).is_empty());
    pass(&mut world, 1);
    assert_eq!(receive_bodies(&mut world), ["a"]);
}

#[test]
fn the_clock_has_a_reason_to_stop_where_a_message_becomes_visible() {
    let mut world = world();
    on_queue(
        &mut world,
        "SendMessage",
        json!({ "MessageBody": "a", "DelaySeconds": 7 }),
    );
    assert_eq!(world.next_due(), Some(Timestamp::from_second(7).unwrap()));
    pass(&mut world, 7);
    receive_bodies(&mut world);
    assert_eq!(world.next_due(), Some(Timestamp::from_second(67).unwrap()));
}

#[test]
fn a_deleted_message_does_not_come_back() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    let answer = on_queue(&mut world, "ReceiveMessage", json!({}));
    let receipt = &answer["Messages"][0]["ReceiptHandle"];
    on_queue(
        &mut world,
        "DeleteMessage",
        json!({ "ReceiptHandle": receipt }),
    );
    pass(&mut world, 60);
    assert!(receive_bodies(&mut world).is_empty());
}

#[test]
fn only_the_latest_receipt_deletes() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    let first = on_queue(&mut world, "ReceiveMessage", json!({}));
    pass(&mut world, 60);
    on_queue(&mut world, "ReceiveMessage", json!({}));
    let receipt = &first["Messages"][0]["ReceiptHandle"];
    on_queue(
        &mut world,
        "DeleteMessage",
        json!({ "ReceiptHandle": receipt }),
    );
    assert_eq!(messages(&world, QUEUE).len(), 1);
    let code = refused(
        &mut world,
        "DeleteMessage",
        json!({ "ReceiptHandle": "nonsense" }),
    );
    assert_eq!(code, "ReceiptHandleIsInvalid");
}

#[test]
fn a_message_goes_to_the_dead_letter_queue_when_it_would_be_received_too_often() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    for _ in 0..2 {
        assert_eq!(receive_bodies(&mut world), ["a"]);
        assert!(messages(&world, DEAD).is_empty());
        pass(&mut world, 60);
    }
    assert!(receive_bodies(&mut world).is_empty());
    let dead = messages(&world, DEAD);
    assert_eq!(dead[0].body, "a");
    assert_eq!(dead[0].sent, Timestamp::UNIX_EPOCH);
    assert_eq!(dead[0].dead_letter_source.as_deref(), Some(QUEUE));
}

#[test]
fn visibility_can_be_changed_while_a_message_is_in_flight_only() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    let answer = on_queue(&mut world, "ReceiveMessage", json!({}));
    let receipt = &answer["Messages"][0]["ReceiptHandle"];
    let change = json!({ "ReceiptHandle": receipt, "VisibilityTimeout": 0 });
    on_queue(&mut world, "ChangeMessageVisibility", change.clone());
    let code = refused(&mut world, "ChangeMessageVisibility", change);
    assert_eq!(code, "MessageNotInflight");
    assert_eq!(receive_bodies(&mut world), ["a"]);
}

#[test]
fn old_messages_are_forgotten() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    pass(&mut world, 345_600);
    assert!(messages(&world, QUEUE).is_empty());
    assert!(receive_bodies(&mut world).is_empty());
}

#[test]
fn attributes_are_shown_to_those_who_ask() {
    let mut world = world();
    let attribute = json!({ "DataType": "Number", "StringValue": "3" });
    let input = json!({ "MessageBody": "a", "MessageAttributes": { "attempts": attribute } });
    on_queue(&mut world, "SendMessage", input);
    pass(&mut world, 1);
    let input = json!({
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["attempts"],
    });
    let answer = on_queue(&mut world, "ReceiveMessage", input);
    let message = &answer["Messages"][0];
    assert_eq!(message["MD5OfBody"], "0cc175b9c0f1b6a831c399e269772661");
    assert_eq!(message["Attributes"]["SentTimestamp"], "0");
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(
        message["Attributes"]["ApproximateFirstReceiveTimestamp"],
        "1000"
    );
    assert_eq!(message["MessageAttributes"]["attempts"], attribute);

    pass(&mut world, 60);
    let answer = on_queue(&mut world, "ReceiveMessage", json!({}));
    assert!(answer["Messages"][0].get("Attributes").is_none());
}

#[test]
fn an_entry_of_a_batch_can_fail_by_itself() {
    let mut world = world();
    let answer = on_queue(
        &mut world,
        "SendMessageBatch",
        json!({ "Entries": [
            { "Id": "1", "MessageBody": "a" },
            { "Id": "2", "MessageBody": "b", "DelaySeconds": 901 },
        ]}),
    );
    assert_eq!(answer["Successful"][0]["Id"], "1");
    assert_eq!(answer["Failed"][0]["Id"], "2");
    assert_eq!(answer["Failed"][0]["Code"], "InvalidParameterValue");

    let twice = json!({ "Entries": [{ "Id": "1" }, { "Id": "1" }] });
    assert_eq!(
        refused(&mut world, "SendMessageBatch", twice),
        "BatchEntryIdsNotDistinct"
    );
    let many: Vec<Value> = (0..11).map(|n| json!({ "Id": n.to_string() })).collect();
    let many = json!({ "Entries": many });
    assert_eq!(
        refused(&mut world, "SendMessageBatch", many),
        "TooManyEntriesInBatchRequest"
    );
    assert_eq!(
        refused(&mut world, "SendMessageBatch", json!({})),
        "EmptyBatchRequest"
    );
}

#[test]
fn a_service_delivers_only_where_the_policy_lets_it() {
    let mut world = world();
    let error = deliver(&mut world, QUEUE, RULE, "{}").unwrap_err();
    assert_eq!(error.code, "AccessDenied");

    let policy = json!({ "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": { "ArnEquals": { "aws:SourceArn": RULE } },
    }]});
    set_policy(&mut world, URL, &policy).unwrap();
    deliver(&mut world, QUEUE, RULE, "{}").unwrap();
    assert_eq!(messages(&world, QUEUE)[0].body, "{}");

    let other = "arn:aws:events:eu-west-1:111111111111:rule/hub/other";
    assert!(deliver(&mut world, QUEUE, other, "{}").is_err());
    let topic = "arn:aws:sns:eu-west-1:111111111111:t";
    assert!(deliver(&mut world, QUEUE, topic, "{}").is_err());
    let missing = deliver(
        &mut world,
        "arn:aws:sqs:eu-west-1:111111111111:no",
        RULE,
        "{}",
    );
    assert_eq!(missing.unwrap_err().code, "QueueDoesNotExist");
}

#[test]
fn another_account_needs_the_policy_of_the_queue() {
    let mut world = world();
    let input = json!({ "QueueUrl": URL, "MessageBody": "a" });
    let error = ask(&mut world, "222222222222", "SendMessage", input.clone()).unwrap_err();
    assert_eq!(error.status, 403);

    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "AWS": "222222222222" },
        "Action": "SQS:SendMessage",
        "Resource": QUEUE,
    }});
    set_policy(&mut world, QUEUE, &policy).unwrap();
    ask(&mut world, "222222222222", "SendMessage", input.clone()).unwrap();
    assert!(ask(&mut world, "222222222222", "ReceiveMessage", input).is_err());
}

#[test]
fn any_url_that_ends_in_account_and_name_finds_the_queue() {
    let mut world = world();
    let url = "http://127.0.0.1:4566/111111111111/jobs";
    let input = json!({ "QueueUrl": url, "AttributeNames": ["All"] });
    let answer = ask(&mut world, ACCOUNT, "GetQueueAttributes", input).unwrap();
    assert_eq!(answer["Attributes"]["QueueArn"], QUEUE);
    assert_eq!(answer["Attributes"]["VisibilityTimeout"], "60");
    assert_eq!(answer["Attributes"]["MessageRetentionPeriod"], "345600");

    let answer = ask(
        &mut world,
        ACCOUNT,
        "GetQueueUrl",
        json!({ "QueueName": "jobs" }),
    )
    .unwrap();
    assert_eq!(answer["QueueUrl"], URL);
    let answer = ask(
        &mut world,
        ACCOUNT,
        "ListQueues",
        json!({ "QueueNamePrefix": "jo" }),
    )
    .unwrap();
    assert_eq!(answer["QueueUrls"], json!([URL]));
}

#[test]
fn a_queue_is_made_again_only_with_the_same_attributes() {
    let mut world = world();
    let mut create = |timeout: &str| {
        let attributes = json!({ "VisibilityTimeout": timeout });
        let input = json!({ "QueueName": "new", "Attributes": attributes });
        ask(&mut world, ACCOUNT, "CreateQueue", input)
    };
    let first = create("20").unwrap();
    assert_eq!(create("20").unwrap(), first);
    assert_eq!(create("21").unwrap_err().code, "QueueNameExists");
    assert_eq!(create("x").unwrap_err().code, "InvalidAttributeValue");
}

#[test]
fn a_redrive_policy_needs_an_existing_target() {
    let mut world = world();
    let mut properties = json!({ "RedrivePolicy": {
        "deadLetterTargetArn": "arn:aws:sqs:eu-west-1:111111111111:nowhere",
        "maxReceiveCount": 3,
    }});
    let mut create = |properties: &Value| {
        create_queue(&mut world, ACCOUNT, "eu-west-1", "new", properties).map_err(|e| e.code)
    };
    assert_eq!(create(&properties), Err("InvalidAttributeValue".to_owned()));
    properties["RedrivePolicy"]["deadLetterTargetArn"] = json!(DEAD);
    properties["RedrivePolicy"]["maxReceiveCount"] = json!(0);
    assert_eq!(create(&properties), Err("InvalidAttributeValue".to_owned()));
    properties["RedrivePolicy"]["maxReceiveCount"] = json!("3");
    assert_eq!(create(&properties), Ok(()));
}

#[test]
fn a_queue_is_purged_once_a_minute_at_most() {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "a" }));
    on_queue(&mut world, "PurgeQueue", json!({}));
    assert!(messages(&world, QUEUE).is_empty());
    assert_eq!(
        refused(&mut world, "PurgeQueue", json!({})),
        "PurgeQueueInProgress"
    );
    pass(&mut world, 60);
    on_queue(&mut world, "PurgeQueue", json!({}));
}

#[test]
fn what_sqs_cannot_carry_is_refused() {
    let mut world = world();
    let code = refused(&mut world, "SendMessage", json!({ "MessageBody": "\u{b}" }));
    assert_eq!(code, "InvalidMessageContents");
    let long = "x".repeat(1_048_577);
    let code = refused(&mut world, "SendMessage", json!({ "MessageBody": long }));
    assert_eq!(code, "InvalidParameterValueException");
}

/// A world with a dead letter, and how it came about.
fn world_with_a_dead_letter() -> World {
    let mut world = world();
    on_queue(&mut world, "SendMessage", json!({ "MessageBody": "late" }));
    for _ in 0..3 {
        receive_bodies(&mut world);
        pass(&mut world, 60);
    }
    assert_eq!(messages(&world, DEAD).len(), 1);
    world
}

#[test]
fn dead_letters_go_back_to_where_they_come_from() {
    let mut world = world_with_a_dead_letter();
    let dead = messages(&world, DEAD).remove(0);
    let start = json!({ "SourceArn": DEAD });
    ask(&mut world, ACCOUNT, "StartMessageMoveTask", start.clone()).unwrap();
    assert_eq!(messages(&world, DEAD), []);
    let [back] = &messages(&world, QUEUE)[..] else {
        panic!("expected one message");
    };
    assert_eq!((back.body.as_str(), back.receive_count), ("late", 0));
    assert_ne!(back.message_id, dead.message_id);
    let tasks = ask(&mut world, ACCOUNT, "ListMessageMoveTasks", start).unwrap();
    assert_eq!(tasks["Results"][0]["Status"], "COMPLETED");
    assert_eq!(tasks["Results"][0]["ApproximateNumberOfMessagesMoved"], 1);
}

#[test]
fn dead_letters_go_to_another_queue_but_not_those_in_flight() {
    let mut world = world_with_a_dead_letter();
    create_queue(&mut world, ACCOUNT, "eu-west-1", "other", &json!({})).unwrap();
    let other = "arn:aws:sqs:eu-west-1:111111111111:other";
    receive(&mut world, DEAD, 1);
    let start = json!({ "SourceArn": DEAD, "DestinationArn": other });
    ask(&mut world, ACCOUNT, "StartMessageMoveTask", start.clone()).unwrap();
    assert_eq!(messages(&world, other), []);
    pass(&mut world, 30);
    ask(&mut world, ACCOUNT, "StartMessageMoveTask", start).unwrap();
    assert_eq!(messages(&world, other)[0].body, "late");
}

#[test]
fn only_ones_own_dead_letter_queues_are_moved() {
    let mut world = world();
    let mut refused = |account: &str, source: &str| {
        let input = json!({ "SourceArn": source });
        ask(&mut world, account, "StartMessageMoveTask", input)
            .unwrap_err()
            .code
    };
    assert_eq!(refused(ACCOUNT, QUEUE), "UnsupportedOperation");
    assert_eq!(refused(ACCOUNT, "arn:none"), "ResourceNotFoundException");
    assert_eq!(refused("999999999999", DEAD), "ResourceNotFoundException");
}

#[test]
fn a_dead_letter_queue_tells_its_sources() {
    let mut world = world();
    let url = URL.replace("jobs", "dead");
    let input = json!({ "QueueUrl": url });
    let answer = ask(&mut world, ACCOUNT, "ListDeadLetterSourceQueues", input).unwrap();
    assert_eq!(answer["queueUrls"], json!([URL]));
    let answer = on_queue(&mut world, "ListDeadLetterSourceQueues", json!({}));
    assert_eq!(answer["queueUrls"], json!([]));
}

#[test]
fn queues_have_tags() {
    let mut world = world();
    let tags = json!({ "team": "churn", "stage": "" });
    on_queue(&mut world, "TagQueue", json!({ "Tags": tags }));
    assert_eq!(
        on_queue(&mut world, "ListQueueTags", json!({}))["Tags"],
        tags
    );
    on_queue(&mut world, "UntagQueue", json!({ "TagKeys": ["team"] }));
    let answer = on_queue(&mut world, "ListQueueTags", json!({}));
    assert_eq!(answer["Tags"], json!({ "stage": "" }));
    let reserved = json!({ "Tags": { "aws:team": "x" } });
    let code = refused(&mut world, "TagQueue", reserved);
    assert_eq!(code, "InvalidParameterValueException");
}

#[test]
fn queues_are_listed_page_by_page() {
    let mut world = world();
    let first = ask(
        &mut world,
        ACCOUNT,
        "ListQueues",
        json!({ "MaxResults": 1 }),
    )
    .unwrap();
    let next = json!({ "MaxResults": 1, "NextToken": first["NextToken"] });
    let second = ask(&mut world, ACCOUNT, "ListQueues", next).unwrap();
    assert_ne!(first["QueueUrls"], second["QueueUrls"]);
    assert_eq!(second["NextToken"], Value::Null);
}
