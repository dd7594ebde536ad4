//! Each purpose has a role of its own in an account; what happens where one of them is not there yet.

use e2e::{
    DEV, POLICY, REGION, SHARED, Scenario, TEST,
    deployment::{deploy, failure, with},
    ungated,
};
use sandbox::services::iam;
use serde_json::json;

/// Between two scheduled reconciliations.
const SWEEP: u64 = 900;

/// Takes roles away, as an account has them whose template is older than the hub.
fn take(scenario: &Scenario, roles: &[(&str, &str)]) {
    let mut world = scenario.estate.sandbox.world();
    for (account, role) in roles {
        let role = format!("pipeshare-{role}-{REGION}");
        assert!(world.iam().role(account, &role).is_some(), "{role}");
        iam::delete_role(&mut world, account, &role);
    }
}

/// Gives dev its role for notifications back, as its new template would.
fn give_notifier(scenario: &Scenario) {
    let principal = format!("arn:aws:iam::{SHARED}:root");
    let statement = |action: &str, more: serde_json::Value| {
        let mut statement = json!({ "Effect": "Allow", "Action": action });
        for (key, value) in more.as_object().into_iter().flatten() {
            statement[key] = value.clone();
        }
        json!({ "Statement": [statement] })
    };
    let everything = json!({ "Resource": "*" });
    let properties = json!({
        "AssumeRolePolicyDocument":
            statement("sts:AssumeRole", json!({ "Principal": { "AWS": principal } })),
        "Policies": [
            { "PolicyName": "tell", "PolicyDocument": statement("events:PutEvents", everything.clone()) },
            { "PolicyName": "write", "PolicyDocument": statement("sns:Publish", everything) },
        ],
    });
    let mut world = scenario.estate.sandbox.world();
    let role = format!("pipeshare-notifier-{REGION}");
    let made = iam::create_role(&mut world, DEV, &role, &properties);
    made.unwrap_or_else(|error| panic!("{error}"));
}

/// Whether the hub was told which template is old in an account.
fn is_told(scenario: &Scenario, account: &str, role: &str, template: &str) -> bool {
    let role = format!("arn:aws:iam::{account}:role/pipeshare-{role}-{REGION}");
    let advice = format!("deploy the newest template {template} there");
    let hub = scenario.estate.hub_mailbox();
    hub.iter()
        .any(|text| text.contains(&role) && text.contains(&advice))
}

#[tokio::test]
async fn a_hub_that_is_newer_than_an_account_names_the_template_to_deploy_there() {
    let scenario = Scenario::begin(&ungated()).await;
    take(&scenario, &[(DEV, "notifier"), (TEST, "watcher")]);
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    scenario.fail_next("churn", "Train", "bad luck");
    scenario.start(&scenario.test, "churn", "first").await;
    scenario.pass(2 * SWEEP).await;
    assert!(is_told(&scenario, DEV, "notifier", "consumer-account"));
    assert!(is_told(&scenario, TEST, "watcher", "owner-account"));
    assert!(
        scenario.calls("AcceptResourceShareInvitation") > 0,
        "what has its role goes on"
    );
    let failed = |lines: Vec<String>| lines.iter().any(|line| line.ends_with("Failed"));
    let hub = scenario.estate.hub_mailbox();
    let first = hub.iter().filter_map(|text| text.lines().next());
    assert!(failed(first.map(str::to_owned).collect()), "{hub:#?}");
    assert_eq!(scenario.told(DEV), [""; 0]);
    assert_eq!(scenario.dead_letters(), 0);

    give_notifier(&scenario);
    scenario.pass(2 * SWEEP).await;
    let told = scenario.told(DEV);
    assert!(
        told.iter().any(|line| line.contains("can see")),
        "a change of access is told once it can be: {told:#?}"
    );
}

#[tokio::test]
async fn a_deployment_that_cannot_prove_access_names_the_template_to_deploy() {
    let scenario = Scenario::begin(POLICY).await;
    take(&scenario, &[(DEV, "prover")]);
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let action = deploy(&scenario, "e1", &with("accessMinutes", 30));
    scenario.pass(3 * 3600).await;
    let (_, message) = failure(&scenario, &action);
    assert!(message.contains("pipeshare-prover"), "{message}");
    assert!(message.contains("template consumer-account"), "{message}");
}
