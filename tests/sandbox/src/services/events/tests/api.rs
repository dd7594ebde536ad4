use super::{
    super::{create_bus, create_bus_policy, create_rule},
    *,
};

#[test]
fn put_events_answers_for_each_entry() {
    let mut world = world();
    let without = |member: &str| {
        let mut entry = entry("default", "mine");
        entry.as_object_mut().unwrap().remove(member);
        entry
    };
    let with = |member: &str, value: &str| {
        let mut entry = entry("default", "mine");
        entry[member] = json!(value);
        entry
    };
    let entries = [
        entry("default", "mine"),
        without("EventBusName"),
        without("Source"),
        without("DetailType"),
        without("Detail"),
        with("Detail", "not json"),
        with("Detail", "[]"),
        with("Source", "aws.sagemaker"),
        with("EventBusName", "arn:aws:sqs:eu-west-1:333333333333:q"),
    ];
    let output = ask(&mut world, HUB, "PutEvents", json!({ "Entries": entries })).unwrap();

    let results = output["Entries"].as_array().unwrap();
    assert!(
        results[..2]
            .iter()
            .all(|result| result["EventId"].is_string())
    );
    let codes: Vec<_> = results[2..]
        .iter()
        .map(|result| result["ErrorCode"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "InvalidArgument",
            "InvalidArgument",
            "InvalidArgument",
            "MalformedDetail",
            "MalformedDetail",
            "NotAuthorizedForSourceException",
            "InvalidArgument",
        ]
    );
    assert_eq!(output["FailedEntryCount"], 7);
    assert_eq!(events_on(&world, HUB, "default").len(), 2);
}

#[test]
fn put_events_takes_one_to_ten_entries_of_limited_size() {
    let mut world = world();
    let mut put =
        |entries: &[Value]| ask(&mut world, HUB, "PutEvents", json!({ "Entries": entries }));
    let one = entry("default", "mine");
    assert!(put(&vec![one.clone(); 10]).is_ok());
    assert_eq!(
        put(&vec![one.clone(); 11]).unwrap_err().code,
        "ValidationException"
    );
    assert_eq!(put(&[]).unwrap_err().code, "ValidationException");
    let mut large = one;
    large["Detail"] = json!(json!({ "x": "x".repeat(600_000) }).to_string());
    assert!(put(&[large.clone()]).is_ok());
    assert_eq!(
        put(&[large.clone(), large]).unwrap_err().code,
        "ValidationException"
    );
}

#[test]
fn an_entry_sets_time_and_resources_of_the_event() {
    let mut world = world();
    let mut entry = entry("default", "mine");
    entry["Time"] = json!(1_600_000_000.75);
    entry["Resources"] = json!(["arn:one"]);
    put(&mut world, HUB, &entry);
    let event = &world.events.seen[0].event;
    assert_eq!(event["time"], "2020-09-13T12:26:40Z");
    assert_eq!(event["resources"], json!(["arn:one"]));
}

#[test]
fn an_event_for_a_bus_that_is_not_there_is_lost_behind_a_success() {
    let mut world = world();
    let result = put(&mut world, HUB, &entry("nowhere", "mine"));
    assert!(result["EventId"].is_string());
    assert_eq!(reasons(&world), ["NO_RESOURCE"]);
    assert_eq!(world.events.seen, []);
}

#[test]
fn only_whom_the_bus_policy_allows_puts_events_from_another_account() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let denied = put(&mut world, STRANGER, &entry(&bus, "mine"));
    assert_eq!(denied["ErrorCode"], "AccessDeniedException");
    assert!(put(&mut world, OWNER, &entry(&bus, "mine"))["EventId"].is_string());
    let [event] = &events_on(&world, HUB, "hub")[..] else {
        panic!("expected one event")
    };
    assert_eq!(event["account"], OWNER, "the sender, not the bus's account");

    let permission = json!({
        "EventBusName": "hub",
        "StatementId": "stranger",
        "Action": "events:PutEvents",
        "Principal": STRANGER,
    });
    ask(&mut world, HUB, "PutPermission", permission).unwrap();
    assert!(put(&mut world, STRANGER, &entry(&bus, "mine"))["EventId"].is_string());

    let removal = json!({ "EventBusName": "hub", "RemoveAllPermissions": true });
    ask(&mut world, HUB, "RemovePermission", removal).unwrap();
    let denied = put(&mut world, OWNER, &entry(&bus, "mine"));
    assert_eq!(denied["ErrorCode"], "AccessDeniedException");
}

