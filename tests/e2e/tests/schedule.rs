//! The scheduled reconciliation of executions: what no event told is sent, from where the
//! last one ended, a bounded number at a time, and to each account its share.

use std::time::Duration;

use e2e::{DEV, EXECUTION_EVENT, Plan, Scenario, TEST, Templates, ungated};
use sandbox::{
    faults::{CallEffect, CallFault, EventEffect},
    services::sagemaker,
    world::{RecordedCall, World},
};

/// A little longer than until the next scheduled reconciliation.
const SWEEP: u64 = 1_000;

/// No event tells of an execution.
fn lose_events(scenario: &Scenario) {
    scenario.break_events(EXECUTION_EVENT, &vec![EventEffect::Lose; 20_000]);
}

/// The searches of forward-status, each with the time from which on it searches.
fn searches(world: &World) -> Vec<(&RecordedCall, String)> {
    let search = |call: &&RecordedCall| call.operation == "Search" && call.caller.role.is_some();
    let since = |call: &RecordedCall| {
        let filter = &call.input["SearchExpression"]["Filters"][0]["Value"];
        filter.as_str().unwrap_or_default().to_owned()
    };
    let calls = world.calls().iter().filter(search);
    calls.map(|call| (call, since(call))).collect()
}

/// How many failures of test the hub was told.
fn failures(scenario: &Scenario, account: &str) -> usize {
    let words = format!("{account}, us-east-1): Failed");
    let told = scenario.estate.hub_mailbox();
    told.iter().filter(|text| text.contains(&words)).count()
}

#[tokio::test]
async fn a_sweep_goes_on_where_the_last_one_ended_and_what_was_before_the_first_is_no_news() {
    let scenario = Scenario::on(Plan::default()).await;
    lose_events(&scenario);
    scenario.create(&scenario.test, "churn").await;
    scenario.fail_next("churn", "Train", "before anybody looked");
    scenario.start(&scenario.test, "churn", "before").await;
    // A reconciliation reaches back over half an hour.
    scenario.pass(2 * 3_600).await;
    scenario.write_policy(&ungated()).await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(
        failures(&scenario, TEST),
        0,
        "the first reconciliation only marks"
    );

    scenario.fail_next("churn", "Train", "no event told of it");
    scenario.start(&scenario.test, "churn", "after").await;
    scenario.pass(2 * SWEEP).await;
    assert_eq!(failures(&scenario, TEST), 1);

    scenario.pass(6 * 3_600).await;
    assert_eq!(failures(&scenario, TEST), 1, "and once only");
    let world = scenario.estate.sandbox.world();
    let searches = searches(&world);
    // Each reaches back over half an hour before the one before it, and no further.
    let newest = searches.last().filter(|_| searches.len() > 20);
    let (call, since) = newest.unwrap_or_else(|| panic!("{searches:#?}"));
    let since = since.parse().unwrap_or_else(|error| panic!("{error}"));
    let back = call.time.duration_since(since).as_secs();
    assert!((1_800..=1_800 + 2 * 900 + 60).contains(&back), "{back}");
}

#[tokio::test]
async fn a_sweep_looks_at_two_thousand_changes_and_the_next_one_at_the_others() {
    let policy = ungated().replace("notify: [Failed, Stopped, Succeeded]", "notify: [Failed]");
    assert_ne!(policy, ungated());
    let scenario = Scenario::begin(&policy).await;
    lose_events(&scenario);
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    // Not all in one second: times are asked for in whole ones.
    for second in 0..21 {
        for number in 0..100 {
            let name = format!("run-{second}-{number}");
            scenario.start(&scenario.test, "churn", &name).await;
        }
        scenario.pass(1).await;
    }
    scenario.fail_next("churn", "Train", "the last one");
    scenario.start(&scenario.test, "churn", "last").await;
    let before = searches(&scenario.estate.sandbox.world()).len();
    scenario.pass(3 * SWEEP).await;
    assert_eq!(failures(&scenario, TEST), 1, "the last one is reached");
    // Those of one reconciliation are made within a minute.
    let world = scenario.estate.sandbox.world();
    let mut pages = std::collections::BTreeMap::new();
    for (call, _) in searches(&world).split_off(before) {
        if call.caller.account == TEST {
            *pages.entry(call.time.as_second() / 300).or_insert(0) += 1;
        }
    }
    // The first execution beyond the limit stands on a page of its own.
    assert_eq!(pages.values().max(), Some(&21), "{pages:?}");
}

