//! What was done in an account, in which order, and what failures come to.

use domain::sharing::{Association, Lookalike};
use model::Account;
use runtime::{lambda::RecordOutcome, metrics::Metric};

use super::{GATED, OF_PROD, PARTNERS, PROD, READERS, SCHEDULED, Scenario, TEST, reconcile, share};

#[tokio::test]
async fn nothing_is_shared_before_the_account_is_remembered() {
    let scenario = Scenario::new(&[READERS, PARTNERS]);
    scenario.fail("PutItem", "AccessDeniedException");
    let run = scenario.share().await;
    assert!(run.outcomes_of_steps().iter().all(|it| *it == "skipped"));
    assert!(scenario.shares(TEST).is_empty());
    assert!(scenario.accounts.offers.borrow().is_empty());
    assert_eq!(run.counted(Metric::AccountFailed), 1);
    assert_eq!(scenario.subjects().len(), 1);
    scenario.share().await;
    assert!(scenario.remembers(TEST));
    assert_eq!(scenario.shares(TEST).len(), 2);
}

#[tokio::test]
async fn nothing_is_shared_before_what_was_proved_is_remembered() {
    let scenario = Scenario::new(&[GATED]);
    scenario.run(&[SCHEDULED]).await;
    scenario.change(TEST, |account| account.succeed("churn"));
    for failing in [1, 2] {
        scenario
            .hub
            .failures
            .borrow_mut()
            .all("PutItem", "AccessDeniedException", failing);
        let run = scenario.share().await;
        assert!(run.outcomes_of_steps().iter().all(|it| *it == "skipped"));
    }
    scenario.hub.failures.take();
    scenario.share().await;
    assert_eq!(
        scenario.hub.table.list("gate|succeeded|222222222222").len(),
        1
    );
    assert_eq!(scenario.shares(TEST), ["pipeshare-gated"]);
}

#[tokio::test]
async fn a_success_that_was_proved_is_not_asked_for_again() {
    let scenario = Scenario::new(&[GATED]);
    scenario.change(TEST, |account| account.succeed("churn"));
    scenario.share().await;
    scenario.change(TEST, Account::settle);
    scenario.share().await;
    let calls = scenario.calls(TEST);
    let asked = calls.iter().filter(|it| **it == "ListPipelineExecutions");
    assert_eq!(asked.count(), 1);
    // And it is forgotten with its pipeline, by the schedule: an event has both read at once.
    let remembered = || scenario.hub.table.list("gate|succeeded|222222222222").len();
    scenario.change(TEST, |account| account.recreate_pipeline("churn"));
    let run = scenario.share().await;
    assert_eq!(run.step(0)["reason"], "pipeline-recreated");
    assert_eq!(remembered(), 1);
    scenario.run(&[SCHEDULED]).await;
    assert_eq!(remembered(), 0);
}

#[tokio::test]
async fn a_share_is_offered_when_somebody_is_invited_and_on_schedule_until_accepted() {
    let scenario = Scenario::new(&[PARTNERS]);
    let offered = || scenario.accounts.offers.borrow().len();
    scenario.share().await;
    assert_eq!(offered(), 1);
    let arn = scenario.change(TEST, |account| account.shares[0].arn.clone());
    assert_eq!(scenario.accounts.offers.borrow()[0].share, arn);
    scenario.share().await;
    assert_eq!(offered(), 1, "it was offered before");
    scenario.run(&[SCHEDULED]).await;
    assert_eq!(offered(), 2, "it may have been lost");
    scenario.change(TEST, |account| {
        account.settle();
        account.accept_all();
    });
    scenario.run(&[SCHEDULED]).await;
    assert_eq!(offered(), 2, "it was accepted");
}

#[tokio::test]
async fn offers_that_could_not_be_sent_fail_the_record_although_the_share_is_there() {
    let scenario = Scenario::new(&[PARTNERS]);
    scenario.accounts.bus_fails.set(Some("ThrottlingException"));
    let run = scenario.share().await;
    assert!(matches!(run.outcomes[0], RecordOutcome::Failed(_)));
    assert_eq!(scenario.shares(TEST).len(), 1);
}

