//! The function on in-memory accounts.

mod calls;
mod size;

use std::{cell::RefCell, collections::BTreeMap, ops::ControlFlow, time::Duration};

use aws::Error;
use domain::{
    id::{AccountId, InvitationArn, PipelineArn, ShareArn},
    invitation::{Accepted, Invitation, ReceivedShare, Resource},
    notification::Notification,
    policy::Place,
    status::InvitationStatus,
    trigger::Offer,
};
use jiff::Timestamp;
use model::{Consumer, Failure, HUB_TOPIC, Hub};
use runtime::{
    config::{Identity, Settings, Worker},
    lambda::{Deadline, Function, Record, RecordOutcome, Reply},
    metrics::{Metric, Metrics},
};
use serde_json::{Value, json};

use crate::{AcceptInvitation, Config, Consumers};

const DEV: &str = "111111111111";
const TEST: &str = "222222222222";
const STRANGER: &str = "999999999999";
const SHARE: &str = "pipeshare-readers.111111111111";

const POLICY: &str = r#"
version: 1
accounts:
  dev: "111111111111"
  test: "222222222222"
rules:
  - { name: readers, owner: test, pipelines: ["churn*"], with: [dev], access: read, after: created }
"#;

/// The consumer accounts, by id.
#[derive(Debug, Default)]
struct Accounts(RefCell<BTreeMap<AccountId, Consumer>>);

impl Accounts {
    fn with<T>(
        &self,
        account: &AccountId,
        service: &'static str,
        call: impl FnOnce(&mut Consumer) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let mut accounts = self.0.borrow_mut();
        let consumer = accounts.get_mut(account).expect("the account exists");
        call(consumer).map_err(|failure| failure.error(service, Some(account)))
    }
}

