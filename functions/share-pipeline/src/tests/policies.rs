//! Which policy the function goes by, and what people hear of it.

use runtime::{lambda::RecordOutcome, metrics::Metric};

use super::{CREATED, OF_PROD, POLICY_WRITTEN, PROD, READERS, SCHEDULED, Scenario, TEST, share};

#[tokio::test]
async fn a_policy_that_was_written_is_put_in_force_and_gone_by_at_once() {
    for body in [POLICY_WRITTEN, SCHEDULED] {
        let scenario = Scenario::new(&[READERS]);
        scenario.write(&[OF_PROD]);
        let run = scenario.run(&[body]).await;
        assert_eq!(run.summary["promoted"], true);
        assert_eq!(run.summary["policyVersion"], 2);
        assert_eq!(scenario.hub.labelled.get(), Some(2));
        assert_eq!(scenario.shares(PROD), ["pipeshare-of-prod"]);
        assert!(scenario.calls(TEST).is_empty());
    }
}

#[tokio::test]
async fn an_event_of_a_pipeline_and_a_dry_run_put_nothing_in_force() {
    let scenario = Scenario::new(&[READERS]);
    scenario.write(&[OF_PROD]);
    for body in [CREATED, r#"{"action":"share","dryRun":true}"#] {
        let run = scenario.run(&[body]).await;
        assert_eq!(run.summary["policyVersion"], 1);
        assert_eq!(scenario.hub.labelled.get(), Some(1));
    }
}

#[tokio::test]
async fn a_policy_with_mistakes_is_refused_once_and_the_last_good_one_stays() {
    let scenario = Scenario::new(&[READERS]);
    scenario.write(&["name: readers, owner: nobody"]);
    for _ in 0..2 {
        let run = scenario.run(&[POLICY_WRITTEN]).await;
        assert_eq!(run.summary["policyVersion"], 1);
        assert!(
            run.summary["policyRefused"]
                .as_str()
                .unwrap()
                .starts_with("version 2")
        );
        assert_eq!(run.counted(Metric::PolicyRefused), 1);
    }
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    let subjects = scenario.subjects();
    assert_eq!(
        subjects,
        ["The sharing policy was not put in force (version 2)"]
    );
}

#[tokio::test]
async fn without_a_policy_nothing_is_done_and_nothing_is_tried_again() {
    let scenario = Scenario::new(&[READERS]);
    scenario.hub.labelled.set(None);
    scenario
        .hub
        .write_policy("# Nobody has written a policy yet.\n");
    let run = scenario.run(&[POLICY_WRITTEN, CREATED]).await;
    assert!(
        run.outcomes
            .iter()
            .all(|it| matches!(it, RecordOutcome::Done))
    );
    assert_eq!(run.summary["stopped"], "no policy is in force");
    assert!(scenario.calls(TEST).is_empty());
    assert!(
        scenario.subjects().is_empty(),
        "an unwritten policy is no mistake"
    );
}

#[tokio::test]
async fn any_event_puts_a_policy_in_force_where_there_is_none_but_a_dry_run_does_not() {
    let scenario = Scenario::new(&[READERS]);
    scenario.hub.labelled.set(None);
    let dry = r#"{"action":"share","owner":"test","dryRun":true}"#;
    assert!(scenario.run(&[dry]).await.summary["policyVersion"].is_null());
    let run = scenario.run(&[CREATED]).await;
    assert_eq!(run.summary["promoted"], true);
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}

#[tokio::test]
async fn a_version_in_force_that_is_no_policy_is_told_once_a_day_and_a_good_one_takes_over() {
    let scenario = Scenario::new(&[READERS]);
    let version = scenario.hub.write_policy("rules: [");
    scenario.hub.labelled.set(Some(version));
    for _ in 0..2 {
        let run = scenario.run(&[CREATED]).await;
        assert_eq!(run.summary["stopped"], "no policy is in force");
        assert_eq!(run.counted(Metric::PolicyRefused), 1);
    }
    assert_eq!(scenario.subjects().len(), 1);
    scenario.write(&[READERS]);
    let run = scenario.run(&[CREATED]).await;
    assert_eq!(run.summary["policyVersion"], 3);
    assert!(run.summary.get("policyRefused").is_none());
    assert_eq!(scenario.subjects().len(), 1);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_fails_the_batch_and_is_told_if_only_people_can_help() {
    for (code, told) in [("ThrottlingException", 0), ("AccessDeniedException", 1)] {
        let scenario = Scenario::new(&[READERS]);
        scenario.fail("GetParameter", code);
        let run = scenario.run(&[CREATED, &share(TEST)]).await;
        assert!(
            run.outcomes
                .iter()
                .all(|it| matches!(it, RecordOutcome::Failed(_)))
        );
        assert_eq!(scenario.subjects().len(), told, "{code}");
        assert!(scenario.calls(TEST).is_empty());
    }
}

#[tokio::test]
async fn a_newest_version_that_cannot_be_read_keeps_nothing_from_being_shared() {
    let scenario = Scenario::new(&[READERS]);
    scenario
        .hub
        .failures
        .borrow_mut()
        .later("GetParameter", "AccessDeniedException", 1);
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(run.summary["policyVersion"], 1);
    assert_eq!(run.counted(Metric::PolicyRefused), 1);
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
    assert_eq!(scenario.subjects().len(), 1);

    let scenario = Scenario::new(&[READERS]);
    scenario
        .hub
        .failures
        .borrow_mut()
        .later("GetParameter", "ThrottlingException", 1);
    let run = scenario.run(&[SCHEDULED]).await;
    assert!(matches!(run.outcomes[0], RecordOutcome::Failed(_)));
}

#[tokio::test]
async fn a_label_that_cannot_be_moved_leaves_the_last_policy_in_force() {
    let scenario = Scenario::new(&[READERS]);
    scenario.write(&[OF_PROD]);
    scenario.fail("LabelParameterVersion", "AccessDeniedException");
    let run = scenario.run(&[SCHEDULED]).await;
    assert_eq!(run.summary["policyVersion"], 1);
    assert_eq!(run.summary["promoted"], false);
    assert!(run.summary["policyRefused"].is_string());
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}
