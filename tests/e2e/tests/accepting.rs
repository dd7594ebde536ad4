//! Accepting: whatever others do between two calls of accept-invitation, and
//! wherever it dies, the outcome is the policy's, and somebody is told where it cannot be.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use e2e::{DEV, POLICY, REGION, SHARED, Scenario, TEST, crossed, ungated};
use sandbox::{
    faults::{CallEffect, CallFault, Deed},
    http::perform,
    world::{Call, World},
};
use serde_json::{Value, json};
use std::time::Duration;

const NAME: &str = "pipeshare-test-readers.111111111111";

/// The calls of a reconciliation that an offer led to, and of the one that proves the access.
const CALLS: [(&str, &str); 6] = [
    ("ram", "GetResourceShareInvitations"),
    ("ram", "GetResourceShares"),
    ("ram", "ListPendingInvitationResources"),
    ("ram", "AcceptResourceShareInvitation"),
    ("ram", "ListResources"),
    ("sagemaker", "DescribePipeline"),
];

/// Where in a reconciliation somebody else acts: before the look inside, between it and
/// the acceptance, and right after that.
const PLACES: [(&str, bool); 3] = [
    ("ListPendingInvitationResources", false),
    ("AcceptResourceShareInvitation", false),
    ("AcceptResourceShareInvitation", true),
];

/// The policy: dev may see what is called churn.
fn policy() -> String {
    ungated().replace(
        "pipelines: [\"*\"]\n    with: [dev]",
        "pipelines: [\"churn*\"]\n    with: [dev]",
    )
}

fn administer(
    world: &mut World,
    account: &str,
    service: &str,
    operation: &str,
    input: Value,
) -> Value {
    let call = Call::by_administrator(account, REGION, service, operation, input);
    perform(world, &call).unwrap_or_default()
}

/// Somebody in dev answers the invitation of test.
fn answer(operation: &'static str) -> Deed {
    Deed::new(move |world| {
        let list = administer(world, DEV, "ram", "GetResourceShareInvitations", json!({}));
        for invitation in list["resourceShareInvitations"].as_array().unwrap() {
            let arn = &invitation["resourceShareInvitationArn"];
            let input = json!({ "resourceShareInvitationArn": arn });
            administer(world, DEV, "ram", operation, input);
        }
    })
}

/// Somebody in test does something to the share.
fn to_share(operation: &'static str, and: Value) -> Deed {
    Deed::new(move |world| {
        let mine = json!({ "resourceOwner": "SELF", "name": NAME });
        let list = administer(world, TEST, "ram", "GetResourceShares", mine);
        for share in list["resourceShares"].as_array().unwrap() {
            let mut input = and.clone();
            input["resourceShareArn"] = share["resourceShareArn"].clone();
            administer(world, TEST, "ram", operation, input);
        }
    })
}

fn write_policy(policy: String) -> Deed {
    Deed::new(move |world| {
        let input = json!({
            "Name": "/pipeshare/policy", "Value": policy, "Type": "String",
            "Tier": "Advanced", "Overwrite": true,
        });
        administer(world, SHARED, "ssm", "PutParameter", input);
    })
}

/// Plays the acceptance of a share with this effect on one call for dev.
async fn play(service: &str, operation: &str, effect: CallEffect) -> (Scenario, String, String) {
    let scenario = Scenario::begin(&policy()).await;
    scenario
        .estate
        .sandbox
        .world()
        .faults_mut()
        .calls
        .push(CallFault {
            service: service.to_owned(),
            operation: operation.to_owned(),
            account: Some(DEV.to_owned()),
            effect,
        });
    let secret = scenario.create(&scenario.test, "secret").await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(2700).await;
    // Once more, as somebody's deed may have taken longer than that.
    scenario.pass(1800).await;
    let left = scenario.estate.sandbox.world().faults().calls.len();
    assert_eq!(left, 0, "{operation} was not called");
    (scenario, churn, secret)
}

#[tokio::test]
async fn whatever_others_do_to_an_invitation_meanwhile_the_access_is_the_policys() {
    let deeds = [
        ("expired", Deed::time_passes(Duration::from_hours(13))),
        ("accepted", answer("AcceptResourceShareInvitation")),
        ("rejected", answer("RejectResourceShareInvitation")),
        ("deleted", to_share("DeleteResourceShare", json!({}))),
    ];
    for ((what, deed), (operation, after)) in crossed(&deeds, &PLACES) {
        let deed = deed.clone();
        let effect = CallEffect::Meanwhile { deed, after };
        let (scenario, churn, secret) = play("ram", operation, effect).await;
        let place = format!("{what}, {operation}, after: {after}");
        assert!(scenario.dev.sees(&churn).await, "{place}");
        assert!(!scenario.dev.sees(&secret).await, "{place}");
        assert_eq!(scenario.dead_letters(), 0, "{place}");
        let told = scenario.told(DEV);
        assert!(!told.is_empty(), "{place}: nobody knows of the access");
    }
}