#[tokio::test]
async fn an_invitation_that_expired_is_made_again_and_told_once() {
    let scenario = Scenario::new(&[PARTNERS]);
    scenario.share().await;
    scenario.change(TEST, |account| {
        account.settle();
        account.expire_invitations();
    });
    let run = scenario.share().await;
    assert_eq!(run.step(0)["reason"], "invitation-expired");
    assert_eq!(scenario.accounts.offers.borrow().len(), 2);
    assert_eq!(
        scenario.subjects(),
        ["partner did not accept what test shares"]
    );
}

#[tokio::test]
async fn a_failure_that_may_pass_has_the_record_delivered_again_and_notifies_nobody() {
    let scenario = Scenario::new(&[READERS]);
    scenario.change(TEST, |account| {
        account
            .failures
            .next("CreateResourceShare", "ThrottlingException");
    });
    let run = scenario.share().await;
    let RecordOutcome::Failed(error) = &run.outcomes[0] else {
        panic!("{:?}", run.outcomes);
    };
    assert!(error.to_string().contains("in 222222222222"), "{error}");
    assert!(scenario.subjects().is_empty());
    assert_eq!(run.counted(Metric::AccountFailed), 0);
    assert!(!scenario.share().await.is_done(), "the next one shares");
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}

#[tokio::test]
async fn a_failure_that_only_people_can_fix_is_acknowledged_and_told_once_a_day() {
    let scenario = Scenario::new(&[READERS]);
    for _ in 0..2 {
        scenario.change(TEST, |account| {
            account
                .failures
                .next("ListPipelines", "AccessDeniedException");
        });
        let run = scenario.share().await;
        assert!(run.is_done());
        assert_eq!(run.counted(Metric::AccountFailed), 1);
        assert!(run.summary["accounts"][0]["error"].is_string());
    }
    assert_eq!(
        scenario.subjects(),
        ["pipeshare cannot do its work in test"]
    );
}

#[tokio::test]
async fn what_is_pending_is_tried_again_soon_and_is_no_failure() {
    let scenario = Scenario::new(&[READERS]);
    scenario.change(TEST, |account| {
        account
            .failures
            .next("CreateResourceShare", "InvalidStateTransitionException");
    });
    let run = scenario.share().await;
    assert_eq!(run.outcomes_of_steps(), ["failed", "skipped", "skipped"]);
    assert_eq!(run.follow_ups(), [share(TEST)]);
    assert!(scenario.subjects().is_empty());
}

#[tokio::test]
async fn on_schedule_only_the_accounts_that_failed_are_tried_again() {
    let scenario = Scenario::new(&[READERS, OF_PROD]);
    scenario.run(&[SCHEDULED]).await;
    for id in [TEST, PROD] {
        scenario.change(id, Account::settle);
    }
    scenario.change(PROD, |account| {
        account
            .failures
            .next("GetResourceShares", "ThrottlingException");
    });
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(run.follow_ups(), [reconcile(PROD)]);
}

#[tokio::test]
async fn a_step_that_fails_ends_those_of_its_share_and_no_others() {
    let scenario = Scenario::new(&[READERS, PARTNERS]);
    scenario.change(TEST, |account| {
        account
            .failures
            .next("CreateResourceShare", "AccessDeniedException");
    });
    let run = scenario.share().await;
    assert_eq!(
        run.outcomes_of_steps(),
        ["failed", "skipped", "skipped", "done", "done", "done"]
    );
    assert_eq!(run.counted(Metric::SharesCreated), 1);
    assert_eq!(run.counted(Metric::PrincipalsAdded), 1);
    assert_eq!(scenario.shares(TEST).len(), 1);
    assert_eq!(run.follow_ups(), [share(TEST)], "something changed");
}