#[test]
fn a_bus_policy_may_be_narrowed_to_a_source_and_a_denial_wins() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let statement = |sid: &str, effect: &str, source: &str| {
        json!({
            "Sid": sid,
            "Effect": effect,
            "Principal": { "AWS": format!("arn:aws:iam::{STRANGER}:root") },
            "Action": "events:PutEvents",
            "Resource": bus,
            "Condition": { "StringLike": { "events:source": source } },
        })
    };
    let statements = [
        statement("a", "Allow", "app.*"),
        statement("b", "Deny", "app.secret"),
    ];
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let permission = json!({ "EventBusName": "hub", "Policy": policy });
    ask(&mut world, HUB, "PutPermission", permission).unwrap();

    let mut allowed = |source: &str| {
        let result = put(&mut world, STRANGER, &entry(&bus, source));
        result["EventId"].is_string()
    };
    assert!(allowed("app.orders"));
    assert!(!allowed("app.secret"));
    assert!(!allowed("other"));
}

#[test]
fn buses_are_made_described_listed_and_deleted() {
    let mut world = world();
    let arn = make_hub_bus(&mut world);
    let again = ask(&mut world, HUB, "CreateEventBus", json!({ "Name": "hub" }));
    assert_eq!(again.unwrap_err().code, "ResourceAlreadyExistsException");
    let bus = ask(
        &mut world,
        HUB,
        "DescribeEventBus",
        json!({ "Name": "hub" }),
    )
    .unwrap();
    assert_eq!(bus["Arn"], arn);
    assert!(
        bus["Policy"]
            .as_str()
            .unwrap()
            .contains("aws:PrincipalOrgID")
    );
    let default = ask(&mut world, HUB, "DescribeEventBus", json!({})).unwrap();
    assert_eq!(default["Name"], "default");

    let names = |world: &mut World| -> Vec<Value> {
        let listed = ask(world, HUB, "ListEventBuses", json!({})).unwrap();
        let buses = listed["EventBuses"].as_array().unwrap().iter();
        buses.map(|bus| bus["Name"].clone()).collect()
    };
    assert_eq!(names(&mut world), ["default", "hub"]);
    make_rule(
        &mut world,
        HUB,
        "hub",
        "x",
        &json!({ "Arn": queue_arn(HUB, "q") }),
    );
    let delete = json!({ "Name": "hub" });
    assert!(ask(&mut world, HUB, "DeleteEventBus", delete.clone()).is_err());
    let targets = json!({ "Rule": "rule", "EventBusName": "hub", "Ids": ["target"] });
    ask(&mut world, HUB, "RemoveTargets", targets).unwrap();
    let rule = json!({ "Name": "rule", "EventBusName": "hub" });
    ask(&mut world, HUB, "DeleteRule", rule).unwrap();
    ask(&mut world, HUB, "DeleteEventBus", delete).unwrap();
    assert_eq!(names(&mut world), ["default"]);
}

#[test]
fn rules_are_described_as_they_were_put() {
    let mut world = world();
    let pattern = "{ \"source\": [\"a\"] }";
    let rule = json!({ "Name": "r", "EventPattern": pattern, "Description": "d" });
    let arn = format!("arn:aws:events:{REGION}:{HUB}:rule/r");
    let put = ask(&mut world, HUB, "PutRule", rule).unwrap();
    assert_eq!(put, json!({ "RuleArn": arn }));
    let described = ask(&mut world, HUB, "DescribeRule", json!({ "Name": "r" })).unwrap();
    assert_eq!(
        described,
        json!({
            "Name": "r",
            "Arn": arn,
            "EventBusName": "default",
            "EventPattern": pattern,
            "Description": "d",
            "State": "ENABLED",
            "CreatedBy": HUB,
        })
    );
    let missing = ask(&mut world, OWNER, "DescribeRule", json!({ "Name": "r" }));
    assert_eq!(missing.unwrap_err().code, "ResourceNotFoundException");
}

