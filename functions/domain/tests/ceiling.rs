//! What an owner account allows at most, and what people are told is beyond it.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use domain::{
    ceiling::{Beyond, Ceiling, InvalidCeiling},
    policy::{Access, Policy},
    sharing::{Action, Call, Reason, Step},
};
use proptest::prelude::*;
use serde_json::{Value, json};

const CUSTOM: &str = "arn:aws:ram:eu-west-1:222222222222:permission/custom";

fn written() -> Value {
    json!({
        "allowedPrincipals": ["111111111111", "arn:aws:iam::444444444444:role/ml/analyst"],
        "allowedAccess": "read",
        "allowedPermissions": [CUSTOM],
        "shareNamePrefix": "pipeshare-test-",
    })
}

fn ceiling() -> Ceiling {
    written().to_string().parse().unwrap()
}

fn step(share: &str, action: Action) -> Step {
    Step {
        share: share.to_owned(),
        arn: None,
        call: Call::Change(action),
        reason: Reason::PrincipalNamed,
    }
}

#[test]
fn every_refusal_names_the_parameter_that_is_in_the_way() {
    let dev = "111111111111".parse().unwrap();
    let read = Access::Read.permission("aws");
    let allows = |principal: &str, access: &Access, share: &str| {
        let principal = principal.parse().unwrap();
        let allowed = ceiling().allows(&principal, &access.permission("aws"), share);
        allowed.map_err(|beyond| beyond.to_string())
    };
    let ours = "pipeshare-test-readers.111111111111";
    assert_eq!(ceiling().allows(&dev, &read, ours), Ok(()));
    let custom = Access::Permission(CUSTOM.parse().unwrap());
    assert_eq!(allows("111111111111", &custom, ours), Ok(()));
    let role = "arn:aws:iam::444444444444:role/ml/analyst";
    assert_eq!(allows(role, &Access::Read, ours), Ok(()));

    let other = Access::Permission(format!("{CUSTOM}-other").parse().unwrap());
    for (principal, access, share, refusal) in [
        (
            "444444444444",
            &Access::Read,
            ours,
            "principal 444444444444 is not among AllowedPrincipals".to_owned(),
        ),
        (
            "111111111111",
            &Access::Execute,
            ours,
            "access execute is more than AllowedAccess, which is read".to_owned(),
        ),
        (
            "111111111111",
            &other,
            ours,
            format!("permission {CUSTOM}-other is not among AllowedPermissions"),
        ),
        (
            "111111111111",
            &Access::Read,
            "pipeshare-prod",
            "the name pipeshare-prod does not begin with ShareNamePrefix, which is pipeshare-test-"
                .to_owned(),
        ),
    ] {
        assert_eq!(allows(principal, access, share), Err(refusal));
    }
}

#[test]
fn the_execute_permission_of_aws_is_bounded_under_its_arn_too() {
    let execute = Access::Execute.permission("aws-us-gov");
    let by_arn = Access::Permission(execute.clone());
    let dev = "111111111111".parse().unwrap();
    for access in [&Access::Execute, &by_arn] {
        let permission = access.permission("aws-us-gov");
        let refused = ceiling().allows(&dev, &permission, "pipeshare-test-x");
        assert_eq!(refused, Err(Beyond::Access));
    }
}

#[test]
fn a_rule_is_refused_wholly_or_for_some_of_its_principals() {
    let policy = Policy::parse(
        r#"
version: 1
accounts: { dev: "111111111111", gone: "444444444444", test: "222222222222" }
rules:
  - { name: test-readers, owner: test, pipelines: ["*"], with: [dev] }
  - { name: test-some, owner: test, pipelines: ["*"], with: [dev, gone] }
  - { name: test-none, owner: test, pipelines: ["*"], with: [gone] }
  - { name: test-operators, owner: test, pipelines: ["*"], with: [dev], access: execute }
  - { name: readers, owner: test, pipelines: ["*"], with: [dev, gone], access: execute }
"#,
    )
    .unwrap();
    let beyond = policy.rules.iter().map(|rule| {
        let beyond = ceiling().beyond(rule, "aws");
        (rule.name.as_str(), beyond.wholly, beyond.reasons.len())
    });
    let beyond: Vec<_> = beyond.collect();
    assert_eq!(
        beyond,
        [
            ("test-readers", false, 0),
            ("test-some", false, 1),
            ("test-none", true, 1),
            ("test-operators", true, 1),
            ("readers", true, 3),
        ]
    );
}