impl Consumers for Accounts {
    async fn invitations_to(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<Invitation>, Error> {
        self.with(consumer, "ram", |it| it.invitations(Some(shares)))
    }

    async fn each_invitation(
        &self,
        consumer: &AccountId,
        mut take: impl FnMut(Vec<Invitation>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let page = self.with(consumer, "ram", |it| it.invitations(None))?;
        let _ = take(page);
        Ok(())
    }

    async fn shares_among(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<ReceivedShare>, Error> {
        self.with(consumer, "ram", |it| it.shares(Some(shares)))
    }

    async fn each_share(
        &self,
        consumer: &AccountId,
        mut take: impl FnMut(Vec<ReceivedShare>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let page = self.with(consumer, "ram", |it| it.shares(None))?;
        let _ = take(page);
        Ok(())
    }

    async fn pending_resources(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Option<Vec<Resource>>, Error> {
        self.with(consumer, "ram", |it| it.pending_resources(invitation))
    }

    async fn resources(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
        most: usize,
    ) -> Result<Option<BTreeMap<ShareArn, Vec<Resource>>>, Error> {
        let inside = self.with(consumer, "ram", |it| it.resources(shares))?;
        let count: usize = inside.values().map(Vec::len).sum();
        Ok(Some(inside).filter(|_| shares.len() == 1 || count <= most))
    }

    async fn accept(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Accepted, Error> {
        self.with(consumer, "ram", |it| it.accept(invitation))
    }

    async fn reject(&self, consumer: &AccountId, invitation: &InvitationArn) -> Result<(), Error> {
        self.with(consumer, "ram", |it| it.reject(invitation))
    }

    async fn describe(&self, consumer: &AccountId, pipeline: &PipelineArn) -> Result<(), Error> {
        self.with(consumer, "sagemaker", |it| it.describe(pipeline))
    }
}

/// The function, the hub and one consumer account.
struct Scenario {
    hub: Hub,
    accounts: Accounts,
    rejects: bool,
}

impl Scenario {
    fn new() -> Self {
        Self::by(POLICY)
    }

    fn by(policy: &str) -> Self {
        let accounts = Accounts::default();
        let dev = Consumer::new(DEV);
        accounts.0.borrow_mut().insert(dev.id.clone(), dev);
        Self {
            hub: Hub::with_policy(policy),
            accounts,
            rejects: false,
        }
    }

    fn dev<T>(&self, change: impl FnOnce(&mut Consumer) -> T) -> T {
        let mut accounts = self.accounts.0.borrow_mut();
        change(accounts.get_mut(&id(DEV)).unwrap())
    }

    fn fail_next(&self, operation: &'static str, code: &str) {
        self.dev(|dev| dev.failures.next(operation, code));
    }

    fn statuses(&self) -> Vec<InvitationStatus> {
        let status = |it: &Invitation| it.status.clone();
        self.dev(|dev| dev.invitations.iter().map(status).collect())
    }

    fn function(&self) -> AcceptInvitation<'_, Hub, Accounts> {
        let config = Config {
            worker: Worker {
                settings: Settings {
                    identity: Identity {
                        place: Place {
                            partition: "aws".to_owned(),
                            region: "us-east-1".parse().unwrap(),
                        },
                        function: "accept-invitation".to_owned(),
                    },
                    policy: "/p".to_owned(),
                    table: "t".to_owned(),
                },
                topic: HUB_TOPIC.to_owned(),
                bus: "pipeshare-hub".to_owned(),
                queue_url: Some("https://queue".to_owned()),
            },
            rejects: self.rejects,
        };
        AcceptInvitation::new(&self.accounts, &self.hub, config)
    }

    async fn handle(&self, batch: &[Record]) -> (Reply, Metrics) {
        let deadline = Deadline::of_invocation(Duration::from_mins(1));
        let metrics = Metrics::default();
        let reply = self.function().handle(batch, deadline, &metrics).await;
        (reply, metrics)
    }

    /// Serves one record; what became of it, and the report of the account.
    async fn serve(&self, record: Record) -> (RecordOutcome, Value) {
        let (reply, _) = self.handle(&[record]).await;
        let account = reply.summary["accounts"][0].clone();
        (reply.outcomes.into_iter().next().unwrap(), account)
    }
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn record(body: &Value, attempts: u32) -> Record {
    let sent = Timestamp::from_second(1_767_700_000).unwrap();
    Record {
        id: Some("m-1".to_owned()),
        body: body.to_string(),
        attempts,
        sent: Some(sent),
        received: Some(sent),
    }
}

fn command(body: &Value) -> Record {
    record(body, 0)
}

fn accept_dev() -> Record {
    command(&json!({ "action": "accept", "account": DEV }))
}

/// The last attempt, after which people are notified of what seems wrong.
fn last_attempt() -> Record {
    record(&json!({ "action": "accept", "account": DEV }), 5)
}

fn offer(share: &ShareArn) -> Record {
    let offer = Offer {
        owner: id(TEST),
        consumer: id(DEV),
        share: share.clone(),
        rule: "readers".to_owned(),
    };
    command(&offer.event())
}

fn followed(outcome: &RecordOutcome) -> &[String] {
    match outcome {
        RecordOutcome::Followed { by, .. } => by,
        other => panic!("{other:?}"),
    }
}

/// The commands that go on where the time ended.
fn gone_on(outcome: &RecordOutcome) -> &[String] {
    match outcome {
        RecordOutcome::Followed { next, .. } => next,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_invitation_that_holds_what_the_rule_names_is_accepted_and_proved() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    let (outcome, account) = scenario.serve(offer(&share)).await;
    assert_eq!(account["invitations"][0]["answer"], "accepted");
    assert!(!followed(&outcome).is_empty(), "it is inspected next");
    let (outcome, account) = scenario.serve(accept_dev()).await;
    assert_eq!(account["shares"][0]["inspection"], "proven");
    assert!(matches!(outcome, RecordOutcome::Done), "{outcome:?}");
    let told = scenario.hub.published_to("111111111111/topic");
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("churn"), "{}", told[0].text);
}

#[tokio::test]
async fn an_offer_asks_for_its_share_only() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.invite(STRANGER, "pipeshare-x.111111111111", &["evil"]));
    let share = scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    scenario.serve(offer(&share)).await;
    assert_eq!(
        scenario.dev(|dev| dev.count("ListPendingInvitationResources")),
        1
    );
    let expected = [InvitationStatus::Pending, InvitationStatus::Accepted];
    assert_eq!(scenario.statuses(), expected);
}

#[tokio::test]
async fn an_offer_that_the_policy_could_not_have_made_is_not_followed() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    let forged = Offer {
        owner: id(STRANGER),
        consumer: id(DEV),
        share,
        rule: "readers".to_owned(),
    };
    let (outcome, _) = scenario.serve(command(&forged.event())).await;
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(scenario.dev(|dev| dev.calls.len()), 0);
}

#[tokio::test]
async fn an_offer_that_is_not_visible_yet_is_requeued_as_an_offer() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    scenario.dev(|dev| dev.invitations.clear());
    let (outcome, account) = scenario.serve(offer(&share)).await;
    assert_eq!(account["offers"][0]["state"], "not-visible-yet");
    assert!(
        followed(&outcome)[0].contains("Share Offered"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_invitation_with_nothing_inside_stays_pending() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.invite(TEST, SHARE, &[]));
    let (outcome, account) = scenario.serve(accept_dev()).await;
    assert_eq!(account["invitations"][0]["answer"], "nothing-inside");
    assert_eq!(scenario.statuses(), [InvitationStatus::Pending]);
    assert_eq!(followed(&outcome).len(), 1);
}

#[tokio::test]
async fn an_invitation_that_holds_more_than_the_rule_names_is_refused_and_reported() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn", "payroll"]));
    let (_, account) = scenario.serve(accept_dev()).await;
    assert_eq!(account["invitations"][0]["answer"], "refused");
    assert_eq!(scenario.statuses(), [InvitationStatus::Pending]);
    let told = scenario.hub.published_to("hub");
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains("payroll"), "{}", told[0].text);
}

#[tokio::test]
async fn what_is_refused_is_rejected_if_that_is_the_setting() {
    let mut scenario = Scenario::new();
    scenario.rejects = true;
    scenario.dev(|dev| dev.invite(TEST, SHARE, &["payroll"]));
    scenario.dev(|dev| dev.invite(STRANGER, "pipeshare-x.111111111111", &["evil"]));
    scenario.serve(accept_dev()).await;
    let expected = [InvitationStatus::Rejected, InvitationStatus::Rejected];
    assert_eq!(scenario.statuses(), expected);
}

#[tokio::test]
async fn strangers_cost_no_call_of_their_own_and_are_reported_together() {
    let scenario = Scenario::new();
    for number in 0..30 {
        let name = format!("pipeshare-x{number}.111111111111");
        scenario.dev(|dev| dev.invite(STRANGER, &name, &["evil"]));
    }
    let (_, account) = scenario.serve(accept_dev()).await;
    assert_eq!(account["strangers"]["invitations"], 30);
    assert_eq!(
        scenario.dev(|dev| dev.count("ListPendingInvitationResources")),
        0
    );
    assert_eq!(scenario.hub.published_to("hub").len(), 1);
}

#[tokio::test]
async fn a_dry_run_accepts_nothing_notifies_nobody_and_remembers_nothing() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    scenario.dev(|dev| dev.receive(TEST, SHARE, &["payroll"]));
    let dry = json!({ "action": "accept", "account": "dev", "dryRun": true });
    let (outcome, account) = scenario.serve(command(&dry)).await;
    assert_eq!(account["invitations"][0]["answer"], "would-accept");
    assert!(matches!(outcome, RecordOutcome::Done));
    assert_eq!(scenario.statuses(), [InvitationStatus::Pending]);
    assert!(scenario.hub.published.borrow().is_empty());
    assert!(scenario.hub.table.list("shared").is_empty());
}

