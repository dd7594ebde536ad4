//! What holds for every message, however damaged.

#[path = "support/changed.rs"]
mod changed_support;
#[path = "support/json.rs"]
mod json_support;

use changed_support::{changed, pointers};
use domain::trigger;
use json_support::any_json;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::RngSeed,
};
use serde_json::{Value, json};

const EVENTS: &[&str] = &[
    include_str!("events/execution-succeeded.json"),
    include_str!("events/execution-started-of-aws-pipeline.json"),
    include_str!("events/create-pipeline.json"),
    include_str!("events/share-associated.json"),
    include_str!("events/policy-updated.json"),
    include_str!("events/scheduled.json"),
    include_str!("events/share-offered.json"),
    r#"{"action": "share", "owner": "222222222222", "dryRun": true}"#,
    r#"{"action": "accept", "account": "111111111111"}"#,
];

/// The fields that say what kind of message it is, and so may be repeated.
const NAMES: &[&str] = &["source", "detail-type", "eventName", "errorCode", "action"];

const SECRET: &str = "hunter2";

fn names() -> impl Strategy<Value = String> {
    let known = vec![
        "source",
        "detail-type",
        "detail",
        "account",
        "action",
        "time",
    ];
    prop_oneof![select(known).prop_map(str::to_owned), any::<String>()]
}

fn anything() -> impl Strategy<Value = Value> {
    any_json(any::<String>(), names())
}

fn is_name(pointer: &str) -> bool {
    NAMES.iter().any(|name| pointer.ends_with(name))
}

proptest! {
    // The same cases in every run: a failure is repeated by running it again.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_a_trigger_or_ignored(text in any::<String>()) {
        let code = trigger::parse(&text).unwrap_err().code();
        prop_assert!(["not-json", "not-an-event"].contains(&code), "{}", code);
    }

    #[test]
    fn any_json_is_a_trigger_or_ignored(value in anything()) {
        if let Err(ignored) = trigger::parse(&value.to_string()) {
            prop_assert!(!ignored.code().is_empty());
        }
    }

    #[test]
    fn an_event_with_anything_in_it_is_a_hint_or_ignored(
        event in select(EVENTS),
        changes in vec((any::<Index>(), anything()), 1..4),
    ) {
        if let Err(ignored) = trigger::parse(&changed(event, changes).to_string()) {
            prop_assert!(!ignored.to_string().contains('\n'));
        }
    }

    #[test]
    fn no_reason_repeats_a_value_of_the_message(
        event in select(EVENTS),
        index in any::<Index>(),
        secret in select(vec![json!(SECRET), json!({"hunter2": SECRET}), json!([SECRET])]),
    ) {
        let mut event: Value = serde_json::from_str(event)?;
        let mut all = pointers(&event);
        all.retain(|pointer| !is_name(pointer));
        if let Some(part) = event.pointer_mut(&all[index.index(all.len())]) {
            *part = secret;
        }
        if let Err(ignored) = trigger::parse(&event.to_string()) {
            let said = format!("{ignored} {ignored:?}");
            prop_assert!(!said.contains(SECRET), "{}", said);
        }
    }
}
