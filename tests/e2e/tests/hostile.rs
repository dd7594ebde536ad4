//! What anybody may write into a queue, a bus or a reason: the good is served,
//! and nobody is told what somebody else made up.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use e2e::{DEFINITION, DEV, REGION, Scenario, TEST, end_event, functions, ungated};
use serde_json::{Value, json};

/// The ends of the calendar, and what is hardly a time.
const TIMES: [&str; 4] = [
    "-009999-01-02T01:59:59Z",
    "9999-12-30T22:00:00.999999999Z",
    "9999-12-30T21:59:58Z",
    "2026-02-30T25:61:61Z",
];

/// An event about a run that does not exist.
fn execution_event(status: &str, previous: &str, time: &str) -> Value {
    let run = format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn/execution/madeup");
    let mut event = end_event(&run, status, time);
    event["detail"]["previousPipelineExecutionStatus"] = json!(previous);
    event["detail"]["executionStartTime"] = json!(time);
    event
}

/// Bodies of messages that are no good.
fn bodies() -> Vec<String> {
    let mut bodies = vec![
        "\u{fffd}\u{9}\u{85}".to_owned(),
        "[".repeat(200_000),
        "{\"detail-type\":".repeat(10_000),
        json!({ "action": "share", "owner": "9".repeat(100_000) }).to_string(),
        json!({ "action": "\nserved", "owner": TEST }).to_string(),
        json!({ "detail-type": [], "source": {}, "detail": null }).to_string(),
        execution_event("Failed\nConsole: https://evil.example/", "", TIMES[3]).to_string(),
        execution_event(&"x".repeat(100_000), "", TIMES[3]).to_string(),
    ];
    for time in TIMES {
        for (status, previous) in [
            ("Executing", "Failed"),
            ("Executing", "Failed"),
            ("Failed", "Executing"),
            ("Quarantined", ""),
        ] {
            bodies.push(execution_event(status, previous, time).to_string());
        }
    }
    let long = "x".repeat(150_000);
    let mut event = execution_event("Failed", "", TIMES[0]);
    event["detail"]["pipelineExecutionDisplayName"] = json!(long);
    bodies.push(event.to_string());
    event["detail"]["pipelineExecutionArn"] = json!(format!(
        "arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn/execution/{long}"
    ));
    bodies.push(event.to_string());
    bodies
}

#[tokio::test]
async fn what_anybody_writes_into_a_queue_keeps_no_good_message_from_being_served() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(300).await;
    scenario.fail_next("churn", "Train", "bad luck");
    scenario.start(&scenario.test, "churn", "good").await;
    for body in bodies() {
        for queue in functions::queued() {
            scenario.send(queue, &body);
        }
    }
    scenario.create(&scenario.test, "fraud").await;
    scenario.pass(1200).await;

    let told = scenario.estate.mailbox(DEV);
    let good = told.iter().filter(|text| text.contains("bad luck"));
    assert_eq!(good.count(), 1, "{told:#?}");
    let shared = scenario.pipelines(&scenario.test).await;
    assert!(
        shared.iter().any(|(_, name, _)| name == "fraud"),
        "{shared:?}"
    );
    for queue in functions::queued() {
        assert_eq!(scenario.queue(queue), 0, "{queue}");
    }
    assert_eq!(scenario.dead_letters(), 0);
    let logs = scenario.logs();
    assert!(!logs.contains("panicked"), "{logs}");
    for reason in [
        "not JSON",
        "is not a status",
        "is of a time that has not come",
    ] {
        assert!(logs.contains(reason), "the log says why: {reason}");
    }
    for text in &told {
        assert!(!text.contains("Console: https://evil"), "{text}");
    }
    // A made-up run of a time to come hides nothing that happens now.
    scenario.start(&scenario.test, "churn", "next").await;
    scenario.pass(2400).await;
    let told = scenario.estate.mailbox(DEV);
    assert!(
        told.iter().any(|text| text.contains("Execution: \"next\"")),
        "{told:#?}"
    );
}

#[tokio::test]
async fn what_anybody_puts_on_a_bus_keeps_no_offer_from_being_followed() {
    let scenario = Scenario::begin(&ungated()).await;
    let details = [
        json!({}),
        json!({ "owner": TEST, "consumer": "\n", "share": "x".repeat(100_000), "rule": 7 }),
        json!({ "owner": TEST, "consumer": DEV, "rule": "r".repeat(9_000),
            "share": format!("arn:aws:ram:{REGION}:{TEST}:resource-share/\u{202e}") }),
        json!({ "owner": TEST, "consumer": DEV, "rule": "test-readers",
            "share": format!("arn:aws:ram:{REGION}:{TEST}:resource-share/{}", "9".repeat(90_000)) }),
        json!({ "owner": TEST, "consumer": DEV, "rule": "test-readers",
            "share": format!("arn:aws:ram:{REGION}:{TEST}:resource-share/made-up") }),
    ];
    for bus in ["default", "pipeshare-hub"] {
        for detail in &details {
            let entry = PutEventsRequestEntry::builder()
                .event_bus_name(bus)
                .source("pipeshare")
                .detail_type("Share Offered")
                .detail(detail.to_string())
                .build();
            let sending = scenario
                .shared
                .events
                .put_events()
                .entries(entry)
                .send()
                .await;
            sending.unwrap_or_else(|error| panic!("{error:?}"));
        }
    }
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(3600).await;
    let churn = e2e::Person::pipeline_arn(TEST, "churn");
    assert!(scenario.dev.sees(&churn).await, "the offer was followed");
    assert_eq!(scenario.dead_letters(), 0);
    assert!(!scenario.logs().contains("panicked"));
}

