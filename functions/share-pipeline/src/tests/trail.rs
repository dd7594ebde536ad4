//! What goes on the trail, and what happens when it cannot.

use runtime::lambda::RecordOutcome;
use serde_json::Value;

use super::{CREATED, OF_PROD, PARTNERS, POLICY_WRITTEN, READERS, Scenario, TEST, share};

/// What went on the trail: the kind, what happened, and who wrote the document.
fn trail(scenario: &Scenario) -> Vec<String> {
    let trail = scenario.accounts.trail.take();
    let line = |detail: &Value| {
        let text = |member: &str| detail[member].as_str().unwrap_or("-").to_owned();
        let (change, owner, rule) = (text("change"), text("ownerName"), text("rule"));
        let writer = text("writtenBy");
        let writer = writer.rsplit('/').next().unwrap_or_default();
        format!("{change} {owner} {rule} {writer}")
    };
    let lines = trail.iter();
    let lines = lines.map(|it| format!("{}: {}", it.detail_type, line(&it.detail)));
    lines.collect()
}

#[tokio::test]
async fn what_was_granted_is_on_the_trail_once_with_who_wrote_the_version() {
    let scenario = Scenario::new(&[READERS, PARTNERS]);
    scenario.run(&[CREATED]).await;
    assert_eq!(
        trail(&scenario),
        [
            "Access Changed: granted test readers writer-of-1",
            "Access Changed: offered test partners writer-of-1",
        ]
    );
    scenario.share().await;
    assert_eq!(trail(&scenario), [""; 0]);
}

#[tokio::test]
async fn a_version_that_is_put_in_force_is_on_the_trail_before_what_it_changes() {
    let scenario = Scenario::new(&[READERS]);
    scenario.share().await;
    trail(&scenario);
    scenario.change(TEST, model::Account::settle);
    scenario.write(&[OF_PROD]);
    scenario.run(&[POLICY_WRITTEN]).await;
    assert_eq!(
        trail(&scenario),
        [
            "Policy In Force: - - - writer-of-2",
            "Access Changed: withdrawn test readers writer-of-2",
            "Access Changed: granted prod of-prod writer-of-2",
        ]
    );
}

#[tokio::test]
async fn all_access_is_recorded_by_command_and_nothing_in_a_dry_run() {
    let scenario = Scenario::new(&[READERS, OF_PROD]);
    let record = r#"{"action":"record"}"#;
    scenario.run(&[record]).await;
    trail(&scenario);
    scenario.run(&[record]).await;
    assert_eq!(
        trail(&scenario),
        [
            "Access Recorded: held test readers writer-of-1",
            "Access Recorded: held prod of-prod writer-of-1",
        ]
    );
    let of_one = format!(r#"{{"action":"record","owner":"{TEST}"}}"#);
    scenario.run(&[&of_one]).await;
    assert_eq!(trail(&scenario).len(), 1);
    scenario
        .run(&[r#"{"action":"record","dryRun":true}"#])
        .await;
    assert_eq!(trail(&scenario).len(), 0);
}

#[tokio::test]
async fn that_nobody_knows_who_wrote_it_keeps_nothing_from_being_recorded() {
    let scenario = Scenario::new(&[READERS]);
    scenario.fail("GetParameterHistory", "AccessDeniedException");
    let run = scenario.share().await;
    assert!(run.is_done() || matches!(run.outcomes[0], RecordOutcome::Followed { .. }));
    assert_eq!(trail(&scenario), ["Access Changed: granted test readers -"]);
}

#[tokio::test]
async fn a_trail_that_the_bus_does_not_take_fails_the_record_and_nothing_else() {
    let scenario = Scenario::new(&[READERS]);
    scenario.accounts.bus_fails.set(Some("ThrottlingException"));
    let run = scenario.run(&[&share(TEST)]).await;
    assert!(matches!(run.outcomes[0], RecordOutcome::Failed(_)));
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}
