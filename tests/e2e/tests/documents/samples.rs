//! Samples of what functions send and write: they have the members of real ones.

use aws_sdk_eventbridge::error::ProvideErrorMetadata;
use e2e::{DEV, EXECUTION_EVENT, Scenario, TEST, ungated};
use sandbox::faults::EventEffect;
use serde_json::{Value, json};

use crate::blocks::{Kind, of_kind};

/// What differs in form between a sample and what it is a sample of.
///
/// Members that one has and the other has not, and values of another type; what
/// is null on one side may be anything.
fn differences(path: &str, sample: &Value, real: &Value, found: &mut Vec<String>) {
    match (sample, real) {
        (Value::Object(sample), Value::Object(real)) => {
            for (name, value) in sample {
                let path = format!("{path}.{name}");
                match real.get(name) {
                    Some(real) => differences(&path, value, real, found),
                    None => found.push(format!("{path} is in the sample alone")),
                }
            }
            let missing = real.keys().filter(|name| !sample.contains_key(*name));
            found.extend(missing.map(|name| format!("{path}.{name} is not in the sample")));
        }
        (Value::Array(sample), Value::Array(real)) => {
            for (sample, real) in sample.iter().zip(real) {
                differences(&format!("{path}[]"), sample, real, found);
            }
            if sample.is_empty() != real.is_empty() {
                found.push(format!("{path} is empty on one side"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (sample, real) => {
            if std::mem::discriminant(sample) != std::mem::discriminant(real) {
                found.push(format!(
                    "{path} is {sample} in the sample, and {real} in fact"
                ));
            }
        }
    }
}

fn compare(place: &str, sample: &Value, real: &Value) {
    let mut found = Vec::new();
    differences("", sample, real, &mut found);
    assert!(found.is_empty(), "{place}: {found:#?}\nin fact: {real:#}");
}

/// A run of a pipeline of test that has failed, and of which dev was told.
async fn failed() -> Scenario {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(60).await;
    scenario.fail_next("churn-train", "Train", "AlgorithmError: none left");
    scenario
        .start(&scenario.test, "churn-train", "release-2")
        .await;
    scenario.pass(300).await;
    scenario
}

/// The first event with this detail type on the bus of a consumer, or of the hub, without what every event has.
fn event(scenario: &Scenario, detail_type: &str) -> Value {
    let world = scenario.estate.sandbox.world();
    let mut seen = world.events().seen.iter();
    let is_ours = |bus: &str| ["pipeshare", "pipeshare-hub"].contains(&bus);
    let found = seen.find(|seen| is_ours(&seen.bus) && seen.event["detail-type"] == detail_type);
    let event = found.map(|seen| seen.event.clone());
    let event = event.unwrap_or_else(|| panic!("no event {detail_type:?} was sent"));
    let shown = ["source", "detail-type", "resources", "detail"];
    shown
        .iter()
        .map(|name| ((*name).to_owned(), event[*name].clone()))
        .collect()
}

#[tokio::test]
async fn every_event_has_the_members_of_those_that_functions_send() {
    let samples = of_kind(Kind::Event);
    assert!(!samples.is_empty(), "the documents show events");
    let scenario = failed().await;
    for block in samples {
        let sample = block.json().unwrap_or_default();
        let detail_type = sample["detail-type"].as_str().unwrap_or_default();
        compare(&block.place(), &sample, &event(&scenario, detail_type));
    }
}

#[tokio::test]
async fn every_notification_has_the_lines_of_those_that_people_get() {
    let samples = of_kind(Kind::Notification);
    assert!(!samples.is_empty(), "the documents show notifications");
    let labels = |text: &str| {
        let lines = text.lines().skip(1);
        let labels = lines.map(|line| line.split(':').next().unwrap_or_default().to_owned());
        labels.collect::<Vec<_>>()
    };
    let scenario = failed().await;
    for block in samples {
        let first = block.text.lines().next().unwrap_or_default();
        let mailbox = scenario.estate.mailbox(DEV);
        let real = mailbox
            .iter()
            .find(|text| text.lines().next() == Some(first));
        let real = real.unwrap_or_else(|| panic!("{}: {mailbox:#?}", block.place()));
        assert_eq!(labels(&block.text), labels(real), "{}", block.place());
    }
}

#[tokio::test]
async fn every_line_of_the_log_has_the_members_of_those_that_functions_write() {
    let samples = of_kind(Kind::LogLine);
    assert!(!samples.is_empty(), "the documents show the log");
    let scenario = Scenario::begin(&ungated()).await;
    scenario.send("share-pipeline", r#"{"action":"destroy"}"#);
    scenario.send(
        "share-pipeline",
        r#"{"action":"share","owner":"999999999999"}"#,
    );
    scenario.pass(60).await;
    let logs = scenario.logs();
    let lines = logs
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let served: Vec<Value> = lines
        .filter(|line| line["message"] == "invocation served")
        .collect();
    for block in samples {
        let sample = block.json().unwrap_or_default();
        // A summary leaves out what there is nothing to say about.
        let names = |value: &Value| {
            let object = value.as_object().cloned().unwrap_or_default();
            object.keys().cloned().collect::<Vec<_>>()
        };
        let real = served
            .iter()
            .find(|line| names(&line["summary"]) == names(&sample["summary"]));
        let real = real.unwrap_or_else(|| panic!("{}: {served:#?}", block.place()));
        compare(&block.place(), &sample, real);
    }
}

#[tokio::test]
async fn every_step_of_a_dry_run_has_the_members_of_those_that_functions_plan() {
    let samples = of_kind(Kind::Step);
    assert!(!samples.is_empty(), "the documents show dry runs");
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_events(e2e::CALL_EVENT, &vec![EventEffect::Lose; 20]);
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Lose; 20]);
    scenario.create(&scenario.test, "churn-train").await;
    let asked = json!({ "action": "share", "owner": TEST, "dryRun": true });
    let answer = scenario.invoke("share-pipeline", asked).await;
    let report = answer.outcome.unwrap_or_else(|error| panic!("{error}"));
    let steps = report["accounts"][0]["steps"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for block in samples {
        let sample = block.json().unwrap_or_default();
        let real = steps.iter().find(|step| step["action"] == sample["action"]);
        let real = real.unwrap_or_else(|| panic!("{}: {report:#}", block.place()));
        compare(&block.place(), &sample, real);
    }
}

#[tokio::test]
async fn every_pattern_is_one_that_eventbridge_takes() {
    let patterns = of_kind(Kind::Pattern);
    let scenario = Scenario::begin(&ungated()).await;
    let event = json!({
        "id": "1", "account": TEST, "source": "pipeshare", "time": "2026-01-05T09:00:00Z",
        "region": e2e::REGION, "resources": [], "detail-type": "x", "detail": {},
    });
    for block in patterns {
        let tested = scenario.dev.events.test_event_pattern();
        let tested = tested.event_pattern(&block.text).event(event.to_string());
        let answer = tested.send().await;
        let refused = answer
            .err()
            .and_then(|error| error.message().map(str::to_owned));
        assert_eq!(refused, None, "{}", block.place());
    }
}
