//! Invitations: what is accepted, what is left alone, and what happens to those that nobody answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use aws_sdk_ram::types::ResourceShareInvitationStatus as Status;
use e2e::{DEV, POLICY, Person, Plan, SHARED, Scenario, TEST, Templates, refusal, ungated};
use sandbox::faults::CallEffect;
use serde_json::json;

const NAME: &str = "pipeshare-test-readers.111111111111";
const STRANGER: &str = "666666666666";

/// Shares something with dev, as anybody can.
async fn share(who: &Person, name: &str, pipelines: &[&String]) {
    let pipelines = pipelines.iter().map(ToString::to_string).collect();
    who.ram
        .create_resource_share()
        .name(name)
        .principals(DEV)
        .set_resource_arns(Some(pipelines))
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
}

/// Sender and status of the invitations that dev has received.
async fn invitations(scenario: &Scenario) -> Vec<(String, Status)> {
    let invitations = scenario.dev.invitations().await.unwrap().into_iter();
    let read = |i: aws_sdk_ram::types::ResourceShareInvitation| {
        (i.sender_account_id.unwrap(), i.status.unwrap())
    };
    invitations.map(read).collect()
}

fn pending(sender: &str) -> (String, Status) {
    (sender.to_owned(), Status::Pending)
}

#[tokio::test]
async fn a_stranger_under_a_trusted_name_stays_pending_and_is_reported_once() {
    let scenario = Scenario::begin(POLICY).await;
    let stranger = scenario.estate.person(STRANGER);
    let trap = scenario.create(&stranger, "trap").await;
    share(&stranger, NAME, &[&trap]).await;
    scenario.pass(4 * 3600).await;

    assert_eq!(invitations(&scenario).await, [pending(STRANGER)]);
    let told = scenario.estate.hub_mailbox();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("account 666666666666 is not the owner that the rule names"),
        "{told:?}"
    );
    assert!(told[0].contains("Sender: 666666666666"), "{told:?}");
    assert!(scenario.logs().contains("\"reason\":\"wrong-owner\""));
}

#[tokio::test]
async fn the_trusted_owner_with_more_than_the_rule_stays_pending_and_is_reported_once() {
    let policy = POLICY.replace(
        "    owner: test\n    pipelines: [\"*\"]\n    with: [dev]",
        "    owner: test\n    pipelines: [\"churn*\"]\n    with: [dev]",
    );
    let scenario = Scenario::begin(&policy).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    let secret = scenario.create(&scenario.test, "secret").await;
    share(&scenario.test, NAME, &[&churn, &secret]).await;
    scenario.pass(4 * 3600).await;

    assert_eq!(invitations(&scenario).await, [pending(TEST)]);
    let told = scenario.estate.hub_mailbox();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains(&format!("it holds what the rule does not name: {secret}")),
        "{told:?}"
    );
    assert!(scenario.logs().contains("\"reason\":\"too-much\""));
    assert!(!scenario.dev.sees(&secret).await && !scenario.dev.sees(&churn).await);
}

#[tokio::test]
async fn other_peoples_invitations_are_nobodys_business() {
    let scenario = Scenario::begin(POLICY).await;
    let stranger = scenario.estate.person(STRANGER);
    let images = scenario.create(&stranger, "golden").await;
    share(&stranger, "golden-images", &[&images]).await;
    scenario.pass(3600).await;
    assert_eq!(invitations(&scenario).await, [pending(STRANGER)]);
    assert_eq!(scenario.estate.hub_mailbox(), [""; 0]);
}

#[tokio::test]
async fn an_empty_share_is_accepted_once_something_is_inside() {
    let scenario = Scenario::begin(&ungated()).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    // Somebody makes by hand what pipeshare would, and forgets the pipeline at first.
    scenario
        .test
        .ram
        .create_resource_share()
        .name("pipeshare-test-readers")
        .principals(DEV)
        .send()
        .await
        .unwrap();
    scenario.pass(5).await;
    let logs = scenario.logs();
    assert!(logs.contains("nothing-inside"), "{logs}");
    scenario.pass(3600).await;
    let statuses = invitations(&scenario).await;
    assert!(
        statuses.contains(&pending(TEST)),
        "the empty one waits: {statuses:?}"
    );
    assert!(
        scenario.dev.sees(&churn).await,
        "pipeshare's own share is accepted"
    );
}

