use std::time::Duration;

use serde_json::from_str;

use super::*;
use crate::faults::{EventEffect, EventFault};

#[test]
fn a_service_event_reaches_the_queue_of_a_matching_rule_with_its_envelope() {
    let mut world = world();
    let queue = make_queue(&mut world, OWNER, "q");
    make_rule(
        &mut world,
        OWNER,
        "default",
        "aws.sagemaker",
        &json!({ "Arn": queue }),
    );
    emit_execution(&mut world, OWNER);

    assert_eq!(bodies(&world, &queue), [""; 0], "nothing is instantaneous");
    pass(&mut world, 1);

    let [body] = &bodies(&world, &queue)[..] else {
        panic!("expected one message")
    };
    let mut event: Value = from_str(body).unwrap();
    let id = event["id"].take();
    assert_eq!(id.as_str().unwrap().len(), 36);
    assert_eq!(
        event,
        json!({
            "version": "0",
            "id": null,
            "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
            "source": "aws.sagemaker",
            "account": OWNER,
            "time": "2026-11-20T10:00:00Z",
            "region": REGION,
            "resources": ["arn:pipeline"],
            "detail": { "currentPipelineExecutionStatus": "Succeeded" },
        })
    );
}

#[test]
fn rules_that_do_not_match_or_are_disabled_send_nothing() {
    let mut world = world();
    let queue = make_queue(&mut world, OWNER, "q");
    make_rule(&mut world, OWNER, "default", "a", &json!({ "Arn": queue }));

    put(&mut world, OWNER, &entry("default", "b"));
    ask(&mut world, OWNER, "DisableRule", json!({ "Name": "rule" })).unwrap();
    put(&mut world, OWNER, &entry("default", "a"));
    pass(&mut world, 1);
    assert_eq!(bodies(&world, &queue), [""; 0]);

    ask(&mut world, OWNER, "EnableRule", json!({ "Name": "rule" })).unwrap();
    put(&mut world, OWNER, &entry("default", "a"));
    pass(&mut world, 1);
    assert_eq!(bodies(&world, &queue).len(), 1);
    assert_eq!(
        events_on(&world, OWNER, "default").len(),
        3,
        "a bus sees all"
    );
}

#[test]
fn a_rule_forwards_to_a_bus_of_another_account_and_the_event_keeps_its_origin() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let queue = make_queue(&mut world, HUB, "q");
    let role = make_role(&mut world, OWNER);
    let target = json!({ "Arn": bus, "RoleArn": role });
    make_rule(&mut world, OWNER, "default", "aws.sagemaker", &target);
    make_rule(
        &mut world,
        HUB,
        "hub",
        "aws.sagemaker",
        &json!({ "Arn": queue }),
    );

    emit_execution(&mut world, OWNER);
    pass(&mut world, 1);

    let sent = events_on(&world, OWNER, "default");
    assert_eq!(events_on(&world, HUB, "hub"), sent);
    assert_eq!(sent[0]["account"], OWNER);
    let received: Vec<Value> = bodies(&world, &queue)
        .iter()
        .map(|body| from_str(body).unwrap())
        .collect();
    assert_eq!(received, sent);
}

#[test]
fn an_event_from_another_bus_is_not_forwarded_to_a_third() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let role = make_role(&mut world, OWNER);
    ask(
        &mut world,
        HUB,
        "CreateEventBus",
        json!({ "Name": "third" }),
    )
    .unwrap();
    let third = format!("arn:aws:events:{REGION}:{HUB}:event-bus/third");
    let target = json!({ "Arn": bus, "RoleArn": role });
    make_rule(&mut world, OWNER, "default", "aws.sagemaker", &target);
    make_rule(
        &mut world,
        HUB,
        "hub",
        "aws.sagemaker",
        &json!({ "Arn": third }),
    );

    emit_execution(&mut world, OWNER);
    pass(&mut world, 5);

    assert_eq!(events_on(&world, HUB, "hub").len(), 1);
    assert_eq!(events_on(&world, HUB, "third").len(), 0);
    assert_eq!(reasons(&world), ["ONE_HOP"]);
}

#[test]
fn an_event_put_anew_on_the_second_bus_goes_on_to_the_third() {
    let mut world = world();
    make_hub_bus(&mut world);
    ask(
        &mut world,
        HUB,
        "CreateEventBus",
        json!({ "Name": "third" }),
    )
    .unwrap();
    let third = format!("arn:aws:events:{REGION}:{HUB}:event-bus/third");
    make_rule(&mut world, HUB, "hub", "mine", &json!({ "Arn": third }));

    put(&mut world, HUB, &entry("hub", "mine"));
    pass(&mut world, 1);
    assert_eq!(events_on(&world, HUB, "third").len(), 1);
}

#[test]
fn a_rule_cannot_forward_without_the_bus_policy_or_the_role() {
    let mut world = world();
    let bus = make_hub_bus(&mut world);
    let strange_role = make_role(&mut world, STRANGER);
    let target = json!({ "Arn": bus, "RoleArn": strange_role });
    make_rule(&mut world, STRANGER, "default", "aws.sagemaker", &target);
    emit_execution(&mut world, STRANGER);
    pass(&mut world, 1);
    assert_eq!(
        reasons(&world),
        ["NO_PERMISSIONS"],
        "outside the organization"
    );

    let role = make_role(&mut world, OWNER);
    let target = json!({ "Arn": bus, "RoleArn": role });
    make_rule(&mut world, OWNER, "default", "aws.sagemaker", &target);
    iam::delete_role(&mut world, OWNER, "forward");
    emit_execution(&mut world, OWNER);
    pass(&mut world, 1);
    assert_eq!(reasons(&world), ["NO_PERMISSIONS"; 2], "the role is gone");
    assert_eq!(events_on(&world, HUB, "hub").len(), 0);
}

