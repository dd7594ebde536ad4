//! The metrics that the functions count, and who speaks of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;
use runtime::metrics::Metric;
use serde_json::Value;

use contracts::section;

use crate::{OPERATIONS, list, templates::HUB, text};

/// Metrics of what is requeued, which takes a queue of the function's own.
const OF_QUEUES: [&str; 2] = ["RecordsRequeued", "RecordsAbandoned"];

/// The metrics that an alarm watches: its own, or those that it computes with.
pub(crate) fn watched(alarm: &Value) -> Vec<&Value> {
    let computed = alarm["Metrics"].as_array().into_iter().flatten();
    let computed = computed.map(|metric| &metric["MetricStat"]["Metric"]);
    let computed = computed.filter(|metric| metric.is_object());
    let own = (!alarm["MetricName"].is_null()).then_some(alarm);
    own.into_iter().chain(computed).collect()
}

#[test]
fn what_callers_are_to_blame_for_is_no_reason_to_call_anybody() {
    let alarms = HUB.of_kind("AWS::CloudWatch::Alarm");
    let named = |alarm: &&Value| alarm["AlarmName"] == "pipeshare-codepipeline-hook-errors";
    let alarm = alarms.iter().find(named).unwrap();
    assert_eq!(
        alarm["Metrics"][0]["Expression"],
        "errors - FILL(refused, 0)"
    );
    let ids = list(&alarm["Metrics"]).into_iter().map(|metric| {
        let name = &metric["MetricStat"]["Metric"]["MetricName"];
        (
            metric["Id"].clone(),
            name.clone(),
            metric["MetricStat"]["Stat"].clone(),
        )
    });
    let sum = Value::from("Sum");
    let expected = [("errors", "Errors"), ("refused", "RequestsRefused")];
    let expected = expected.map(|(id, name)| (id.into(), name.into(), sum.clone()));
    assert_eq!(ids.skip(1).collect::<Vec<_>>(), expected);
}

/// The Rust sources of a folder, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let found = entries.flat_map(|entry| {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.file_stem().is_some_and(|stem| stem == "tests") => Vec::new(),
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => Vec::new(),
        }
    });
    found.collect()
}

/// Whether a function counts what the runtime does: it serves batches, and for
/// what is requeued it has a queue of its own.
fn counts_as_runtime(folder: &Path, function: &Value, metric: &str) -> bool {
    let main = fs::read_to_string(folder.join("src/main.rs")).unwrap();
    let queue = &function["Environment"]["Variables"]["PIPESHARE_QUEUE"];
    main.contains("lambda::serve(") && (!OF_QUEUES.contains(&metric) || !queue.is_null())
}

/// The metrics that the functions count, by the name of the function.
fn counted() -> BTreeSet<(String, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let deployed: BTreeMap<String, Value> = HUB
        .of_kind("AWS::Lambda::Function")
        .into_iter()
        .map(|function| {
            let name = text(&function["FunctionName"], "FunctionName");
            (name.trim_start_matches("pipeshare-").to_owned(), function)
        })
        .collect();
    let name = Regex::new("Metric::([A-Z][A-Za-z]+)").unwrap();
    let mut found = BTreeSet::new();
    for path in sources(&functions) {
        let relative = path.strip_prefix(&functions).unwrap();
        let folder = relative
            .iter()
            .next()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        for metric in name.captures_iter(source).map(|it| it[1].to_owned()) {
            if deployed.contains_key(&folder) {
                found.insert((folder.clone(), metric));
                continue;
            }
            for (function, resource) in &deployed {
                if counts_as_runtime(&functions.join(function), resource, &metric) {
                    found.insert((function.clone(), metric.clone()));
                }
            }
        }
    }
    found
}

#[test]
fn the_page_about_operations_lists_the_metrics_that_the_functions_count() {
    let functions = HUB.of_kind("AWS::Lambda::Function").len();
    let mut counting: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (function, metric) in counted() {
        counting.entry(metric).or_default().insert(function);
    }
    let expected = Metric::ALL.iter().map(|metric| {
        let counting = counting.remove(metric.name()).unwrap_or_default();
        let counting = match counting.len() {
            all if all == functions => "all".to_owned(),
            _ => counting.into_iter().collect::<Vec<_>>().join(", "),
        };
        let meaning = metric.meaning();
        format!("| `{}` | {counting} | {meaning} |", metric.name())
    });
    let expected: Vec<String> = expected.collect();
    let section = section(OPERATIONS, "Metrics");
    let documented: Vec<&str> = section.lines().filter(|it| it.starts_with("| `")).collect();
    assert_eq!(
        documented,
        expected,
        "it should be\n{}",
        expected.join("\n")
    );
    assert!(counting.is_empty(), "counted and no metric: {counting:?}");
}

#[test]
fn alarms_and_the_dashboard_watch_metrics_that_a_function_counts() {
    let counted = counted();
    let is_counted = |function: &str, metric: &str| {
        let folder = function.strip_prefix("pipeshare-").unwrap_or(function);
        counted.contains(&(folder.to_owned(), metric.to_owned()))
    };
    let alarms = HUB.of_kind("AWS::CloudWatch::Alarm");
    for watched in alarms.iter().flat_map(watched) {
        if watched["Namespace"] == "pipeshare" {
            let function = text(&watched["Dimensions"][0]["Value"], "Value");
            let metric = text(&watched["MetricName"], "MetricName");
            assert!(is_counted(function, metric), "{metric} of {function}");
        }
    }
    let dashboard = HUB.of_kind("AWS::CloudWatch::Dashboard").remove(0);
    let body: Value = serde_json::from_str(text(&dashboard["DashboardBody"], "body")).unwrap();
    let widgets = list(&body["widgets"]);
    assert_eq!(widgets.len(), 7);
    let page = widgets.iter().find(|widget| widget["type"] == "custom");
    let endpoint = text(&page.unwrap()["properties"]["endpoint"], "endpoint");
    assert!(
        endpoint.ends_with(":function:pipeshare-show-access"),
        "{endpoint}"
    );
    for metric in widgets
        .iter()
        .flat_map(|widget| list(&widget["properties"]["metrics"]))
    {
        if metric[0] == "pipeshare" {
            let (name, function) = (text(&metric[1], "metric"), text(&metric[3], "function"));
            assert!(is_counted(function, name), "{name} of {function}");
        }
    }
}