#[tokio::test]
async fn an_invitation_that_nobody_answered_in_time_is_sent_again() {
    // Dev is not onboarded yet, so nobody accepts for it.
    let scenario = Scenario::on(Plan {
        consumers: vec![e2e::SHARED],
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(11 * 3600).await;
    assert_eq!(invitations(&scenario).await, [pending(TEST)]);
    scenario.pass(2 * 3600).await;
    let (expired, new) = (TEST.to_owned(), pending(TEST));
    assert_eq!(
        invitations(&scenario).await,
        [(expired, Status::Expired), new]
    );
    assert_eq!(
        scenario.shares(&scenario.test).await.len(),
        2,
        "the share is the same"
    );
    assert!(
        scenario.shared.sees(&churn).await,
        "shared services does not wait for dev"
    );

    scenario.estate.onboard_consumer(DEV).unwrap();
    scenario.pass(1200).await;
    assert!(
        scenario.dev.sees(&churn).await,
        "the scheduled reconciliation accepts once the account is there"
    );
}

#[tokio::test]
async fn a_crash_while_accepting_is_made_up_for() {
    for effect in [
        CallEffect::LoseAnswer,
        CallEffect::KillCaller { after: true },
        CallEffect::KillCaller { after: false },
        e2e::refusal(400, "OperationNotPermittedException"),
    ] {
        let scenario = Scenario::begin(&ungated()).await;
        scenario.break_calls(
            "ram",
            "AcceptResourceShareInvitation",
            std::slice::from_ref(&effect),
        );
        let churn = scenario.create(&scenario.test, "churn").await;
        scenario.pass(1500).await;
        let accepted = [(TEST.to_owned(), Status::Accepted)];
        assert_eq!(invitations(&scenario).await, accepted, "{effect:?}");
        assert!(scenario.dev.sees(&churn).await, "{effect:?}");
        assert_eq!(
            scenario.told(DEV).len(),
            1,
            "{effect:?}: {:?}",
            scenario.told(DEV)
        );
        assert_eq!(scenario.dead_letters(), 0, "{effect:?}");
    }
}

#[tokio::test]
async fn what_is_added_to_an_accepted_share_behind_our_back_is_taken_out_and_reported() {
    let policy = ungated().replace(
        "pipelines: [\"*\"]\n    with: [dev]",
        "pipelines: [\"churn*\"]\n    with: [dev]",
    );
    let scenario = Scenario::begin(&policy).await;
    scenario.create(&scenario.test, "churn").await;
    let secret = scenario.create(&scenario.test, "secret").await;
    scenario.pass(120).await;
    let shares = scenario
        .test
        .ram
        .get_resource_shares()
        .resource_owner(aws_sdk_ram::types::ResourceOwner::SelfValue)
        .name(NAME)
        .send()
        .await
        .unwrap();
    let share = shares.resource_shares()[0].resource_share_arn().unwrap();
    scenario
        .test
        .ram
        .associate_resource_share()
        .resource_share_arn(share)
        .resource_arns(&secret)
        .send()
        .await
        .unwrap();
    scenario.pass(5).await;
    assert!(scenario.dev.sees(&secret).await, "RAM asks nobody");
    let command = json!({ "action": "accept", "account": DEV });
    let report = scenario
        .invoke("accept-invitation", command)
        .await
        .outcome
        .unwrap();
    let share = &report["accounts"][0]["shares"][0];
    assert_eq!(share["inspection"], "distrusted", "{report:#}");
    assert_eq!(share["refusal"]["reason"], "too-much");
    scenario.pass(1200).await;
    assert!(
        !scenario.dev.sees(&secret).await,
        "the scheduled reconciliation takes it out"
    );
    let told = scenario.estate.hub_mailbox();
    let excess = told
        .iter()
        .filter(|text| text.contains("has to take away what is too much"));
    assert_eq!(excess.count(), 1, "{told:#?}");
}

#[tokio::test]
async fn what_pipeshare_itself_is_taking_away_alarms_nobody() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    let fraud = scenario.create(&scenario.test, "fraud").await;
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&fraud).await);
    let busy = refusal(400, "InvalidStateTransitionException");
    scenario.break_calls("ram", "DisassociateResourceShare", &vec![busy; 2]);
    let narrower = ungated().replace("pipelines: [\"*\"]", "pipelines: [\"churn*\"]");
    scenario.write_policy(&narrower).await;
    scenario.pass(2).await;
    let look = json!({ "action": "accept", "account": DEV });
    scenario.send("accept-invitation", &look.to_string());
    scenario.pass(1800).await;
    assert!(!scenario.dev.sees(&fraud).await);
    let told = scenario.estate.hub_mailbox().join("\n");
    assert!(!told.contains("has to take away"), "{told}");
    assert!(
        scenario.logs().contains("\"reason\":\"too-much\""),
        "it was seen"
    );
}