#[test]
fn nobody_manages_the_bus_of_another_account() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let rule = json!({ "Name": "r", "EventBusName": bus, "EventPattern": "{\"source\":[\"a\"]}" });
    for (operation, input) in [
        ("PutRule", rule),
        ("ListRules", json!({ "EventBusName": bus })),
        ("DescribeEventBus", json!({ "Name": bus })),
        ("DeleteEventBus", json!({ "Name": bus })),
        (
            "RemovePermission",
            json!({ "EventBusName": bus, "RemoveAllPermissions": true }),
        ),
    ] {
        let error = ask(&mut world, OWNER, operation, input).unwrap_err();
        assert_eq!(error.code, "AccessDeniedException", "{operation}");
    }
}

#[test]
fn rules_are_listed_page_by_page() {
    let mut world = world();
    for name in ["a1", "a2", "a3", "b"] {
        let rule = json!({ "Name": name, "EventPattern": "{\"source\":[\"a\"]}" });
        ask(&mut world, HUB, "PutRule", rule).unwrap();
    }
    let mut page = |token: Value| {
        let input = json!({ "NamePrefix": "a", "Limit": 2, "NextToken": token });
        let output = ask(&mut world, HUB, "ListRules", input).unwrap();
        let rules = output["Rules"].as_array().unwrap().iter();
        let names: Vec<Value> = rules.map(|rule| rule["Name"].clone()).collect();
        (names, output["NextToken"].clone())
    };
    let (names, token) = page(Value::Null);
    assert_eq!(names, ["a1", "a2"]);
    let (names, token) = page(token);
    assert_eq!(names, ["a3"]);
    assert_eq!(token, Value::Null);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let mut world = world();
    let mut code = |rule: Value| ask(&mut world, HUB, "PutRule", rule).unwrap_err().code;
    let pattern = "{\"source\":[\"a\"]}";
    assert_eq!(code(json!({ "Name": "r" })), "ValidationException");
    assert_eq!(
        code(json!({ "Name": "a b", "EventPattern": pattern })),
        "ValidationException"
    );
    assert_eq!(
        code(json!({ "Name": "r", "EventPattern": "{}" })),
        "InvalidEventPatternException"
    );
    assert_eq!(
        code(json!({ "Name": "r", "EventPattern": pattern, "EventBusName": "nowhere" })),
        "ResourceNotFoundException"
    );
    assert_eq!(
        code(json!({ "Name": "r", "EventPattern": pattern, "State": "ON" })),
        "ValidationException"
    );
}

#[test]
fn targets_are_listed_as_they_were_put_and_removed_by_id() {
    let mut world = world();
    let target =
        json!({ "Arn": queue_arn(HUB, "q"), "RetryPolicy": { "MaximumRetryAttempts": 3 } });
    make_rule(&mut world, HUB, "default", "a", &target);
    let listed = ask(
        &mut world,
        HUB,
        "ListTargetsByRule",
        json!({ "Rule": "rule" }),
    )
    .unwrap();
    let mut expected = target;
    expected["Id"] = json!("target");
    assert_eq!(listed, json!({ "Targets": [expected] }));

    let delete = ask(&mut world, HUB, "DeleteRule", json!({ "Name": "rule" }));
    assert_eq!(delete.unwrap_err().code, "ValidationException");
    let input = json!({ "Rule": "rule", "Ids": ["target", "other"] });
    let removed = ask(&mut world, HUB, "RemoveTargets", input).unwrap();
    assert_eq!(removed["FailedEntryCount"], 1);
    assert_eq!(removed["FailedEntries"][0]["TargetId"], "other");
    ask(&mut world, HUB, "DeleteRule", json!({ "Name": "rule" })).unwrap();
}

