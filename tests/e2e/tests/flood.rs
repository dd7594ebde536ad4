//! Floods: what others can lengthen without end delays nobody and tells nobody without end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use aws_sdk_ram::types::ResourceShareInvitationStatus as Status;
use e2e::{DEV, DEV_SHARE, Plan, REGION, SHARED, Scenario, TEST, Templates, ungated};
use sandbox::{
    Invocation,
    faults::{CallEffect, EventEffect},
    http::perform,
    world::{Call, World},
};
use serde_json::{Value, json};

const RAM_EVENT: &str = "Resource Sharing State Change";

/// How many invitations RAM lets an account have pending.
const QUOTA: usize = 250;

fn call(world: &mut World, account: &str, operation: &str, input: Value) -> Value {
    let call = Call::by_administrator(account, REGION, "ram", operation, input);
    perform(world, &call).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Strangers invite dev under our name, each as often as RAM allows. Their
/// account ids come before those of everybody else, as their invitations do in
/// the sandbox's lists.
fn flood(scenario: &Scenario, count: usize, first_sender: usize) {
    let mut world = scenario.estate.sandbox.world();
    for number in 0..count {
        let sender = (100_000_000_000 + first_sender + number / QUOTA).to_string();
        let input = json!({ "name": DEV_SHARE, "principals": [DEV] });
        call(&mut world, &sender, "CreateResourceShare", input);
    }
}

/// Nothing but the schedule leads anywhere.
fn lose_events(scenario: &Scenario) {
    scenario.break_events("Share Offered", &vec![EventEffect::Lose; 200]);
    scenario.break_events(RAM_EVENT, &vec![EventEffect::Lose; 6000]);
}

/// The messages about strangers.
fn about_strangers(scenario: &Scenario) -> Vec<String> {
    scenario.hub_told("names are like pipeshare's")
}

fn reconciliations(scenario: &Scenario) -> Vec<Invocation> {
    let invocations = scenario.estate.sandbox.invocations().into_iter();
    invocations
        .filter(|invocation| invocation.function == "pipeshare-accept-invitation")
        .collect()
}

/// No invocation failed or was killed, and no message is dead.
fn assert_quiet(scenario: &Scenario) {
    for invocation in scenario.estate.sandbox.invocations() {
        assert!(invocation.outcome.is_ok(), "{:?}", invocation.outcome);
    }
    assert_eq!(scenario.dead_letters(), 0);
}

#[tokio::test]
async fn two_thousand_invitations_of_strangers_delay_neither_others_nor_ones_own() {
    let scenario = Scenario::begin(&ungated()).await;
    lose_events(&scenario);
    flood(&scenario, 2000, 0);
    scenario.pass(30).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(5).await;
    assert!(!scenario.dev.sees(&churn).await && !scenario.shared.sees(&churn).await);
    let before = (
        reconciliations(&scenario).len(),
        scenario.calls("GetResourceShareInvitations"),
    );

    // The next scheduled reconciliation, and the proof a moment later.
    scenario.pass(900).await;
    assert!(scenario.shared.sees(&churn).await, "not attacked");
    assert!(scenario.dev.sees(&churn).await, "attacked");
    let invocations = reconciliations(&scenario).len() - before.0;
    assert!(invocations <= 4, "{invocations}");
    // Five pages for dev and one for shared, in each of the reconciliations.
    let pages = scenario.calls("GetResourceShareInvitations") - before.1;
    assert!(pages <= 4 * 6, "{pages}");
    assert_eq!(scenario.calls("ListPendingInvitationResources"), 2);
    assert_eq!(scenario.calls("RejectResourceShareInvitation"), 0);

    scenario.pass(2 * 3600).await;
    let told = about_strangers(&scenario);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("has 2000 invitations"), "{told:?}");
    assert!(told[0].contains("from 8 accounts"), "{told:?}");
    // What pipeshare has to say of its own is told all the same.
    let told = scenario.estate.hub_mailbox();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert_quiet(&scenario);
    let longest = scenario.logs().lines().map(str::len).max().unwrap();
    assert!(longest < 32_000, "{longest}");
}

