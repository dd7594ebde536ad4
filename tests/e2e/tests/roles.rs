//! Shares with a single role: who can accept for it is not documented.

use e2e::{DEV, Plan, Scenario, TEST};
use sandbox::{
    readings::{Readings, RoleInvitations, RoleShares},
    services::ram,
    world::{AssumedRole, Caller},
};

/// Half a day is what an invitation lives.
const LIFETIME: u64 = 13 * 60 * 60;

fn scientist() -> String {
    format!("arn:aws:iam::{DEV}:role/scientist")
}

/// A pipeline that is shared with one role of an account that is onboarded.
async fn shared_with_a_role(readings: Readings) -> (Scenario, String) {
    let scenario = Scenario::on(Plan {
        readings,
        owner_parameters: vec![("AllowedPrincipals", format!("{DEV},{}", scientist()))],
        ..Plan::default()
    })
    .await;
    let policy = format!(
        "version: 1\n\
         accounts: {{ dev: \"{DEV}\", test: \"{TEST}\" }}\n\
         rules:\n  - {{ name: scientists, owner: test, pipelines: [\"*\"], \
         with: [\"{}\"], access: read, after: created }}\n",
        scientist()
    );
    scenario.write_policy(&policy).await;
    scenario.pass(10).await;
    let churn = scenario.create(&scenario.test, "churn").await;
    scenario.pass(120).await;
    (scenario, churn)
}

/// Whether a role of the consumer may look at the pipeline.
fn may_look(scenario: &Scenario, role: &str, pipeline: &str) -> bool {
    let caller = Caller {
        account: DEV.to_owned(),
        role: Some(AssumedRole {
            name: role.to_owned(),
            session: "probe".to_owned(),
        }),
    };
    let world = scenario.estate.sandbox.world();
    ram::grants(&world, &caller, "sagemaker:DescribePipeline", pipeline)
}

#[tokio::test]
async fn a_role_has_access_once_its_account_has_accepted_whoever_sees_the_share() {
    for (role_shares, hears) in [(RoleShares::Account, true), (RoleShares::Principal, false)] {
        let (scenario, churn) = shared_with_a_role(Readings {
            role_shares,
            ..Readings::default()
        })
        .await;
        assert!(may_look(&scenario, "scientist", &churn), "{role_shares:?}");
        assert!(!may_look(&scenario, "other", &churn), "{role_shares:?}");
        let mut told = scenario.told(DEV).into_iter();
        let heard = told.any(|text| text.contains("can see 1 pipeline"));
        assert_eq!(heard, hears, "{role_shares:?}");
        assert_eq!(scenario.dead_letters(), 0);
    }
}

#[tokio::test]
async fn people_are_told_if_only_the_role_itself_can_accept() {
    let (scenario, churn) = shared_with_a_role(Readings {
        role_invitations: RoleInvitations::Receiver,
        ..Readings::default()
    })
    .await;
    assert!(!may_look(&scenario, "scientist", &churn));
    scenario.pass(LIFETIME).await;
    let hub = scenario.estate.hub_mailbox();
    let told = hub.iter().any(|text| text.contains(&scientist()));
    assert!(told, "{hub:#?}");
    assert_eq!(scenario.dead_letters(), 0);
}
