//! The policy of a company in three documents: groups, teams, ends, and a withdrawal that waits.

#![expect(
    clippy::unwrap_used,
    reason = "a call of a person that fails fails the test"
)]

use std::fmt::Write;

use aws_sdk_ssm::types::{ParameterTier, ParameterType};
use e2e::{DEV, Person, Plan, REGION, SHARED, Scenario, TEST};
use serde_json::{Value, json};

/// Longer than until the next scheduled reconciliation, in seconds.
const SCHEDULE: u64 = 1000;

/// Sixty accounts, of which some own pipelines here, two teams, and twenty rules of the platform.
fn root() -> String {
    let mut text = "version: 1\naccounts:\n  dev: \"111111111111\"\n  test: \"222222222222\"\n  \
                    shared: \"333333333333\"\n"
        .to_owned();
    for number in 0..57 {
        let _ = writeln!(text, "  team-{number}: \"7{number:011}\"");
    }
    text.push_str(
        "groups:\n  everybody: [dev, shared]\nteams:\n  \
         churn: { owner: test, pipelines: [\"churn-*\"], with: [everybody], access: execute }\n  \
         fraud: { owner: test, pipelines: [\"fraud-*\"], with: [dev] }\nrules:\n",
    );
    for number in 0..20 {
        let _ = writeln!(
            text,
            "  - {{ name: platform-{number}, owner: test, pipelines: [\"p{number}-*\"], with: [shared], after: created }}"
        );
    }
    text
}

/// Ten rules of a team, for pipelines that begin with its name.
fn document(team: &str, with: &str) -> String {
    let mut text = "version: 1\nrules:\n".to_owned();
    for number in 0..10 {
        let _ = writeln!(
            text,
            "  - {{ name: {team}-{number}, owner: test, pipelines: [\"{team}-{number}*\"], with: [{with}], after: created }}"
        );
    }
    text
}

async fn put(scenario: &Scenario, team: &str, text: &str) {
    write(scenario, team, text, ParameterType::String, None).await;
}

/// Writes a secret under a key of the hub.
async fn put_secret(scenario: &Scenario, team: &str, text: &str, key: &str) {
    let key = format!("arn:aws:kms:{REGION}:{SHARED}:key/{key}");
    write(
        scenario,
        team,
        text,
        ParameterType::SecureString,
        Some(&key),
    )
    .await;
}

async fn write(
    scenario: &Scenario,
    team: &str,
    text: &str,
    kind: ParameterType,
    key: Option<&str>,
) {
    let written = scenario.shared.ssm.put_parameter();
    let written = written
        .name(format!("/pipeshare/policy/{team}"))
        .value(text)
        .r#type(kind)
        .set_key_id(key.map(str::to_owned))
        .tier(ParameterTier::Advanced)
        .overwrite(true)
        .send();
    written.await.unwrap();
}

/// The version of a team's document that is in force.
async fn in_force(scenario: &Scenario, team: &str) -> i64 {
    let name = format!("/pipeshare/policy/{team}:in-force");
    let parameter = scenario.shared.ssm.get_parameter().name(name).send().await;
    parameter.unwrap().parameter().unwrap().version()
}

/// The three documents are in force, and a pipeline for each is shared.
async fn company() -> Scenario {
    let scenario = Scenario::on(Plan::default()).await;
    scenario.write_policy(&root()).await;
    put(&scenario, "churn", &document("churn", "everybody")).await;
    put(&scenario, "fraud", &document("fraud", "dev")).await;
    for name in ["p3-train", "churn-7-train", "fraud-1-train"] {
        scenario.create(&scenario.test, name).await;
    }
    scenario.pass(300).await;
    scenario
}

fn arn(name: &str) -> String {
    Person::pipeline_arn(TEST, name)
}

/// What the hub was told in which this text occurs.
fn told(scenario: &Scenario, text: &str) -> Vec<String> {
    let mut mailbox = scenario.estate.hub_mailbox();
    mailbox.retain(|message| message.contains(text));
    mailbox
}

#[tokio::test]
async fn three_documents_share_together_and_one_that_is_wrong_leaves_the_others() {
    let scenario = company().await;
    assert_eq!(told(&scenario, "policy"), [""; 0]);
    assert!(scenario.shared.sees(&arn("p3-train")).await);
    assert!(scenario.dev.sees(&arn("churn-7-train")).await);
    assert!(scenario.shared.sees(&arn("churn-7-train")).await);
    assert!(scenario.dev.sees(&arn("fraud-1-train")).await);
    assert!(!scenario.shared.sees(&arn("fraud-1-train")).await);

    // Beyond its bounds, on line 4; another team goes on by itself.
    let beyond =
        document("fraud", "dev").replace("fraud-1*\"], with: [dev]", "fraud-1*\"], with: [shared]");
    put(&scenario, "fraud", &beyond).await;
    put(&scenario, "churn", &document("churn", "dev")).await;
    scenario.pass(120).await;
    let refused = told(
        &scenario,
        "Version 2 of /pipeshare/policy/fraud is not valid",
    );
    assert_eq!(refused.len(), 1, "{refused:?}");
    let why =
        "document fraud, line 4, column 5: principal 333333333333 is beyond the team's bounds";
    assert!(refused[0].contains(why), "{}", refused[0]);
    assert_eq!(
        (
            in_force(&scenario, "fraud").await,
            in_force(&scenario, "churn").await
        ),
        (1, 2)
    );
    assert!(scenario.dev.sees(&arn("fraud-1-train")).await);
    assert!(
        !scenario.shared.sees(&arn("churn-7-train")).await,
        "withdrawn by its team"
    );
}

