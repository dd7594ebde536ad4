use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{services::sqs, world::Caller};

const ACCOUNT: &str = "111111111111";
const TOPIC: &str = "arn:aws:sns:eu-west-1:111111111111:news";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:inbox";
const RULE: &str = "arn:aws:events:eu-west-1:111111111111:rule/r";

fn ask(world: &mut World, account: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Call {
        caller: Caller::administrator(account),
        region: "eu-west-1".to_owned(),
        service: "sns".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &request)
}

fn publish(world: &mut World, mut input: Value) -> Result<Value, String> {
    input["TopicArn"] = json!(TOPIC);
    ask(world, ACCOUNT, "Publish", input).map_err(|error| error.code)
}

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    create_topic(&mut world, ACCOUNT, "eu-west-1", "news", &json!({})).unwrap();
    world
}

fn subscribe_queue(world: &mut World, raw: bool) {
    sqs::create_queue(world, ACCOUNT, "eu-west-1", "inbox", &json!({})).unwrap();
    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "sns.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": { "ArnEquals": { "aws:SourceArn": TOPIC } },
    }});
    sqs::set_policy(world, QUEUE, &policy).unwrap();
    let properties = json!({
        "TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE, "RawMessageDelivery": raw,
    });
    subscribe(world, ACCOUNT, "eu-west-1", &properties).unwrap();
}

#[test]
fn what_was_published_can_be_read_back() {
    let mut world = world();
    let answer = publish(&mut world, json!({ "Message": "hello", "Subject": "Hi" })).unwrap();
    let published = &world.sns.published[0];
    assert_eq!(published.message, "hello");
    assert_eq!(published.subject.as_deref(), Some("Hi"));
    assert_eq!(published.topic_arn, TOPIC);
    assert_eq!(answer["MessageId"], published.message_id);
}

#[test]
fn a_subject_that_mail_cannot_carry_is_refused() {
    let mut world = world();
    for subject in [
        "",
        "a\nb",
        "a\u{2028}b",
        "a\u{7}b",
        &"x".repeat(100),
        &"🚀".repeat(50),
    ] {
        let answer = publish(&mut world, json!({ "Message": "m", "Subject": subject }));
        assert_eq!(answer, Err("InvalidParameter".to_owned()), "{subject:?}");
    }
    let longest = "x".repeat(99);
    assert!(publish(&mut world, json!({ "Message": "m", "Subject": longest })).is_ok());
}

#[test]
fn a_message_must_have_a_size() {
    let mut world = world();
    assert!(publish(&mut world, json!({ "Message": "" })).is_err());
    assert!(publish(&mut world, json!({ "Message": "x".repeat(262_145) })).is_err());
    assert!(publish(&mut world, json!({ "Message": "x".repeat(262_144) })).is_ok());
}

#[test]
fn a_queue_gets_the_message_in_an_envelope() {
    let mut world = world();
    subscribe_queue(&mut world, false);
    let attributes = json!({ "kind": { "DataType": "String", "StringValue": "x" } });
    let input = json!({ "Message": "hello", "Subject": "Hi", "MessageAttributes": attributes });
    publish(&mut world, input).unwrap();
    let body = &sqs::messages(&world, QUEUE)[0].body;
    let envelope: Value = serde_json::from_str(body).unwrap();
    assert_eq!(envelope["Type"], "Notification");
    assert_eq!(envelope["Message"], "hello");
    assert_eq!(envelope["Subject"], "Hi");
    assert_eq!(envelope["TopicArn"], TOPIC);
    assert_eq!(envelope["Timestamp"], "1970-01-01T00:00:00.000Z");
    assert_eq!(envelope["MessageAttributes"]["kind"]["Value"], "x");
}

#[test]
fn raw_delivery_leaves_the_message_as_it_is() {
    let mut world = world();
    subscribe_queue(&mut world, true);
    let attributes = json!({ "kind": { "DataType": "String", "StringValue": "x" } });
    let input = json!({ "Message": "hello", "MessageAttributes": attributes });
    publish(&mut world, input).unwrap();
    let message = &sqs::messages(&world, QUEUE)[0];
    assert_eq!(message.body, "hello");
    assert_eq!(message.attributes, attributes);
}