#[test]
fn what_takes_access_away_is_never_refused() {
    let delete = step("pipeshare-elsewhere", Action::Delete);
    let principals = vec!["999999999999".to_owned()];
    let remove = step(
        "pipeshare-elsewhere",
        Action::RemovePrincipals { principals },
    );
    assert_eq!(ceiling().refuses(&delete), None);
    assert_eq!(ceiling().refuses(&remove), None);
}

#[test]
fn members_that_are_unknown_are_passed_over_and_known_ones_must_be_what_they_are() {
    let mut newer = written();
    newer["allowedRegions"] = json!(["eu-west-1"]);
    assert_eq!(newer.to_string().parse(), Ok(ceiling()));

    let with = |member: &str, value: Value| {
        let mut odd = written();
        odd[member] = value;
        odd.to_string().parse::<Ceiling>()
    };
    for (member, value) in [
        ("allowedPrincipals", json!("*")),
        ("allowedPrincipals", json!([1])),
        ("allowedAccess", json!("write")),
        ("allowedAccess", Value::Null),
        ("allowedPermissions", json!("")),
        ("shareNamePrefix", json!("")),
        ("shareNamePrefix", json!("*")),
        ("shareNamePrefix", json!("pipeshare-\nForged: line")),
        (
            "shareNamePrefix",
            json!(format!("pipeshare-{}", "x".repeat(200))),
        ),
    ] {
        assert!(with(member, value.clone()).is_err(), "{member}: {value}");
    }
    for member in written().as_object().unwrap().keys() {
        let mut less = written();
        less.as_object_mut().unwrap().remove(member);
        assert!(less.to_string().parse::<Ceiling>().is_err(), "{member}");
    }
    let twice = written()
        .to_string()
        .replacen('{', r#"{"allowedAccess":"execute","#, 1);
    assert!(twice.parse::<Ceiling>().is_err());
}

#[test]
fn what_is_wrong_with_a_ceiling_is_said_without_its_text() {
    let odd = r#"{"allowedPrincipals":["Click here"],"allowedAccess":"Click here"}"#;
    let error = odd.parse::<Ceiling>().unwrap_err();
    assert!(matches!(error, InvalidCeiling::Odd { line: 1, .. }));
    assert!(!error.to_string().contains("Click"), "{error}");
}

proptest! {
    #[test]
    fn no_text_is_too_odd_to_be_refused(text in ".{0,200}") {
        // Whatever it is, nobody panics, and chance writes no ceiling.
        prop_assert!(text.parse::<Ceiling>().is_err());
    }

    #[test]
    fn no_json_is_too_odd_to_be_refused(
        members in prop::collection::btree_map(
            prop::sample::select(vec![
                "allowedPrincipals", "allowedAccess", "allowedPermissions", "shareNamePrefix", "x",
            ]),
            prop_oneof![
                Just(json!(null)), Just(json!(1)), Just(json!("read")), Just(json!(["*"])),
                Just(json!({})), Just(json!("pipeshare-")), Just(json!([])),
            ],
            0..5,
        ),
    ) {
        let text = json!(members).to_string();
        if let Ok(ceiling) = text.parse::<Ceiling>() {
            let dev = "111111111111".parse().unwrap();
            let read = Access::Read.permission("aws");
            prop_assert!(ceiling.allows(&dev, &read, "pipeshare-x").is_err());
        }
    }
}
