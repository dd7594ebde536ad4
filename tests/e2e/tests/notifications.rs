//! Notifications: every end of every run, once, to everyone who waits for it.

use e2e::{
    DEV, EXECUTION_EVENT, POLICY, Plan, SHARED, Scenario, crossed, failures, refusal, ungated,
};
use sandbox::faults::EventEffect;
use serde_json::{Value, json};

/// The first line of a notification.
fn line(pipeline: &str, status: &str) -> String {
    format!("Pipeline {pipeline} in test (222222222222, us-east-1): {status}")
}

/// The statuses that an account was told of `churn`, in order.
fn statuses(told: &[String]) -> Vec<&str> {
    let prefix = line("churn", "");
    told.iter()
        .filter_map(|text| text.lines().next()?.strip_prefix(&prefix))
        .collect()
}

#[tokio::test]
async fn fail_retry_fail_retry_succeed_tells_every_one_of_them_once() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario
        .estate
        .sandbox
        .world()
        .sagemaker_mut()
        .repeat_events = true;
    scenario.create(&scenario.test, "churn").await;
    scenario.fail_next("churn", "Train", "first reason");
    let run = scenario.start(&scenario.test, "churn", "nightly").await;
    scenario.pass(300).await;
    scenario.fail_next("churn", "Train", "second reason");
    scenario.retry(&scenario.test, &run, 1).await;
    scenario.pass(300).await;
    scenario.retry(&scenario.test, &run, 2).await;
    scenario.pass(2400).await;

    let told = scenario.estate.mailbox(DEV);
    assert_eq!(
        statuses(&told),
        ["Failed", "Failed", "Succeeded"],
        "{told:#?}"
    );
    let failures: Vec<_> = told
        .iter()
        .filter(|text| text.contains("Failed step"))
        .collect();
    assert!(
        failures[0].contains("Failed step: Train: \"first reason\""),
        "{failures:#?}"
    );
    assert!(
        failures[1].contains("Failed step: Train: \"second reason\""),
        "{failures:#?}"
    );
    assert!(
        failures[1].contains("Execution: \"nightly\""),
        "{failures:#?}"
    );

    let operators = scenario.estate.mailbox(SHARED);
    assert_eq!(
        statuses(&operators),
        ["Failed", "Failed"],
        "its rule asks for failures alone"
    );
    assert_eq!(
        statuses(&scenario.estate.hub_mailbox()),
        ["Failed", "Failed", "Succeeded"]
    );
}

#[tokio::test]
async fn an_event_that_comes_ten_times_is_told_once() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Repeat(10); 20]);
    scenario.start(&scenario.test, "churn", "once").await;
    scenario.pass(2400).await;
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), ["Succeeded"]);
    assert_eq!(statuses(&scenario.estate.hub_mailbox()), ["Succeeded"]);
    let world = scenario.estate.sandbox.world();
    let on_bus = world.events().seen.iter().filter(|seen| {
        seen.bus == "pipeshare" && seen.event["detail-type"] == "Pipeline Execution Status"
    });
    assert_eq!(on_bus.count(), 1, "the bus of dev carries it once, too");
}

#[tokio::test]
async fn what_no_event_told_the_sweep_tells_once() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    // The first reconciliation marks where to begin.
    scenario.pass(1000).await;
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Lose; 50]);
    scenario.fail_next("churn", "Prepare", "no data");
    scenario.start(&scenario.test, "churn", "unseen").await;
    scenario.pass(4 * 3600).await;
    let told = scenario.estate.mailbox(DEV);
    assert_eq!(statuses(&told), ["Failed"], "{told:#?}");
    assert!(
        told[0].contains("Failed step: Prepare: \"no data\""),
        "{told:#?}"
    );
}

#[tokio::test]
async fn what_happened_while_nobody_wanted_to_know_is_no_news() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(1800).await;
    scenario.write_policy("version: 1").await;
    scenario.pass(1800).await;
    scenario.start(&scenario.test, "churn", "unseen").await;
    scenario.pass(1800).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(2 * 3600).await;
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), [""; 0]);
    scenario.start(&scenario.test, "churn", "seen").await;
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Lose; 3]);
    scenario.pass(2 * 3600).await;
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), ["Succeeded"]);
}

#[tokio::test]
async fn a_crash_or_a_lost_answer_never_loses_a_notification() {
    let places = [
        ("sns", "Publish"),
        ("events", "PutEvents"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "UpdateItem"),
        ("sagemaker", "DescribePipelineExecution"),
    ];
    for ((service, operation), effect) in crossed(&places, &failures()) {
        let scenario = Scenario::begin(POLICY).await;
        scenario.create(&scenario.test, "churn").await;
        scenario.start(&scenario.test, "churn", "important").await;
        scenario.pass(100).await;
        scenario.break_calls(service, operation, std::slice::from_ref(&effect));
        scenario.pass(1500).await;
        let which = format!("{service}:{operation} {effect:?}");
        let mailbox = scenario.estate.mailbox(DEV);
        let told = statuses(&mailbox);
        // At least once; and twice only if a message was out before it was noted.
        assert!((1..=2).contains(&told.len()), "{which}: {mailbox:#?}");
        assert!(
            told.iter().all(|status| *status == "Succeeded"),
            "{which}: {told:?}"
        );
        let hub = scenario.estate.hub_mailbox();
        assert!((1..=2).contains(&statuses(&hub).len()), "{which}: {hub:#?}");
        assert_eq!(scenario.dead_letters(), 0, "{which}");
    }
}