#[tokio::test]
async fn what_is_put_inside_while_an_invitation_is_accepted_does_not_stay() {
    let secret = e2e::Person::pipeline_arn(TEST, "secret");
    for (operation, after) in PLACES {
        let deed = to_share(
            "AssociateResourceShare",
            json!({ "resourceArns": [secret.clone()] }),
        );
        let effect = CallEffect::Meanwhile { deed, after };
        let (scenario, churn, secret) = play("ram", operation, effect).await;
        let place = format!("{operation}, after: {after}");
        assert!(!scenario.dev.sees(&secret).await, "{place}");
        assert!(scenario.dev.sees(&churn).await, "{place}");
        assert_eq!(scenario.dead_letters(), 0, "{place}");
    }
}

#[tokio::test]
async fn what_cannot_be_taken_out_again_is_told() {
    // Share-pipeline may not act in test any more when it happens.
    let secret = e2e::Person::pipeline_arn(TEST, "secret");
    let inside = to_share(
        "AssociateResourceShare",
        json!({ "resourceArns": [secret] }),
    );
    let deed = Deed::new(move |world| {
        inside.happen(world);
        let role = format!("pipeshare-owner-{REGION}");
        sandbox::services::iam::delete_role(world, TEST, &role);
    });
    let effect = CallEffect::Meanwhile { deed, after: false };
    let (scenario, _, secret) = play("ram", "AcceptResourceShareInvitation", effect).await;
    assert!(scenario.dev.sees(&secret).await, "RAM asks nobody");
    let told = scenario.estate.hub_mailbox();
    let excess = told
        .iter()
        .filter(|text| text.contains("take away what is too much"));
    assert_eq!(excess.count(), 1, "{told:#?}");
}

#[tokio::test]
async fn a_policy_that_changes_while_an_invitation_is_accepted_is_obeyed_all_the_same() {
    let narrower = policy().replace("with: [dev]", "with: [shared]");
    assert_ne!(narrower, policy());
    for (operation, after) in PLACES {
        let deed = write_policy(narrower.clone());
        let effect = CallEffect::Meanwhile { deed, after };
        let (scenario, churn, _) = play("ram", operation, effect).await;
        let place = format!("{operation}, after: {after}");
        assert!(!scenario.dev.sees(&churn).await, "{place}");
        assert!(scenario.shared.sees(&churn).await, "{place}");
        assert_eq!(scenario.dead_letters(), 0, "{place}");
    }
}

#[tokio::test]
async fn a_function_that_dies_at_any_call_of_an_acceptance_leaves_it_to_the_next() {
    let effects = [
        CallEffect::KillCaller { after: false },
        CallEffect::KillCaller { after: true },
        CallEffect::LoseAnswer,
    ];
    for ((service, operation), effect) in crossed(&CALLS, &effects) {
        let place = format!("{operation}: {effect:?}");
        let (scenario, churn, secret) = play(service, operation, effect).await;
        assert!(scenario.dev.sees(&churn).await, "{place}");
        assert!(!scenario.dev.sees(&secret).await, "{place}");
        assert_eq!(scenario.told(DEV).len(), 1, "{place}");
        assert_eq!(scenario.dead_letters(), 0, "{place}");
    }
}

#[tokio::test]
async fn strangers_are_told_once_although_the_function_dies_while_it_tells() {
    let places = [
        ("dynamodb", "GetItem"),
        ("dynamodb", "PutItem"),
        ("sns", "Publish"),
        ("dynamodb", "UpdateItem"),
    ];
    for ((service, operation), after) in crossed(&places, &[false, true]) {
        let scenario = Scenario::begin(POLICY).await;
        {
            let mut world = scenario.estate.sandbox.world();
            let input = json!({ "name": NAME, "principals": [DEV] });
            administer(
                &mut world,
                "666666666666",
                "ram",
                "CreateResourceShare",
                input,
            );
        }
        scenario.break_calls(service, operation, &[CallEffect::KillCaller { after }]);
        scenario.pass(3600).await;
        let told = scenario.estate.hub_mailbox();
        // A crash right after publishing may say it twice; it is never lost.
        let most =
            1 + usize::from(after && operation == "Publish" || !after && operation == "UpdateItem");
        assert!(
            (1..=most).contains(&told.len()),
            "{operation}, {after}: {told:#?}"
        );
        assert_eq!(scenario.dead_letters(), 0, "{operation}, {after}");
    }
}
