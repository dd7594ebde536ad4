use serde_json::from_str;

use super::*;

/// Puts a scheduled rule with a queue as its target, and gives the queue's ARN.
fn make_schedule(world: &mut World, expression: &str, target: &Value) -> String {
    let queue = make_queue(world, HUB, "q");
    let rule = json!({ "Name": "sweep", "ScheduleExpression": expression });
    ask(world, HUB, "PutRule", rule).unwrap();
    let mut target = target.clone();
    target["Id"] = json!("q");
    target["Arn"] = json!(queue);
    let targets = json!({ "Rule": "sweep", "Targets": [target] });
    ask(world, HUB, "PutTargets", targets).unwrap();
    queue
}

fn pass_minutes(world: &mut World, minutes: u64) {
    pass(world, minutes * 60);
}

#[test]
fn a_scheduled_rule_runs_at_its_rate() {
    let mut world = world();
    let queue = make_schedule(&mut world, "rate(15 minutes)", &json!({}));
    pass_minutes(&mut world, 14);
    assert_eq!(bodies(&world, &queue).len(), 0);
    pass_minutes(&mut world, 2);
    let [body] = &bodies(&world, &queue)[..] else {
        panic!("expected one message")
    };
    let event: Value = from_str(body).unwrap();
    assert_eq!(event["source"], "aws.events");
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(event["detail"], json!({}));
    assert_eq!(event["time"], "2026-11-20T10:15:00Z");
    let rule = format!("arn:aws:events:{REGION}:{HUB}:rule/sweep");
    assert_eq!(event["resources"], json!([rule]));

    pass_minutes(&mut world, 45);
    assert_eq!(bodies(&world, &queue).len(), 4);
}

#[test]
fn a_scheduled_rule_runs_by_the_calendar() {
    let mut world = world();
    let queue = make_schedule(&mut world, "cron(30 9-10 ? * MON-FRI *)", &json!({}));
    // It is Friday at ten.
    pass_minutes(&mut world, 29);
    assert_eq!(bodies(&world, &queue).len(), 0);
    pass_minutes(&mut world, 3 * 24 * 60);
    let times = bodies(&world, &queue)
        .iter()
        .map(|body| from_str::<Value>(body).unwrap()["time"].clone())
        .collect::<Vec<_>>();
    assert_eq!(times, ["2026-11-20T10:30:00Z", "2026-11-23T09:30:00Z"]);
}

#[test]
fn a_scheduled_rule_may_send_a_constant() {
    let mut world = world();
    let input = json!({ "Input": "{\"action\":\"sweep\"}" });
    let queue = make_schedule(&mut world, "rate(1 minute)", &input);
    pass_minutes(&mut world, 2);
    assert_eq!(bodies(&world, &queue), ["{\"action\":\"sweep\"}"]);
}

#[test]
fn a_disabled_rule_pauses() {
    let mut world = world();
    let queue = make_schedule(&mut world, "rate(1 minute)", &json!({}));
    ask(&mut world, HUB, "DisableRule", json!({ "Name": "sweep" })).unwrap();
    pass_minutes(&mut world, 5);
    assert_eq!(bodies(&world, &queue).len(), 0);
    ask(&mut world, HUB, "EnableRule", json!({ "Name": "sweep" })).unwrap();
    pass_minutes(&mut world, 3);
    assert_eq!(bodies(&world, &queue).len(), 2);
}

#[test]
fn a_rule_put_again_follows_only_its_new_schedule() {
    let mut world = world();
    let queue = make_schedule(&mut world, "rate(1 minute)", &json!({}));
    let rule = json!({ "Name": "sweep", "ScheduleExpression": "rate(1 hour)" });
    ask(&mut world, HUB, "PutRule", rule).unwrap();
    pass_minutes(&mut world, 61);
    assert_eq!(bodies(&world, &queue).len(), 1);
}

#[test]
fn a_deleted_rule_runs_no_more_even_if_it_is_made_again() {
    let mut world = world();
    make_schedule(&mut world, "rate(1 minute)", &json!({}));
    let targets = json!({ "Rule": "sweep", "Ids": ["q"] });
    ask(&mut world, HUB, "RemoveTargets", targets).unwrap();
    ask(&mut world, HUB, "DeleteRule", json!({ "Name": "sweep" })).unwrap();
    let rule = json!({ "Name": "sweep", "EventPattern": "{\"source\":[\"x\"]}" });
    ask(&mut world, HUB, "PutRule", rule).unwrap();
    pass_minutes(&mut world, 3);
    assert_eq!(world.events.seen, []);
    assert_eq!(world.next_due(), None);
}

#[test]
fn schedules_that_eventbridge_would_not_take_are_refused() {
    let mut world = world();
    let mut refused = |rule: Value| ask(&mut world, HUB, "PutRule", rule).unwrap_err().code;
    for expression in [
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(5minutes)",
        "rate(-5 minutes)",
        "rate(5 seconds)",
        "every 5 minutes",
        "cron(0 10 * * * *)",
        "",
    ] {
        let rule = json!({ "Name": "r", "ScheduleExpression": expression });
        assert_eq!(refused(rule), "ValidationException", "{expression}");
    }
    ask(&mut world, HUB, "CreateEventBus", json!({ "Name": "b" })).unwrap();
    let elsewhere =
        json!({ "Name": "r", "EventBusName": "b", "ScheduleExpression": "rate(1 day)" });
    let error = ask(&mut world, HUB, "PutRule", elsewhere).unwrap_err();
    assert!(error.message.contains("default event bus"));
}