#[tokio::test]
async fn what_iam_refuses_is_told_with_the_parameter_that_is_in_the_way() {
    let scenario = Scenario::new(&[READERS]);
    *scenario.accounts.ceiling.borrow_mut() = Some(
        r#"{"allowedPrincipals":["999999999999"],"allowedAccess":"read","allowedPermissions":[],"shareNamePrefix":"pipeshare-"}"#
            .to_owned(),
    );
    scenario.share().await;
    scenario.change(TEST, |account| {
        account.settle();
        account.shares[0].principals.clear();
        account
            .failures
            .next("AssociateResourceShare", "AccessDeniedException");
    });
    let run = scenario.share().await;
    let refused = run.step(0)["refusedBy"].as_str().unwrap();
    assert!(refused.contains("AllowedPrincipals"), "{refused}");
    let text = scenario.first_text();
    assert!(text.contains("AllowedPrincipals"), "{text}");
}

#[tokio::test]
async fn the_ceiling_is_asked_for_in_a_dry_run_and_otherwise_only_if_iam_refused() {
    let scenario = Scenario::new(&[READERS]);
    let asked = || scenario.accounts.ceilings_read.get();
    scenario.share().await;
    assert_eq!(asked(), 0);
    let dry = r#"{"action":"share","owner":"test","dryRun":true}"#;
    let run = scenario.run(&[dry]).await;
    assert_eq!(asked(), 1);
    assert!(run.summary["accounts"][0]["ceiling"]["unknown"].is_string());
}

#[tokio::test]
async fn a_pipeline_that_is_recreated_while_it_is_shared_is_noticed_at_once() {
    let scenario = Scenario::new(&[GATED]);
    scenario.change(TEST, |account| account.succeed("churn"));
    scenario.accounts.recreated.set(Some("churn"));
    scenario.change(TEST, |account| account.settles_at_once = true);
    let run = scenario.share().await;
    let steps = run.summary["accounts"][0]["steps"].as_array().unwrap();
    let reasons: Vec<_> = steps
        .iter()
        .filter_map(|it| it["reason"].as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "first-pipeline",
            "execution-succeeded",
            "principal-named",
            "gate-not-passed"
        ]
    );
    let holds = |it: &Association| it.status.is_present();
    let held = scenario.change(TEST, |account| {
        account.shares[0].resources.iter().any(holds)
    });
    assert!(!held, "the new one has not passed the gate");
}

#[tokio::test]
async fn a_rule_that_was_withdrawn_takes_its_shares_with_it() {
    let scenario = Scenario::new(&[READERS, PARTNERS]);
    scenario.share().await;
    scenario.change(TEST, Account::settle);
    scenario.write(&[PARTNERS]);
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(run.step(0)["reason"], "rule-gone");
    assert_eq!(scenario.shares(TEST), ["pipeshare-partners.444444444444"]);
    assert_eq!(run.counted(Metric::SharesDeleted), 1);
}

#[tokio::test]
async fn what_ram_refuses_to_associate_is_a_problem_that_people_hear_of() {
    let scenario = Scenario::new(&[READERS]);
    scenario.change(TEST, |account| {
        account.refused.insert("111111111111".to_owned());
    });
    let run = scenario.share().await;
    assert_eq!(run.outcomes_of_steps(), ["done", "done", "done"]);
    assert_eq!(run.counted(Metric::AssociationsFailed), 1);
    assert_eq!(
        run.summary["accounts"][0]["problems"][0]["entity"],
        "111111111111"
    );
    assert_eq!(scenario.subjects().len(), 1);
}

#[tokio::test]
async fn a_share_of_the_same_name_without_our_tags_is_told_and_not_touched() {
    let scenario = Scenario::new(&[READERS]);
    scenario.change(TEST, |account| {
        account.lookalikes.push(Lookalike {
            share: "pipeshare-readers".to_owned(),
            arn: "arn:aws:ram:us-east-1:222222222222:resource-share/mine"
                .parse()
                .unwrap(),
        });
    });
    scenario.share().await;
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    let text = scenario.first_text();
    assert!(text.contains("without the tags of pipeshare"), "{text}");
}
