//! What holds for every policy, every pattern and every text.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose input cannot be built has failed"
)]

use std::{collections::BTreeSet, fmt::Write as _};

use domain::{
    id::{AccountId, PermissionArn, Principal},
    policy::{Access, Account, Gate, NamePatterns, Organization, Pattern, Place, Policy, Rule},
    status::ExecutionStatus,
};
use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::{select, subsequence},
    test_runner::RngSeed,
};

/// Whether a name matches, by trying every split that a `*` allows.
fn matches_by_definition(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|n| matches_by_definition(rest, &name[n..])),
        [first, rest @ ..] => name.split_first().is_some_and(|(head, tail)| {
            (*first == b'?' || first.eq_ignore_ascii_case(head))
                && matches_by_definition(rest, tail)
        }),
    }
}

fn account_id() -> impl Strategy<Value = AccountId> {
    "[0-9]{12}".prop_map(|text| text.parse().unwrap())
}

fn pattern() -> impl Strategy<Value = Pattern> {
    "[a-zA-Z0-9?*]([-a-z0-9?*]{0,8}[a-z0-9?*])?".prop_map(|text| text.parse().unwrap())
}

fn organization() -> impl Strategy<Value = Organization> {
    ("o-[a-z0-9]{10,32}", any::<bool>())
        .prop_map(|(id, ram_sharing)| Organization { id, ram_sharing })
}

/// Accounts in the order of their names, none of them owning pipelines in [`rules`].
fn accounts() -> impl Strategy<Value = Vec<Account>> {
    btree_map("1[0-9]{11}", ("[a-z][a-z0-9_-]{0,5}", any::<bool>()), 0..4).prop_map(|accounts| {
        let mut accounts: Vec<_> = accounts
            .into_iter()
            .map(|(id, (name, external))| Account {
                name,
                id: id.parse().unwrap(),
                external,
            })
            .collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        accounts.dedup_by(|a, b| a.name == b.name);
        accounts
    })
}

fn principal(organization: Option<Organization>) -> BoxedStrategy<Principal> {
    let account = account_id().prop_map(Principal::Account);
    let role = (account_id(), "[A-Za-z0-9+=,.@_-]{1,9}")
        .prop_map(|(id, name)| format!("arn:aws:iam::{id}:role/{name}").parse().unwrap());
    match organization.filter(|organization| organization.ram_sharing) {
        None => prop_oneof![account, role].boxed(),
        Some(Organization { id, .. }) => {
            let arn = move |text: String| text.replace("ORG", &id).parse::<Principal>().unwrap();
            let within = "arn:aws:organizations::999999999999:(ou/ORG/ou-[a-z0-9]{4}-[a-z0-9]{8}|organization/ORG)"
                .prop_map(arn);
            prop_oneof![account, role, within].boxed()
        }
    }
}

fn rule(organization: Option<Organization>) -> impl Strategy<Value = Rule> {
    let access = prop_oneof![
        Just(Access::Read),
        Just(Access::Execute),
        Just(Access::Permission(PermissionArn::execute("aws"))),
        // Its owner is that of the rule, below.
        "arn:aws:ram:eu-west-1:000000000000:permission/[A-Za-z0-9_.-]{1,36}"
            .prop_map(|arn| Access::Permission(arn.parse().unwrap())),
    ];
    (
        "[a-zA-Z0-9]([-a-zA-Z0-9]{0,8}[a-zA-Z0-9])?",
        "0[0-9]{11}",
        (vec(pattern(), 1..3), vec(pattern(), 0..3)),
        vec(principal(organization), 1..4),
        access,
        select(vec![Gate::Created, Gate::Succeeded, Gate::Hook]),
        subsequence(
            ExecutionStatus::KNOWN.to_vec(),
            0..=ExecutionStatus::KNOWN.len(),
        ),
    )
        .prop_map(
            |(name, owner, (include, except), with, access, after, notify)| Rule {
                name: name.parse().unwrap(),
                access: of_owner(access, &owner),
                owner: owner.parse().unwrap(),
                pipelines: NamePatterns { include, except },
                with,
                after,
                notify: notify.into_iter().collect(),
                ..plain_rule()
            },
        )
        .prop_filter("principals are others, and differ", |rule| {
            let others = rule.with.iter().all(|p| p.account() != Some(&rule.owner));
            // IAM tells names apart by more than their case.
            let with = rule.with.iter();
            let distinct: BTreeSet<_> = with.map(|p| p.as_str().to_ascii_lowercase()).collect();
            others && distinct.len() == rule.with.len()
        })
}