#[tokio::test]
async fn what_seems_wrong_with_a_share_is_reported_at_the_last_attempt_only() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn", "payroll"]));
    let (outcome, account) = scenario.serve(accept_dev()).await;
    assert_eq!(account["shares"][0]["inspection"], "distrusted");
    assert_eq!(followed(&outcome).len(), 1, "it may be over then");
    assert!(scenario.hub.published.borrow().is_empty());
    scenario.serve(last_attempt()).await;
    assert_eq!(scenario.hub.published_to("hub").len(), 1);
    scenario.serve(last_attempt()).await;
    assert_eq!(scenario.hub.published_to("hub").len(), 1, "and only once");
}

#[tokio::test]
async fn a_share_that_sagemaker_denies_is_no_access_and_an_alert() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn"]));
    let churn = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
    scenario.dev(|dev| dev.denied.insert(churn.parse().unwrap()));
    let (reply, metrics) = scenario.handle(&[last_attempt()]).await;
    let share = &reply.summary["accounts"][0]["shares"][0];
    assert_eq!(share["inspection"], "no-access");
    assert_eq!(metrics.counted(Metric::AccountFailed), 1);
    let told = scenario.hub.published_to("hub");
    assert!(told[0].text.contains("cannot be used"), "{}", told[0].text);
}