#[tokio::test]
async fn an_offer_is_answered_at_once_however_many_invitations_there_are() {
    let scenario = Scenario::begin(&ungated()).await;
    scenario.break_events(RAM_EVENT, &vec![EventEffect::Lose; 6000]);
    flood(&scenario, 1000, 0);
    scenario.pass(30).await;
    let begin = scenario.estate.sandbox.world().calls().len();
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(15).await;
    {
        let world = scenario.estate.sandbox.world();
        let since = world.calls()[begin..].iter();
        let of_dev = since.filter(|call| call.caller.account == DEV && call.caller.role.is_some());
        let before = of_dev.take_while(|call| call.operation != "AcceptResourceShareInvitation");
        let lists: Vec<_> = before
            .filter(|call| call.operation == "GetResourceShareInvitations")
            .collect();
        assert!((1..=2).contains(&lists.len()), "{lists:#?}");
        for list in lists {
            assert_eq!(list.input["resourceShareArns"].as_array().unwrap().len(), 1);
        }
    }
    scenario.pass(60).await;
    assert!(scenario.dev.sees(&churn).await && scenario.shared.sees(&churn).await);
    assert_quiet(&scenario);
}

#[tokio::test]
async fn two_thousand_events_of_ram_are_not_two_hundred_looks() {
    let scenario = Scenario::begin(&ungated()).await;
    let before = scenario.calls("GetResourceShareInvitations");
    flood(&scenario, 2000, 0);
    scenario.pass(30).await;
    assert!(
        reconciliations(&scenario).len() >= 200,
        "ten events are one batch"
    );
    let pages = scenario.calls("GetResourceShareInvitations") - before;
    assert!((1..=60).contains(&pages), "{pages}");
    assert_eq!(about_strangers(&scenario).len(), 1);
    assert_quiet(&scenario);
}