#[tokio::test]
async fn an_empty_root_waits_for_a_confirmation_of_exactly_itself() {
    let scenario = company().await;
    scenario.write_policy("version: 1\n").await;
    scenario.pass(SCHEDULE).await;
    assert!(scenario.shared.sees(&arn("p3-train")).await);
    assert!(scenario.dev.sees(&arn("fraud-1-train")).await);
    let text = told(&scenario, "--payload '").remove(0);
    assert!(text.contains("withdraws 50 of 50 grants"), "{text}");
    let (_, command) = text.split_once("--payload '").unwrap();
    let command: Value = serde_json::from_str(command.split('\'').next().unwrap()).unwrap();

    let mut other = command.clone();
    other["digest"] = json!("0".repeat(64));
    scenario.invoke("share-pipeline", other).await;
    scenario.pass(60).await;
    assert!(scenario.shared.sees(&arn("p3-train")).await);

    scenario.invoke("share-pipeline", command).await;
    scenario.pass(SCHEDULE).await;
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
    assert!(!scenario.dev.sees(&arn("fraud-1-train")).await);
}

#[tokio::test]
async fn a_rule_with_an_end_is_announced_twice_and_ends_by_itself() {
    let scenario = Scenario::on(Plan {
        start: "2026-01-05T12:00:00Z".parse().unwrap(),
        ..Plan::default()
    })
    .await;
    let text = "version: 1\naccounts: { dev: \"111111111111\", test: \"222222222222\" }\nrules:\n  \
                - { name: guests, owner: test, pipelines: [\"*\"], with: [dev], after: created, until: 2026-01-07, contact: ml@example.com }\n";
    scenario.write_policy(text).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SCHEDULE).await;
    assert!(scenario.dev.sees(&arn("churn")).await);
    let announced = |scenario: &Scenario| {
        let mut mailbox = scenario.estate.mailbox(DEV);
        mailbox.retain(|text| text.starts_with("Rule guests ends at 2026-01-08T00:00:00Z"));
        (mailbox.len(), told(scenario, "Rule guests ends at").len())
    };
    assert_eq!(announced(&scenario), (1, 1), "within a week");
    scenario.pass(40 * 3600).await;
    assert_eq!(announced(&scenario), (2, 2), "within a day");
    assert!(scenario.dev.sees(&arn("churn")).await);
    scenario.pass(20 * 3600).await;
    assert!(!scenario.dev.sees(&arn("churn")).await);
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
    assert!(scenario.logs().contains("\"reason\":\"rule-ended\""));
    let lost = |text: &String| text.contains("lost access");
    assert!(scenario.estate.mailbox(DEV).iter().any(lost));
}

#[tokio::test]
async fn a_document_that_is_deleted_withdraws_nothing_and_the_hub_is_told() {
    let scenario = company().await;
    let name = "/pipeshare/policy/fraud";
    let deleted = scenario.shared.ssm.delete_parameter().name(name).send();
    deleted.await.unwrap();
    scenario.pass(2 * SCHEDULE).await;
    assert!(scenario.dev.sees(&arn("fraud-1-train")).await);
    assert_eq!(told(&scenario, "is deleted. Version 1").len(), 1);
}

#[tokio::test]
async fn a_secret_of_a_team_is_read_with_the_key_of_the_policy_and_with_no_other() {
    let scenario = Scenario::on(Plan {
        policy_key: Some("policy"),
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&root()).await;
    let made = scenario.estate.make_key("of-somebody");
    made.unwrap_or_else(|error| panic!("{error}"));
    put_secret(&scenario, "churn", &document("churn", "dev"), "policy").await;
    put_secret(&scenario, "fraud", &document("fraud", "dev"), "of-somebody").await;
    scenario.create(&scenario.test, "churn-7-train").await;
    scenario.create(&scenario.test, "fraud-1-train").await;
    scenario.pass(SCHEDULE).await;
    assert!(scenario.dev.sees(&arn("churn-7-train")).await);
    assert!(!scenario.dev.sees(&arn("fraud-1-train")).await);
    let unreadable = "The newest version of /pipeshare/policy/fraud cannot be read";
    assert_eq!(told(&scenario, unreadable).len(), 1);

    // Under the key of the policy, it is read like the other.
    put_secret(&scenario, "fraud", &document("fraud", "dev"), "policy").await;
    scenario.pass(SCHEDULE).await;
    assert!(scenario.dev.sees(&arn("fraud-1-train")).await);
    assert_eq!(scenario.dead_letters(), 0);
}
