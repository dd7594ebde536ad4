//! Why somebody has access, or has not.

use serde_json::{Value, json};

use super::{CREATED, GATED, PARTNERS, PROD, READERS, Scenario, TEST, document};

async fn asked(scenario: &Scenario, pipeline: &str, account: &str) -> Value {
    let command = json!({ "action": "explain", "pipeline": pipeline, "account": account });
    let before = scenario.shares(TEST);
    let run = scenario.invoke(&command.to_string()).await;
    assert!(run.is_done());
    assert_eq!(scenario.shares(TEST), before, "nothing changed");
    run.summary
}

/// The verdict, and the answer in a line.
async fn explained(scenario: &Scenario, pipeline: &str, account: &str) -> (String, String) {
    let summary = asked(scenario, pipeline, account).await;
    let text = |name: &str| summary["explanation"][name].as_str().unwrap().to_owned();
    (text("verdict"), text("text"))
}

/// Everything is done that needs nobody, but for the invitations.
async fn shared(rules: &[&str]) -> Scenario {
    let scenario = Scenario::new(rules);
    for _ in 0..3 {
        scenario.run(&[CREATED]).await;
        scenario.change(TEST, model::Account::settle);
    }
    scenario
}

#[tokio::test]
async fn access_is_explained_by_the_rule_that_gives_it() {
    let scenario = shared(&[READERS]).await;
    let yes = ("yes".to_owned(), "yes: read, by rule readers".to_owned());
    assert_eq!(explained(&scenario, "test/churn", "dev").await, yes);
    let arn = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
    assert_eq!(explained(&scenario, arn, "111111111111").await, yes);
    let summary = asked(&scenario, arn, "dev").await;
    let steps = summary["explanation"]["rules"][0]["steps"]
        .as_array()
        .unwrap();
    let about: Vec<_> = steps
        .iter()
        .map(|it| it["about"].as_str().unwrap())
        .collect();
    let all = [
        "pipelines",
        "with",
        "gate",
        "ceiling",
        "share",
        "pipeline in share",
        "principal in share",
    ];
    assert_eq!(about, all);
    let (verdict, _) = explained(&scenario, "test/churn", "test").await;
    assert_eq!(verdict, "yes", "the owner");
}

#[tokio::test]
async fn what_is_awaited_is_named() {
    let scenario = shared(&[GATED]).await;
    let (verdict, text) = explained(&scenario, "test/churn", "dev").await;
    assert_eq!(verdict, "not-yet");
    let gate = "not yet: read, by rule gated: gate: succeeded: no run has succeeded since";
    assert!(text.starts_with(gate), "{text}");

    let scenario = shared(&[PARTNERS]).await;
    let (verdict, text) = explained(&scenario, "test/churn", "partner").await;
    assert_eq!(verdict, "not-yet");
    let invitation = "not yet: read, by rule partners: invitation: it awaits acceptance since ";
    assert!(text.starts_with(invitation), "{text}");
    scenario.change(TEST, model::Account::accept_all);
    let (_, text) = explained(&scenario, "test/churn", "partner").await;
    assert_eq!(text, "yes: read, by rule partners");
}

#[tokio::test]
async fn the_nearest_rule_says_what_is_missing() {
    let scenario = shared(&[READERS, &PARTNERS.replace("['*']", "['fraud-*']")]).await;
    let (verdict, text) = explained(&scenario, "test/churn", "partner").await;
    assert_eq!(verdict, "no");
    let why =
        "no: no rule gives it; the nearest is partners: pipelines: only \"fraud-*\" are named";
    assert_eq!(text, why);
    let (_, text) = explained(&scenario, "test/chrun", "dev").await;
    assert_eq!(
        text,
        "no: test has no pipeline \"chrun\"; did you mean \"churn\"?"
    );
    let (_, text) = explained(&scenario, "prod/churn", "dev").await;
    assert_eq!(text, "no: no rule shares pipelines of prod");
    assert!(scenario.calls(PROD).is_empty());
    let elsewhere = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";
    let (_, text) = explained(&scenario, elsewhere, "dev").await;
    assert_eq!(
        text,
        "no: the pipeline is in eu-west-1, and the hub serves us-east-1"
    );
}

#[tokio::test]
async fn what_nobody_can_give_is_no_and_says_why() {
    let scenario = shared(&[PARTNERS]).await;
    let ceiling = r#"{ "allowedPrincipals": ["111111111111"], "allowedAccess": "read",
        "allowedPermissions": [], "shareNamePrefix": "pipeshare-" }"#;
    *scenario.accounts.ceiling.borrow_mut() = Some(ceiling.to_owned());
    let (verdict, text) = explained(&scenario, "test/churn", "partner").await;
    assert_eq!(verdict, "no");
    let why = "no: rule partners gives read, but ceiling: principal 444444444444 is not among AllowedPrincipals";
    assert_eq!(text, why);
    let never = "never:\n  - { with: [partner] }\nrules:\n";
    let text = document(&[READERS]).replace("rules:\n", never);
    scenario.hub.write_policy(&text);
    scenario.run(&[super::POLICY_WRITTEN]).await;
    let summary = asked(&scenario, "test/churn", "partner").await;
    let note = summary["explanation"]["notes"][0].as_str().unwrap();
    assert_eq!(note, "line 9 of the root never grants read");
}

#[tokio::test]
async fn a_question_is_a_direct_invocation_about_known_accounts() {
    let scenario = shared(&[READERS]).await;
    let wrong = asked(&scenario, "test/churn", "dve").await;
    let text = wrong["ignored"][0]["text"].as_str().unwrap();
    assert_eq!(text, "unknown account \"dve\"; did you mean \"dev\"?");
    let wrong = asked(&scenario, "churn", "dev").await;
    assert_eq!(wrong["ignored"][0]["code"], "bad-field");
    let command = json!({ "action": "explain", "pipeline": "test/churn", "account": "dev" });
    let run = scenario.run(&[&command.to_string()]).await;
    assert_eq!(run.summary["ignored"][0]["code"], "not-direct");
    scenario.hub.labelled.set(None);
    let (_, text) = explained(&scenario, "test/churn", "dev").await;
    assert_eq!(text, "no: no policy is in force");
}
