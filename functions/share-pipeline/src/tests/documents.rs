//! The documents of teams: put in force each by itself, bounded by the root, and lost by nobody's mistake.

use runtime::metrics::Metric;

use super::{CREATED, POLICY_WRITTEN, READERS, SCHEDULED, Scenario, TEST, document};

const CHURN: &str = "name: churn-ops, owner: test, pipelines: ['churn*'], with: [dev], access: execute, after: created";
const NOBODY: &str = "version: 1\n";

/// A root with two teams, and this rule of its own.
fn root(rule: &str) -> String {
    let teams = "teams:\n  churn: { owner: test, pipelines: ['churn*'], with: [dev], access: execute }\n  \
                 fraud: { owner: test, with: [dev] }\n";
    document(&[rule]).replace("rules:\n", &format!("{teams}rules:\n"))
}

fn rules(rules: &[&str]) -> String {
    let lines: Vec<_> = rules.iter().map(|it| format!("  - {{ {it} }}\n")).collect();
    format!("version: 1\nrules:\n{}", lines.concat())
}

/// A root with teams is in force, and the document of one.
async fn scenario() -> Scenario {
    let scenario = Scenario::new(&[READERS]);
    scenario.hub.write_policy(&root(READERS));
    scenario.hub.write_document("churn", &rules(&[CHURN]));
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(run.summary["policyVersion"], 2);
    assert_eq!(run.summary["documentsPromoted"][0], "churn");
    scenario
}

fn labelled(scenario: &Scenario, team: &str) -> Option<i64> {
    scenario.hub.documents.borrow()[team].labelled
}

#[tokio::test]
async fn what_a_team_writes_is_put_in_force_and_shared_beside_the_root() {
    let scenario = scenario().await;
    assert_eq!(labelled(&scenario, "churn"), Some(1));
    let expected = ["pipeshare-churn-ops", "pipeshare-readers"];
    assert_eq!(scenario.shares(TEST), expected);
    let run = scenario.run(&[SCHEDULED]).await;
    assert!(run.outcomes_of_steps().is_empty(), "{}", run.summary);
    assert!(run.summary.get("documentsPromoted").is_none());
    assert!(scenario.subjects().is_empty());
}

#[tokio::test]
async fn what_one_team_gets_wrong_is_refused_by_itself() {
    let scenario = scenario().await;
    let beyond = CHURN.replace("'churn*'", "'*'");
    scenario.hub.write_document("churn", &rules(&[&beyond]));
    let of_fraud =
        "name: fraud-readers, owner: test, pipelines: ['*'], with: [dev], after: created";
    scenario.hub.write_document("fraud", &rules(&[of_fraud]));
    for _ in 0..2 {
        let run = scenario.run(&[POLICY_WRITTEN]).await;
        let refused = run.summary["documentsRefused"]["churn"].as_str().unwrap();
        assert!(
            refused.contains("line 3, column 5: pattern \"*\" is beyond the team's bounds"),
            "{refused}"
        );
        assert_eq!(run.counted(Metric::PolicyRefused), 1);
    }
    let mut shares = scenario.shares(TEST);
    shares.sort();
    let expected = [
        "pipeshare-churn-ops",
        "pipeshare-fraud-readers",
        "pipeshare-readers",
    ];
    assert_eq!(shares, expected);
    assert_eq!(labelled(&scenario, "churn"), Some(1));
    assert_eq!(labelled(&scenario, "fraud"), Some(1));
    assert_eq!(
        scenario.subjects(),
        ["The sharing policy was not put in force (version 2)"]
    );
    assert!(scenario.first_text().contains("/pipeshare/policy/churn"));
}

#[tokio::test]
async fn a_name_that_is_taken_is_the_mistake_of_whoever_comes_later() {
    let scenario = scenario().await;
    let taken = "name: Churn-Ops, owner: test, pipelines: ['x'], with: [dev]";
    scenario.hub.write_document("fraud", &rules(&[taken]));
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    let refused = run.summary["documentsRefused"]["fraud"].as_str().unwrap();
    assert!(
        refused.contains("of document churn has this name already"),
        "{refused}"
    );
    assert_eq!(labelled(&scenario, "churn"), Some(1));
}

