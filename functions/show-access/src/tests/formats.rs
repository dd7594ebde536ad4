//! The same as data.

use serde_json::json;

use super::*;

#[tokio::test]
async fn json_has_what_the_page_has() {
    let scene = Scene::new();
    let answer = scene.ask(json!({ "format": "json" })).await;
    let churn = &answer["pipelines"][0];
    assert_eq!(answer["total"], 2);
    assert_eq!(
        churn["pipeline"],
        "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn-train"
    );
    assert_eq!(churn["running"], 1);
    assert_eq!(churn["runs"].as_array().map(Vec::len), Some(5));
    assert_eq!(churn["runs"][1]["status"], "Failed");
    let failure = &churn["lastFailure"];
    assert_eq!(failure["failedSteps"][0]["reason"], "out of memory");
    let access = churn["access"].as_array().unwrap();
    let of = |principal: &str| {
        let mut access = access.iter();
        access.find(|it| it["principal"] == principal).unwrap()
    };
    let dev = of("111111111111");
    assert_eq!(
        (&dev["level"], &dev["has"], &dev["until"]),
        (&json!("read"), &json!(true), &json!("2027-03-31"))
    );
    assert!(dev["since"].is_string(), "{dev}");
    let partner = of("444444444444");
    assert_eq!(partner["has"], false);
    assert!(
        partner["waitsFor"]
            .as_str()
            .unwrap()
            .starts_with("invited, ")
    );
    let fraud = &answer["pipelines"][1]["access"][1];
    assert_eq!(
        fraud["waitsFor"],
        "gate: the deployment hook has not let it in"
    );
    let one = json!({ "view": "pipeline", "pipeline": churn["pipeline"], "format": "json" });
    let one = scene.ask(one).await;
    assert_eq!(one["pipelines"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_in_force_refused_and_known_of_accounts_is_on_one_page() {
    let scene = Scene::new();
    scene.hub.write_policy("version: 1\nrules: [nonsense]\n");
    let until = [("until".to_owned(), minutes_ago(9).to_string())];
    let mark = until.into();
    scene
        .hub
        .table
        .put("watermark", "222222222222", &mark, None);
    let tally = [("count", "3".to_owned()), ("last", now().to_string())];
    let tally = tally.map(|(name, value)| (name.to_owned(), value)).into();
    let alerts = domain::storage::alerts(&"222222222222".parse().unwrap(), "2026-01-05");
    scene.hub.table.put(&alerts.pk, &alerts.sk, &tally, None);

    let answer = scene.ask(json!({ "view": "now", "format": "json" })).await;
    let root = &answer["documents"][0];
    assert_eq!((&root["inForce"], &root["newest"]), (&json!(1), &json!(2)));
    let note = root["note"].as_str().unwrap();
    assert!(note.starts_with("refused: line 2"), "{note}");
    let test = answer["accounts"].as_array().unwrap();
    let test = test.iter().find(|it| it["account"] == "222222222222");
    assert_eq!(test.unwrap()["alertsToday"], 3);
    assert_eq!(test.unwrap()["examined"], "2026-01-05T17:51:00Z");
    let invitation = &answer["invitations"][0];
    assert_eq!(invitation["principal"], "444444444444");
    assert_eq!(invitation["pipelines"], 1);

    let csv = scene.ask(json!({ "view": "now", "format": "csv" })).await;
    let csv = csv.as_str().unwrap();
    for kind in ["invitation", "document", "account"] {
        assert!(csv.contains(&format!("\r\n\"{kind}\",")), "{csv}");
    }
    scene.hub.write_policy(POLICY);
    let answer = scene.ask(json!({ "view": "now", "format": "json" })).await;
    let note = answer["documents"][0]["note"].as_str().unwrap();
    assert!(note.starts_with("valid; "), "{note}");
}

#[tokio::test]
async fn documents_of_teams_are_shown_with_what_is_wrong_with_them() {
    let root = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222" }
teams:
  churn: { owners: [test], pipelines: ["churn-*"], with: [dev], access: read }
"#;
    let scene = Scene::with(root, &["churn-train".to_owned()]);
    let good = "version: 1\nrules:\n  - { name: team-readers, owner: test, pipelines: [\"churn-*\"], with: [dev], after: created }\n";
    let first = scene.hub.write_document("churn", good);
    {
        let mut documents = scene.hub.documents.borrow_mut();
        documents.get_mut("churn").unwrap().labelled = Some(first);
    }
    scene
        .hub
        .write_document("churn", &good.replace("created", "never"));
    let answer = scene.ask(json!({ "view": "now", "format": "json" })).await;
    let team = &answer["documents"][1];
    assert_eq!(team["team"], "churn");
    assert_eq!((&team["inForce"], &team["newest"]), (&json!(1), &json!(2)));
    let note = team["note"].as_str().unwrap();
    assert!(note.contains("unknown gate"), "{note}");
}

#[tokio::test]
async fn csv_has_a_row_for_each_pipeline_or_access() {
    let scene = Scene::new();
    let csv = scene.ask(json!({ "format": "csv" })).await;
    let csv = csv.as_str().unwrap();
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("\"pipeline\",\"owner\",\"arn\""));
    assert!(lines[1].contains("\"step Train: out of memory\""), "{csv}");
    let csv = scene
        .ask(json!({ "view": "access", "format": "csv" }))
        .await;
    let csv = csv.as_str().unwrap();
    assert_eq!(csv.lines().count(), 6, "{csv}");
}

#[tokio::test]
async fn markdown_is_one_table_that_a_widget_shows() {
    let scene = Scene::new();
    let answer = scene.ask(json!({ "format": "markdown" })).await;
    let markdown = answer["markdown"].as_str().unwrap();
    let lines: Vec<_> = markdown.lines().collect();
    assert_eq!(lines[1], "|---|---|---|---|---|---|---|---|");
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(
        lines[..4].iter().all(|line| columns(line) == 9),
        "{markdown}"
    );
    assert!(lines[2].contains("churn\\-train"), "{markdown}");
}