/// A rule that says no more than it must.
fn plain_rule() -> Rule {
    let text = "version: 1\nrules: [{ name: r, owner: 222222222222, pipelines: [a], with: [111111111111] }]";
    Policy::parse(text).unwrap().rules.remove(0)
}

/// The access with the customer managed permission made one of this owner.
fn of_owner(access: Access, owner: &str) -> Access {
    match access {
        Access::Permission(arn) => {
            Access::Permission(arn.as_str().replace("000000000000", owner).parse().unwrap())
        }
        other => other,
    }
}

fn place() -> Place {
    Place {
        partition: "aws".to_owned(),
        region: "eu-west-1".parse().unwrap(),
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    (option::of(organization()), accounts())
        .prop_flat_map(|(organization, accounts)| {
            let rules = vec(rule(organization.clone()), 0..5);
            (Just(organization), Just(accounts), rules)
        })
        .prop_map(|(organization, accounts, mut rules)| {
            let mut names = BTreeSet::new();
            rules.retain(|rule| names.insert(rule.name.as_str().to_ascii_lowercase()));
            Policy {
                organization,
                accounts,
                rules,
                ..Policy::default()
            }
        })
}

/// Writes a policy as a person might, naming every account that has a name.
fn written(policy: &Policy) -> String {
    let mut text = "version: 1\n".to_owned();
    if let Some(Organization { id, ram_sharing }) = &policy.organization {
        writeln!(
            text,
            "organization: {{ id: {id}, ramSharing: {ram_sharing} }}"
        )
        .unwrap();
    }
    text += "accounts: {";
    for Account { name, id, external } in &policy.accounts {
        if *external {
            write!(text, "{name}: {{ external: true, id: {id} }}, ")
        } else {
            write!(text, "{name}: \"{id}\", ")
        }
        .unwrap();
    }
    text += "}\nrules:";
    text += if policy.rules.is_empty() {
        " []\n"
    } else {
        "\n"
    };
    for rule in &policy.rules {
        text += &written_rule(policy, rule);
    }
    text
}

fn written_rule(policy: &Policy, rule: &Rule) -> String {
    let quoted = |texts: Vec<String>| {
        let items: Vec<_> = texts.iter().map(|text| format!("{text:?}")).collect();
        format!("[{}]", items.join(", "))
    };
    let patterns = |patterns: &[Pattern]| quoted(patterns.iter().map(Pattern::to_string).collect());
    let with = rule.with.iter().map(|principal| match principal {
        Principal::Account(id) => policy.display_name(id).to_owned(),
        other => other.as_str().to_owned(),
    });
    let access = match &rule.access {
        Access::Read => "read",
        Access::Execute => "execute",
        Access::Permission(arn) => arn.as_str(),
    };
    let after = match rule.after {
        Gate::Created => "created",
        Gate::Succeeded => "succeeded",
        Gate::Hook => "hook",
    };
    format!(
        "  - notify: {}\n    after: {after}\n    access: {access}\n    with: {}\n    except: {}\n    pipelines: {}\n    owner: {:?}\n    name: {}\n",
        quoted(rule.notify.iter().map(ToString::to_string).collect()),
        quoted(with.collect()),
        patterns(&rule.pipelines.except),
        patterns(&rule.pipelines.include),
        policy.display_name(&rule.owner),
        rule.name,
    )
}

proptest! {
    // The same cases in every run: a failure is repeated by running it again.
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_policy_that_is_written_down_reads_as_itself(policy in policy()) {
        let text = written(&policy);
        prop_assume!(text.len() <= 8192);
        prop_assert_eq!(&Policy::parse(&text), &Ok(policy), "{}", text);
        // It is all of one place, and so it is the same there.
        prop_assert_eq!(Policy::parse_at(&text, &place()), Policy::parse(&text));
    }

    #[test]
    fn line_ends_of_any_kind_mean_the_same(policy in policy(), ends in select(vec!["\r", "\r\n"])) {
        let text = written(&policy);
        prop_assume!(text.len() <= 4096);
        let other = text.replace('\n', ends);
        prop_assert_eq!(Policy::parse(&other), Policy::parse(&text));
        let spoiled = text.replace("version: 1", "version: 2");
        let other = spoiled.replace('\n', ends);
        prop_assert_eq!(Policy::parse(&other), Policy::parse(&spoiled));
    }

    #[test]
    fn any_text_is_a_policy_or_an_error_within_it(text in any::<String>()) {
        if let Err(errors) = Policy::parse(&text) {
            prop_assert!(errors.iter().count() > 0);
            prop_assert!(errors.iter().all(|e| e.line >= 1 && e.column >= 1));
            prop_assert!(errors.iter().is_sorted());
        }
    }

    #[test]
    fn a_damaged_policy_is_refused_or_read_but_never_panics(
        policy in policy(),
        cuts in vec(any::<prop::sample::Index>(), 1..4),
        insert in "[-\\[\\]{}:,#&*!|>'\"%@`\t\n a-z0-9]{0,3}",
    ) {
        let mut characters: Vec<char> = written(&policy).chars().collect();
        for cut in cuts {
            let at = cut.index(characters.len());
            characters.splice(at..=at, insert.chars());
            if characters.is_empty() {
                break;
            }
        }
        let damaged: String = characters.into_iter().collect();
        let lines = damaged.replace('\r', "\n").lines().count();
        if let Err(errors) = Policy::parse(&damaged) {
            prop_assert!(errors.iter().all(|e| e.line <= lines.max(1)), "{}", errors);
        }
    }

    #[test]
    fn a_pattern_matches_what_its_definition_says(
        pattern in "[ab?*]([-ab?*]{0,6}[ab?*])?",
        name in "[abAB]([-abAB]{0,8}[abAB])?",
    ) {
        let parsed: Pattern = pattern.parse().unwrap();
        let expected = matches_by_definition(pattern.as_bytes(), name.as_bytes());
        prop_assert_eq!(parsed.matches(&name), expected);
    }

    #[test]
    fn patterns_cover_and_overlap_as_the_names_that_they_match(
        one in "[ab?*]([-ab?*]{0,4}[ab?*])?",
        other in "[ab?*]([-ab?*]{0,4}[ab?*])?",
    ) {
        let (one, other): (Pattern, Pattern) = (one.parse().unwrap(), other.parse().unwrap());
        // Names of up to six characters tell patterns of up to six apart.
        let names = names(6);
        let of = |pattern: &Pattern| -> BTreeSet<&String> {
            names.iter().filter(|name| pattern.matches(name)).collect()
        };
        let (ones, others) = (of(&one), of(&other));
        prop_assert!(one.covers(&one) && one.overlaps(&one));
        if one.covers(&other) {
            prop_assert!(others.is_subset(&ones), "{} covers {}", one, other);
        }
        if !ones.is_disjoint(&others) {
            prop_assert!(one.overlaps(&other), "{} meets {}", one, other);
        } else if one.overlaps(&other) {
            // Together they may need a name that is longer than these.
            let shortest = |it: &Pattern| it.to_string().replace('*', "").len();
            prop_assert!(shortest(&one) + shortest(&other) > 6, "{} misses {}", one, other);
        }
    }
}

/// All texts of up to so many characters of a small alphabet, also those that no pipeline has for a name.
fn names(longest: usize) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut last = names.clone();
    for _ in 0..longest {
        last = last
            .iter()
            .flat_map(|name| ["a", "b", "-"].map(|next| format!("{name}{next}")))
            .collect();
        names.extend(last.iter().cloned());
    }
    names.remove(0);
    names
}