#[tokio::test]
async fn what_comes_by_way_of_the_organization_is_no_cause_for_alarm() {
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    let organization = scenario.estate.sandbox.world().organization().arn();
    let policy = format!(
        "version: 1\norganization: {{ id: o-sandbox123, ramSharing: true }}\n\
         accounts: {{ test: \"{TEST}\", shared: \"{SHARED}\" }}\nrules:\n\
         - {{ name: everybody, owner: test, pipelines: [\"*\"], with: [\"{organization}\"], after: created }}\n\
         - {{ name: operators, owner: test, pipelines: [\"*\"], with: [shared], access: execute, after: created }}\n"
    );
    scenario.write_policy(&policy).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(2 * 3600).await;
    assert!(scenario.dev.sees(&churn).await && scenario.shared.sees(&churn).await);
    let told = scenario.estate.hub_mailbox();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("by rule operators"), "{told:#?}");
}

#[tokio::test]
async fn what_an_account_cannot_use_although_it_has_it_is_told_once_a_day() {
    let mut templates = Templates::default();
    let allowed = "sagemaker:DescribePipeline\n";
    assert!(templates.consumer.contains(allowed));
    templates.consumer = templates
        .consumer
        .replace(allowed, "sagemaker:DescribeModel\n");
    let scenario = Scenario::on(Plan {
        templates,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(4 * 3600).await;
    let told = scenario.estate.hub_mailbox().into_iter();
    let about = told.filter(|text| text.contains(&format!("{NAME} of {TEST} cannot be used")));
    let about: Vec<_> = about.collect();
    assert_eq!(about.len(), 1, "{about:#?}");
    assert!(about[0].contains("AccessDenied"), "{about:#?}");
}

#[tokio::test]
async fn an_account_outside_the_organization_is_served_like_any_other() {
    const PARTNER: &str = "444444444444";
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        consumers: vec![DEV, PARTNER],
        ..Plan::default()
    })
    .await;
    let policy = r#"
version: 1
organization: { id: o-sandbox123, ramSharing: true }
accounts:
  dev: "111111111111"
  test: "222222222222"
  partner: { id: "444444444444", external: true }
rules:
  - { name: r, owner: test, pipelines: ["*"], with: [dev, partner], after: created }
"#;
    scenario.write_policy(policy).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert_eq!(
        scenario.shares(&scenario.test).await,
        ["pipeshare-r", "pipeshare-r.444444444444"]
    );
    let partner = scenario.estate.person(PARTNER);
    assert!(partner.sees(&churn).await && scenario.dev.sees(&churn).await);
    assert_eq!(invitations(&scenario).await, []);
}

