//! What a reconciliation asks for, and what it does not ask again.

use super::*;

/// So many rules of one owner, each with a share of its own.
pub(super) fn shared_by_rules(rules: usize) -> (Scenario, Vec<ShareArn>) {
    let rule = |number| {
        format!(
            "  - {{ name: r{number}, owner: test, pipelines: [\"p*\"], with: [dev], access: read, after: created }}\n"
        )
    };
    let rules: Vec<_> = (0..rules).map(rule).collect();
    let policy = format!(
        "version: 1\naccounts: {{ dev: \"{DEV}\", test: \"{TEST}\" }}\nrules:\n{}",
        rules.concat()
    );
    let scenario = Scenario::by(&policy);
    let receive = |number| {
        let name = format!("pipeshare-r{number}.{DEV}");
        let pipelines = [format!("p{number}"), format!("p{number}-b")];
        let pipelines = pipelines.each_ref().map(String::as_str);
        scenario.dev(|dev| dev.receive(TEST, &name, &pipelines))
    };
    let shares = (0..rules.len()).map(receive).collect();
    (scenario, shares)
}

/// A reconciliation so many minutes later.
pub(super) fn minutes_later(minutes: i64) -> Record {
    let mut record = accept_dev();
    let time = Timestamp::from_second(1_767_700_000 + 60 * minutes).unwrap();
    (record.sent, record.received) = (Some(time), Some(time));
    record
}

impl Scenario {
    /// How often each of these was called in a reconciliation so many minutes later.
    pub(super) async fn counted<const N: usize>(
        &self,
        minutes: i64,
        operations: [&str; N],
    ) -> [usize; N] {
        self.dev(|dev| dev.calls.clear());
        let (_, account) = self.serve(minutes_later(minutes)).await;
        assert!(account["error"].is_null(), "{account}");
        operations.map(|operation| self.dev(|dev| dev.count(operation)))
    }
}

pub(super) const LIST: &str = "ListResources";
pub(super) const PROOF: &str = "DescribePipeline";

#[tokio::test]
async fn what_is_in_shares_costs_a_list_for_twenty_and_a_proof_each_only_when_it_is_new() {
    let (scenario, _) = shared_by_rules(45);
    assert_eq!(scenario.counted(0, [LIST, PROOF]).await, [3, 45]);
    let mut proofs = 0;
    for quarter in 1..=96 {
        let [lists, proven] = scenario.counted(15 * quarter, [LIST, PROOF]).await;
        assert_eq!(lists, 3);
        assert!((1..=25).contains(&proven), "{proven}");
        proofs += proven;
    }
    // One each time, and each share in one hour of the day and ten minutes more.
    assert!(
        (96 + 45 * 4 - 10..=96 + 45 * 6).contains(&proofs),
        "{proofs}"
    );
}

#[tokio::test]
async fn every_share_is_proven_within_a_day() {
    let (scenario, shares) = shared_by_rules(10);
    scenario.serve(minutes_later(0)).await;
    for number in 0..shares.len() {
        let denied = [format!("p{number}"), format!("p{number}-b")];
        let arn = |name: &String| format!("arn:aws:sagemaker:us-east-1:{TEST}:pipeline/{name}");
        let denied = denied.iter().map(|name| arn(name).parse().unwrap());
        scenario.dev(|dev| dev.denied = denied.collect());
        let mut is_found = false;
        for quarter in 1..=96 {
            let (_, account) = scenario.serve(minutes_later(15 * quarter)).await;
            let shares = account["shares"].as_array().unwrap();
            is_found |= shares.iter().any(|it| it["inspection"] == "no-access");
        }
        assert!(is_found, "share {number}");
    }
    assert!(!scenario.hub.published_to("hub").is_empty());
}

#[tokio::test]
async fn when_all_is_denied_the_next_reconciliation_finds_all_of_it() {
    let (scenario, _) = shared_by_rules(45);
    scenario.serve(minutes_later(0)).await;
    let all = scenario.dev(|dev| dev.contents.clone());
    let all = all.values().flatten().map(|it| it.arn.parse().unwrap());
    scenario.dev(|dev| dev.denied = all.collect());
    let (_, account) = scenario.serve(minutes_later(15)).await;
    let shares = account["shares"].as_array().unwrap();
    let denied = shares.iter().filter(|it| it["inspection"] == "no-access");
    assert_eq!(denied.count(), 45);
}

#[tokio::test]
async fn a_share_that_has_changed_is_proven_at_once_and_so_is_all_that_people_ask_for() {
    let (scenario, shares) = shared_by_rules(10);
    scenario.serve(minutes_later(0)).await;
    scenario.dev(|dev| dev.put(&shares[7], &["p7", "p7-c"]));
    let (_, account) = scenario.serve(minutes_later(15)).await;
    let inspections = account["shares"].as_array().unwrap().iter();
    let changed = inspections
        .clone()
        .find(|it| it["share"] == shares[7].as_str());
    assert_eq!(changed.unwrap()["inspection"], "proven");
    let unchanged = inspections.filter(|it| it["inspection"] == "unchanged");
    assert!(unchanged.count() > 5, "{account}");

    scenario.dev(|dev| dev.calls.clear());
    let mut direct = minutes_later(30);
    direct.id = None;
    scenario.serve(direct).await;
    assert_eq!(scenario.dev(|dev| dev.count(PROOF)), 10);
}

#[tokio::test]
async fn a_share_that_vanishes_while_others_are_read_spoils_no_other() {
    let (scenario, _) = shared_by_rules(10);
    scenario.fail_next(LIST, "UnknownResourceException");
    assert_eq!(scenario.counted(0, [LIST, PROOF]).await, [11, 10]);
    scenario.fail_next(LIST, "ServerInternalException");
    scenario.dev(|dev| dev.calls.clear());
    let (_, account) = scenario.serve(minutes_later(15)).await;
    assert_eq!(
        scenario.dev(|dev| dev.count(LIST)),
        1,
        "it is tried again later"
    );
    assert!(account["shares"][9]["error"].is_string(), "{account}");
}

#[tokio::test]
async fn something_else_in_an_unchanged_share_is_seen_at_once() {
    let (scenario, shares) = shared_by_rules(10);
    scenario.serve(minutes_later(0)).await;
    scenario.dev(|dev| {
        let subnet = Resource {
            arn: format!("arn:aws:ec2:us-east-1:{TEST}:subnet/s-1"),
            kind: "ec2:Subnet".to_owned(),
            associated: None,
        };
        dev.contents.get_mut(&shares[4]).unwrap().push(subnet);
    });
    let (_, account) = scenario.serve(minutes_later(15)).await;
    let mut inspections = account["shares"].as_array().unwrap().iter();
    let odd = inspections.find(|it| it["share"] == shares[4].as_str());
    assert_eq!(odd.unwrap()["inspection"], "distrusted");
}
