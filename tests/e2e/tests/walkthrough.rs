//! The walkthrough that `cargo demo` shows.

use demo::{
    binaries,
    estate::{Estate, Plan},
    print::Printed,
    walkthrough,
};
use sandbox::readings::alternatives;

/// The pages that show what the demo prints.
const PAGES: [&str; 2] = [
    include_str!("../../../README.md"),
    include_str!("../../demo/README.md"),
];

async fn play(plan: Plan) -> (bool, String, String) {
    let functions = binaries::build().expect("the functions compile");
    let estate = Estate::start(&plan, functions)
        .await
        .expect("the estate starts");
    let played = walkthrough::play(&estate)
        .await
        .expect("every call is answered");
    let printed = Printed {
        walkthrough: &played,
        colors: false,
    };
    let json = serde_json::to_string(&played).expect("it is plain data");
    (played.holds(), printed.to_string(), json)
}

#[tokio::test]
async fn all_steps_hold_and_every_run_is_the_same_and_as_the_documents_show_it() {
    let (holds, text, json) = play(Plan::default()).await;
    assert!(holds, "{text}");
    assert_eq!(play(Plan::default()).await, (holds, text.clone(), json));

    for page in PAGES {
        let (_, shown) = page
            .split_once("$ cargo demo\n")
            .expect("the page shows the demo");
        let (shown, _) = shown.split_once("```").expect("the block ends");
        for passage in shown.split("\n[...]\n") {
            assert!(text.contains(passage), "not what the demo prints:{passage}");
        }
    }
}

#[tokio::test]
async fn all_steps_hold_under_every_reading_of_the_documents() {
    for reading in alternatives() {
        let mut plan = Plan::default();
        let played = plan.readings.play(&reading);
        played.unwrap_or_else(|error| panic!("{reading}: {error}"));
        let (holds, text, _) = play(plan).await;
        assert!(holds, "{reading}:\n{text}");
    }
}
