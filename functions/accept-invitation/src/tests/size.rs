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

/// A command so many minutes later.
fn later(command: &Value, minutes: i64) -> Record {
    let Record { sent, received, .. } = minutes_later(minutes);
    Record {
        sent,
        received,
        ..record(command, 0)
    }
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
    assert_eq!((followed(&outcome).len(), gone_on(&outcome).len()), (0, 1));
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
async fn what_is_left_is_gone_on_with_and_what_was_read_is_not_read_again() {
    let (scenario, _) = large_shares(27);
    let mut noted = 0;
    let mut next = minutes_later(0);
    for minute in 1.. {
        scenario.dev(|dev| dev.calls.clear());
        let (outcome, account) = scenario.serve(next).await;
        let changes = account["changes"].as_array().unwrap().len();
        noted += changes;
        // One more is read, which is noted by the next.
        let lists = scenario.dev(|dev| dev.count(LIST));
        assert!(lists <= changes + 4, "{lists} lists for {changes}");
        if account["isCutShort"].is_null() {
            assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");
            assert_eq!(account["from"]["owner"], TEST);
            break;
        }
        assert_eq!(followed(&outcome), [""; 0]);
        let [command] = gone_on(&outcome) else {
            panic!("{outcome:?}");
        };
        let command: Value = serde_json::from_str(command).unwrap();
        assert_eq!(command["from"], account["leftAt"]);
        next = later(&command, minute);
    }
    assert_eq!(noted, 27);
}

#[tokio::test]
async fn who_wants_all_of_it_meanwhile_gets_it_after_what_is_left() {
    let (scenario, _) = large_shares(14);
    let (outcome, account) = scenario.serve(minutes_later(0)).await;
    let command: Value = serde_json::from_str(&gone_on(&outcome)[0]).unwrap();
    let (reply, _) = scenario
        .handle(&[later(&command, 1), minutes_later(1)])
        .await;
    let rest = &reply.summary["accounts"][0];
    assert_eq!(rest["from"], account["leftAt"]);
    assert_eq!(rest["shares"].as_array().unwrap().len(), 1, "{rest}");
    let [done, not_reached] = &reply.outcomes[..] else {
        panic!("{:?}", reply.outcomes);
    };
    assert!(matches!(done, RecordOutcome::Done), "{done:?}");
    let is_requeued = matches!(not_reached, RecordOutcome::NotReached);
    assert!(is_requeued, "{not_reached:?}");
}

#[tokio::test]
async fn what_takes_all_of_the_time_keeps_nothing_else_waiting() {
    let (scenario, shares) = large_shares(2);
    let names: Vec<_> = (0..50_001).map(|it| format!("p{it}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    scenario.dev(|dev| dev.put(&shares[0], &names));
    // Other shares of the first rule are not looked into any more, but for a sample.
    for part in [2, 3] {
        let name = format!("pipeshare-r0.{DEV}.{part}");
        scenario.dev(|dev| dev.receive(TEST, &name, &["p0-b"]));
    }
    let (outcome, account) = scenario.serve(minutes_later(0)).await;
    assert_eq!(account["leftAt"]["rule"], "r1", "{}", account["leftAt"]);
    let again = json!({ "action": "accept", "account": DEV });
    assert_eq!(followed(&outcome), [again.to_string()]);
    let rest: Value = serde_json::from_str(&gone_on(&outcome)[0]).unwrap();
    let (outcome, account) = scenario.serve(later(&rest, 1)).await;
    assert_eq!(
        account["changes"][0]["rule"], "r1",
        "{}",
        account["changes"]
    );
    assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");
}

#[tokio::test]
async fn a_loss_is_told_although_not_everything_is_looked_into() {
    let (scenario, shares) = large_shares(27);
    scenario.serve(minutes_later(0)).await;
    // Its turn is before what is left.
    scenario.dev(|dev| dev.shares.retain(|share| share.arn != shares[0]));
    let lost = |account: &Value| -> u64 {
        let changes = account["changes"].as_array().into_iter().flatten();
        changes.filter_map(|change| change["lost"].as_u64()).sum()
    };
    let (outcome, account) = scenario.serve(minutes_later(1)).await;
    assert_eq!(lost(&account), 0, "it must be seen twice");
    assert_eq!(account["isCutShort"], true);
    // What comes next is gone on with, and the loss is to be seen again.
    let rest = json!({ "action": "accept", "account": DEV, "from": account["leftAt"] });
    let again = json!({ "action": "accept", "account": DEV });
    assert_eq!(followed(&outcome), [again.to_string()]);
    assert_eq!(gone_on(&outcome), [rest.to_string()]);
    let (_, account) = scenario.serve(later(&rest, 2)).await;
    assert_eq!(account["shares"].as_array().unwrap().len(), 1, "{account}");
    assert_eq!(lost(&account), 4_000);
}

#[tokio::test]
async fn a_dry_run_shows_all_of_it_at_once() {
    let (scenario, _) = large_shares(14);
    let dry_run = json!({ "action": "accept", "account": DEV, "dryRun": true });
    let (_, account) = scenario.serve(command(&dry_run)).await;
    assert!(account["isCutShort"].is_null(), "{account}");
    assert_eq!(account["shares"].as_array().unwrap().len(), 14);
}
