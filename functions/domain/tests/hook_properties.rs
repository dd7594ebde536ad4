//! What holds for everything that anybody may hand to the deployment hook.

#[path = "support/json.rs"]
mod json_support;

use domain::{
    hook::{Identity, Request, Token},
    policy::Policy,
};
use json_support::any_json;
use proptest::{collection::btree_map, prelude::*, sample::select, test_runner::RngSeed};
use serde_json::{Map, Value, json};

const KEYS: &[&str] = &[
    "pipeline",
    "owner",
    "run",
    "parameters",
    "version",
    "share",
    "waitForAccess",
    "runMinutes",
    "accessMinutes",
    "execution",
    "action",
];

fn text() -> impl Strategy<Value = String> {
    let likely = select(vec![
        "churn",
        "test",
        "222222222222",
        "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn",
        "#{codepipeline.PipelineExecutionId}",
        "7",
        "",
    ]);
    prop_oneof![likely.prop_map(str::to_owned), any::<String>()]
}

fn members() -> impl Strategy<Value = Map<String, Value>> {
    let key = prop_oneof![
        9 => select(KEYS).prop_map(str::to_owned),
        1 => text(),
    ];
    btree_map(key, any_json(text(), text()), 0..8).prop_map(|members| members.into_iter().collect())
}

fn policy() -> Policy {
    let text = "version: 1\naccounts: { test: \"222222222222\" }\nrules: []\n";
    Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_text_is_a_request_or_a_reason(text in any::<String>()) {
        if let Err(mistakes) = Request::parse(&text) {
            prop_assert!(mistakes.to_string().starts_with("UserParameters: "));
        }
    }

    #[test]
    fn any_object_is_a_request_without_variables_or_a_reason(members in members()) {
        let region = "us-east-1".parse().unwrap_or_else(|error| panic!("{error}"));
        match Request::read("the request", &members) {
            Ok(request) => {
                let is_left = Value::from(members).to_string().contains("#{");
                prop_assert!(!is_left);
                // Whether the owner is known or not, it is said.
                let _ = request.owner(Some(&policy()), &region).map_err(|it| it.to_string());
                let pipeline = "arn:aws:sagemaker:us-east-1:222222222222:pipeline/churn";
                let pipeline = pipeline.parse().unwrap_or_else(|error| panic!("{error}"));
                let name = Identity::of(&request, &pipeline, "job").display_name().to_owned();
                prop_assert!((1..=82).contains(&name.len()), "{}", name);
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                prop_assert!(!name.ends_with('-'));
            }
            Err(mistakes) => {
                let told = mistakes.and_of_place(Some(&policy()), &region).to_string();
                prop_assert!(told.len() > "the request: ".len());
            }
        }
    }

    #[test]
    fn any_text_is_a_token_that_is_written_the_same_or_none(text in any::<String>()) {
        if let Ok(token) = Token::parse(&text) {
            prop_assert_eq!(Token::parse(&token.text()), Ok(token));
        }
    }

    #[test]
    fn a_damaged_token_is_none_or_of_no_other_work(
        member in any::<String>(),
        value in any_json(text(), text()),
        key in select(vec!["v", "attempt", "work", "failures"]),
    ) {
        let good = json!({ "v": 2, "attempt": "job", "work": "0123456789abcdef", "failures": 1 });
        let mut damaged = good.clone();
        damaged[key] = value;
        if let Ok(token) = Token::parse(&damaged.to_string()) {
            prop_assert_eq!(Token::parse(&token.text()), Ok(token));
        }
        let mut longer = good;
        if longer.get(&member).is_none() {
            longer[&member] = json!("2026-01-05T09:00:00Z");
            prop_assert!(Token::parse(&longer.to_string()).is_err());
        }
    }
}
