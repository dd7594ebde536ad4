use serde_json::json;

use domain::notification::Destination;
use runtime::{
    config::Settings,
    notifier::{LeaseOwner, Notifier},
};

use super::Hub;
use crate::replay::{Replay, aws, identity, ok};

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
