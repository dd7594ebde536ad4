//! The audit trail answers who could do what with a pipeline, since when and by whose decision.

#![expect(
    clippy::unwrap_used,
    reason = "a call of a person that fails fails the test"
)]

use std::collections::BTreeMap;

use e2e::{REGION, SHARED, SWEEP, Scenario, TEST, ungated};
use sandbox::{
    services::{events, sqs},
    world::Call,
};
use serde_json::{Value, json};

/// The daily record of all access comes, and its work is done.
async fn record(scenario: &Scenario) {
    events::run_schedule(
        &mut scenario.estate.sandbox.world(),
        SHARED,
        REGION,
        "pipeshare-daily",
    );
    scenario.pass(60).await;
}

fn trail(scenario: &Scenario) -> Vec<Value> {
    let lines = scenario.trail();
    let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn is_about(event: &Value, pipeline: &str) -> bool {
    let pipelines = event["detail"]["pipelines"].as_array();
    pipelines.is_some_and(|names| names.iter().any(|name| name == pipeline))
}

fn of_kind<'t>(
    trail: &'t [Value],
    kind: &'t str,
    pipeline: &'t str,
) -> impl Iterator<Item = &'t Value> {
    let events = trail.iter();
    events.filter(move |it| it["detail-type"] == kind && is_about(it, pipeline))
}

/// What happened to the access of everybody to a pipeline, in order.
fn history(trail: &[Value], pipeline: &str) -> Vec<String> {
    let line = |event: &Value| {
        let detail = &event["detail"];
        let text = |member: &str| detail[member].as_str().unwrap_or("-").to_owned();
        let (change, who, access) = (text("change"), text("principalName"), text("access"));
        format!(
            "{change} {who} {access} by {}: {}",
            text("rule"),
            text("reason")
        )
    };
    of_kind(trail, "Access Changed", pipeline)
        .map(line)
        .collect()
}

/// What the query "who could do what" answers for what was written by then.
fn access(trail: &[Value], pipeline: &str) -> BTreeMap<String, String> {
    let mut access = BTreeMap::new();
    let is_meant = |it: &&Value| {
        let kind = it["detail-type"].as_str().unwrap_or_default();
        ["Access Changed", "Access Recorded"].contains(&kind) && is_about(it, pipeline)
    };
    for event in trail.iter().filter(is_meant) {
        let detail = &event["detail"];
        let text = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
        access.insert(
            text("principalName"),
            format!("{} {}", text("change"), text("access")),
        );
    }
    access.retain(|_, what| !what.starts_with("withdrawn"));
    access
}

#[tokio::test]
async fn access_that_came_went_and_came_back_is_on_the_trail_with_who_decided_it() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
    let without = ungated().replace("name: test-readers", "name: dev-readers");
    scenario.write_policy(&without).await;
    scenario.pass(SWEEP).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(SWEEP).await;

    let trail = trail(&scenario);
    let history = history(&trail, "churn-train");
    let by = |rule: &str| {
        let rule = format!(" dev read by {rule}: ");
        let lines = history.iter().filter(|line| line.contains(&rule));
        lines
            .map(|line| line.replace(&rule, " "))
            .collect::<Vec<_>>()
    };
    let came_and_went = ["offered pipeline-created", "withdrawn rule-gone"];
    assert_eq!(by("dev-readers"), came_and_went, "{history:#?}");
    let came_back = [&came_and_went[..], &came_and_went[..1]].concat();
    assert_eq!(by("test-readers"), came_back, "{history:#?}");
    // What a consumer was seen to gain, after it had accepted, is there as well.
    let gained = trail
        .iter()
        .filter(|it| it["detail-type"] == "Pipelines Shared");
    assert!(gained.count() >= 3);
    let mut versions = trail
        .iter()
        .filter(|it| it["detail-type"] == "Policy In Force");
    let first = &versions.next().unwrap()["detail"];
    assert_eq!(first["document"], "/pipeshare/policy");
    let writer = format!("arn:aws:iam::{SHARED}:user/administrator");
    assert_eq!(first["writtenBy"], writer);
    assert_eq!(versions.count(), 2);
    let withdrawn = of_kind(&trail, "Access Changed", "churn-train")
        .find(|it| it["detail"]["change"] == "withdrawn");
    let detail = &withdrawn.unwrap()["detail"];
    let version = first["documentVersion"].as_i64().unwrap();
    assert_eq!(detail["documentVersion"], version + 1, "who took it away");
    assert_eq!(detail["writtenBy"], writer);
}

#[tokio::test]
async fn each_day_can_be_read_by_itself_and_since_when_survives_a_pipeline_made_again() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
    let first = of_kind(&trail(&scenario), "Access Changed", "churn-train")
        .map(|it| it["time"].as_str().unwrap().to_owned())
        .min();
    record(&scenario).await;
    let before = scenario.trail().len();
    record(&scenario).await;

    // A day on which nothing else happened.
    let all = trail(&scenario);
    let day = access(&all[before..], "churn-train");
    let of = |name: &str| day.get(name).map(String::as_str);
    assert_eq!(of("dev"), Some("held read"), "{day:?}");
    assert_eq!(of("shared"), Some("held execute"), "{day:?}");

    scenario.delete(&scenario.test, "churn-train").await;
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
    let all = trail(&scenario);
    let again: Vec<_> = history(&all, "churn-train")
        .into_iter()
        .rev()
        .take(4)
        .collect();
    assert!(
        again
            .iter()
            .any(|line| line.starts_with("withdrawn dev read")),
        "{:#?}",
        history(&all, "churn-train")
    );
    let since = of_kind(&all, "Access Changed", "churn-train")
        .map(|it| it["time"].as_str().unwrap().to_owned())
        .min();
    assert_eq!(since, first);
    assert!(access(&all, "churn-train").contains_key("dev"));
}

#[tokio::test]
async fn all_access_is_recorded_when_somebody_asks_and_a_trail_without_a_log_group_is_missed() {
    let scenario = Scenario::sharing(&ungated(), &["churn-train"]).await;
    let recorded = scenario.invoke(
        "share-pipeline",
        json!({ "action": "record", "owner": TEST }),
    );
    assert!(recorded.await.outcome.is_ok());
    scenario.pass(60).await;
    let all = trail(&scenario);
    assert_eq!(of_kind(&all, "Access Recorded", "churn-train").count(), 2);

    let group = json!({ "logGroupName": "/aws/events/pipeshare" });
    let delete = Call::by_administrator(SHARED, REGION, "logs", "DeleteLogGroup", group);
    scenario.estate.sandbox.world().call(&delete).unwrap();
    let again = scenario.invoke(
        "share-pipeline",
        json!({ "action": "record", "owner": TEST }),
    );
    assert!(again.await.outcome.is_ok(), "nothing waits for the log");
    scenario.pass(60).await;
    let undelivered = format!("arn:aws:sqs:{REGION}:{SHARED}:pipeshare-undelivered");
    let world = scenario.estate.sandbox.world();
    assert_eq!(sqs::messages(&world, &undelivered).len(), 2);
}
