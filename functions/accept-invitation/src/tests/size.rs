//! What an account has may be more than the memory has room for at once.

use super::{
    calls::{LIST, PROOF, minutes_later, shared_by_rules},
    *,
};

/// So many shares with 4,000 pipelines each.
fn large_shares(count: usize) -> (Scenario, Vec<ShareArn>) {
    let (scenario, shares) = shared_by_rules(count);
    for (number, share) in shares.iter().enumerate() {
        let names: Vec<_> = (0..4_000).map(|it| format!("p{number}-{it}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        scenario.dev(|dev| dev.put(share, &names));
    }
    (scenario, shares)
}

#[tokio::test]
async fn large_shares_are_read_one_by_one_or_by_a_few_once_their_size_is_known() {
    let (scenario, _) = large_shares(6);
    assert_eq!(scenario.counted(0, [LIST, PROOF]).await, [7, 6]);
    let [lists, proofs] = scenario.counted(15, [LIST, PROOF]).await;
    assert_eq!(lists, 3);
    assert!(proofs < 6, "{proofs}");
}

#[tokio::test]
async fn what_is_new_is_noted_in_portions_until_all_of_it_was_told_and_then_losses_are_told_too() {
    let (scenario, shares) = large_shares(14);
    let (outcome, account) = scenario.serve(minutes_later(0)).await;
    assert_eq!(account["isCutShort"], true, "{account}");
    assert_eq!(account["changes"].as_array().unwrap().len(), 13);
    assert_eq!(followed(&outcome).len(), 1);
    let (outcome, account) = scenario.serve(minutes_later(1)).await;
    assert!(account["isCutShort"].is_null(), "{account}");
    assert_eq!(account["changes"].as_array().unwrap().len(), 1);
    assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");

    let (_, account) = scenario.serve(minutes_later(2)).await;
    assert!(account["changes"].is_null(), "{account}");
    scenario.dev(|dev| dev.put(&shares[3], &["p3-1", "p3-2"]));
    scenario.serve(minutes_later(3)).await;
    let (_, account) = scenario.serve(minutes_later(4)).await;
    assert_eq!(account["changes"][0]["lost"], 3_998, "{account}");
}

#[tokio::test]
async fn a_dry_run_shows_all_of_it_at_once() {
    let (scenario, _) = large_shares(14);
    let dry_run = json!({ "action": "accept", "account": DEV, "dryRun": true });
    let (_, account) = scenario.serve(command(&dry_run)).await;
    assert!(account["isCutShort"].is_null(), "{account}");
    assert_eq!(account["shares"].as_array().unwrap().len(), 14);
}
