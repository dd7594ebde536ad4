//! Saved queries: their fields, their words and their expressions are those of real log lines.

use e2e::{Scenario, refusal, ungated};
use regex_lite::Regex;
use serde_json::Value;

use crate::blocks::{Block, Kind, of_kind};

/// Fields of the lines that Lambda itself writes, which the local AWS does not.
///
/// Source: Lambda's reference of the schema of system logs in JSON.
const OF_LAMBDA: [&str; 1] = ["record.requestId"];

/// A day of functions: a share, a run that failed, something that was not ready, and a refusal of AWS.
async fn lines() -> (Vec<Value>, String) {
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
    let logs = scenario.logs();
    let trail = scenario.trail();
    let lines = logs.lines().map(str::to_owned).chain(trail);
    let lines = lines.filter_map(|line| serde_json::from_str(&line).ok());
    (lines.collect(), run)
}

/// The value of a field of a line, as Logs Insights finds it.
fn field<'l>(line: &'l Value, path: &str) -> Option<&'l Value> {
    line.get(path)
        .or_else(|| path.split('.').try_fold(line, |it, name| it.get(name)))
}

/// The fields that a query shows or asks for, without those of Logs Insights and its own.
fn fields(block: &Block) -> Vec<String> {
    let constant = |expression| Regex::new(expression).expect("the expression is constant");
    let own = constant(r"\(\?<(\w+)>| as (\w+)");
    let own: Vec<_> = own
        .captures_iter(&block.text)
        .filter_map(|it| Some(it.get(1).or(it.get(2))?.as_str().to_owned()))
        .collect();
    let compared = constant(r"`?(@?[a-zA-Z.-]+)`? (?:=|!=|in|like) ");
    let counted = constant(r"\w+\((@?[a-zA-Z.]+)\)");
    let mut found = Vec::new();
    for line in block.text.lines() {
        let line = line.trim_start_matches("| ");
        let shown = line
            .strip_prefix("fields ")
            .or_else(|| line.strip_prefix("display "));
        if let Some(shown) = shown {
            found.extend(shown.split(", ").map(|name| name.replace('`', "")));
        }
        if let Some((counts, keys)) = line
            .strip_prefix("stats ")
            .and_then(|stats| stats.split_once(" by "))
        {
            found.extend(counted.captures_iter(counts).map(|it| it[1].to_owned()));
            found.extend(keys.split(", ").map(str::to_owned));
        }
        if let Some(condition) = line.strip_prefix("filter ") {
            let names = compared.captures_iter(condition);
            found.extend(names.map(|it| it[1].to_owned()));
        }
    }
    found.retain(|name| !name.starts_with('@') && !own.contains(name));
    found
}

#[tokio::test]
async fn every_query_finds_the_fields_and_the_words_that_functions_write() {
    let queries = of_kind(Kind::Query);
    assert!(queries.len() > 4, "the documents show queries");
    let (lines, run) = lines().await;
    let equal = Regex::new(r#"([a-zA-Z.-]+)`? = "([^"]+)""#).expect("the expression is constant");
    let parse = Regex::new(r"parse @message /(.*)/").expect("the expression is constant");
    for block in queries {
        let place = block.place();
        for name in fields(&block) {
            let is_of_lambda = OF_LAMBDA.contains(&name.as_str());
            let is_written = lines.iter().any(|line| field(line, &name).is_some());
            assert!(is_written || is_of_lambda, "{place}: no line has {name}");
        }
        for condition in equal.captures_iter(&block.text) {
            let (name, word) = (&condition[1], &condition[2]);
            let is_placeholder = word.chars().all(char::is_uppercase);
            let mut written = lines.iter().filter_map(|line| field(line, name));
            let is_written = written.any(|value| value == word);
            assert!(
                is_written || is_placeholder,
                "{place}: {name} is never {word}"
            );
        }
        for expression in parse.captures_iter(&block.text) {
            let expression = expression[1].replace("EXECUTION", &run);
            let expression = Regex::new(&expression).unwrap_or_else(|e| panic!("{place}: {e}"));
            let mut texts = lines.iter().map(Value::to_string);
            let found = texts.find(|text| expression.is_match(text));
            assert!(found.is_some(), "{place}: nothing is like {expression}");
        }
    }
}