#[tokio::test]
async fn a_pipeline_that_was_taken_out_is_told_as_lost() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn", "churn-2"]));
    scenario.serve(accept_dev()).await;
    scenario.dev(|dev| dev.put(&share, &["churn"]));
    // A loss must be seen twice.
    scenario.serve(accept_dev()).await;
    let mut later = accept_dev();
    later.sent = Timestamp::from_second(1_767_800_000).ok();
    scenario.serve(later).await;
    let told = scenario.hub.published_to("111111111111/topic");
    assert_eq!(told.len(), 2);
    assert!(told[1].text.contains("churn-2"), "{}", told[1].text);
}

#[tokio::test]
async fn what_waited_is_sent_in_the_order_in_which_it_happened_also_after_the_tenth() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn"]));
    for minute in 0..11 {
        if minute > 0 {
            scenario.dev(|dev| dev.put(&share, &["churn", &format!("churn-{minute}")]));
        }
        // What is lost must be seen twice.
        for second in [0, 1] {
            scenario.hub.fail_next("PutEvents", "ThrottlingException");
            scenario
                .serve(calls::minutes_later(2 * minute + second))
                .await;
        }
    }
    scenario.serve(calls::minutes_later(60)).await;
    let told = scenario.hub.published_to("111111111111/bus");
    let generations = told
        .iter()
        .filter_map(|it| it.id.rsplit('|').next()?.parse().ok());
    let generations: Vec<u64> = generations.collect();
    assert!(generations.len() > 10, "{generations:?}");
    assert!(generations.is_sorted(), "{generations:?}");
}

#[tokio::test]
async fn a_message_that_could_not_be_published_is_sent_by_the_next_reconciliation() {
    let scenario = Scenario::new();
    scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn"]));
    scenario.hub.fail_next("PutEvents", "InternalFailure");
    let (outcome, _) = scenario.serve(accept_dev()).await;
    assert!(matches!(outcome, RecordOutcome::Failed(_)), "{outcome:?}");
    assert!(scenario.hub.published_to("111111111111/bus").is_empty());
    assert_eq!(scenario.hub.published_to("111111111111/topic").len(), 1);
    scenario.serve(accept_dev()).await;
    assert_eq!(scenario.hub.published_to("111111111111/bus").len(), 1);
    assert_eq!(scenario.hub.published_to("111111111111/topic").len(), 1);
    assert_eq!(scenario.hub.published_to("hub").len(), 1);
}

#[tokio::test]
async fn a_transient_failure_is_retried_and_a_permanent_one_is_an_alert() {
    let scenario = Scenario::new();
    scenario.fail_next("GetResourceShares", "ServiceUnavailableException");
    let (outcome, _) = scenario.serve(accept_dev()).await;
    assert!(matches!(outcome, RecordOutcome::Failed(_)), "{outcome:?}");
    scenario.fail_next("GetResourceShares", "AccessDeniedException");
    let (reply, metrics) = scenario.handle(&[accept_dev()]).await;
    assert!(
        matches!(reply.outcomes[0], RecordOutcome::Done),
        "{reply:?}"
    );
    assert_eq!(metrics.counted(Metric::AccountFailed), 1);
    assert_eq!(scenario.hub.published_to("hub").len(), 1);
}

#[tokio::test]
async fn of_a_scheduled_reconciliation_only_the_account_that_failed_is_repeated() {
    let scenario = Scenario::new();
    scenario.fail_next("GetResourceShares", "ServiceUnavailableException");
    let (outcome, _) = scenario
        .serve(command(&json!({ "action": "reconcile" })))
        .await;
    assert_eq!(followed(&outcome).len(), 1);
    assert!(followed(&outcome)[0].contains(DEV));
}