#[tokio::test]
async fn a_consumer_that_cannot_be_reached_keeps_nobody_else_from_being_told() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    let role = "pipeshare-notifier-us-east-1";
    sandbox::services::iam::delete_role(&mut scenario.estate.sandbox.world(), DEV, role);
    scenario.fail_next("churn", "Train", "bad luck");
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(1200).await;
    assert_eq!(statuses(&scenario.estate.mailbox(SHARED)), ["Failed"]);
    assert_eq!(statuses(&scenario.estate.hub_mailbox()), ["Failed"]);
    assert_eq!(statuses(&scenario.estate.mailbox(DEV)), [""; 0]);
    assert_eq!(scenario.dead_letters(), 0);
    assert!(scenario.logs().contains("account not onboarded"));
}

#[tokio::test]
async fn a_late_event_is_told_with_the_time_of_its_end() {
    let scenario = Scenario::begin(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    let hour = std::time::Duration::from_hours(1);
    scenario.start(&scenario.test, "churn", "late").await;
    scenario.pass(30).await;
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Delay(hour); 3]);
    scenario.pass(2 * 3600).await;
    let told = scenario.estate.mailbox(DEV);
    assert_eq!(
        statuses(&told),
        ["Succeeded"],
        "the reconciliation and the late event tell it once: {told:#?}"
    );
}

/// Notifications of these severities go to chats, in the hub and in consumer accounts.
async fn with_chats(severities: &str) -> Scenario {
    let chat = vec![
        ("CreateChatTopic", "true".to_owned()),
        ("ChatSeverities", severities.to_owned()),
    ];
    let plan = Plan {
        hub_parameters: chat.clone(),
        consumer_parameters: chat,
        ..Plan::default()
    };
    let scenario = Scenario::on(plan).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(10).await;
    scenario
}

#[tokio::test]
async fn a_chat_gets_what_is_severe_enough_in_its_own_form_and_what_goes_well_stays_away() {
    let scenario = with_chats("error,warning").await;
    scenario.create(&scenario.test, "churn").await;
    scenario.fail_next("churn", "Train", "<!channel> see `https://x`");
    let run = scenario.start(&scenario.test, "churn", "nightly").await;
    scenario.pass(600).await;
    scenario.retry(&scenario.test, &run, 1).await;
    scenario.pass(2400).await;

    assert_eq!(
        statuses(&scenario.estate.mailbox(DEV)),
        ["Failed", "Succeeded"]
    );
    for chat in [scenario.estate.chat(DEV), scenario.estate.hub_chat()] {
        let messages = chat.iter().map(|text| serde_json::from_str(text).unwrap());
        let messages: Vec<Value> = messages.collect();
        let titles: Vec<_> = messages.iter().map(|it| &it["content"]["title"]).collect();
        assert_eq!(titles, ["churn in test: Failed"]);
        let failed = &messages[0];
        assert_eq!(
            (&failed["version"], &failed["source"]),
            (&json!("1.0"), &json!("custom"))
        );
        assert_eq!(failed["metadata"]["threadId"], run);
        let description = failed["content"]["description"].as_str().unwrap();
        assert!(
            description.contains("Failed step: Train: \"‹!channel›"),
            "{description}"
        );
        let retry = failed["content"]["nextSteps"][1].as_str().unwrap();
        assert!(
            retry.contains("aws sagemaker retry-pipeline-execution"),
            "{retry}"
        );
    }
}

#[tokio::test]
async fn subscribers_can_filter_by_severity_pipeline_owner_and_rule() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.fail_next("churn", "Train", "bad luck");
    scenario.start(&scenario.test, "churn", "nightly").await;
    scenario.pass(600).await;
    let world = scenario.estate.sandbox.world();
    let of = |subject: &str| {
        let published = world.sns().published.iter();
        let topic = format!("arn:aws:sns:us-east-1:{DEV}:pipeshare");
        let mut found = published.filter(|it| it.topic_arn == topic);
        let found = found.find(|it| it.subject.as_deref() == Some(subject));
        let found = found.unwrap_or_else(|| panic!("{subject} was sent"));
        let value = |name: &str| {
            found.attributes[name]["StringValue"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        ["kind", "severity", "pipeline", "owner"].map(value)
    };
    let owner = "[\"222222222222\"]";
    assert_eq!(
        of("churn in test: Failed"),
        ["Pipeline Execution Status", "error", "[\"churn\"]", owner]
    );
    assert_eq!(
        of("dev can see 1 pipeline of test"),
        ["Pipelines Shared", "info", "[\"churn\"]", owner]
    );
}

#[tokio::test]
async fn a_failure_says_what_it_retries_and_a_missing_permission_costs_only_the_parameters() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.break_calls(
        "sagemaker",
        "ListPipelineParametersForExecution",
        &vec![refusal(400, "AccessDeniedException"); 20],
    );
    scenario.fail_next("churn", "Train", "first reason");
    let run = scenario.start(&scenario.test, "churn", "nightly").await;
    scenario.pass(600).await;
    scenario.fail_next("churn", "Train", "second reason");
    scenario.retry(&scenario.test, &run, 1).await;
    scenario.pass(600).await;
    let told = scenario.estate.mailbox(DEV);
    let failures: Vec<_> = told
        .iter()
        .filter(|text| text.contains("Failed step"))
        .collect();
    assert_eq!(failures.len(), 2, "{told:#?}");
    assert!(!failures[0].contains("Retry of: "), "{}", failures[0]);
    let retry = "Retry of: the run before, which ended as Failed at 2026-";
    assert!(failures[1].contains(retry), "{}", failures[1]);
    assert!(failures[0].contains("Started by: "), "{}", failures[0]);
    assert_eq!(scenario.dead_letters(), 0);
}