#[test]
fn a_message_with_a_structure_has_a_text_for_queues() {
    let mut world = world();
    subscribe_queue(&mut world, true);
    let message = json!({ "default": "d", "sqs": "q" }).to_string();
    publish(
        &mut world,
        json!({ "Message": message, "MessageStructure": "json" }),
    )
    .unwrap();
    assert_eq!(sqs::messages(&world, QUEUE)[0].body, "q");
    let without_default = json!({ "Message": "{}", "MessageStructure": "json" });
    assert!(publish(&mut world, without_default).is_err());
}

#[test]
fn a_rule_publishes_only_where_the_policy_lets_it() {
    let mut world = world();
    let error = deliver(&mut world, TOPIC, RULE, "{}").unwrap_err();
    assert_eq!(error.status, 403);
    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sns:Publish",
        "Resource": TOPIC,
    }});
    set_policy(&mut world, TOPIC, &policy).unwrap();
    deliver(&mut world, TOPIC, RULE, "{}").unwrap();
    assert_eq!(world.sns.published.len(), 1);
}

#[test]
fn another_account_publishes_only_where_the_policy_lets_it() {
    let mut world = world();
    let input = json!({ "TopicArn": TOPIC, "Message": "m" });
    let foreign = |world: &mut World| ask(world, "222222222222", "Publish", input.clone());
    assert_eq!(foreign(&mut world).unwrap_err().code, "AuthorizationError");
    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "AWS": "arn:aws:iam::222222222222:root" },
        "Action": "SNS:Publish",
        "Resource": TOPIC,
    }});
    set_policy(&mut world, TOPIC, &policy).unwrap();
    assert!(foreign(&mut world).is_ok());
}

#[test]
fn another_account_subscribes_only_where_the_policy_lets_it() {
    let mut world = world();
    let properties = json!({ "TopicArn": TOPIC, "Protocol": "email", "Endpoint": "a@example.com" });
    let error = subscribe(&mut world, "222222222222", "eu-west-1", &properties).unwrap_err();
    assert_eq!(error.code, "AuthorizationError");
    assert!(subscribe(&mut world, ACCOUNT, "eu-west-1", &properties).is_ok());
}

#[test]
fn topics_and_subscriptions_are_listed() {
    let mut world = world();
    subscribe_queue(&mut world, true);
    let answer = ask(&mut world, ACCOUNT, "ListTopics", json!({})).unwrap();
    assert_eq!(answer, json!({ "Topics": [{ "TopicArn": TOPIC }] }));
    let input = json!({ "TopicArn": TOPIC });
    let answer = ask(
        &mut world,
        ACCOUNT,
        "ListSubscriptionsByTopic",
        input.clone(),
    )
    .unwrap();
    assert_eq!(answer["Subscriptions"][0]["Endpoint"], QUEUE);
    let answer = ask(&mut world, ACCOUNT, "GetTopicAttributes", input).unwrap();
    assert_eq!(answer["Attributes"]["SubscriptionsConfirmed"], "1");
}

#[test]
fn an_entry_of_a_batch_can_fail_by_itself() {
    let mut world = world();
    let input = json!({ "TopicArn": TOPIC, "PublishBatchRequestEntries": [
        { "Id": "1", "Message": "m" },
        { "Id": "2", "Message": "" },
    ]});
    let answer = ask(&mut world, ACCOUNT, "PublishBatch", input).unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "1");
    assert_eq!(answer["Failed"][0]["Id"], "2");
    assert_eq!(world.sns.published.len(), 1);
}

/// Publishes messages to a queue that takes those that pass, and gives what it got.
fn filtered(attributes: &[(&str, &str)], messages: &[Value]) -> Vec<String> {
    let mut world = world();
    subscribe_queue(&mut world, true);
    let list = ask(&mut world, ACCOUNT, "ListSubscriptions", json!({})).unwrap();
    for (name, value) in attributes {
        let input = json!({
            "SubscriptionArn": list["Subscriptions"][0]["SubscriptionArn"],
            "AttributeName": name,
            "AttributeValue": value,
        });
        ask(&mut world, ACCOUNT, "SetSubscriptionAttributes", input).unwrap();
    }
    for message in messages {
        publish(&mut world, message.clone()).unwrap();
    }
    let messages = sqs::messages(&world, QUEUE).into_iter();
    messages.map(|message| message.body).collect()
}

