//! What decisions cost at 10, 1,000 and 100,000; the README of `tests/bench` says how
//! to read it.
//!
//! `cargo bench -p domain --bench scale` prints times and items a second. They are
//! for the eyes of people: a test of them would fail on a busy machine.

use std::fmt::Write;

use divan::{Bencher, black_box, counter::ItemsCount};
use domain::{
    id::Region,
    invitation::{Resource, judge},
    policy::Policy,
    sharing, trigger,
};
use model::{Model, policies};

const SIZES: [usize; 3] = [10, 1_000, 100_000];

fn main() {
    divan::main();
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("churn-{number}")).collect()
}

/// Rules with a pattern of their own each. A document has at most 8,192 bytes, and a
/// longer one is refused before it is read; `benches/policy.rs` reads a hundred of them.
#[divan::bench(args = [10, 35, 70], max_time = 3)]
fn read_a_policy_of_rules(bencher: Bencher, rules: usize) {
    let mut text = String::new();
    for rule in 0..rules {
        let _ = writeln!(
            text,
            "  - {{ name: r{rule}, owner: test, pipelines: [\"p{rule}-*\"], with: [dev] }}"
        );
    }
    let text = policies::text(&text);
    bencher
        .counter(ItemsCount::new(rules))
        .bench(|| Policy::parse(black_box(&text)));
}

/// Names that the last of three patterns matches, and no exception does.
#[divan::bench(args = SIZES, max_time = 3)]
fn match_pipelines(bencher: Bencher, pipelines: usize) {
    let policy = policies::policy(
        "  - { name: readers, owner: test, pipelines: [\"fraud-*\", \"*-v?\", \"churn-*\"], \
         except: [\"*-tmp\"], with: [dev] }\n",
    );
    let names = names(pipelines);
    bencher.counter(ItemsCount::new(pipelines)).bench(|| {
        let matching = names.iter();
        matching
            .filter(|name| policy.rules[0].pipelines.matches(black_box(name)))
            .count()
    });
}

/// Pipelines that are shared for the first time.
#[divan::bench(args = SIZES, max_time = 3)]
fn plan_an_account(bencher: Bencher, pipelines: usize) {
    let policy = policies::policy(
        "  - { name: readers, owner: test, pipelines: [\"*\"], with: [dev], after: created }\n",
    );
    let mut model = Model::new();
    for name in names(pipelines) {
        model.create_pipeline(&name);
    }
    let observed = model.observe(&policy);
    bencher
        .counter(ItemsCount::new(pipelines))
        .bench(|| sharing::plan(&policy, 1, black_box(&observed)));
}

/// What an invitation offers, all of it allowed.
#[divan::bench(args = SIZES, max_time = 3)]
fn judge_an_invitation(bencher: Bencher, resources: usize) {
    let policy = policies::policy(
        "  - { name: readers, owner: test, pipelines: [\"churn-*\"], with: [dev] }\n",
    );
    let region: Region = "us-east-1".parse().expect("it is a Region");
    let inside = names(resources).into_iter().map(|name| Resource {
        arn: format!("arn:aws:sagemaker:us-east-1:222222222222:pipeline/{name}"),
        kind: "sagemaker:Pipeline".to_owned(),
        associated: None,
    });
    let inside: Vec<_> = inside.collect();
    bencher
        .counter(ItemsCount::new(resources))
        .bench(|| judge(&policy.rules[0], &region, black_box(&inside)));
}

/// Events of runs that succeeded.
#[divan::bench(args = SIZES, max_time = 3)]
fn read_events(bencher: Bencher, events: usize) {
    let bodies = names(events).into_iter().map(|name| {
        let arn = format!("arn:aws:sagemaker:us-east-1:222222222222:pipeline/{name}");
        serde_json::json!({
            "version": "0",
            "source": "aws.sagemaker",
            "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
            "account": "222222222222",
            "region": "us-east-1",
            "time": "2026-01-05T09:00:00Z",
            "resources": [arn, format!("{arn}/execution/abcdefghijkl")],
            "detail": {
                "pipelineArn": arn,
                "pipelineExecutionArn": format!("{arn}/execution/abcdefghijkl"),
                "currentPipelineExecutionStatus": "Succeeded",
                "previousPipelineExecutionStatus": "Executing",
            },
        })
        .to_string()
    });
    let bodies: Vec<_> = bodies.collect();
    bencher.counter(ItemsCount::new(events)).bench(|| {
        let read = bodies.iter().map(|body| trigger::parse(black_box(body)));
        read.flatten().count()
    });
}