#[tokio::test]
async fn records_about_one_account_are_one_reconciliation() {
    let scenario = Scenario::new();
    let batch = [accept_dev(), accept_dev(), accept_dev()];
    let (reply, _) = scenario.handle(&batch).await;
    assert_eq!(reply.outcomes.len(), 3);
    assert_eq!(scenario.dev(|dev| dev.count("GetResourceShares")), 1);
}

#[tokio::test]
async fn without_a_policy_in_force_nothing_is_read_and_records_are_done() {
    let scenario = Scenario::new();
    scenario.hub.labelled.set(None);
    scenario.dev(|dev| dev.invite(TEST, SHARE, &["churn"]));
    let (reply, _) = scenario.handle(&[accept_dev()]).await;
    assert!(matches!(reply.outcomes[0], RecordOutcome::Done));
    assert_eq!(reply.summary["stopped"], "no policy is in force");
    assert_eq!(scenario.dev(|dev| dev.calls.len()), 0);
}

#[tokio::test]
async fn a_policy_that_cannot_be_read_just_now_has_every_record_retried() {
    let scenario = Scenario::new();
    scenario
        .hub
        .fail_next("GetParameter", "ThrottlingException");
    let (reply, _) = scenario.handle(&[accept_dev(), accept_dev()]).await;
    let retried = reply.outcomes.iter();
    assert_eq!(
        retried
            .filter(|it| matches!(it, RecordOutcome::Failed(_)))
            .count(),
        2
    );
}

#[tokio::test]
async fn what_is_no_event_and_what_is_for_another_function_is_ignored_with_a_reason() {
    let scenario = Scenario::new();
    let share = command(&json!({ "action": "share", "owner": TEST }));
    let nonsense = record(&json!({ "hello": "world" }), 0);
    let (reply, metrics) = scenario.handle(&[share, nonsense]).await;
    assert!(
        reply
            .outcomes
            .iter()
            .all(|it| matches!(it, RecordOutcome::Done))
    );
    assert_eq!(metrics.counted(Metric::EventsIgnored), 2);
    assert_eq!(scenario.dev(|dev| dev.calls.len()), 0);
}

#[tokio::test]
async fn an_account_that_no_rule_names_is_not_reconciled() {
    let scenario = Scenario::new();
    let other = command(&json!({ "action": "accept", "account": STRANGER }));
    let (reply, _) = scenario.handle(&[other]).await;
    assert_eq!(reply.summary["notAConsumer"], json!([STRANGER]));
}

#[tokio::test]
async fn an_event_of_ram_from_before_the_last_reconciliation_needs_none_of_its_own() {
    let scenario = Scenario::new();
    let event = json!({
        "source": "aws.ram", "detail-type": "Resource Sharing State Change", "account": DEV,
        "time": "2026-01-06T00:00:00Z", "region": "us-east-1",
        "detail": { "event": "Resource Share Invitation Received", "status": "pending" },
    });
    let function = scenario.function();
    let deadline = Deadline::of_invocation(Duration::from_mins(1));
    let metrics = Metrics::default();
    function.handle(&[accept_dev()], deadline, &metrics).await;
    let before = command(&event);
    let reply = function.handle(&[before], deadline, &metrics).await;
    assert_eq!(reply.summary["covered"], 1);
    let mut after = command(&event);
    after.sent = Timestamp::from_second(1_767_700_001).ok();
    let reply = function.handle(&[after], deadline, &metrics).await;
    assert_eq!(reply.summary["covered"], 0);
    assert_eq!(scenario.dev(|dev| dev.count("GetResourceShares")), 2);
}

#[tokio::test]
async fn a_consumer_that_a_rule_names_no_more_is_told_what_it_has_lost() {
    let scenario = Scenario::new();
    let share = scenario.dev(|dev| dev.receive(TEST, SHARE, &["churn"]));
    scenario.serve(accept_dev()).await;
    let empty = POLICY.split("rules:").next().unwrap().to_owned() + "rules: []\n";
    let version = scenario.hub.write_policy(&empty);
    scenario.hub.labelled.set(Some(version));
    scenario.dev(|dev| dev.shares.retain(|it| it.arn != share));
    for second in [1_767_800_000, 1_767_900_000] {
        let mut schedule = command(&json!({ "action": "reconcile" }));
        schedule.sent = Timestamp::from_second(second).ok();
        scenario.serve(schedule).await;
    }
    let told = scenario.hub.published_to("111111111111/topic");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        scenario.hub.table.list("shared").is_empty(),
        "it is forgotten"
    );
}

