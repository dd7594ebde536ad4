//! Which accounts a record leads to, and what becomes of it.

use std::time::Duration;

use model::Account;
use runtime::{
    lambda::{Deadline, Record, RecordOutcome},
    metrics::Metric,
};

use super::{
    CREATED, GATED, OF_PROD, OFFERED, PROD, READERS, SCHEDULED, SUCCEEDED, Scenario, TEST,
    reconcile, share,
};

#[tokio::test]
async fn an_event_leads_to_its_account_and_to_no_other() {
    for event in [CREATED, SUCCEEDED, OFFERED] {
        let scenario = Scenario::new(&[READERS, OF_PROD]);
        let run = scenario.run(&[event]).await;
        assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
        assert!(scenario.calls(PROD).is_empty());
        assert_eq!(run.summary["accounts"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn the_schedule_leads_to_every_owner() {
    let scenario = Scenario::new(&[READERS, OF_PROD]);
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    assert_eq!(scenario.shares(PROD), ["pipeshare-of-prod"]);
    assert_eq!(run.follow_ups(), [reconcile(TEST), reconcile(PROD)]);
}

#[tokio::test]
async fn what_an_event_says_is_not_believed() {
    let scenario = Scenario::new(&[GATED]);
    let run = scenario.run(&[SUCCEEDED]).await;
    assert!(scenario.shares(TEST).is_empty());
    assert_eq!(run.summary["accounts"][0]["waitingCount"], 1);
    scenario.change(TEST, |account| account.succeed("churn"));
    scenario.run(&[SUCCEEDED]).await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-gated"]);
}

#[tokio::test]
async fn records_about_one_account_in_a_batch_are_one_reconciliation() {
    let scenario = Scenario::new(&[READERS]);
    let run = scenario.run(&[CREATED, SUCCEEDED, &share("test")]).await;
    assert_eq!(run.outcomes.len(), 3);
    for outcome in &run.outcomes {
        assert!(
            matches!(outcome, RecordOutcome::Followed { .. }),
            "{outcome:?}"
        );
    }
    let calls = scenario.calls(TEST);
    let listed = calls.iter().filter(|call| **call == "GetResourceShares");
    assert_eq!(
        listed.count(),
        2,
        "the shares, and lookalikes of the new one"
    );
}

#[tokio::test]
async fn a_dry_run_changes_nothing_unless_another_record_is_in_earnest() {
    let dry = r#"{"action":"share","owner":"test","dryRun":true}"#;
    let scenario = Scenario::new(&[READERS]);
    let run = scenario.run(&[dry]).await;
    assert_eq!(run.outcomes_of_steps(), ["planned", "planned", "planned"]);
    assert_eq!(run.step(0)["action"], "create");
    assert!(run.is_done(), "and nothing follows");
    assert!(scenario.shares(TEST).is_empty());
    assert!(!scenario.remembers(TEST));
    assert!(scenario.subjects().is_empty(), "nor is anybody notified");
    assert_eq!(run.counted(Metric::SharesCreated), 0);

    let run = scenario.run(&[dry, CREATED]).await;
    assert_eq!(run.outcomes_of_steps(), ["done", "done", "done"]);
}

#[tokio::test]
async fn a_dry_run_that_fails_raises_no_alarm() {
    let scenario = Scenario::new(&[READERS]);
    scenario.change(TEST, |account| {
        account
            .failures
            .next("ListPipelines", "AccessDeniedException");
    });
    let run = scenario
        .run(&[r#"{"action":"share","owner":"test","dryRun":true}"#])
        .await;
    assert!(run.summary["accounts"][0]["error"].is_string());
    assert_eq!(run.counted(Metric::AccountFailed), 0);
    assert!(scenario.subjects().is_empty());
}

#[tokio::test]
async fn an_account_that_no_rule_names_and_nobody_remembers_is_left_alone() {
    let scenario = Scenario::new(&[READERS]);
    let run = scenario.run(&[&share(PROD)]).await;
    assert!(run.is_done());
    assert_eq!(run.summary["notAnOwner"][0], PROD);
    assert!(scenario.calls(PROD).is_empty());
}

#[tokio::test]
async fn what_is_no_event_and_no_command_of_this_function_is_ignored_beside_the_rest() {
    let scenario = Scenario::new(&[READERS]);
    let bodies = [
        "{",
        r#"{"action":"accept","account":"111111111111"}"#,
        r#"{"action":"share","owner":"tset"}"#,
        CREATED,
    ];
    let run = scenario.run(&bodies).await;
    assert!(
        run.outcomes[..3]
            .iter()
            .all(|it| matches!(it, RecordOutcome::Done))
    );
    assert_eq!(run.summary["ignored"].as_array().unwrap().len(), 3);
    assert_eq!(run.counted(Metric::EventsIgnored), 3);
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}

#[tokio::test]
async fn an_account_that_changed_is_reconciled_again_in_five_seconds_until_it_is_settled() {
    let scenario = Scenario::new(&[READERS]);
    let run = scenario.share().await;
    let RecordOutcome::Followed { after, by, .. } = &run.outcomes[0] else {
        panic!("{:?}", run.outcomes);
    };
    assert_eq!(*after, Duration::from_secs(5));
    assert_eq!(*by, [share(TEST)]);
    assert!(!scenario.share().await.is_done(), "RAM is associating");
    scenario.change(TEST, Account::settle);
    assert!(scenario.share().await.is_done());
}

#[tokio::test]
async fn the_table_says_which_accounts_shared_once_and_where_they_may_be_withdrawn() {
    let scenario = Scenario::new(&[READERS, OF_PROD]);
    scenario.run(&[SCHEDULED]).await;
    scenario.change(TEST, Account::settle);
    let version = scenario.write(&[OF_PROD]);
    scenario.hub.labelled.set(Some(version));
    // No rule names the account any more, and its own event still leads there.
    scenario.run(&[CREATED]).await;
    assert!(scenario.shares(TEST).is_empty());
    assert!(scenario.remembers(TEST), "it had a share until now");
    scenario.run(&[SCHEDULED]).await;
    assert!(!scenario.remembers(TEST), "it shares nothing");
    assert!(scenario.remembers(PROD), "a rule names it");
}

/// Rules of five owners, of which two have accounts behind them.
fn of_many() -> Scenario {
    let rules: Vec<_> = [TEST, PROD, "888888888801", "888888888802", "888888888803"]
        .iter()
        .map(|owner| {
            format!(
                r#"name: of-{owner}, owner: "{owner}", pipelines: ["*"], with: [partner], after: created"#
            )
        })
        .collect();
    Scenario::new(&rules.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn many_accounts_are_reconciled_by_a_message_each() {
    let scenario = of_many();
    let run = scenario.run(&[SCHEDULED, &share(TEST)]).await;
    let RecordOutcome::Spread { commands, .. } = &run.outcomes[0] else {
        panic!("{:?}", run.outcomes);
    };
    assert_eq!(commands.len(), 5);
    let command = reconcile(PROD);
    assert!(commands.contains(&command), "{commands:?}");
    assert!(scenario.calls(PROD).is_empty(), "its message comes");
    assert_eq!(scenario.shares(TEST).len(), 1, "a record names it");

    let run = scenario.run(&[&command]).await;
    assert_eq!(scenario.shares(PROD).len(), 1);
    assert_eq!(run.follow_ups(), [command]);
}

#[tokio::test]
async fn one_message_of_many_offers_again_what_awaits_acceptance() {
    let scenario = of_many();
    let command = reconcile(PROD);
    scenario.run(&[&command]).await;
    let offers = || scenario.accounts.offers.borrow().len();
    assert_eq!(offers(), 1);
    scenario.run(&[&share(PROD)]).await;
    assert_eq!(offers(), 1, "it is known");
    scenario.run(&[&command]).await;
    assert_eq!(offers(), 2, "it may have been lost");
}

#[tokio::test]
async fn a_direct_invocation_serves_all_accounts_and_names_those_it_had_no_time_for() {
    let scenario = of_many();
    let over = Deadline::of_invocation(Duration::ZERO);
    let run = scenario
        .invoke_within(r#"{"action":"reconcile"}"#, over)
        .await;
    assert_eq!(run.summary["outOfTime"].as_array().unwrap().len(), 5);
    assert!(scenario.calls(TEST).is_empty());
}

#[tokio::test]
async fn an_account_that_does_not_answer_delays_no_other_and_follows() {
    let scenario = Scenario::new(&[READERS, OF_PROD]);
    scenario.accounts.hanging.set(Some(TEST));
    let soon = Deadline::of_invocation(Duration::from_millis(200));
    let record = |id: &str, body: &str| Record {
        id: Some(id.to_owned()),
        body: body.to_owned(),
        attempts: 0,
        sent: None,
        received: None,
    };
    let batch = [record("m1", &share(TEST)), record("m2", &share(PROD))];
    let run = scenario.serve_within(&batch, soon).await;
    assert_eq!(scenario.shares(PROD), ["pipeshare-of-prod"]);
    assert_eq!(run.summary["outOfTime"], serde_json::json!([TEST]));
    assert_eq!(run.follow_ups(), [share(TEST)]);

    let over = Deadline::of_invocation(Duration::ZERO);
    let run = scenario.serve_within(&batch, over).await;
    let not_reached = |it: &RecordOutcome| matches!(it, RecordOutcome::NotReached);
    assert!(run.outcomes.iter().all(not_reached), "{:?}", run.outcomes);
}

#[tokio::test]
async fn an_account_that_is_tried_in_vain_is_named_in_the_end() {
    let scenario = Scenario::new(&[READERS]);
    let record = |attempts| Record {
        id: Some(format!("message-{attempts}")),
        body: reconcile(TEST),
        attempts,
        sent: Some(jiff::Timestamp::from_second(1_767_700_000).unwrap()),
        received: None,
    };
    for (attempts, messages) in [(0, 0), (7, 0), (8, 1)] {
        let fail = |account: &mut Account| {
            account
                .failures
                .next("GetResourceShares", "ServiceUnavailable");
        };
        scenario.change(TEST, fail);
        let run = scenario.serve(&[record(attempts)]).await;
        assert_eq!(run.follow_ups().len(), 1, "never a dead letter");
        assert_eq!(scenario.subjects().len(), messages);
    }
    let text = scenario.first_text();
    assert!(
        text.contains("could not be reconciled in 9 attempts"),
        "{text}"
    );
    assert!(text.contains("GetResourceShares"), "{text}");
}
