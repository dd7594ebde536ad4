//! The pages as they are, to be read: `UPDATE_EXPECT=1` renews them.

use expect_test::expect_file;
use serde_json::json;

use super::*;

const PIPELINE: &str = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn-train";

/// One element on a line, so that a difference can be read.
async fn page(view: &str, width: u32, theme: &str) -> String {
    let scene = Scene::new();
    let context = json!({ "width": width, "theme": theme });
    let payload = json!({ "view": view, "pipeline": PIPELINE, "widgetContext": context });
    let html = scene.html(payload).await;
    html.replace("><", ">\n<") + "\n"
}

#[tokio::test]
async fn the_pipelines_in_a_wide_widget_are_a_table() {
    let page = page("pipelines", 1_200, "light").await;
    expect_file!["../../tests/golden/pipelines.html"].assert_eq(&page);
}

#[tokio::test]
async fn the_pipelines_in_a_narrow_widget_are_a_list() {
    let page = page("pipelines", 400, "dark").await;
    expect_file!["../../tests/golden/pipelines-narrow-dark.html"].assert_eq(&page);
}

#[tokio::test]
async fn access_is_a_matrix() {
    let page = page("access", 1_200, "light").await;
    expect_file!["../../tests/golden/access.html"].assert_eq(&page);
}

#[tokio::test]
async fn now_is_what_is_open_wrong_and_in_force() {
    let page = page("now", 1_200, "light").await;
    expect_file!["../../tests/golden/now.html"].assert_eq(&page);
}

#[tokio::test]
async fn no_view_has_a_table_in_a_narrow_widget() {
    for view in ["pipelines", "access", "now", "pipeline"] {
        let page = page(view, 400, "light").await;
        assert!(!page.contains("<table"), "{page}");
    }
    let now = page("now", 400, "light").await;
    assert!(now.contains("rule partners, pipelines: 1"), "{now}");
    assert!(now.contains("(2 h 0 min left)"), "{now}");
}

#[tokio::test]
async fn one_pipeline_is_all_of_it_with_its_commands() {
    let page = page("pipeline", 588, "dark").await;
    expect_file!["../../tests/golden/pipeline.html"].assert_eq(&page);
}

#[tokio::test]
async fn the_other_formats_are_tables() {
    let scene = Scene::new();
    let csv = scene
        .ask(json!({ "view": "access", "format": "csv" }))
        .await;
    let csv = csv.as_str().unwrap().replace("\r\n", "\n");
    expect_file!["../../tests/golden/access.csv"].assert_eq(&csv);
    let markdown = scene.ask(json!({ "format": "markdown" })).await;
    let markdown = markdown["markdown"].as_str().unwrap();
    expect_file!["../../tests/golden/pipelines.markdown"].assert_eq(markdown);
    let data = scene.ask(json!({ "format": "json" })).await;
    let data = serde_json::to_string_pretty(&data).unwrap() + "\n";
    expect_file!["../../tests/golden/pipelines.json"].assert_eq(&data);
}

#[tokio::test]
async fn commands_that_run_are_shown_only_if_somebody_may_run_it() {
    let fraud = PIPELINE.replace("churn-train", "fraud");
    let scene = Scene::new();
    let shown = async |arn: &str| {
        scene
            .html(json!({ "view": "pipeline", "pipeline": arn }))
            .await
    };
    let churn = shown(PIPELINE).await;
    for command in [
        "describe-pipeline ",
        "start-pipeline-execution",
        "retry-pipeline-execution",
    ] {
        assert!(churn.contains(command), "{command}");
    }
    let fraud = shown(&fraud).await;
    assert!(fraud.contains("describe-pipeline ") && !fraud.contains("start-pipeline"));
    let gone = shown(&PIPELINE.replace("churn-train", "gone")).await;
    assert!(gone.contains("No such pipeline"), "{gone}");
    let elsewhere = shown(&PIPELINE.replace("222222222222", "999999999999")).await;
    assert!(elsewhere.contains("No such pipeline"), "{elsewhere}");
}

#[tokio::test]
async fn of_runs_that_there_are_not_none_failed() {
    let scene = Scene::with(POLICY, &["fraud".to_owned()]);
    let says = async || {
        let page = scene.html(json!({})).await;
        (page.contains("no runs"), page.contains("none of these"))
    };
    assert_eq!(says().await, (true, false));
    let succeeded = Details::of(ExecutionStatus::Succeeded);
    scene.accounts.run("fraud", 1, succeeded);
    assert_eq!(says().await, (false, true));
}

#[tokio::test]
async fn both_themes_have_their_colours_and_every_state_has_words() {
    let light = page("pipelines", 1_200, "light").await;
    let dark = page("pipelines", 1_200, "dark").await;
    assert!(
        light.contains(".ps-ok{color:#037f0c}")
            && light.contains(".cwdb-theme-dark .ps-ok{color:#29ad32}")
    );
    assert!(dark.contains("\n.ps-ok{color:#29ad32}"));
    for words in [
        "Executing for 5 min",
        "Failed after 33 min",
        "Stopped after 2 min",
    ] {
        assert!(light.contains(words), "{words}");
    }
    // Colour is never the only difference.
    let shapes: Vec<_> = light.split("<g class=").skip(1).collect();
    assert_eq!(shapes.len(), 5);
}
