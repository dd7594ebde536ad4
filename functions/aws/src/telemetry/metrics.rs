//! Counters, written in CloudWatch's embedded metric format.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value, json};

/// The namespace of all metrics.
const NAMESPACE: &str = "pipeshare";

/// What was counted during one invocation.
///
/// Lambda makes CloudWatch metrics of the line that it becomes, without a call.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Metrics {
    /// Adds to a counter.
    pub fn count(&self, name: &'static str, by: u64) {
        // A panic elsewhere leaves counters as valid as they were.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name).or_default() += by;
    }

    /// Writes one line with all counters, or nothing if nothing was counted.
    pub(crate) fn flush(&self, function: &str, out: &mut impl Write) -> io::Result<()> {
        let line = self.line(function, now_in_milliseconds());
        line.map_or(Ok(()), |line| writeln!(out, "{line}"))
    }

    fn line(&self, function: &str, time: u64) -> Option<Value> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.is_empty() {
            return None;
        }
        let definitions: Vec<_> = counts
            .keys()
            .map(|name| json!({ "Name": name, "Unit": "Count" }))
            .collect();
        let mut line = Map::new();
        let directive = json!({
            "Timestamp": time,
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Function"]],
                "Metrics": definitions,
            }],
        });
        line.insert("_aws".to_owned(), directive);
        line.insert("Function".to_owned(), function.into());
        line.extend(
            counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), (*count).into())),
        );
        Some(Value::Object(line))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "CloudWatch files a metric under the wall-clock time in its line"
)]
fn now_in_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_become_one_line_that_cloudwatch_reads() {
        let metrics = Metrics::default();
        metrics.count("SharesCreated", 1);
        metrics.count("SharesCreated", 2);
        metrics.count("Failures", 0);
        let line = metrics.line("share-pipeline", 1_800_000_000_000).unwrap();
        let expected = json!({
            "_aws": {
                "Timestamp": 1_800_000_000_000_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "pipeshare",
                    "Dimensions": [["Function"]],
                    "Metrics": [
                        { "Name": "Failures", "Unit": "Count" },
                        { "Name": "SharesCreated", "Unit": "Count" },
                    ],
                }],
            },
            "Function": "share-pipeline",
            "SharesCreated": 3,
            "Failures": 0,
        });
        assert_eq!(line, expected);
    }

    #[test]
    fn nothing_counted_is_nothing_written() {
        let mut out = Vec::new();
        Metrics::default()
            .flush("share-pipeline", &mut out)
            .unwrap();
        assert!(out.is_empty());
    }

    #[test]
    fn a_line_of_metrics_ends_with_its_only_line_break() {
        let metrics = Metrics::default();
        metrics.count("SharesCreated", 1);
        let mut out = Vec::new();
        metrics.flush("share-pipeline", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.find('\n'), Some(text.len() - 1));
    }
}
