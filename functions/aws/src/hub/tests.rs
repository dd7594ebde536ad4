use serde_json::json;

use domain::notification::{Destination, EXECUTION_DETAIL_TYPE, Notification, SHARED_DETAIL_TYPE};
use runtime::{
    config::Settings,
    notifier::{LeaseOwner, Notifier},
    ports::{Address, Publish as _},
};

use super::Hub;
use crate::replay::{Answer, Replay, aws, identity, ok};

#[tokio::test]
async fn what_the_table_has_of_somebody_elses_making_is_passed_over() {
    let text = |text: &str| json!({ "S": text });
    let good = json!({
        "pk": text("p"), "sk": text("Failed|1"), "state": text("done"), "holder": text("h"),
        "since": { "N": "1" }, "status": text("Failed"), "at": text("2026-01-05T09:00:00Z"),
        "seen": text("by-event"),
    });
    let with = |name: &str, value: serde_json::Value| {
        let mut item = good.clone();
        item[name] = value;
        item
    };
    let items = json!([
        {},
        { "pk": text("p"), "sk": text("x") },
        with("at", text("yesterday")),
        with("at", json!({ "L": [] })),
        with("seen", text("in a dream")),
        with("at", text("9999-12-30T22:00:00.999999999Z")),
        { "state": text("leased"), "holder": text("other"), "since": { "N": "-9223372036854775808" } },
        { "state": text("leased"), "holder": text("other"), "since": { "N": "9e99" }, "status": text("Failed") },
        good,
    ]);
    let replay = Replay::of([ok(
        &json!({ "Items": items, "Count": 9, "ScannedCount": 9 }),
    )]);
    let aws = aws(replay.config().await);
    let settings = Settings {
        identity: identity(),
        policy: "/p".to_owned(),
        table: "t".to_owned(),
    };
    let hub = Hub::new(&aws, &settings);
    let lease_owner = LeaseOwner {
        holder: "me",
        now: jiff::Timestamp::MAX,
    };
    let execution = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn/execution/abc";
    let execution = execution.parse().unwrap();
    let notifier = Notifier::new(&hub, "arn:t");
    let told = notifier.history(lease_owner, &Destination::Hub, &execution);
    let told = told.await.unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[1].at.to_string(), "2026-01-05T09:00:00Z");
}

#[tokio::test]
async fn what_the_hub_is_notified_of_is_on_its_bus_first() {
    let accepted = json!({ "Entries": [{ "EventId": "1" }], "FailedEntryCount": 0 });
    let published = || {
        let answer = "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>";
        Answer::Http(200, answer.to_owned())
    };
    let replay = Replay::of([ok(&accepted), published(), ok(&accepted), published()]);
    let aws = aws(replay.config().await);
    let settings = Settings {
        identity: identity(),
        policy: "/p".to_owned(),
        table: "t".to_owned(),
    };
    let hub = Hub::new(&aws, &settings).with_bus("pipeshare-hub".to_owned());
    let notification = |detail_type| Notification {
        id: "1".to_owned(),
        subject: "subject".to_owned(),
        text: "text".to_owned(),
        detail_type,
        detail: json!({ "id": "1" }),
        resources: Vec::new(),
    };
    let topic = Address::HubTopic("arn:aws:sns:us-east-1:333333333333:pipeshare-hub");
    for detail_type in [SHARED_DETAIL_TYPE, EXECUTION_DETAIL_TYPE] {
        hub.publish(topic, &notification(detail_type))
            .await
            .unwrap();
    }
    let requests = replay.requests();
    assert_eq!(requests.len(), 4);
    for (pair, detail_type) in requests
        .chunks(2)
        .zip([SHARED_DETAIL_TYPE, EXECUTION_DETAIL_TYPE])
    {
        let entry = &pair[0].json()["Entries"][0];
        assert_eq!(entry["DetailType"], detail_type);
        assert_eq!(entry["EventBusName"], "pipeshare-hub");
        assert!(pair[1].text.starts_with("Action=Publish"));
    }
}
