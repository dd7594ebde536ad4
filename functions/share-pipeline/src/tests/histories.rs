//! What people did by hand and what RAM does not end: in the summary, in metrics, and told.

use jiff::Timestamp;
use model::Account;
use runtime::metrics::Metric;
use serde_json::json;

use super::{PARTNERS, READERS, Scenario, TEST};

const OUTSIDER: &str = "666666666666";

impl Scenario {
    /// So many hours pass, and AWS says so.
    fn pass(&self, hours: i64) {
        let now = self.change(TEST, |account| {
            account.pass_hours(hours);
            account.time()
        });
        self.hub.time.set(Some(now));
    }

    fn texts(&self, words: &str) -> usize {
        let published = self.hub.published.borrow();
        let texts = published.iter().map(|it| &it.notification.text);
        texts.filter(|text| text.contains(words)).count()
    }
}

#[tokio::test]
async fn a_share_that_vanished_is_made_again_though_ram_knows_its_token() {
    let scenario = Scenario::new(&[READERS]);
    scenario.pass(0);
    scenario.share().await;
    scenario.change(TEST, |account| account.shares.clear());
    scenario.pass(3);
    let run = scenario.share().await;
    assert!(run.outcomes_of_steps().iter().all(|it| *it == "done"));
    assert_eq!(scenario.shares(TEST), ["pipeshare-readers"]);
}

#[tokio::test]
async fn who_was_let_in_by_somebody_else_goes_at_once_and_people_hear_of_it() {
    let scenario = Scenario::new(&[READERS]);
    scenario.share().await;
    scenario.change(TEST, Account::settle);
    scenario.change(TEST, |account| {
        account.let_in("pipeshare-readers", OUTSIDER);
    });
    let run = scenario.share().await;
    assert_eq!(
        run.summary["accounts"][0]["letIn"],
        json!([{ "share": "pipeshare-readers", "rule": "readers", "principal": OUTSIDER }])
    );
    assert_eq!(run.step(0)["reason"], "pending-invitation");
    assert!(run.outcomes_of_steps().iter().all(|it| *it == "done"));
    assert_eq!(scenario.texts("somebody let"), 1);
    let grants = scenario.change(TEST, |account| account.grants());
    assert!(grants.iter().all(|(who, ..)| who == "111111111111"));
}

#[tokio::test]
async fn an_invitation_that_ram_does_not_end_is_a_problem_after_its_time() {
    let scenario = Scenario::new(&[PARTNERS]);
    scenario.pass(0);
    scenario.share().await;
    scenario.change(TEST, Account::settle);
    scenario.pass(12);
    let run = scenario.share().await;
    assert_eq!(run.counted(Metric::AssociationsFailed), 0);
    scenario.pass(2);
    let run = scenario.share().await;
    assert_eq!(run.counted(Metric::AssociationsFailed), 1);
    let since = run.summary["accounts"][0]["problems"][0]["since"].as_str();
    assert!(since.unwrap().parse::<Timestamp>().is_ok());
    assert_eq!(scenario.texts("which is longer than RAM takes"), 1);
}

#[tokio::test]
async fn who_waits_to_be_invited_is_counted_and_the_first_are_named() {
    let accounts: Vec<_> = (0..280)
        .map(|it| format!("'{:012}'", 700_000_000_000_u64 + it))
        .collect();
    let crowd = format!(
        "name: crowd, owner: test, pipelines: ['*'], with: [{}], after: created",
        accounts.join(", ")
    );
    let scenario = Scenario::new(&[&crowd]);
    scenario.pass(0);
    let run = scenario.share().await;
    let account = &run.summary["accounts"][0];
    assert_eq!(account["uninvitedCount"], 30);
    assert_eq!(account["uninvited"].as_array().unwrap().len(), 20);
    assert_eq!(scenario.shares(TEST).len(), 250);
    assert_eq!(scenario.texts("wait to be invited"), 0);
    scenario.change(TEST, Account::settle);
    scenario.pass(2);
    let run = scenario.share().await;
    assert!(run.outcomes_of_steps().is_empty());
    assert_eq!(scenario.texts("30 accounts wait to be invited"), 1);
}