#[test]
fn targets_that_would_not_work_are_refused() {
    let mut world = world();
    let queue = queue_arn(HUB, "q");
    make_rule(&mut world, HUB, "default", "a", &json!({ "Arn": queue }));
    let mut code = |mut target: Value| {
        target["Id"] = json!("t");
        let input = json!({ "Rule": "rule", "Targets": [target] });
        ask(&mut world, HUB, "PutTargets", input).unwrap_err().code
    };
    let foreign_bus = format!("arn:aws:events:{REGION}:{OWNER}:event-bus/default");
    let function = format!("arn:aws:lambda:{REGION}:{HUB}:function:f");
    assert_eq!(code(json!({ "Arn": foreign_bus })), "ValidationException");
    assert_eq!(code(json!({ "Arn": function })), "NotImplemented");
    assert_eq!(
        code(json!({ "Arn": queue, "SqsParameters": {} })),
        "NotImplemented"
    );
    assert_eq!(
        code(json!({ "Arn": queue, "Input": "no json" })),
        "ValidationException"
    );
    assert_eq!(
        code(json!({ "Arn": queue, "Input": "1", "InputPath": "$" })),
        "ValidationException"
    );
    assert_eq!(
        code(json!({ "Arn": queue, "InputPath": "detail" })),
        "ValidationException"
    );
    assert_eq!(
        code(json!({ "Arn": queue, "InputPath": "$.a[*]" })),
        "ValidationException"
    );
    let template = json!({ "InputTemplate": "<unknown>" });
    assert_eq!(
        code(json!({ "Arn": queue, "InputTransformer": template })),
        "ValidationException"
    );

    let many: Vec<Value> = (0..5)
        .map(|n| json!({ "Id": n.to_string(), "Arn": queue }))
        .collect();
    let input = json!({ "Rule": "rule", "Targets": many });
    let error = ask(&mut world, HUB, "PutTargets", input).unwrap_err();
    assert_eq!(error.code, "LimitExceededException");
}

#[test]
fn a_pattern_can_be_tried_on_an_event() {
    let mut world = world();
    put(&mut world, HUB, &entry("default", "mine"));
    let event = world.events.seen[0].event.to_string();
    let mut test = |pattern: &str, event: &str| {
        let input = json!({ "EventPattern": pattern, "Event": event });
        ask(&mut world, HUB, "TestEventPattern", input)
    };
    assert_eq!(
        test("{\"detail\":{\"n\":[1]}}", &event).unwrap(),
        json!({ "Result": true })
    );
    assert_eq!(
        test("{\"detail\":{\"n\":[2]}}", &event).unwrap(),
        json!({ "Result": false })
    );
    let error = test("{\"detail\":1}", &event).unwrap_err();
    assert_eq!(error.code, "InvalidEventPatternException");
    assert_eq!(
        test("{\"a\":[1]}", "{\"a\":1}").unwrap_err().code,
        "ValidationException"
    );
}

#[test]
fn templates_make_buses_policies_and_rules() {
    let mut world = world();
    create_bus(&mut world, HUB, REGION, "hub", &json!({ "Name": "hub" })).unwrap();
    let arn = format!("arn:aws:events:{REGION}:{HUB}:event-bus/hub");
    let policy = json!({
        "EventBusName": "hub",
        "StatementId": "organization",
        "Statement": {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "events:PutEvents",
            "Resource": arn,
            "Condition": { "StringEquals": { "aws:PrincipalOrgID": world.organization.id } },
        },
    });
    create_bus_policy(&mut world, HUB, REGION, &policy).unwrap();
    let queue = make_queue(&mut world, HUB, "q");
    let rule = json!({
        "Name": "offers",
        "EventBusName": "hub",
        "EventPattern": { "source": ["mine"] },
        "Targets": [{ "Id": "q", "Arn": queue }],
    });
    create_rule(&mut world, HUB, REGION, "offers", &rule).unwrap();

    put(&mut world, OWNER, &entry(&arn, "mine"));
    pass(&mut world, 1);
    assert_eq!(bodies(&world, &queue).len(), 1);
}

