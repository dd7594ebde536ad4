//! Histories after which an account stayed as it was: what people do by hand,
//! roles and schedules that are gone for hours, invitations that nobody answers.
//! Each ends within the time that infra/operations.md promises.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write, time::Duration};

use aws_sdk_ram::types::ResourceOwner;
use e2e::{DEV, DEV_SHARE, Plan, REGION, SHARED, SWEEP, Scenario, TEST, refusal, ungated};
use sandbox::Call;
use serde_json::json;

const HOUR: u64 = 3_600;
const MEMBERS: &str = "pipeshare-test-readers";
const OUTSIDER: &str = "666666666666";

/// No account can be read for three hours, while this happens, as without its role.
async fn while_roles_are_gone(scenario: &Scenario, deed: impl AsyncFnOnce()) {
    let denials = vec![refusal(403, "AccessDenied"); 10_000];
    scenario.break_calls("sagemaker", "ListPipelines", &denials);
    deed().await;
    scenario.pass(3 * HOUR + SWEEP).await;
    scenario.estate.sandbox.world().faults_mut().calls.clear();
}

/// The ARNs of the active shares of test under this name.
async fn arns(scenario: &Scenario, name: &str) -> Vec<String> {
    let shares = scenario.test.ram.get_resource_shares();
    let shares = shares.resource_owner(ResourceOwner::SelfValue).name(name);
    let active = aws_sdk_ram::types::ResourceShareStatus::Active;
    let found = shares.resource_share_status(active).send().await.unwrap();
    let arns = found.resource_shares().iter();
    arns.filter_map(|share| share.resource_share_arn().map(str::to_owned))
        .collect()
}

async fn delete_share(scenario: &Scenario, arn: &str) {
    let deletion = scenario.test.ram.delete_resource_share();
    deletion.resource_share_arn(arn).send().await.unwrap();
}

async fn rename(scenario: &Scenario, arn: &str, name: &str) {
    let update = scenario.test.ram.update_resource_share();
    let update = update.resource_share_arn(arn).name(name);
    update.send().await.unwrap();
}

/// Somebody invites an outsider to a share.
async fn let_in(scenario: &Scenario, arn: &str) {
    let ram = &scenario.test.ram;
    let update = ram.update_resource_share().resource_share_arn(arn);
    let update = update.allow_external_principals(true);
    update.send().await.unwrap();
    let invited = ram.associate_resource_share().resource_share_arn(arn);
    invited.principals(OUTSIDER).send().await.unwrap();
}

#[tokio::test]
async fn a_share_that_was_deleted_while_the_role_was_gone_is_made_again_by_the_next_schedule() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    assert!(scenario.dev.sees(&churn).await);
    let share = scenario.dev_share().await;
    while_roles_are_gone(&scenario, async || delete_share(&scenario, &share).await).await;
    assert!(!scenario.dev.sees(&churn).await);
    scenario.pass(SWEEP).await;
    assert!(scenario.dev.sees(&churn).await, "{}", scenario.logs());
    assert_ne!(scenario.dev_share().await, share);
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn a_share_without_its_tags_that_was_deleted_unseen_is_made_again_by_the_next_schedule() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let share = scenario.dev_share().await;
    while_roles_are_gone(&scenario, async || {
        let untag = scenario.test.ram.untag_resource();
        let untag = untag.resource_share_arn(&share);
        let untag = untag.tag_keys("pipeshare:managed");
        untag.tag_keys("pipeshare:rule").send().await.unwrap();
        delete_share(&scenario, &share).await;
    })
    .await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    assert!(!scenario.dev.sees(&churn).await);
    scenario.pass(SWEEP).await;
    assert!(scenario.dev.sees(&churn).await, "{}", scenario.logs());
}

#[tokio::test]
async fn a_share_that_was_renamed_within_its_rule_and_deleted_is_made_again_by_the_next_schedule() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    let share = scenario.dev_share().await;
    rename(&scenario, &share, &format!("{DEV_SHARE}.2")).await;
    scenario.pass(SWEEP).await;
    assert!(scenario.dev.sees(&churn).await, "it serves under that name");
    delete_share(&scenario, &share).await;
    scenario.pass(SWEEP).await;
    assert!(scenario.dev.sees(&churn).await, "{}", scenario.logs());
    assert_eq!(arns(&scenario, DEV_SHARE).await.len(), 1);
}

/// The walkthrough inside an organization, where nobody has to accept.
async fn members() -> Scenario {
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&of_members("[dev, shared]")).await;
    scenario.pass(10).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    scenario
}

fn of_members(with: &str) -> String {
    format!(
        "version: 1\norganization: {{ id: o-sandbox123, ramSharing: true }}\n\
         accounts: {{ dev: \"{DEV}\", test: \"{TEST}\", shared: \"{SHARED}\" }}\nrules:\n\
         - {{ name: test-readers, owner: test, pipelines: [\"*\"], with: {with}, after: created }}\n"
    )
}