#[tokio::test]
async fn invitations_of_strangers_are_rejected_a_bounded_number_at_a_time_and_told_by_day() {
    let scenario = Scenario::on(Plan {
        rejects: true,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    lose_events(&scenario);
    scenario.pass(10).await;
    flood(&scenario, 250, 0);
    scenario.pass(900).await;
    assert_eq!(scenario.calls("RejectResourceShareInvitation"), 100);
    scenario.pass(1800).await;
    assert_eq!(scenario.calls("RejectResourceShareInvitation"), 250);
    assert_eq!(about_strangers(&scenario).len(), 1);

    // Later the same day nobody is told, and the next day has the number.
    flood(&scenario, 3, 50);
    scenario.pass(3 * 3600).await;
    assert_eq!(about_strangers(&scenario).len(), 1);
    scenario.pass(12 * 3600).await;
    flood(&scenario, 1, 60);
    scenario.pass(1200).await;
    let told = about_strangers(&scenario);
    assert_eq!(told.len(), 2, "{told:#?}");
    let totals = "On 2026-01-05 there were 253 such invitations in all.";
    assert!(told[1].contains(totals), "{told:#?}");
    assert_quiet(&scenario);
}

/// The invitations that dev has, by status.
async fn count(scenario: &Scenario, status: Status) -> usize {
    let list = scenario.dev.ram.get_resource_share_invitations();
    let list = list.max_results(500).send().await.unwrap();
    assert_eq!(list.next_token(), None);
    let invitations = list.resource_share_invitations().iter();
    invitations
        .filter(|invitation| invitation.status == Some(status.clone()))
        .count()
}

#[tokio::test]
async fn what_the_time_is_not_enough_for_follows_and_keeps_no_other_account_waiting() {
    // A few seconds for what takes more on any machine.
    let mut templates = Templates::default();
    let function = templates
        .hub
        .find("FunctionName: pipeshare-accept-invitation")
        .unwrap();
    let timeout = templates.hub[function..].find("Timeout: 60").unwrap() + function;
    templates
        .hub
        .replace_range(timeout..timeout + "Timeout: 60".len(), "Timeout: 3");
    let scenario = Scenario::on(Plan {
        templates,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(&ungated()).await;
    lose_events(&scenario);
    scenario.pass(10).await;
    // The owner that the rule names does by hand, and many times, what pipeshare does.
    let churn = scenario.create(&scenario.test, "churn").await;
    {
        let mut world = scenario.estate.sandbox.world();
        for _ in 0..QUOTA - 10 {
            let input = json!({ "name": DEV_SHARE, "principals": [DEV], "resourceArns": [churn] });
            call(&mut world, TEST, "CreateResourceShare", input);
        }
    }
    let late = vec![CallEffect::AnswerLate(Duration::from_millis(500)); 40];
    scenario.break_calls("ram", "AcceptResourceShareInvitation", &late);
    scenario.pass(960).await;
    assert!(scenario.shared.sees(&churn).await, "not attacked");
    // Sooner on a machine that has nothing else to do; before they expire in any case.
    for _ in 0..9 {
        if count(&scenario, Status::Pending).await > 0 {
            scenario.pass(3600).await;
        }
    }
    assert_eq!(count(&scenario, Status::Pending).await, 0);
    assert!(count(&scenario, Status::Accepted).await >= QUOTA - 10);
    assert!(scenario.logs().contains("\"isCutShort\":true"));
    assert!(scenario.dev.sees(&churn).await);
    assert_quiet(&scenario);
}

#[tokio::test]
async fn an_owner_that_a_rule_names_cannot_write_to_people_without_end_either() {
    let policy = ungated().replace("pipelines: [\"*\"]", "pipelines: [\"churn*\"]");
    let scenario = Scenario::begin(&policy).await;
    let secret = scenario.create(&scenario.test, "secret").await;
    scenario.pass(60).await;
    let mut told = Vec::new();
    for round in 0..6 {
        {
            let mut world = scenario.estate.sandbox.world();
            for _ in 0..8 {
                let input =
                    json!({ "name": DEV_SHARE, "principals": [DEV], "resourceArns": [secret] });
                call(&mut world, TEST, "CreateResourceShare", input);
            }
        }
        scenario.pass(1200).await;
        told = scenario.estate.hub_mailbox();
        assert!(told.len() <= 10, "{round}: {told:#?}");
    }
    assert_eq!(told.len(), 10, "{told:#?}");
    assert!(told[9].contains("last message of the day"), "{told:#?}");
    assert!(!scenario.dev.sees(&secret).await);
    assert_eq!(count(&scenario, Status::Pending).await, 48);
    assert_quiet(&scenario);
}

#[tokio::test]
async fn pipelines_that_are_gone_before_ram_has_noticed_cost_a_bounded_number_of_calls() {
    let names: Vec<_> = (10..80).map(|number| format!("p-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let scenario = Scenario::sharing(&ungated(), &names).await;
    scenario.pass(1200).await;
    let (told, before) = (scenario.told(DEV), scenario.calls("DescribePipeline"));
    let gone = e2e::refusal(400, "ResourceNotFound");
    scenario.break_calls("sagemaker", "DescribePipeline", &vec![gone; 10_000]);
    let look = json!({ "action": "accept", "account": DEV });
    scenario.invoke("accept-invitation", look).await;
    let described = scenario.calls("DescribePipeline") - before;
    assert_eq!(described, 50);
    scenario.pass(1200).await;
    assert_eq!(
        scenario.told(DEV),
        told,
        "nobody has seen that all are gone"
    );
    scenario.estate.sandbox.world().faults_mut().calls.clear();
    scenario.pass(1200).await;
    assert_eq!(scenario.told(DEV), told);
    assert_quiet(&scenario);
}

#[tokio::test]
async fn shares_of_strangers_in_the_organization_cost_nothing_and_are_told_once() {
    const MEMBER: &str = "100000000000";
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        members: vec![DEV, TEST, SHARED, MEMBER],
        ..Plan::default()
    })
    .await;
    let policy = ungated().replace(
        "version: 1",
        "version: 1\norganization: { id: o-sandbox123, ramSharing: true }",
    );
    scenario.write_policy(&policy).await;
    scenario.pass(10).await;
    let trap = scenario
        .create(&scenario.estate.person(MEMBER), "trap")
        .await;
    {
        let mut world = scenario.estate.sandbox.world();
        for number in 0..600 {
            // Under our names and under any others.
            let names = ["pipeshare-test-readers", "golden-images"];
            let input = json!({
                "name": names[number % 2], "principals": [DEV], "resourceArns": [trap],
            });
            call(&mut world, MEMBER, "CreateResourceShare", input);
        }
    }
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(3600).await;
    assert!(scenario.dev.sees(&churn).await);
    let told = about_strangers(&scenario);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("and 300 shares"), "{told:#?}");
    let is_of_stranger = |call: &&sandbox::world::RecordedCall| {
        call.operation == "ListResources" && call.input.to_string().contains(MEMBER)
    };
    let world = scenario.estate.sandbox.world();
    assert_eq!(world.calls().iter().filter(is_of_stranger).count(), 0);
    drop(world);
    assert_quiet(&scenario);
}