#[tokio::test]
async fn a_document_that_is_deleted_withdraws_nothing_and_one_that_is_emptied_does() {
    let scenario = scenario().await;
    let written = scenario.hub.documents.borrow_mut().remove("churn").unwrap();
    for _ in 0..2 {
        let run = scenario.run(&[SCHEDULED]).await;
        assert!(run.outcomes_of_steps().is_empty(), "{}", run.summary);
    }
    assert_eq!(scenario.subjects(), ["The document of a team is gone"]);
    assert_eq!(scenario.shares(TEST).len(), 2);

    // The parameter that is made again begins at version 1.
    scenario.hub.write_document("churn", "# Nothing yet.\n");
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST).len(), 2, "an unwritten document");
    scenario.hub.write_document("churn", NOBODY);
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    drop(written);
}

#[tokio::test]
async fn a_root_that_bounds_a_team_more_takes_only_what_does_not_hold_any_more() {
    let scenario = scenario().await;
    let narrower = root(READERS).replace("access: execute }", "access: read }");
    scenario.hub.write_policy(&narrower);
    let run = scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(run.summary["policyVersion"], 3);
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    assert_eq!(
        scenario.subjects(),
        ["Rules of a team's document are not granted"]
    );
    scenario.hub.write_policy(&root(READERS));
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST).len(), 2, "it holds again");
}

#[tokio::test]
async fn a_team_that_leaves_the_root_takes_its_rules_along() {
    let scenario = scenario().await;
    scenario.write(&[READERS]);
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}

#[tokio::test]
async fn documents_that_cannot_be_read_keep_nothing_from_being_shared() {
    for (code, told) in [("ThrottlingException", 0), ("AccessDeniedException", 1)] {
        let scenario = scenario().await;
        // The second call is for the newest versions, and those behind it for each by itself.
        {
            let mut failures = scenario.hub.failures.borrow_mut();
            failures.later("GetParameters", code, 1);
            if told > 0 {
                failures.all("GetParameters", code, 2);
            }
        }
        scenario.run(&[SCHEDULED]).await;
        assert_eq!(scenario.subjects().len(), told, "{code}");
        assert_eq!(scenario.shares(TEST).len(), 2, "{code}");
    }
    let scenario = scenario().await;
    scenario.fail("GetParameters", "AccessDeniedException");
    let run = scenario.run(&[CREATED]).await;
    assert!(
        run.summary["stopped"].is_string(),
        "what is in force is not known"
    );
    assert_eq!(scenario.shares(TEST).len(), 2);
}

#[tokio::test]
async fn one_document_that_cannot_be_read_keeps_no_other_from_being_put_in_force() {
    let scenario = scenario().await;
    scenario.hub.write_document("churn", NOBODY);
    // Behind what is in force, all of them are denied; then churn is read, and fraud is denied.
    for _ in 0..2 {
        let mut failures = scenario.hub.failures.borrow_mut();
        failures.later("GetParameters", "AccessDeniedException", 1);
    }
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(run.summary["documentsPromoted"][0], "churn");
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    let told = scenario.hub.published.borrow();
    let text = &told[0].notification.text;
    assert!(
        text.contains("version of /pipeshare/policy/fraud cannot be read"),
        "{text}"
    );
    assert_eq!(told.len(), 1);
}

#[tokio::test]
async fn a_label_that_cannot_be_moved_is_told_and_tried_again() {
    let scenario = scenario().await;
    let of_fraud =
        "name: fraud-readers, owner: test, pipelines: ['*'], with: [dev], after: created";
    scenario.hub.write_document("fraud", &rules(&[of_fraud]));
    scenario.fail("LabelParameterVersion", "TooManyUpdates");
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST).len(), 2);
    assert_eq!(
        scenario.subjects(),
        ["A team's document was not put in force"]
    );
    scenario.run(&[SCHEDULED]).await;
    assert_eq!(scenario.shares(TEST).len(), 3);
}

#[tokio::test]
async fn a_rule_that_has_ended_is_withdrawn_and_an_event_is_enough() {
    let scenario = Scenario::new(&[]);
    let at = |text: &str| scenario.hub.time.set(Some(text.parse().unwrap()));
    at("2027-03-31T23:59:59Z");
    let until = format!("{READERS}, until: 2027-03-31");
    scenario.write(&[&until]);
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    at("2027-04-01T00:00:00Z");
    let run = scenario.run(&[CREATED]).await;
    assert!(scenario.shares(TEST).is_empty());
    assert_eq!(run.step(0)["reason"], "rule-ended");
}