#[tokio::test]
async fn an_account_with_many_changes_leaves_the_others_their_share_of_the_time() {
    // A few seconds for what takes more on any machine.
    let mut templates = Templates::default();
    let function = "FunctionName: pipeshare-forward-status";
    let at = templates
        .hub
        .find(function)
        .unwrap_or_else(|| panic!("{function}"));
    let timeout = "Timeout: 60";
    let at = at
        + templates.hub[at..]
            .find(timeout)
            .unwrap_or_else(|| panic!("{timeout}"));
    templates
        .hub
        .replace_range(at..at + timeout.len(), "Timeout: 13");
    let scenario = Scenario::on(Plan {
        templates,
        ..Plan::default()
    })
    .await;
    let policy = ungated().replace(
        "rules:\n",
        "rules:\n  - { name: dev-failures, owner: dev, pipelines: [\"*\"], with: [shared], \
         access: read, after: created, notify: [Failed] }\n",
    );
    scenario.write_policy(&policy).await;
    lose_events(&scenario);
    scenario.create(&scenario.dev, "busy").await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(SWEEP).await;
    for number in 0..500 {
        {
            let mut world = scenario.estate.sandbox.world();
            sagemaker::fail_step(&mut world, DEV, "busy", "Prepare", "again");
        }
        let name = format!("run-{number}");
        scenario.start(&scenario.dev, "busy", &name).await;
    }
    scenario.fail_next("churn", "Train", "the only one");
    scenario.start(&scenario.test, "churn", "only").await;
    let late = CallFault {
        service: "sagemaker".to_owned(),
        operation: "DescribePipelineExecution".to_owned(),
        account: Some(DEV.to_owned()),
        effect: CallEffect::AnswerLate(Duration::from_millis(400)),
    };
    let late = std::iter::repeat_n(late, 500);
    let sandbox = &scenario.estate.sandbox;
    sandbox.world().faults_mut().calls.extend(late);
    while failures(&scenario, DEV) == 0 {
        scenario.pass(60).await;
    }
    let (busy, other) = (failures(&scenario, DEV), failures(&scenario, TEST));
    assert!((2..500).contains(&busy), "{busy}");
    assert_eq!(other, 1, "in the same reconciliation");
    for invocation in scenario.estate.sandbox.invocations() {
        assert!(invocation.outcome.is_ok(), "{:?}", invocation.outcome);
    }
}

#[tokio::test]
async fn an_account_that_cannot_be_reached_delays_no_other_and_is_named() {
    // Of six owners, five are not onboarded: each has a message of its own.
    let others = (1..=5).map(|number| format!("\"88888888880{number}\""));
    let rules = others.enumerate().map(|(number, owner)| {
        format!("  - {{ name: of-{number}, owner: {owner}, pipelines: [\"*\"], with: [dev], after: created }}\n")
    });
    let policy = ungated() + &rules.collect::<String>();
    let scenario = Scenario::begin(&policy).await;
    lose_events(&scenario);
    scenario.break_events("AWS API Call via CloudTrail", &vec![EventEffect::Lose; 10]);
    scenario.create(&scenario.test, "churn").await;
    let before = scenario.calls("SendMessageBatch");
    scenario.pass(2 * SWEEP).await;
    assert!(scenario.calls("SendMessageBatch") > before);
    let shares = scenario.shares(&scenario.test).await;
    assert!(!shares.is_empty(), "the schedule found what no event told");
    for number in 1..=5 {
        let account = format!("88888888880{number}");
        assert_eq!(scenario.hub_told(&account).len(), 1, "{account}");
    }
    assert_eq!(scenario.dead_letters(), 0);
}