#[tokio::test]
async fn an_invitation_that_somebody_made_delays_no_withdrawal_and_no_pipeline() {
    let scenario = members().await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    let share = arns(&scenario, MEMBERS).await.remove(0);
    assert!(scenario.shared.sees(&churn).await);
    let_in(&scenario, &share).await;
    // The outsider never answers.
    scenario.write_policy(&of_members("[dev]")).await;
    let fraud = scenario.create(&scenario.test, "fraud").await;
    scenario.pass(300).await;
    assert!(!scenario.shared.sees(&churn).await, "{}", scenario.logs());
    for pipeline in [&churn, &fraud] {
        assert!(scenario.dev.sees(pipeline).await, "{}", scenario.logs());
    }
    assert_ne!(arns(&scenario, MEMBERS).await, [share]);
    assert_eq!(
        scenario.principals(&scenario.test).await,
        [(MEMBERS, DEV, "ASSOCIATED")].map(|(share, who, status)| (
            share.to_owned(),
            who.to_owned(),
            status.to_owned()
        ))
    );
    let told = scenario.hub_told("somebody let \"666666666666\" into share");
    assert_eq!(told.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
    scenario.pass(SWEEP).await;
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn an_outsider_in_a_consumers_share_goes_and_the_consumer_accepts_again() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    let share = scenario.dev_share().await;
    let_in(&scenario, &share).await;
    scenario.pass(SWEEP).await;
    assert!(scenario.dev.sees(&churn).await, "{}", scenario.logs());
    let now = arns(&scenario, DEV_SHARE).await;
    assert!(now.len() == 1 && now[0] != share, "{now:?}");
    let principals = scenario.principals(&scenario.test).await;
    assert!(
        principals.iter().all(|it| it.1 != OUTSIDER),
        "{principals:?}"
    );
    let told = scenario.hub_told("somebody let \"666666666666\" into share");
    assert_eq!(told.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
}

#[tokio::test]
async fn what_ram_does_not_come_to_an_end_with_is_an_alert_after_an_hour_and_delays_no_withdrawal()
{
    let scenario = members().await;
    let churn = format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/churn");
    scenario.estate.sandbox.world().ram_mut().association_delay = Duration::from_hours(100);
    let fraud = scenario.create(&scenario.test, "fraud").await;
    scenario.pass(SWEEP).await;
    let lasting = |scenario: &Scenario| scenario.hub_told("which is longer than RAM takes");
    assert_eq!(lasting(&scenario).len(), 0);
    scenario.pass(HOUR).await;
    let told = lasting(&scenario);
    assert_eq!(told.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
    assert!(told[0].contains(&fraud), "{}", told[0]);
    scenario.estate.sandbox.world().ram_mut().association_delay = Duration::from_secs(3);
    scenario.write_policy(&of_members("[dev]")).await;
    scenario.pass(300).await;
    assert!(!scenario.shared.sees(&churn).await, "{}", scenario.logs());
    assert!(scenario.dev.sees(&churn).await, "{}", scenario.logs());
    assert!(scenario.dev.sees(&fraud).await, "{}", scenario.logs());
}

#[tokio::test]
async fn an_empty_share_is_kept_and_the_next_pipeline_needs_no_invitation() {
    let scenario = Scenario::sharing(&ungated(), &["churn"]).await;
    let share = scenario.dev_share().await;
    scenario.delete(&scenario.test, "churn").await;
    scenario.pass(4 * HOUR).await;
    assert_eq!(scenario.dev_share().await, share);
    let invitations = scenario.dev.invitations().await.unwrap().len();
    let fraud = scenario.create(&scenario.test, "fraud").await;
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&fraud).await, "{}", scenario.logs());
    let now = scenario.dev.invitations().await.unwrap().len();
    assert_eq!((now, scenario.dev_share().await), (invitations, share));
}

#[tokio::test]
async fn of_more_consumers_than_ram_lets_be_invited_the_rest_follow_as_there_is_room() {
    let consumers: Vec<_> = (0..253)
        .map(|it| format!("{:012}", 700_000_000_000_u64 + it))
        .collect();
    let scenario = Scenario::on(Plan {
        owner_parameters: vec![("AllowedPrincipals", consumers.join(","))],
        ..Plan::default()
    })
    .await;
    let mut policy = format!("version: 1\naccounts: {{ test: \"{TEST}\" }}\nrules:\n");
    let with = consumers.join("\", \"");
    writeln!(
        policy,
        "- {{ name: crowd, owner: test, pipelines: [\"*\"], with: [\"{with}\"], after: created }}"
    )
    .unwrap();
    // Nobody accepts: it would only try 253 roles in vain that nobody deployed.
    let unasked = json!({ "Rule": "pipeshare-schedule", "Ids": ["accept-invitation"] });
    let unasked = Call::by_administrator(SHARED, REGION, "events", "RemoveTargets", unasked);
    scenario.estate.sandbox.world().call(&unasked).unwrap();
    scenario.write_policy(&policy).await;
    scenario.pass(10).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    let logs = scenario.logs();
    assert!(logs.contains("\"PrincipalsAdded\":250"), "{logs}");
    assert!(scenario.logs().contains("\"uninvitedCount\":3"));
    assert!(!scenario.logs().contains("ResourceShareLimitExceeded"));
    scenario.pass(2 * HOUR).await;
    let told = scenario.hub_told("3 accounts wait to be invited");
    assert_eq!(told.len(), 1, "{:#?}", scenario.estate.hub_mailbox());
}