#[test]
fn what_a_queue_refuses_goes_to_the_dead_letter_queue_with_the_reason() {
    let mut world = world();
    let dead = make_queue(&mut world, OWNER, "dead");
    let closed = queue_arn(OWNER, "closed");
    sqs::create_queue(&mut world, OWNER, REGION, "closed", &json!({})).unwrap();
    let target = json!({ "Arn": closed, "DeadLetterConfig": { "Arn": dead }, "Input": "{}" });
    make_rule(&mut world, OWNER, "default", "aws.sagemaker", &target);
    emit_execution(&mut world, OWNER);
    pass(&mut world, 1);

    let [letter] = &sqs::messages(&world, &dead)[..] else {
        panic!("expected one dead letter")
    };
    let event: Value = from_str(&letter.body).unwrap();
    assert_eq!(event, world.events.seen[0].event);
    let attribute = |name: &str| letter.attributes[name]["StringValue"].as_str();
    let rule = format!("arn:aws:events:{REGION}:{OWNER}:rule/rule");
    assert_eq!(attribute("RULE_ARN"), Some(rule.as_str()));
    assert_eq!(attribute("TARGET_ARN"), Some(closed.as_str()));
    assert_eq!(attribute("ERROR_CODE"), Some("NO_PERMISSIONS"));
    assert!(attribute("ERROR_MESSAGE").is_some_and(|message| !message.is_empty()));
    assert_eq!(attribute("RETRY_ATTEMPTS"), Some("0"));
    assert_eq!(reasons(&world), [""; 0]);
}

#[test]
fn without_a_dead_letter_queue_that_takes_it_an_event_is_dropped() {
    let mut world = world();
    let missing = queue_arn(OWNER, "missing");
    make_rule(
        &mut world,
        OWNER,
        "default",
        "aws.sagemaker",
        &json!({ "Arn": missing }),
    );
    emit_execution(&mut world, OWNER);
    pass(&mut world, 1);
    assert_eq!(reasons(&world), ["NO_RESOURCE"]);
    assert_eq!(world.events.dropped[0].target, missing);

    let target = json!({ "Arn": missing, "DeadLetterConfig": { "Arn": missing } });
    make_rule(&mut world, OWNER, "default", "aws.sagemaker", &target);
    emit_execution(&mut world, OWNER);
    pass(&mut world, 1);
    assert_eq!(reasons(&world), ["NO_RESOURCE"; 2]);
}

#[test]
fn faults_lose_repeat_and_delay_the_next_events_of_their_type() {
    let mut world = world();
    let queue = make_queue(&mut world, OWNER, "q");
    make_rule(
        &mut world,
        OWNER,
        "default",
        "aws.sagemaker",
        &json!({ "Arn": queue }),
    );
    for effect in [
        EventEffect::Lose,
        EventEffect::Repeat(3),
        EventEffect::Delay(Duration::from_mins(10)),
    ] {
        let detail_type = execution_event(OWNER).detail_type;
        world.faults.events.push(EventFault {
            detail_type,
            effect,
        });
    }

    let mut arrivals = Vec::new();
    for _ in 0..4 {
        emit_execution(&mut world, OWNER);
        pass(&mut world, 1);
        arrivals.push(bodies(&world, &queue).len());
    }
    assert_eq!(arrivals, [0, 3, 3, 4]);
    pass(&mut world, 600);
    assert_eq!(bodies(&world, &queue).len(), 5);
}

/// What a target with this input is sent for the event of [`entry`].
fn sent(input: &Value) -> String {
    let mut world = world();
    let queue = make_queue(&mut world, OWNER, "q");
    let mut target = input.clone();
    target["Arn"] = json!(queue);
    make_rule(&mut world, OWNER, "default", "mine", &target);
    put(&mut world, OWNER, &entry("default", "mine"));
    pass(&mut world, 1);
    bodies(&world, &queue).remove(0)
}

#[test]
fn a_target_may_get_a_constant_or_a_part_of_the_event() {
    let constant = json!({ "Input": "{\"action\":\"sweep\"}" });
    assert_eq!(sent(&constant), "{\"action\":\"sweep\"}");
    assert_eq!(sent(&json!({ "InputPath": "$.detail.n" })), "1");
    assert_eq!(
        sent(&json!({ "InputPath": "$.detail.text" })),
        r#""say \"hi\"""#
    );
    assert_eq!(sent(&json!({ "InputPath": "$.detail.nothing" })), "{}");
    let whole: Value = from_str(&sent(&json!({ "InputPath": "$" }))).unwrap();
    assert_eq!(whole["source"], "mine");
}

#[test]
fn an_input_transformer_fills_a_template() {
    let transformed = |template: &str| {
        let paths = json!({ "n": "$.detail.n", "text": "$.detail.text", "gone": "$.gone[0].x" });
        sent(&json!({ "InputTransformer": { "InputPathsMap": paths, "InputTemplate": template } }))
    };
    assert_eq!(
        transformed(r#"{"a": <n>, "b": <text>}"#),
        r#"{"a": 1, "b": "say \"hi\""}"#
    );
    assert_eq!(transformed(r#""<n>: <text><gone>""#), r#""1: say \"hi\"""#);
    assert_eq!(transformed(r#"{"a": <gone>}"#), r#"{"a": null}"#);
    assert_eq!(transformed(r#""1 < 2""#), r#""1 < 2""#);
    assert_eq!(
        transformed(r#"{"r": <aws.events.rule-name>}"#),
        r#"{"r": "rule"}"#
    );
    let whole: Value = from_str(&transformed("<aws.events.event>")).unwrap();
    assert_eq!(whole["detail"]["n"], 1);
}
