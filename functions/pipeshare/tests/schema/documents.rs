//! Any policy, with every key of the language.

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
    test_runner::RngSeed,
};
use serde_json::{Map, Value, json};

use crate::{of_root, of_team, parsed};

type Any = BoxedStrategy<Value>;

/// A root and the documents of its teams.
pub(crate) type Documents = (Value, Vec<(String, Value)>);

fn text(pattern: &'static str) -> Any {
    pattern.prop_map(Value::from).boxed()
}

fn one_of(values: &[&str]) -> Any {
    let values = values.iter().map(|it| json!(it)).collect::<Vec<_>>();
    select(values).boxed()
}

/// An account id, in quotes or as YAML takes it without; the first digit says whose it is.
fn id(pattern: &'static str) -> Any {
    let id = (pattern, any::<bool>());
    id.prop_map(|(digits, is_number)| {
        let number = digits.parse::<u64>().ok().filter(|_| is_number);
        number.map_or(json!(digits), Value::from)
    })
    .boxed()
}

/// An object with members, each with whether it has to be there.
fn object(members: Vec<(&'static str, bool, Any)>) -> Any {
    let members = members.into_iter().map(|(key, needed, value)| {
        let member = value.prop_map(move |value| Some((key.to_owned(), value)));
        if needed {
            member.boxed()
        } else {
            prop_oneof![Just(None), member].boxed()
        }
    });
    let members: Vec<_> = members.collect();
    members
        .prop_map(|members| members.into_iter().flatten().collect())
        .boxed()
}

/// A list in which nothing stands twice, in whatever spelling.
fn list(item: Any, least: usize) -> Any {
    vec(item, least..4)
        .prop_map(|items| {
            let mut unique: Vec<Value> = Vec::new();
            for item in items {
                let word = |it: &Value| it.to_string().replace('"', "").to_ascii_lowercase();
                if unique.iter().all(|it| word(it) != word(&item)) {
                    unique.push(item);
                }
            }
            Value::from(unique)
        })
        .boxed()
}

/// Accounts that [`root`] names, and those of none of the owners.
fn account() -> Any {
    prop_oneof![one_of(&["dev", "test_2", "X-9"]), id("[1-7][0-9]{11}")].boxed()
}

fn principal() -> Any {
    let within = "arn:aws:organizations::999999999999:(ou/o-example1234/ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|organization/o-example1234)";
    prop_oneof![
        account(),
        text("arn:aws(-cn)?:iam::[1-7][0-9]{11}:(role|user)/([!-)+->@-~]{0,5}/)?[A-Za-z0-9+=,.@_-]{1,64}"),
        text(within),
    ]
    .boxed()
}

fn principals(least: usize) -> Any {
    let named = prop_oneof![principal(), one_of(&["people", "Everybody"])];
    list(named.boxed(), least)
}

fn patterns(least: usize) -> Any {
    let pattern = prop_oneof![
        text("[a-zA-Z0-9?*]([-a-zA-Z0-9?*]{0,8}[a-zA-Z0-9?*])?"),
        (0..3000_u32).prop_map(Value::from),
    ];
    vec(pattern, least..3).prop_map(Value::from).boxed()
}

fn access() -> Any {
    let own =
        text("arn:aws:ram:[a-z]{2}(-[a-z]{1,4}){1,2}-[0-9]:OWNER:permission/[A-Za-z0-9_.-]{1,36}");
    let known = [
        "read",
        "execute",
        "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline",
        "arn:aws-cn:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution",
    ];
    prop_oneof![one_of(&known), own].boxed()
}

/// `owner` or `owners`; the permission of the owner is of its account.
fn owned(owner: Any, group: &'static str, rest: Any) -> Any {
    let several = list(prop_oneof![owner.clone(), one_of(&[group])].boxed(), 1);
    let owners = prop_oneof![
        object(vec![("owner", true, owner)]),
        object(vec![("owner", true, one_of(&[group]))]),
        object(vec![("owners", true, several)]),
    ];
    (owners, rest)
        .prop_map(|(owners, rest)| {
            let (Value::Object(mut members), Value::Object(rest)) = (owners, rest) else {
                unreachable!("both are objects");
            };
            members.extend(rest);
            let owner = members
                .get("owner")
                .map(ToString::to_string)
                .unwrap_or_default();
            let owner = owner.replace('"', "");
            if let Some(access) = members.get("access").and_then(Value::as_str) {
                let access = if !access.contains("OWNER") || owner.len() == 12 {
                    access.replace("OWNER", &owner)
                } else {
                    "execute".to_owned()
                };
                members.insert("access".to_owned(), Value::from(access));
            }
            Value::Object(members)
        })
        .boxed()
}

fn until() -> Any {
    let date = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let time = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?(Z|[+-]0[0-9]:[0-5][0-9])";
    prop_oneof![text(date), text(time)].boxed()
}

fn rule() -> Any {
    let short = || {
        let words = text("[ -~äß漢☃]{1,200}");
        prop_oneof![words, any::<u32>().prop_map(Value::from)].boxed()
    };
    let statuses = [
        "Executing",
        "Stopping",
        "Stopped",
        "Failed",
        "Succeeded",
        "CompletedWithFailures",
    ];
    let statuses = subsequence(statuses.to_vec(), 0..=6).prop_map(Value::from);
    let rest = object(vec![
        (
            "name",
            true,
            text("[a-zA-Z0-9]([-a-zA-Z0-9]{0,8}[a-zA-Z0-9])?"),
        ),
        ("pipelines", true, patterns(1)),
        ("except", false, patterns(0)),
        ("with", true, principals(1)),
        ("access", false, access()),
        ("after", false, one_of(&["created", "succeeded", "hook"])),
        ("notify", false, statuses.boxed()),
        ("until", false, until()),
        ("why", false, short()),
        ("contact", false, short()),
    ]);
    owned(id("8[0-9]{11}"), "owners", rest)
}

/// What a team may grant, or what nobody may.
fn bound(owner: &'static str, group: &'static str, needs_with: bool) -> Any {
    let rest = object(vec![
        ("pipelines", false, patterns(1)),
        ("except", false, patterns(0)),
        ("with", needs_with, principals(1)),
        ("access", false, access()),
    ]);
    owned(id(owner), group, rest)
}

fn root() -> Any {
    let organization = object(vec![
        ("id", true, one_of(&["o-example1234"])),
        ("ramSharing", true, Just(json!(true)).boxed()),
    ]);
    let limits = (0..=100_u8).prop_map(|percent| json!(format!("{percent}%")));
    let limits = object(vec![("withdraw", false, limits.boxed())]);
    object(vec![
        ("version", true, select(vec![json!(1), json!("1")]).boxed()),
        ("organization", true, organization),
        ("accounts", true, accounts()),
        ("groups", true, groups()),
        ("teams", false, teams()),
        (
            "never",
            false,
            vec(bound("9[0-9]{11}", "nobody", false), 0..3)
                .prop_map(Value::from)
                .boxed(),
        ),
        ("limits", false, limits),
        (
            "rules",
            false,
            vec(rule(), 0..4).prop_map(Value::from).boxed(),
        ),
    ])
}

fn accounts() -> Any {
    let external = object(vec![
        ("id", true, id("6[0-9]{11}")),
        (
            "external",
            false,
            any::<bool>().prop_map(Value::from).boxed(),
        ),
    ]);
    let others = option::of(("x[a-z0-9_-]{0,8}", external));
    let known = ["dev", "test_2", "X-9"].into_iter().zip(1..);
    let known: Map<_, _> = known
        .map(|(name, digit)| (name.to_owned(), json!(digit.to_string().repeat(12))))
        .collect();
    others
        .prop_map(move |other| {
            let mut accounts = known.clone();
            accounts.extend(other);
            Value::Object(accounts)
        })
        .boxed()
}

fn groups() -> Any {
    let others = btree_map("y[a-z0-9_-]{0,8}", list(principal(), 1), 0..2);
    (list(principal(), 1), list(account(), 0), others)
        .prop_map(|(people, more, others)| {
            let mut everybody = vec![json!("people")];
            everybody.extend(more.as_array().into_iter().flatten().cloned());
            let mut groups: Map<_, _> = others.into_iter().collect();
            groups.insert("people".to_owned(), people);
            groups.insert("Everybody".to_owned(), Value::from(everybody));
            groups.insert(
                "owners".to_owned(),
                json!([800_000_000_001_u64, "800000000002"]),
            );
            groups.insert("nobody".to_owned(), json!(["900000000001"]));
            Value::Object(groups)
        })
        .boxed()
}

fn teams() -> Any {
    let name = "[a-z0-9_-]{1,9}|[a-z]{100}";
    btree_map(name, bound("8[0-9]{11}", "owners", true), 0..3)
        .prop_map(|teams| Value::Object(teams.into_iter().collect()))
        .boxed()
}

/// For each team a document with a rule that grants all that the team may.
fn of_teams(root: &Value) -> Vec<(String, Value)> {
    let teams = root["teams"].as_object().into_iter().flatten();
    let documents = teams.zip(0..).map(|((team, bounds), number)| {
        let mut rule = bounds.as_object().cloned().unwrap_or_default();
        rule.insert("name".to_owned(), json!(format!("of-a-team-{number}")));
        rule.entry("pipelines").or_insert(json!(["*"]));
        (team.clone(), json!({ "version": "1", "rules": [rule] }))
    });
    documents.collect()
}

/// Any root, with a document for each of its teams.
pub(crate) fn documents() -> impl Strategy<Value = Documents> {
    (root(), "o-[a-z0-9]{10,32}").prop_map(|(mut root, organization)| {
        let rules = root["rules"].as_array_mut().into_iter().flatten();
        for (rule, number) in rules.zip(0..) {
            let name = rule["name"].as_str().unwrap_or_default();
            rule["name"] = json!(format!("{name}{number}"));
        }
        // JSON null stands for what was indexed and is not there.
        if let Some(members) = root.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let text = root.to_string().replace("o-example1234", &organization);
        let root = serde_json::from_str(&text).unwrap();
        let teams = of_teams(&root);
        (root, teams)
    })
}

/// The same cases in every run: a failure is repeated by running it again.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_the_parser_takes_the_schemas_take((root, teams) in documents()) {
        prop_assume!(root.to_string().len() <= 8192);
        let policy = parsed(&root, &teams);
        prop_assert!(policy.is_ok(), "{}\n{:#}", policy.unwrap_err(), root);
        prop_assert_eq!(of_root(&root), Ok(()), "{:#}", root);
        for (team, document) in teams {
            prop_assert_eq!(of_team(&document), Ok(()), "{}: {:#}", team, document);
        }
    }
}
