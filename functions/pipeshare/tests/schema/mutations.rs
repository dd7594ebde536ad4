//! Documents with one thing wrong.

use proptest::{prelude::*, sample::Index, sample::select};
use serde_json::{Value, json};

use crate::{
    documents::{config, documents},
    of_root, of_team, parsed,
};

/// A policy with every key.
fn full() -> Value {
    let rule = json!({
        "name": "readers", "owner": "test", "pipelines": ["churn-*"], "except": ["churn-old"],
        "with": ["dev"], "access": "read", "after": "hook", "notify": ["Failed"],
        "until": "2027-03-31", "why": "They ask for it.", "contact": "ml@example.com",
    });
    json!({
        "version": 1,
        "organization": { "id": "o-example1234", "ramSharing": true },
        "accounts": {
            "dev": "111111111111", "test": "222222222222",
            "shared": { "id": "333333333333", "external": true },
        },
        "groups": { "people": ["dev", "shared"] },
        "teams": { "churn": {
            "owners": ["test"], "pipelines": ["churn-*"], "except": ["churn-old"],
            "with": ["people"], "access": "execute",
        } },
        "never": [{ "owner": "dev", "pipelines": ["*"], "except": ["a"], "with": ["test"], "access": "read" }],
        "limits": { "withdraw": "25%" },
        "rules": [rule],
    })
}

/// The parent of what a pointer leads to, and the last step.
fn split(pointer: &str) -> (&str, &str) {
    pointer.rsplit_once('/').unwrap()
}

/// The document without what the pointer leads to.
fn without(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let (parent, key) = split(pointer);
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(key);
        }
        Some(Value::Array(items)) => {
            items.remove(key.parse().unwrap());
        }
        _ => panic!("{pointer} leads nowhere"),
    }
    document
}

/// The document with something else where the pointer leads to, or with one member more.
fn with(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let (parent, key) = split(pointer);
    let parent = document.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    document
}

/// Where there is something in a document, with what it is.
fn places(value: &Value) -> Vec<(String, Value)> {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => (0..).map(|n: usize| n.to_string()).zip(items).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, member) in members {
        found.push((format!("/{key}"), member.clone()));
        let inner = places(member).into_iter();
        found.extend(inner.map(|(pointer, value)| (format!("/{key}{pointer}"), value)));
    }
    found
}

/// Says what only one of schema and parser refuses.
fn disagreements(mutants: &[(String, Value)]) -> Vec<String> {
    let mut found = Vec::new();
    for (what, document) in mutants {
        let (schema, parser) = (of_root(document), parsed(document, &[]));
        if schema.is_ok() {
            found.push(format!("the schema takes {what}"));
        }
        if parser.is_ok() {
            found.push(format!("the parser takes {what}"));
        }
    }
    found
}

#[test]
fn the_full_policy_is_valid() {
    assert_eq!(of_root(&full()), Ok(()));
    assert!(parsed(&full(), &[]).is_ok(), "{:?}", parsed(&full(), &[]));
}