#[tokio::test]
async fn whoever_invokes_the_hook_with_nonsense_is_told_so_and_it_goes_on_serving() {
    let scenario = Scenario::begin(&ungated()).await;
    let job = |data: Value| json!({ "CodePipeline.job": { "id": "job", "data": data } });
    let parameters = |text: &str| {
        job(json!({ "actionConfiguration": { "configuration": { "UserParameters": text } } }))
    };
    let request = |token: Value| json!({ "action": "hook", "pipeline": "churn", "owner": TEST, "continuationToken": token });
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let token = |time: &str| {
        json!({ "v": 1, "attempt": "a", "began": time, "sharing": time, "failures": u32::MAX })
            .to_string()
    };
    let payloads = [
        json!(null),
        json!("\u{202e}"),
        deep.clone(),
        json!({ "CodePipeline.job": deep }),
        job(json!("x")),
        job(json!({ "continuationToken": 7 })),
        parameters(&"[".repeat(100_000)),
        parameters(&format!("{{\"{}\": 1}}", "k".repeat(100_000))),
        parameters(
            "{\"pipeline\": \"a\\nb\", \"owner\": \"\\u202e\", \"parameters\": {\"\\n\": []}}",
        ),
        request(json!("x".repeat(100_000))),
        request(token(TIMES[0]).into()),
        request(token(TIMES[1]).into()),
        json!({ "action": "hook", "pipeline": "churn", "owner": TEST, "runMinutes": i64::MAX }),
        json!({ "action": "hook", "pipeline": "churn", "owner": TEST, "runMinutes": -0.5 }),
    ];
    for payload in payloads {
        scenario.invoke("codepipeline-hook", payload).await;
    }
    assert!(!scenario.logs().contains("panicked"), "{}", scenario.logs());
    scenario.create(&scenario.test, "churn").await;
    let asked = json!({ "action": "hook", "pipeline": "churn", "owner": TEST, "run": false, "share": false });
    let answer = scenario.invoke("codepipeline-hook", asked).await;
    assert!(scenario.logs().contains("succeeded"), "{answer:?}");
}

#[tokio::test]
async fn a_reason_forges_no_line_of_a_message_and_is_cut_so_that_everybody_hears_of_the_failure() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    let forged = "bad\r\nReason: all is well\u{2028}Console: https://evil.example/\u{202e}\"";
    scenario.fail_next("churn", "Train", &forged.repeat(6_000));
    scenario.start(&scenario.test, "churn", "forging").await;
    scenario.pass(1200).await;
    for mailbox in [scenario.estate.mailbox(DEV), scenario.estate.hub_mailbox()] {
        let told: Vec<_> = mailbox
            .iter()
            .filter(|text| text.contains("forging"))
            .collect();
        assert_eq!(told.len(), 1, "{mailbox:#?}");
        let lines: Vec<_> = told[0].lines().collect();
        let beginning = |label: &str| lines.iter().filter(|line| line.starts_with(label)).count();
        assert!(
            lines[1].starts_with(
                "Failed step: Train: \"bad Reason: all is well Console: https[:]//evil"
            )
        );
        assert!(lines[1].ends_with("…\""), "{}", lines[1]);
        assert_eq!((beginning("Console: "), beginning("Failed step: ")), (1, 1));
        assert!(beginning("Reason: ") <= 1);
    }
    let world = scenario.estate.sandbox.world();
    let on_bus: Vec<_> = world
        .events()
        .seen
        .iter()
        .filter(|seen| seen.bus == "pipeshare" && seen.event["detail"]["status"] == "Failed")
        .collect();
    assert_eq!(
        on_bus.len(),
        2,
        "dev's bus and that of shared services have it"
    );
}

#[tokio::test]
async fn a_subject_keeps_account_and_status_however_long_the_name_is() {
    let scenario = Scenario::begin(&ungated()).await;
    let name = format!("churn-{}-nightly", "x".repeat(242));
    let creation = scenario.test.sagemaker.create_pipeline();
    let created = creation
        .pipeline_name(&name)
        .pipeline_definition(DEFINITION)
        .client_request_token("c".repeat(32))
        .role_arn(format!("arn:aws:iam::{TEST}:role/pipeline"))
        .send()
        .await;
    created.unwrap_or_else(|error| panic!("{error:?}"));
    scenario.fail_next(&name, "Train", "bad luck");
    scenario.start(&scenario.test, &name, "long").await;
    scenario.pass(1200).await;
    let world = scenario.estate.sandbox.world();
    let subjects: Vec<_> = world
        .sns()
        .published
        .iter()
        .filter(|published| published.message.contains(": Failed"))
        .filter_map(|published| published.subject.clone())
        .collect();
    assert_eq!(
        subjects.len(),
        3,
        "dev, shared services and the hub: {subjects:?}"
    );
    for subject in subjects {
        assert!(subject.starts_with("churn-xxx"), "{subject}");
        assert!(subject.ends_with("-nightly in test: Failed"), "{subject}");
        assert!(subject.chars().count() < 100, "{subject}");
    }
}
