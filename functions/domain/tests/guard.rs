//! What counts as withdrawn, and how much of it is too much.

use domain::policy::{Limits, Policy, Withdrawal};
use proptest::{prelude::*, test_runner::RngSeed};

const HEAD: &str = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333", prod: "444444444444" }
groups: { people: [dev, shared] }
"#;

fn policy(rules: &[&str]) -> Policy {
    let rules: Vec<_> = rules.iter().map(|rule| format!("{{ {rule} }}")).collect();
    let text = format!("{HEAD}rules: [{}]\n", rules.join(", "));
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn withdrawn(before: &[&str], after: &[&str]) -> Vec<String> {
    Withdrawal::between(&policy(before), &policy(after)).withdrawn
}

const BASE: &str =
    r#"name: r, owner: test, pipelines: ["a*", "b"], with: [dev, shared], access: execute"#;

#[test]
fn what_other_rules_give_as_well_is_not_withdrawn() {
    let split = [
        r#"name: x, owner: test, pipelines: ["a*"], with: [people], access: execute, after: created"#,
        r#"name: y, owners: [test, prod], pipelines: ["*"], except: ["a*"], with: [people], access: execute"#,
    ];
    assert_eq!(withdrawn(&[BASE], &split), [""; 0]);
    let wider = [BASE.replace("\"b\"", "\"b*\"")];
    assert_eq!(withdrawn(&[BASE], &[&wider[0]]), [""; 0]);
}

#[test]
fn fewer_names_less_access_and_another_gate_are_withdrawals() {
    let of = |from: &str, to: &str| withdrawn(&[BASE], &[&BASE.replace(from, to)]);
    assert_eq!(
        of("access: execute", "access: read"),
        [
            "dev loses execute on \"a*\", \"b\" of test, by rule r",
            "shared loses execute on \"a*\", \"b\" of test, by rule r"
        ]
    );
    assert_eq!(of("\"a*\", \"b\"", "\"ab*\", \"b\"").len(), 2);
    assert_eq!(
        of("[dev, shared]", "[dev]"),
        ["shared loses execute on \"a*\", \"b\" of test, by rule r"]
    );
    assert_eq!(
        of("access: execute", "access: execute, after: hook").len(),
        2
    );
    assert_eq!(
        of("access: execute", "access: execute, after: created").len(),
        0
    );
    assert_eq!(of("owner: test", "owner: prod").len(), 2);
    assert_eq!(
        of(
            "[dev, shared]",
            "[\"arn:aws:iam::111111111111:role/x\", shared]"
        )
        .len(),
        1
    );
}

#[test]
fn it_takes_more_than_ten_and_more_than_the_limit_to_be_too_much() {
    let withdrawal = |withdrawn: usize, all| Withdrawal {
        all,
        withdrawn: vec![String::new(); withdrawn],
    };
    let limits = |withdraw| Limits { withdraw };
    assert!(!withdrawal(10, 10).is_beyond(limits(25)));
    assert!(withdrawal(11, 11).is_beyond(limits(25)));
    assert!(withdrawal(11, 43).is_beyond(limits(25)));
    assert!(!withdrawal(11, 44).is_beyond(limits(25)));
    assert!(!withdrawal(500, 500).is_beyond(limits(100)));
    assert!(withdrawal(11, 5_000).is_beyond(limits(0)));
}

fn any_rules() -> impl Strategy<Value = Vec<String>> {
    let rule = (
        prop::sample::select(vec!["test", "prod"]),
        prop::sample::select(vec!["a*", "*", "ab", "b?"]),
        prop::sample::subsequence(vec!["dev", "shared", "people"], 1..3),
        prop::sample::select(vec!["read", "execute"]),
        prop::sample::select(vec!["created", "succeeded", "hook"]),
    );
    prop::collection::vec(rule, 0..5).prop_map(|rules| {
        let rules = rules.into_iter().enumerate();
        let line = |(number, (owner, pattern, with, access, after))| {
            let with: &Vec<&str> = &with;
            format!(
                "name: r{number}, owner: {owner}, pipelines: [\"{pattern}\"], with: [{}], access: {access}, after: {after}",
                with.join(", ")
            )
        };
        rules.map(line).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_withdrawn_by_adding_and_everything_by_an_empty_policy(
        one in any_rules(),
        more in any_rules(),
    ) {
        let ones: Vec<&str> = one.iter().map(String::as_str).collect();
        let renamed: Vec<_> = more.iter().map(|it| it.replace("name: r", "name: s")).collect();
        let both: Vec<&str> = ones.iter().copied().chain(renamed.iter().map(String::as_str)).collect();
        prop_assert_eq!(withdrawn(&ones, &both), Vec::<String>::new());
        let all = Withdrawal::between(&policy(&ones), &policy(&[]));
        prop_assert_eq!(all.withdrawn.len(), all.all);
    }

    /// Whoever could use a pipeline by a name, and cannot by any rule any more, is among the withdrawn.
    #[test]
    fn nobody_loses_a_pipeline_unseen(one in any_rules(), other in any_rules()) {
        let of = |rules: &[String]| policy(&rules.iter().map(String::as_str).collect::<Vec<_>>());
        let (before, after) = (of(&one), of(&other));
        let withdrawal = Withdrawal::between(&before, &after);
        for name in ["a", "ab", "abc", "b1", "zz"] {
            for rule in before.rules.iter().filter(|rule| rule.pipelines.matches(name)) {
                for principal in &rule.with {
                    let keeps = after.rules.iter().any(|it| {
                        it.owner == rule.owner
                            && it.pipelines.matches(name)
                            && it.with.contains(principal)
                            && it.access.includes(&rule.access)
                    });
                    let who = before.display_name(principal.account().unwrap());
                    let mut lines = withdrawal.withdrawn.iter();
                    let said = lines.any(|it| it.starts_with(who) && it.ends_with(&format!("by rule {}", rule.name)));
                    prop_assert!(keeps || said, "{who} loses {name} of {}", rule.owner);
                }
            }
        }
    }
}
