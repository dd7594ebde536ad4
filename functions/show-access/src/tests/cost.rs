//! What a page costs: bounded calls, and few of them one after the other.

use serde_json::json;

use super::*;

/// How long a call takes, in milliseconds.
const CALL: usize = 50;

/// The hub's calls that the accounts wait for: the policy, and the items of gates.
const OF_HUB: usize = 3;

fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("churn-{number:03}"))
        .collect()
}

/// Pipelines that all have more runs than a page shows, half of which failed.
fn busy(count: usize) -> Scene {
    let names = names(count);
    let scene = Scene::with(POLICY, &names);
    for name in &names {
        for number in 0..12 {
            let began = 40 * i64::try_from(number + 1).unwrap();
            let status = match number % 2 {
                0 => ExecutionStatus::Failed,
                _ => ExecutionStatus::Succeeded,
            };
            let details = Details {
                started: Some(minutes_ago(began)),
                modified: Some(minutes_ago(began - 10)),
                ..Details::of(status)
            };
            scene.accounts.run(name, number, details);
        }
    }
    scene
}

#[tokio::test]
async fn a_page_of_500_pipelines_takes_less_than_two_seconds_at_50_milliseconds_a_call() {
    let scene = busy(500);
    let asked = scene.html(json!({}));
    let (html, rounds) = scene.accounts.in_rounds(asked).await;
    let milliseconds = (rounds + OF_HUB) * CALL;
    assert!(milliseconds < 2_000, "{milliseconds} ms");
    assert!(html.contains("500 pipelines, page 1 of 34"), "{html}");
    assert!(html.len() < 200_000, "{} bytes", html.len());
    assert!(scene.accounts.most_under_way.get() <= 40);
}

#[tokio::test]
async fn runs_are_read_for_the_pipelines_of_the_page_alone() {
    let mut counts = Vec::new();
    for count in [30, 500] {
        let scene = busy(count);
        scene.html(json!({})).await;
        let of = |operation| scene.accounts.count_of(operation);
        assert_eq!(of("ListPipelineExecutions"), 15);
        // Eight runs of each, one of which is explained by its steps.
        assert_eq!(of("DescribePipelineExecution"), 15 * 8);
        assert_eq!(of("ListPipelineExecutionSteps"), 15);
        counts.push(scene.accounts.calls.borrow().len());
    }
    assert_eq!(counts[0], counts[1]);

    for view in ["access", "now"] {
        let scene = busy(30);
        scene.html(json!({ "view": view })).await;
        let calls = scene.accounts.calls.borrow().clone();
        assert_eq!(calls.len(), 3, "{view}: {calls:?}");
    }
}

#[tokio::test]
async fn the_largest_answers_are_far_below_what_lambda_takes() {
    let scene = busy(500);
    for (view, format) in [
        ("access", "html"),
        ("access", "json"),
        ("pipelines", "json"),
    ] {
        let payload = json!({ "view": view, "format": format, "rows": 10_000 });
        let answer = scene.ask(payload).await.to_string();
        assert!(
            answer.len() < 1_500_000,
            "{view} {format}: {}",
            answer.len()
        );
    }
}

#[tokio::test]
async fn every_pipeline_is_on_one_page_and_pages_beyond_the_last_are_the_last() {
    let scene = busy(47);
    let mut seen = Vec::new();
    for page in 1..=4 {
        let answer = scene.ask(json!({ "format": "json", "page": page })).await;
        assert_eq!(answer["pages"], 4);
        let pipelines = answer["pipelines"].as_array().unwrap().clone();
        seen.extend(pipelines.into_iter().map(|it| it["pipeline"].clone()));
    }
    assert_eq!(seen.len(), 47);
    seen.dedup();
    assert_eq!(seen.len(), 47);
    let beyond = scene.ask(json!({ "format": "json", "page": 99 })).await;
    assert_eq!(beyond["page"], 4);
    assert_eq!(beyond["pipelines"].as_array().map(Vec::len), Some(2));
}