#[test]
fn nothing_and_what_is_of_another_kind_is_refused_by_both() {
    let full = full();
    let mut mutants = Vec::new();
    for (pointer, value) in places(&full) {
        let mut others = vec![Value::Null];
        match value {
            Value::Array(_) => others.extend([json!({}), json!("☃"), json!(-7)]),
            Value::Object(_) => others.extend([json!([]), json!("☃"), json!(-7)]),
            Value::Bool(_) => others.extend([json!("true"), json!(1), json!([])]),
            _ => others.extend([json!([]), json!({}), json!([[]])]),
        }
        for other in others {
            let mutant = with(&full, &pointer, other.clone());
            mutants.push((format!("{other} at {pointer}"), mutant));
        }
    }
    assert!(mutants.len() > 150, "{}", mutants.len());
    let found = disagreements(&mutants);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn an_unknown_key_is_refused_by_both() {
    let full = full();
    let maps = [
        "",
        "/organization",
        "/accounts/shared",
        "/teams/churn",
        "/never/0",
        "/limits",
        "/rules/0",
    ];
    let mutants = maps.map(|map| {
        let pointer = format!("{map}/acess");
        (pointer.clone(), with(&full, &pointer, json!("read")))
    });
    let found = disagreements(&mutants);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_missing_key_is_refused_by_both() {
    let required = [
        "/version",
        "/organization/id",
        "/organization/ramSharing",
        "/accounts/shared/id",
        "/teams/churn/owners",
        "/teams/churn/with",
        "/rules/0/name",
        "/rules/0/owner",
        "/rules/0/pipelines",
        "/rules/0/with",
    ];
    let mutants = required.map(|pointer| (pointer.to_owned(), without(&full(), pointer)));
    let found = disagreements(&mutants);
    assert!(found.is_empty(), "{found:#?}");
    // All other keys of mappings that have known ones may be missing.
    for (pointer, _) in places(&full()) {
        let is_item = split(&pointer).1.parse::<usize>().is_ok();
        let is_name = ["/accounts", "/groups", "/teams"].contains(&split(&pointer).0);
        if is_item || is_name || required.contains(&pointer.as_str()) {
            continue;
        }
        let mutant = without(&full(), &pointer);
        assert_eq!(of_root(&mutant), Ok(()), "{pointer}");
    }
}

/// Texts that a pattern refuses, by where they stand.
const MALFORMED: &[(&str, &[&str])] = &[
    ("/version", &["2", "1.0", "", "v1"]),
    (
        "/organization/id",
        &["example1234", "o-short", "o-EXAMPLE1234", "o-example_1234"],
    ),
    (
        "/accounts/dev",
        &["11111111111", "1111111111111", "dev", "1111 1111 1111"],
    ),
    ("/accounts/shared/id", &["", "33333333333x"]),
    ("/accounts/a b", &["444444444444"]),
    ("/accounts/12", &["444444444444"]),
    ("/accounts/", &["444444444444"]),
    (
        "/groups/people/0",
        &["", "a b", "12", "*", "arn:aws:iam::111111111111:root"],
    ),
    ("/rules/0/name", &["", "-a", "a-", "a.b", "a b"]),
    (
        "/rules/0/owner",
        &["", "12", "a b", "arn:aws:iam::222222222222:root"],
    ),
    (
        "/rules/0/pipelines/0",
        &["", "churn_*", "-churn", "churn-", "a b", "[ab]"],
    ),
    ("/rules/0/except/0", &["", "churn.*"]),
    (
        "/rules/0/with/0",
        &[
            "",
            "*",
            "sagemaker.amazonaws.com",
            "arn:aws:iam::11111111111:role/a",
            "arn:aws:iam:eu-west-1:111111111111:role/a",
            "arn:aws:iam::111111111111:group/a",
            "arn:aws:iam::111111111111:role/",
            "arn:aws:iam::111111111111:role/a*",
            "arn:azure:iam::111111111111:role/a",
            "arn:aws:organizations::999999999999:ou/o-example1234",
            "arn:aws:organizations::999999999999:ou/o-example1234/ou-a-b",
            "arn:aws:organizations::999999999999:organization/example1234",
        ],
    ),
    (
        "/rules/0/access",
        &[
            "",
            "Read",
            "write",
            "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipelines",
            "arn:aws:ram:eu:222222222222:permission/a",
            "arn:aws:ram:eu-west-1:222222222222:permission/a b",
            "arn:aws:ram:eu-west-1:222222222222:policy/a",
        ],
    ),
    ("/rules/0/after", &["", "Hook", "succeded"]),
    ("/rules/0/notify/0", &["", "failed", "Running"]),
    (
        "/rules/0/until",
        &[
            "",
            "2027",
            "31.03.2027",
            "2027-13-01",
            "2027-03-32",
            "2027-03-31T18:00",
            "20270331T180000Z",
            "2027-03-31 18:00:00Z",
            "2027-03-31T18:00:00+02:00[Europe/Berlin]",
            "tomorrow",
        ],
    ),
    ("/rules/0/why", &["", "a\nb", "a\u{7f}b"]),
    ("/rules/0/contact", &["", "a\tb"]),
    ("/teams/churn team", &["x"]),
    ("/teams/churn/owners/0", &["", "12"]),
    (
        "/limits/withdraw",
        &["", "25", "101%", "-1%", "+25%", "2.5%", "25 %", "%"],
    ),
];

#[test]
fn what_is_malformed_is_refused_by_both() {
    let full = full();
    let mutants = MALFORMED.iter().flat_map(|(pointer, values)| {
        let mutant = |value: &&str| {
            let what = format!("{value:?} at {pointer}");
            (what, with(&full, pointer, json!(value)))
        };
        values.iter().map(mutant).collect::<Vec<_>>()
    });
    let mut mutants: Vec<_> = mutants.collect();
    let long = "x".repeat(201);
    for (pointer, value) in [
        ("/rules/0/name", json!(long)),
        ("/rules/0/why", json!(long)),
        ("/rules/0/with", json!([])),
        ("/rules/0/with", json!(["dev", "dev"])),
        ("/rules/0/pipelines", json!([])),
        ("/rules/0/owners", json!(["test"])),
        ("/teams/churn/owners", json!([])),
        ("/teams/churn/owner", json!("test")),
        ("/groups/people", json!([])),
        ("/groups/people", json!(["dev", "dev"])),
        ("/never/0", json!({})),
        ("/never/0/owners", json!(["test"])),
        ("/accounts/dev", json!(1_111_111_111_111_u64)),
        ("/limits/withdraw", json!(25)),
        ("/version", json!(2)),
        ("/version", json!(true)),
    ] {
        let what = format!("{value} at {pointer}");
        mutants.push((what, with(&full, pointer, value)));
    }
    let found = disagreements(&mutants);
    assert!(found.is_empty(), "{found:#?}");
}

proptest! {
    #![proptest_config(config())]

    /// A rule may be called `true`, which the schema does not know; nobody calls one so.
    #[test]
    fn what_the_schemas_refuse_the_parser_refuses(
        (root, teams) in documents(),
        is_of_team in any::<bool>(),
        at in any::<Index>(),
        other in select(vec![
            None,
            Some(json!(null)),
            Some(json!([])),
            Some(json!({})),
            Some(json!("")),
            Some(json!("☃")),
            Some(json!("dev")),
            Some(json!("*")),
            Some(json!(["dev"])),
            Some(json!({ "id": "444444444444" })),
            Some(json!(-1)),
            Some(json!(1.5)),
            Some(json!(123_456_789_012_u64)),
        ]),
    ) {
        prop_assume!(root.to_string().len() <= 8192);
        let mutant = |document: &Value| {
            let places = places(document);
            let (pointer, _) = at.get(&places);
            match &other {
                None => without(document, pointer),
                Some(value) => with(document, pointer, value.clone()),
            }
        };
        let (schema, parser, mutant) = match teams.first() {
            Some((team, document)) if is_of_team => {
                let mutant = mutant(document);
                let parser = parsed(&root, &[(team.clone(), mutant.clone())]);
                (of_team(&mutant), parser, mutant)
            }
            _ => {
                let mutant = mutant(&root);
                (of_root(&mutant), parsed(&mutant, &[]), mutant)
            }
        };
        if let Err(refused) = schema {
            prop_assert!(parser.is_err(), "{}\n{:#}", refused, mutant);
        }
    }
}