#[tokio::test]
async fn access_that_ends_soon_is_announced_a_week_and_a_day_before() {
    let scenario = Scenario::by(&POLICY.replace(
        "name: readers,",
        "name: readers, until: 2027-03-31, contact: ml@example.com,",
    ));
    let run = async |at: &str| {
        let mut record = accept_dev();
        record.sent = Some(at.parse().unwrap());
        scenario.serve(record).await;
        let sent = scenario.hub.published_to("111111111111/topic");
        let hub = scenario.hub.published_to("hub");
        (sent.len(), hub.len())
    };
    assert_eq!(run("2027-03-24T23:59:59Z").await, (0, 0));
    for _ in 0..2 {
        assert_eq!(run("2027-03-25T00:00:00Z").await, (1, 1), "a week");
    }
    assert_eq!(run("2027-03-30T23:59:59Z").await, (1, 1));
    assert_eq!(run("2027-03-31T00:00:00Z").await, (2, 2), "a day");
    let sent = scenario.hub.published_to("111111111111/topic");
    assert_eq!(sent[1].subject, "Access of dev ends within a day");
    assert!(
        sent[1]
            .text
            .contains("Rule readers ends at 2027-04-01T00:00:00Z"),
        "{}",
        sent[1].text
    );
    assert!(
        sent[1].text.contains("Contact: ml@example.com"),
        "{}",
        sent[1].text
    );
    assert_eq!(scenario.hub.published_to("111111111111/bus").len(), 2);
}

#[tokio::test]
async fn an_announcement_that_was_refused_is_sent_later_and_a_dry_run_sends_none() {
    let scenario =
        Scenario::by(&POLICY.replace("name: readers,", "name: readers, until: 2026-01-07,"));
    let dry = json!({ "action": "accept", "account": DEV, "dryRun": true });
    scenario.serve(command(&dry)).await;
    assert!(scenario.hub.published_to("hub").is_empty());
    scenario.hub.fail_next("Publish", "AuthorizationError");
    let announced = || {
        let to = |address| scenario.hub.published_to(address).into_iter();
        let is_it = |it: &Notification| it.detail_type == "Access Ending";
        let hub = to("hub").filter(is_it).count();
        (hub, to("111111111111/topic").filter(is_it).count())
    };
    scenario.serve(accept_dev()).await;
    assert_eq!(announced(), (0, 1));
    scenario.serve(accept_dev()).await;
    assert_eq!(announced(), (1, 1));
}

#[tokio::test]
async fn many_consumers_are_reconciled_by_a_message_each() {
    let names = (1..=5).map(|number| format!("\"55555555555{number}\""));
    let names: Vec<_> = names.collect();
    let policy = POLICY.replace("[dev]", &format!("[{}]", names.join(", ")));
    let scenario = Scenario::by(&policy);
    let (outcome, _) = scenario
        .serve(command(&json!({ "action": "reconcile" })))
        .await;
    let RecordOutcome::Spread { commands, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(commands.len(), 5);
    assert_eq!(
        commands[0],
        r#"{"account":"555555555551","action":"reconcile"}"#
    );
}

#[tokio::test]
async fn a_consumer_that_is_tried_in_vain_is_named_in_the_end() {
    let scenario = Scenario::new();
    let one = json!({ "action": "reconcile", "account": DEV });
    for (attempts, messages) in [(0, 0), (7, 0), (8, 1)] {
        scenario.fail_next("GetResourceShares", "ServiceUnavailable");
        let (outcome, _) = scenario.serve(record(&one, attempts)).await;
        assert_eq!(followed(&outcome), [one.to_string()], "never a dead letter");
        assert_eq!(scenario.hub.published_to("hub").len(), messages);
    }
    let text = scenario.hub.published_to("hub").remove(0).text;
    assert!(
        text.contains("could not be reconciled in 9 attempts"),
        "{text}"
    );
}
