//! How many calls of an invocation wait for one another.
//!
//! On virtual time, in which nothing but a call takes any and each takes a
//! second, that is how many seconds the invocation takes.

use std::collections::BTreeMap;

use simulation::{History, run};

/// Each call takes a second.
const BEGIN: &str = r#"{"seed":1,"latency":1,"concurrency":4,"association":2000,"delivery":500,"empty_pages":false}
{"slow":{"calls":1000000,"seconds":1}}
"#;

/// Until all is at rest.
const WAIT: &str = "{\"wait\":650}\n";

/// A policy with one rule.
fn rule(after: &str) -> String {
    format!(
        r#"{{"write":{{"rules":[{{"name":"readers","owner":"test","except":[],"with":["partner"],"execute":false,"after":"{after}","notify":true}}]}}}}
{{"wait":120}}
"#
    )
}

/// The longest invocation of each function after a cold start, in calls.
fn longest(begin: &str, event: &str) -> BTreeMap<String, u64> {
    let text = format!("{BEGIN}{begin}\"cool_down\"\n{event}{{\"wait\":600}}\n");
    let history = History::parse(&text).unwrap_or_else(|it| panic!("{it}"));
    let outcome = run(&history);
    assert_eq!(outcome.violations, [""; 0]);
    let mut longest = BTreeMap::new();
    for (function, took) in outcome.took {
        let calls = longest.entry(function).or_default();
        *calls = took.as_secs().max(*calls);
    }
    longest
}

fn create(name: &str) -> String {
    format!("{{\"create\":[\"test\",\"{name}\"]}}\n")
}

fn run_of(name: &str, fails: bool) -> String {
    format!("{{\"run\":{{\"owner\":\"test\",\"pipeline\":\"{name}\",\"fails\":{fails}}}}}\n")
}

/// That the longest invocations are so many calls long.
fn assert_longest(begin: &str, event: &str, expected: &[(&str, u64)]) {
    let longest = longest(begin, event);
    for (function, calls) in expected {
        let found = longest.get(&format!("pipeshare-{function}"));
        assert_eq!(found, Some(calls), "{function} of {longest:?}");
    }
}

// Every policy here has a document of a team, which is two of the calls of
// share-pipeline, and one of those of others. What is to be looked at again
// soon is one more: the message for it.

#[test]
fn a_first_share_waits_for_ten_calls_and_so_does_one_after_a_success() {
    let begin = rule("created") + WAIT;
    assert_longest(&begin, &create("churn"), &[("share-pipeline", 10)]);
    // Its sessions are there, since the run has begun, and its runs are asked for.
    let begin = rule("succeeded") + &create("churn") + WAIT;
    assert_longest(&begin, &run_of("churn", false), &[("share-pipeline", 10)]);
}

#[test]
fn a_new_pipeline_waits_for_nine_calls_until_it_is_in_its_share() {
    let begin = rule("created") + &create("churn") + WAIT;
    assert_longest(&begin, &create("fraud"), &[("share-pipeline", 9)]);
    let begin =
        rule("succeeded") + &create("churn") + &create("fraud") + &run_of("churn", false) + WAIT;
    assert_longest(&begin, &run_of("fraud", false), &[("share-pipeline", 9)]);
}

#[test]
fn a_consumer_that_must_accept_waits_for_twelve_calls_until_it_is_notified() {
    let begin = rule("created") + WAIT;
    assert_longest(&begin, &create("churn"), &[("accept-invitation", 12)]);
}

#[test]
fn a_failed_run_waits_for_nine_calls_however_many_are_notified() {
    let begin = rule("created") + &create("churn") + WAIT;
    assert_longest(&begin, &run_of("churn", true), &[("forward-status", 9)]);
}

#[test]
fn a_scheduled_reconciliation_with_nothing_to_do_waits_for_nine_calls() {
    let begin = rule("created") + &create("churn") + WAIT;
    let expected = [
        ("share-pipeline", 9),
        ("accept-invitation", 7),
        ("forward-status", 6),
    ];
    assert_longest(&begin, "{\"sweep\":1}\n", &expected);
}