#[tokio::test]
async fn a_trial_needs_one_account_and_no_organization() {
    let scenario = Scenario::on(Plan {
        owners: vec![SHARED],
        consumers: vec![SHARED],
        members: Vec::new(),
        ..Plan::default()
    })
    .await;
    let policy = r#"
version: 1
rules:
  - { name: r, owner: "333333333333", pipelines: ["*"], with: ["111111111111"], after: created, notify: [Succeeded] }
"#;
    scenario.write_policy(policy).await;
    let churn = scenario.create(&scenario.shared, "churn").await;
    scenario.start(&scenario.shared, "churn", "first").await;
    scenario.pass(400).await;
    // Nothing is deployed where the invitation arrives, so somebody answers it there.
    let sent = scenario.dev.invitations().await.unwrap();
    let accept = scenario.dev.ram.accept_resource_share_invitation();
    let accept =
        accept.set_resource_share_invitation_arn(sent[0].resource_share_invitation_arn.clone());
    accept.send().await.unwrap();
    scenario.pass(10).await;
    assert!(scenario.dev.sees(&churn).await);
    let told = scenario.estate.hub_mailbox();
    let succeeded = |text: &&String| text.contains("churn") && text.contains("Succeeded");
    assert!(told.iter().any(|text| succeeded(&text)), "{told:#?}");
}

#[tokio::test]
async fn a_dry_run_accepts_nothing_and_tells_nobody() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario
        .estate
        .sandbox
        .world()
        .faults_mut()
        .events
        .push(sandbox::faults::EventFault {
            detail_type: "Share Offered".to_owned(),
            effect: sandbox::faults::EventEffect::Lose,
        });
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(4).await;
    let command = json!({ "action": "accept", "account": DEV, "dryRun": true });
    let invocation = scenario.invoke("accept-invitation", command).await;
    let report = invocation.outcome.unwrap();
    let answer = &report["accounts"][0]["invitations"][0];
    assert!(
        ["would-accept", "nothing-inside"].contains(&answer["answer"].as_str().unwrap()),
        "{report:#}"
    );
    assert_eq!(scenario.calls("AcceptResourceShareInvitation"), 0);
    assert_eq!(scenario.estate.hub_mailbox(), [""; 0]);

    // What fails is in the answer, and nobody is told of it either.
    let role = "pipeshare-consumer-us-east-1";
    sandbox::services::iam::delete_role(&mut scenario.estate.sandbox.world(), DEV, role);
    let command = json!({ "action": "accept", "account": DEV, "dryRun": true });
    // The first one learns that its session is dead.
    scenario.invoke("accept-invitation", command.clone()).await;
    let invocation = scenario.invoke("accept-invitation", command).await;
    let report = format!("{:?}", invocation.outcome);
    assert!(report.contains("account not onboarded"), "{report}");
    assert_eq!(scenario.estate.hub_mailbox(), [""; 0]);
}

#[tokio::test]
async fn a_forged_offer_costs_a_glance_at_the_policy() {
    let scenario = Scenario::begin(&ungated()).await;
    let offer = json!({
        "source": "pipeshare",
        "detail-type": "Share Offered",
        "detail": {
            "owner": STRANGER,
            "consumer": DEV,
            "share": format!("arn:aws:ram:us-east-1:{STRANGER}:resource-share/x"),
            "rule": "test-readers",
        },
    });
    let before = scenario.calls("GetResourceShareInvitations");
    scenario.send("accept-invitation", &offer.to_string());
    scenario.pass(600).await;
    assert_eq!(scenario.calls("GetResourceShareInvitations"), before);
}

#[tokio::test]
async fn members_keep_their_access_when_the_organization_begins_to_share() {
    let scenario = Scenario::begin(&ungated()).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    assert!(scenario.dev.sees(&churn).await);
    scenario
        .estate
        .sandbox
        .world()
        .organization_mut()
        .ram_sharing = true;
    let policy = ungated().replace(
        "version: 1",
        "version: 1\norganization: { id: o-sandbox123, ramSharing: true }",
    );
    scenario.write_policy(&policy).await;
    for _ in 0..120 {
        scenario.pass(1).await;
        assert!(scenario.dev.sees(&churn).await && scenario.shared.sees(&churn).await);
    }
    assert_eq!(
        scenario.shares(&scenario.test).await,
        ["pipeshare-test-operators", "pipeshare-test-readers"]
    );
}
