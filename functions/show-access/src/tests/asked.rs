//! What is asked for, and what cannot be answered.

use runtime::metrics::Metric;
use serde_json::json;

use super::*;

#[tokio::test]
async fn whoever_asks_for_the_documentation_gets_it_and_nothing_is_read() {
    let scene = Scene::new();
    for describe in [json!({}), json!(true), json!("yes")] {
        let answer = scene.html(json!({ "describe": describe })).await;
        assert!(answer.contains("``` yaml\nview: pipelines"), "{answer}");
    }
    assert_eq!(scene.accounts.calls.borrow().len(), 0);
    let page = scene.html(json!({ "describe": false })).await;
    assert!(page.contains("<table"), "{page}");
}

/// A widget as CloudWatch describes it.
fn widget(members: &Value) -> Value {
    let mut context = json!({
        "dashboardName": "pipeshare", "widgetId": "widget-16", "accountId": "333333333333",
        "locale": "en", "timezone": { "label": "UTC", "offsetISO": "+02:00", "offsetInMinutes": -120 },
        "theme": "light", "title": "t", "forms": { "all": {} }, "params": { "view": "access" },
        "width": 588, "height": 369,
    });
    let members = members.as_object().unwrap().clone();
    context.as_object_mut().unwrap().extend(members);
    context
}

#[tokio::test]
async fn a_link_wins_over_parameters_and_these_count_wherever_they_are() {
    let scene = Scene::new();
    let context = widget(&json!({}));
    let marks = ["Open invitations", "● read, ◆ execute"];
    let shows = |html: &str| marks.map(|mark| html.contains(mark));
    let html = scene.html(json!({ "widgetContext": context })).await;
    assert_eq!(shows(&html), [false, true]);
    let html = scene
        .html(json!({ "view": "now", "widgetContext": context }))
        .await;
    assert_eq!(shows(&html), [true, false]);
    let link = json!({ "view": "access", "go": { "view": "now" }, "widgetContext": context });
    let html = scene.html(link).await;
    assert_eq!(shows(&html), [true, false]);
}

#[tokio::test]
async fn a_filter_is_taken_from_the_form_only_if_its_button_was_pressed() {
    let scene = Scene::new();
    let typed = json!({ "forms": { "all": { "filter": "FRAUD" } }, "params": {} });
    let found = async |go: Value| {
        let html = scene
            .html(json!({ "go": go, "widgetContext": widget(&typed) }))
            .await;
        (
            html.contains("churn-train"),
            html.contains("pipeline/fraud"),
        )
    };
    assert_eq!(found(json!({ "form": true })).await, (false, true));
    assert_eq!(found(json!({ "page": 1 })).await, (true, true));
    assert_eq!(found(json!({ "filter": "churn" })).await, (true, false));
    // By the name of an account that has access.
    assert_eq!(found(json!({ "filter": "partner" })).await, (true, false));
    assert_eq!(found(json!({ "filter": "nobody" })).await, (false, false));
}

#[tokio::test]
async fn times_are_those_of_the_widget() {
    let scene = Scene::new();
    let context = widget(&json!({ "params": { "view": "pipelines" } }));
    let html = scene.html(json!({ "widgetContext": context })).await;
    assert!(html.contains("As of 2026-01-05 20:00 (UTC+02)"), "{html}");
    for (offset, shown) in [
        ("-05:30", "12:30 (UTC-05:30)"),
        ("nonsense", "18:00 (UTC+00)"),
        ("+99:99", "18:00 (UTC+00)"),
        ("é", "18:00 (UTC+00)"),
    ] {
        let context = widget(&json!({ "timezone": { "offsetISO": offset } }));
        let html = scene.html(json!({ "widgetContext": context })).await;
        assert!(html.contains(shown), "{offset}: {html}");
    }
}

#[tokio::test]
async fn a_mistake_is_answered_in_the_format_that_was_asked_for() {
    let scene = Scene::new();
    let html = scene.html(json!({ "view": "<b>" })).await;
    let mistake = "view is pipelines, access, now or pipeline";
    assert!(html.contains(mistake) && html.contains("Nothing to show"));
    let answer = scene.ask(json!({ "view": "x", "format": "json" })).await;
    assert_eq!(answer["error"], mistake);
    let answer = scene
        .ask(json!({ "view": "pipeline", "format": "csv" }))
        .await;
    assert_eq!(
        answer,
        "\"error\"\r\n\"pipeline is the ARN of a pipeline\"\r\n"
    );
    let answer = scene
        .ask(json!({ "view": "x", "format": "markdown" }))
        .await;
    let words = "view is pipelines\\, access\\, now or pipeline";
    assert_eq!(answer["markdown"], words);
    let html = scene.html(json!({ "format": "pdf" })).await;
    assert!(html.contains("format is html, json, csv or markdown"));
    assert_eq!(scene.accounts.calls.borrow().len(), 0);
}

#[tokio::test]
async fn anything_is_answered_whatever_its_shape() {
    let scene = Scene::new();
    for payload in [
        json!(null),
        json!(7),
        json!("text"),
        json!([1, 2]),
        json!({ "go": [], "widgetContext": 7, "page": -1, "rows": "many", "filter": {} }),
        json!({ "page": "1", "rows": 0 }),
        json!({ "widgetContext": { "width": -4, "theme": {}, "forms": { "all": 1 } } }),
    ] {
        let html = scene.html(payload.clone()).await;
        assert!(html.contains("churn-train"), "{payload}");
    }
}

#[tokio::test]
async fn without_a_policy_that_can_be_read_the_page_says_why() {
    let scene = Scene::new();
    scene.hub.labelled.set(None);
    let html = scene.html(json!({})).await;
    assert!(html.contains("No policy is in force"), "{html}");
    let broken = scene.hub.write_policy("version: 1\nrules: [nonsense]\n");
    scene.hub.labelled.set(Some(broken));
    let html = scene.html(json!({})).await;
    assert!(html.contains("Version 2 of the policy is in force and not valid"));
    assert!(html.contains("line 2"), "{html}");
    scene.hub.fail_next("GetParameter", "AccessDeniedException");
    let html = scene.html(json!({})).await;
    assert!(html.contains("The policy cannot be read"), "{html}");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_on_the_page_and_counted() {
    let scene = Scene::new();
    let fail = |operation, code| {
        let mut account = scene.accounts.account.borrow_mut();
        account.failures.next(operation, code);
    };
    fail("ListPipelines", "AccessDeniedException");
    let html = scene.html(json!({})).await;
    assert!(html.contains("Problem in test (222222222222): The account cannot be read"));
    assert_eq!(scene.metrics.counted(Metric::AccountFailed), 1);

    fail("ListPipelines", "ThrottlingException");
    scene.html(json!({})).await;
    assert_eq!(scene.metrics.counted(Metric::AccountFailed), 1);

    fail("ListPipelineExecutions", "ThrottlingException");
    let html = scene.html(json!({})).await;
    assert!(html.contains("runs unknown: "), "{html}");
    assert!(!html.contains("none of these"), "{html}");

    fail("GetParameter", "AccessDeniedException");
    let html = scene.html(json!({})).await;
    assert!(html.contains("Its ceiling cannot be read"), "{html}");
    assert!(html.contains("churn-train"), "{html}");

    scene.hub.fail_next("Query", "AccessDeniedException");
    let html = scene.html(json!({ "view": "now" })).await;
    assert!(html.contains("cannot be read"), "{html}");
}
