//! Saved queries: their fields, their words and their expressions are those of real log lines.

use contracts::insights::Query;
use e2e::{DEV, REGION, SWEEP, Scenario, field, refusal, ungated};
use regex_lite::Regex;
use sandbox::cloudformation::{Stack, declared};
use serde_json::Value;

use crate::blocks::{Block, Kind, of_kind};

/// Fields of the lines that Lambda itself writes, which the local AWS does not.
///
/// Source: Lambda's reference of the schema of system logs in JSON.
const OF_LAMBDA: [&str; 1] = ["record.requestId"];

/// A day of functions: a share, a run that failed, something that was not ready, a refusal of
/// AWS, and a pipeline that is gone.
async fn lines() -> (Scenario, Vec<Value>, String) {
    let rules = "after: created\n    why: to watch it\n    until: 2099-12-31";
    let policy = ungated().replace("after: created", rules);
    let scenario = Scenario::begin(&policy).await;
    let refused = vec![refusal(503, "ServiceUnavailable"); 4];
    scenario.break_calls("ram", "GetResourceShares", &refused);
    scenario.create(&scenario.test, "churn-train").await;
    scenario.pass(300).await;
    scenario.fail_next("churn-train", "Train", "AlgorithmError: none left");
    let run = scenario
        .start(&scenario.test, "churn-train", "release-2")
        .await;
    scenario.pass(300).await;
    scenario.delete(&scenario.test, "churn-train").await;
    scenario.pass(SWEEP).await;
    let logs = scenario.logs();
    let lines = logs.lines().map(str::to_owned).chain(scenario.trail());
    let lines = lines.chain(scenario.notification_log(DEV));
    let lines = lines.filter_map(|line| serde_json::from_str(&line).ok());
    let lines = lines.collect();
    (scenario, lines, run)
}

#[tokio::test]
async fn every_query_finds_the_fields_and_the_words_that_functions_write() {
    let queries = of_kind(Kind::Query);
    assert!(queries.len() > 4, "the documents show queries");
    let (_, lines, run) = lines().await;
    for block in queries {
        let place = block.place();
        let query = Query::read(&block.text).unwrap_or_else(|error| panic!("{place}: {error}"));
        for name in query.fields() {
            let is_of_lambda = OF_LAMBDA.contains(&name.as_str());
            let is_written = lines.iter().any(|line| field(line, &name).is_some());
            assert!(is_written || is_of_lambda, "{place}: no line has {name}");
        }
        for (name, words) in query.comparisons() {
            let is_placeholder = |word: &String| word.chars().all(char::is_uppercase);
            let mut written = lines.iter().filter_map(|line| field(line, &name)?.as_str());
            let is_written = written.any(|value| words.iter().any(|word| word == value));
            assert!(
                is_written || words.iter().all(is_placeholder),
                "{place}: {name} is never {words:?}"
            );
        }
        for expression in query.expressions() {
            let expression = expression.replace("EXECUTION", &run);
            let expression = Regex::new(&expression).unwrap_or_else(|e| panic!("{place}: {e}"));
            let mut texts = lines.iter().map(Value::to_string);
            let found = texts.find(|text| expression.is_match(text));
            assert!(found.is_some(), "{place}: nothing is like {expression}");
        }
    }
}

/// Whether an event is one that the pattern of a metric filter is for, which compares texts alone.
fn counts(pattern: &str, event: &Value) -> bool {
    let constant = r#"\$\.([A-Za-z0-9_.-]+) = "([^"]+)""#;
    let comparison = Regex::new(constant).expect("the expression is constant");
    let mut comparisons = comparison.captures_iter(pattern).peekable();
    assert!(comparisons.peek().is_some(), "{pattern} compares nothing");
    let rest = comparison.replace_all(pattern, "");
    let is_known = |c: char| "{}() &".contains(c);
    assert!(
        rest.chars().all(is_known),
        "{pattern} is not understood: {rest}"
    );
    comparisons.all(|it| {
        let value = field(event, &it[1]).and_then(Value::as_str);
        let value = value.unwrap_or_default();
        match it[2].strip_suffix('*') {
            Some(beginning) => value.starts_with(beginning),
            None => value == &it[2],
        }
    })
}

#[tokio::test]
async fn every_template_to_copy_is_deployed_and_its_metric_filter_counts_what_failed() {
    let (scenario, lines, _) = lines().await;
    let templates = of_kind(Kind::Template);
    assert!(!templates.is_empty(), "the documents show a template");
    for Block { file, text, .. } in templates {
        let deployed = scenario.estate.deploy(DEV, &file, &text, &[]);
        deployed.unwrap_or_else(|error| panic!("{error}"));
        let stack = Stack {
            account: DEV,
            region: REGION,
            name: "copy",
            file: &file,
            template: &text,
            parameters: std::collections::BTreeMap::new(),
        };
        let declared = declared(&stack).unwrap_or_else(|error| panic!("{error}"));
        let of_kind = |kind: &str| {
            let mut found = declared.iter().filter(|it| it.kind == kind);
            found.next().map_or(&Value::Null, |it| &it.properties)
        };
        let filter = of_kind("AWS::Logs::MetricFilter");
        assert_eq!(filter["LogGroupName"], e2e::NOTIFICATION_LOG);
        let pattern = filter["FilterPattern"].as_str().unwrap_or_default();
        let counted: Vec<_> = lines.iter().filter(|line| counts(pattern, line)).collect();
        assert_eq!(counted.len(), 1, "{file}: {counted:#?}");
        assert_eq!(counted[0]["detail"]["status"], "Failed");
        let made = &filter["MetricTransformations"][0];
        let alarm = of_kind("AWS::CloudWatch::Alarm");
        assert_eq!(alarm["MetricName"], made["MetricName"], "{file}");
        assert_eq!(alarm["Namespace"], made["MetricNamespace"], "{file}");
    }
}
