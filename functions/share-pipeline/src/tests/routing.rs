//! Which accounts a record leads to, and what becomes of it.

use std::time::Duration;

use model::Account;
use runtime::{lambda::RecordOutcome, metrics::Metric};

use super::{
    CREATED, GATED, OF_PROD, OFFERED, PROD, READERS, SCHEDULED, SUCCEEDED, Scenario, TEST, share,
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
    assert_eq!(run.follow_ups(), [share(TEST), share(PROD)]);
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
    let RecordOutcome::Followed { after, by } = &run.outcomes[0] else {
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