#[test]
fn a_filter_policy_looks_at_message_attributes() {
    let message = |text: &str, kind: &str, value: &str| {
        json!({ "Message": text, "MessageAttributes": {
            "status": { "DataType": kind, "StringValue": value },
        }})
    };
    let policy = [(
        "FilterPolicy",
        "{\"status\":[\"Failed\",{\"numeric\":[\">\",3]}]}",
    )];
    let messages = [
        message("1", "String", "Failed"),
        message("2", "String", "Succeeded"),
        message("3", "Number", "4"),
        message("4", "String", "4"),
        message("5", "String.Array", "[\"x\",\"Failed\"]"),
        json!({ "Message": "{\"status\":\"Failed\"}" }),
    ];
    assert_eq!(filtered(&policy, &messages), ["1", "3", "5"]);
}

#[test]
fn a_filter_policy_looks_at_the_body_if_its_scope_says_so() {
    let attributes = [
        ("FilterPolicyScope", "MessageBody"),
        (
            "FilterPolicy",
            "{\"detail\":{\"status\":[{\"prefix\":\"Fail\"}]}}",
        ),
    ];
    let bodies = [
        "{\"detail\":{\"status\":\"Failed\"}}",
        "{\"detail\":{\"status\":\"Succeeded\"}}",
        "Failed",
    ];
    let messages = bodies.map(|body| json!({ "Message": body }));
    assert_eq!(filtered(&attributes, &messages), bodies[..1]);
}

#[test]
fn an_empty_filter_policy_lets_everything_pass() {
    for policy in ["{}", ""] {
        let attributes = [("FilterPolicy", policy)];
        assert_eq!(filtered(&attributes, &[json!({ "Message": "x" })]), ["x"]);
    }
}

#[test]
fn attributes_of_a_subscription_that_make_no_sense_are_refused() {
    let mut world = world();
    let mut refused = |name: &str, value: &str| {
        let input = json!({
            "TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE, "Attributes": { name: value },
        });
        let error = ask(&mut world, ACCOUNT, "Subscribe", input).unwrap_err();
        error.code
    };
    for (name, value) in [
        ("FilterPolicy", "x"),
        ("FilterPolicy", "[]"),
        ("FilterPolicy", "{\"a\":\"b\"}"),
        ("FilterPolicy", "{\"a\":{\"b\":[\"c\"]}}"),
        ("FilterPolicyScope", "Everything"),
        ("RawMessageDelivery", "maybe"),
        ("Unknown", "x"),
    ] {
        assert_eq!(refused(name, value), "InvalidParameter", "{name} {value}");
    }
    assert_eq!(refused("RedrivePolicy", "{}"), "NotImplemented");
}

#[test]
fn topics_have_tags() {
    let mut world = world();
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
    let input = json!({ "ResourceArn": TOPIC, "Tags": tags });
    ask(&mut world, ACCOUNT, "TagResource", input).unwrap();
    let input = json!({ "ResourceArn": TOPIC, "TagKeys": ["a"] });
    ask(&mut world, ACCOUNT, "UntagResource", input.clone()).unwrap();
    let answer = ask(&mut world, ACCOUNT, "ListTagsForResource", input).unwrap();
    assert_eq!(answer["Tags"], json!([{ "Key": "b", "Value": "2" }]));
    let input = json!({ "ResourceArn": format!("{TOPIC}2") });
    let error = ask(&mut world, ACCOUNT, "ListTagsForResource", input).unwrap_err();
    assert_eq!(error.code, "ResourceNotFound");
}

#[test]
fn nobody_publishes_to_a_topic_that_is_not_there() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let missing = publish(&mut world, json!({ "Message": "m" }));
    assert_eq!(missing, Err("NotFound".to_owned()));
}
