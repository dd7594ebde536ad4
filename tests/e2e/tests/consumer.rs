//! The log of notifications of a consumer account, which its dashboard and its queries ask.

#![expect(
    clippy::unwrap_used,
    reason = "what cannot be read or deployed fails the test"
)]

use contracts::insights::Query;
use e2e::{DEV, NOTIFICATION_LOG, Plan, REGION, SHARED, SWEEP, Scenario, field, ungated};
use regex_lite::Regex;
use sandbox::{
    cloudformation::{Stack, declared},
    services::sqs,
    world::Call,
};
use serde_json::{Value, json};

/// An estate whose consumers are deployed with these parameters.
async fn with(parameters: &[(&'static str, &str)]) -> Scenario {
    let parameters = parameters.iter();
    let plan = Plan {
        consumer_parameters: parameters
            .map(|(name, it)| (*name, (*it).to_owned()))
            .collect(),
        ..Plan::default()
    };
    let scenario = Scenario::on(plan).await;
    // Access of dev ends within a day.
    let policy = ungated().replace(
        "access: read\n",
        "access: read\n    until: 2026-01-06T00:00:00Z\n",
    );
    scenario.write_policy(&policy).await;
    scenario.pass(10).await;
    scenario
}

/// A pipeline comes, one of its runs fails, and it goes.
async fn play(scenario: &Scenario) {
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
    scenario.fail_next("churn-train", "Train", "no \"churned\" | stats count(*)");
    scenario
        .start(&scenario.test, "churn-train", "release-2")
        .await;
    scenario.pass(300).await;
    scenario.delete(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
}

fn log(scenario: &Scenario, account: &str) -> Vec<Value> {
    let lines = scenario.notification_log(account);
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The queries that the template saves, and those of its dashboard, with their names.
fn queries() -> Vec<(String, String)> {
    let stack = Stack {
        account: DEV,
        region: REGION,
        name: "pipeshare",
        file: "infra/consumer-account/template.yaml",
        template: include_str!("../../../infra/consumer-account/template.yaml"),
        parameters: [("HubAccountId", SHARED), ("AllowedOwners", DEV)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut queries = Vec::new();
    for resource in declared(&stack).unwrap() {
        let properties = &resource.properties;
        match resource.kind {
            "AWS::Logs::QueryDefinition" => {
                queries.push((text(&properties["Name"]), text(&properties["QueryString"])));
            }
            "AWS::CloudWatch::Dashboard" => {
                let body: Value =
                    serde_json::from_str(&text(&properties["DashboardBody"])).unwrap();
                let widgets = body["widgets"].as_array().unwrap().iter();
                let of_log = widgets.map(|widget| &widget["properties"]);
                let of_log = of_log.filter(|it| it["query"].is_string());
                queries.extend(of_log.map(|it| (text(&it["title"]), text(&it["query"]))));
            }
            _ => {}
        }
    }
    queries
}

#[tokio::test]
async fn what_an_account_is_told_is_in_its_log_with_the_fields_that_its_queries_name() {
    let scenario = with(&[]).await;
    play(&scenario).await;
    let log = log(&scenario, DEV);
    let of_type = |kind: &str| log.iter().filter(|it| it["detail-type"] == kind).count();
    for (kind, times) in [
        ("Pipelines Shared", 1),
        ("Pipeline Execution Status", 1),
        ("Pipelines Withdrawn", 1),
    ] {
        assert_eq!(of_type(kind), times, "{kind}: {log:#?}");
    }
    assert!(of_type("Access Ending") > 0, "{log:#?}");
    let world = scenario.estate.sandbox.world();
    let on_bus = world.events().seen.iter();
    let on_bus = on_bus.filter(|it| it.account == DEV && it.bus == "pipeshare");
    assert_eq!(on_bus.count(), log.len(), "nothing else is in the log");
    drop(world);

    let queries = queries();
    assert!(queries.len() >= 10, "{queries:#?}");
    for (name, query) in queries {
        let query = Query::read(&query).unwrap();
        let comparisons = query.comparisons();
        let is_asked = |line: &&Value| {
            let kinds = comparisons.iter().find(|(name, _)| name == "detail-type");
            kinds.is_some_and(|(_, kinds)| kinds.iter().any(|it| *it == line["detail-type"]))
        };
        let asked: Vec<_> = log.iter().filter(is_asked).collect();
        for path in query.fields() {
            let mut values = asked.iter().filter_map(|line| field(line, &path));
            assert!(values.any(|it| !it.is_null()), "{name}: {path}: {asked:#?}");
        }
        for expression in query.expressions() {
            let expression = Regex::new(expression).unwrap();
            for line in &asked {
                let text = line.to_string();
                let found = expression.captures(&text).unwrap();
                let member = if expression.as_str().contains("rule") {
                    "rule"
                } else {
                    "subject"
                };
                assert_eq!(line["detail"][member], found[1], "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_hub_that_is_a_consumer_too_keeps_its_trail_and_its_notifications_apart() {
    let scenario = with(&[]).await;
    play(&scenario).await;
    let told = log(&scenario, SHARED);
    let failed = |it: &&Value| it["detail"]["status"] == "Failed";
    assert_eq!(told.iter().filter(failed).count(), 1, "{told:#?}");
    let to_itself = |it: &Value| it["detail"]["consumerAccountId"] == SHARED;
    let of_access = told
        .iter()
        .filter(|it| it["detail"].get("access").is_some());
    assert!(of_access.clone().count() > 0 && of_access.clone().all(to_itself));
    let trail = scenario.trail();
    let executions = trail
        .iter()
        .filter(|it| it.contains("Pipeline Execution Status"));
    assert_eq!(executions.count(), 0);
    assert!(trail.iter().any(|it| it.contains("Access Changed")));
}

#[tokio::test]
async fn without_its_log_an_account_is_told_the_same_and_nothing_is_undelivered() {
    let scenario = with(&[("KeepNotifications", "false")]).await;
    play(&scenario).await;
    let described = Call::by_administrator(DEV, REGION, "logs", "DescribeLogGroups", json!({}));
    let groups = scenario.estate.sandbox.world().call(&described).unwrap();
    assert_eq!(groups["logGroups"], json!([]));
    assert_eq!(undelivered(&scenario), 0);
    let told = scenario.told(DEV);
    assert!(told.iter().any(|it| it.ends_with(": Failed")), "{told:#?}");
}

/// How many events EventBridge could not deliver in dev.
fn undelivered(scenario: &Scenario) -> usize {
    let queue = format!("arn:aws:sqs:{REGION}:{DEV}:pipeshare-consumer-undelivered");
    sqs::messages(&scenario.estate.sandbox.world(), &queue).len()
}

#[tokio::test]
async fn without_a_resource_policy_the_queue_has_what_is_missing_until_another_policy_allows_it() {
    let scenario = with(&[("CreateNotificationLogPolicy", "false")]).await;
    play(&scenario).await;
    assert_eq!(log(&scenario, DEV), [json!(null); 0]);
    let missing = undelivered(&scenario);
    assert!(missing >= 3, "{missing}");

    let services = ["events.amazonaws.com", "delivery.logs.amazonaws.com"];
    let policy = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": { "Service": services },
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": format!("arn:aws:logs:{REGION}:{DEV}:log-group:/aws/events/*:*"),
    }] });
    let input = json!({ "policyName": "events", "policyDocument": policy.to_string() });
    let put = Call::by_administrator(DEV, REGION, "logs", "PutResourcePolicy", input);
    scenario.estate.sandbox.world().call(&put).unwrap();
    scenario.create(&scenario.test, "fraud").await;
    scenario.pass(SWEEP).await;
    let log = log(&scenario, DEV);
    assert_eq!(log.len(), 1, "{NOTIFICATION_LOG}: {log:#?}");
    assert_eq!(log[0]["detail-type"], "Pipelines Shared");
    assert_eq!(undelivered(&scenario), missing);
}