#[test]
fn an_unknown_operation_is_not_a_success() {
    let error = ask(&mut world(), HUB, "CreateArchive", json!({})).unwrap_err();
    assert_eq!(error.status, 501);
}

#[test]
fn rules_and_buses_have_tags() {
    let mut world = world();
    let tags = json!([{ "Key": "team", "Value": "churn" }]);
    let bus = json!({ "Name": "b", "Tags": tags });
    let bus = ask(&mut world, HUB, "CreateEventBus", bus).unwrap()["EventBusArn"].clone();
    let rule = json!({
        "Name": "r", "EventBusName": "b", "EventPattern": "{\"source\":[\"x\"]}", "Tags": tags,
    });
    let rule = ask(&mut world, HUB, "PutRule", rule).unwrap()["RuleArn"].clone();
    for arn in [bus, rule] {
        let more = json!([{ "Key": "stage", "Value": "" }, { "Key": "team", "Value": "fraud" }]);
        let input = json!({ "ResourceARN": arn, "Tags": more });
        ask(&mut world, HUB, "TagResource", input.clone()).unwrap();
        let error = ask(&mut world, OWNER, "TagResource", input).unwrap_err();
        assert_eq!(error.code, "AccessDeniedException");
        let input = json!({ "ResourceARN": arn });
        let output = ask(&mut world, HUB, "ListTagsForResource", input.clone()).unwrap();
        assert_eq!(output["Tags"], more);
        let keys = json!({ "ResourceARN": arn, "TagKeys": ["team", "nothing"] });
        ask(&mut world, HUB, "UntagResource", keys).unwrap();
        let output = ask(&mut world, HUB, "ListTagsForResource", input).unwrap();
        assert_eq!(output["Tags"], json!([{ "Key": "stage", "Value": "" }]));
    }
    for (arn, code) in [
        (
            format!("arn:aws:events:{REGION}:{HUB}:rule/none"),
            "ResourceNotFoundException",
        ),
        (
            format!("arn:aws:events:{REGION}:{HUB}:event-bus/none"),
            "ResourceNotFoundException",
        ),
        (
            format!("arn:aws:sqs:{REGION}:{HUB}:queue"),
            "ValidationException",
        ),
    ] {
        let error = ask(
            &mut world,
            HUB,
            "ListTagsForResource",
            json!({ "ResourceARN": arn }),
        );
        assert_eq!(error.unwrap_err().code, code, "{arn}");
    }
}

#[test]
fn a_target_tells_which_rules_send_to_it() {
    let mut world = world();
    let queue = make_queue(&mut world, HUB, "q");
    make_rule(&mut world, HUB, "default", "x", &json!({ "Arn": queue }));
    let input = json!({ "TargetArn": queue });
    let output = ask(&mut world, HUB, "ListRuleNamesByTarget", input).unwrap();
    assert_eq!(output["RuleNames"], json!(["rule"]));
    let other = json!({ "TargetArn": queue_arn(HUB, "other") });
    let output = ask(&mut world, HUB, "ListRuleNamesByTarget", other).unwrap();
    assert_eq!(output["RuleNames"], json!([]));
}

#[test]
fn an_updated_bus_has_its_new_description() {
    let mut world = world();
    ask(&mut world, HUB, "CreateEventBus", json!({ "Name": "b" })).unwrap();
    let made = ask(&mut world, HUB, "DescribeEventBus", json!({ "Name": "b" })).unwrap();
    pass(&mut world, 60);
    let update = json!({ "Name": "b", "Description": "for pipelines" });
    ask(&mut world, HUB, "UpdateEventBus", update).unwrap();
    let output = ask(&mut world, HUB, "DescribeEventBus", json!({ "Name": "b" })).unwrap();
    assert_eq!(output["Description"], "for pipelines");
    assert_eq!(output["CreationTime"], made["CreationTime"]);
    assert_ne!(output["LastModifiedTime"], made["LastModifiedTime"]);
    let other = json!({ "Name": "b", "KmsKeyIdentifier": "key" });
    let error = ask(&mut world, HUB, "UpdateEventBus", other).unwrap_err();
    assert_eq!(error.code, "NotImplemented");
}
