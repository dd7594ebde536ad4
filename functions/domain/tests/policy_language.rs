//! Groups, several owners, ends, bounds, and documents of teams.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::policy::{Place, Policy, PolicyErrors, TeamDocument};

const HEAD: &str = r#"version: 1
accounts:
  dev: "111111111111"
  test: "222222222222"
  shared: "333333333333"
  prod: "444444444444"
  partner: { id: "555555555555", external: true }
"#;

fn root(text: &str) -> String {
    format!("{HEAD}{text}")
}

fn parse(text: &str) -> Policy {
    Policy::parse(&root(text)).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is said of a text after the head, whose lines count from 8.
fn errors(text: &str) -> Vec<String> {
    let errors = Policy::parse(&root(text)).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

fn place() -> Place {
    Place {
        partition: "aws".to_owned(),
        region: "eu-west-1".parse().unwrap(),
    }
}

/// Each rule as owner and principals.
fn grants(policy: &Policy) -> Vec<(String, Vec<String>)> {
    let rules = policy.rules.iter();
    let grant = |rule: &domain::policy::Rule| {
        let with = rule.with.iter().map(|it| policy_name(policy, it.as_str()));
        (policy.display_name(&rule.owner).to_owned(), with.collect())
    };
    rules.map(grant).collect()
}

fn policy_name(policy: &Policy, text: &str) -> String {
    let id = text.parse().ok();
    id.map_or(text.to_owned(), |id| policy.display_name(&id).to_owned())
}

#[test]
fn a_group_stands_for_its_members_and_no_owner_shares_with_itself() {
    let policy = parse(
        r#"groups:
  builders: [test, prod]
  everybody: [builders, dev, "arn:aws:iam::333333333333:role/engineer"]
rules:
  - { name: all, owners: [builders, dev], pipelines: ["*"], with: [everybody] }
"#,
    );
    let engineer = "arn:aws:iam::333333333333:role/engineer";
    let expected = [
        ("dev", vec!["test", "prod", engineer]),
        ("test", vec!["dev", "prod", engineer]),
        ("prod", vec!["dev", "test", engineer]),
    ];
    let expected = expected.map(|(owner, with)| {
        let with: Vec<_> = with.into_iter().map(str::to_owned).collect();
        (owner.to_owned(), with)
    });
    assert_eq!(grants(&policy), expected);
    let test = "222222222222".parse().unwrap();
    assert_eq!(policy.rule("all", &test).unwrap().owner, test);
    assert_eq!(policy.rules_named("all").count(), 3);
}

#[test]
fn what_is_wrong_with_groups_is_said_at_once() {
    assert_eq!(
        errors(
            r#"groups:
  a: [b]
  b: [c, dev]
  c: [a]
  dev: [test]
  "1": [test]
  Some: [test, test, tset]
  some: []
rules:
  - { name: r, owner: roles, pipelines: ["*"], with: [dev, sme] }
"#
        ),
        [
            "line 11, column 7: groups cannot contain each other: a > b > c > a",
            "line 12, column 3: \"dev\": an account has this name already, perhaps in another case",
            "line 13, column 3: \"1\": a group's name has letters, digits, '-' and '_', and is no number",
            "line 14, column 16: \"test\" is in this list already",
            "line 14, column 22: unknown account \"tset\"; did you mean \"test\"?",
            "line 15, column 3: \"some\" and \"Some\" differ in case only",
            "line 15, column 9: a group has at least one member; or remove the group",
            "line 17, column 23: unknown account \"roles\"; name it under accounts, or write its twelve digits",
            "line 17, column 60: unknown account \"sme\"; did you mean \"Some\"?",
        ]
    );
}

#[test]
fn an_owner_is_an_account_and_has_somebody_to_share_with() {
    assert_eq!(
        errors(
            r#"groups:
  roles: ["arn:aws:iam::333333333333:role/engineer"]
  alone: [test]
rules:
  - { name: a, owner: roles, pipelines: ["*"], with: [dev] }
  - { name: b, owner: test, pipelines: ["*"], with: [alone] }
  - { name: c, owner: test, owners: [dev], pipelines: ["*"], with: [dev] }
  - { name: d, owners: [], pipelines: ["*"], with: [dev] }
  - { name: e, pipelines: ["*"], with: [dev] }
"#
        ),
        [
            "line 12, column 23: group \"roles\" has \"arn:aws:iam::333333333333:role/engineer\", and only accounts own pipelines",
            "line 13, column 5: the rule shares pipelines of 222222222222 with nobody but 222222222222",
            "line 14, column 37: a rule has \"owner\" or \"owners\", not both",
            "line 15, column 24: no owner at all; name an account, or remove the rule",
            "line 16, column 5: a rule needs \"owner\"",
        ]
    );
}

#[test]
fn a_rule_ends_with_its_day_or_at_its_time() {
    let policy = parse(
        r#"rules:
  - { name: day, owner: test, pipelines: ["*"], with: [dev], until: 2027-03-31 }
  - { name: time, owner: test, pipelines: ["*"], with: [dev], until: "2027-03-31T12:00:00+02:00" }
  - { name: open, owner: test, pipelines: ["*"], with: [dev], why: migration, contact: ml@example.com }
"#,
    );
    let names = |at: &str| {
        let policy = policy.clone().at(at.parse().unwrap());
        let name = |rule: &domain::policy::Rule| rule.name.to_string();
        let names: Vec<_> = policy.rules.iter().map(name).collect();
        let ended: Vec<_> = policy.ended.iter().map(name).collect();
        (names.join(" "), ended.join(" "))
    };
    let of = |open: &str, ended: &str| (open.to_owned(), ended.to_owned());
    assert_eq!(names("2027-03-31T09:59:59Z"), of("day time open", ""));
    assert_eq!(names("2027-03-31T10:00:00Z"), of("day open", "time"));
    assert_eq!(names("2027-03-31T23:59:59Z"), of("day open", "time"));
    assert_eq!(names("2027-04-01T00:00:00Z"), of("open", "day time"));
    let open = &policy.rules[2];
    assert_eq!(open.why.as_deref(), Some("migration"));
    assert_eq!(open.contact.as_deref(), Some("ml@example.com"));
}

#[test]
fn an_end_that_is_none_is_refused() {
    for until in [
        "2027-02-30",
        "tomorrow",
        "2027-03-31T12:00:00",
        "20270331T180000Z",
        "\"2027-03-31T18:00:00+01:00[Europe/Berlin]\"",
        "31.03.2027",
        "2027-3-1",
        "[2027-03-31]",
    ] {
        let text = format!(
            "rules:\n  - {{ name: r, owner: test, pipelines: [\"*\"], with: [dev], until: {until} }}\n"
        );
        let errors = errors(&text);
        assert_eq!(errors.len(), 1, "{until}: {errors:?}");
        assert!(errors[0].starts_with("line 9, column"), "{errors:?}");
    }
}

#[test]
fn what_is_never_granted_is_refused_with_both_places() {
    let never = r#"never:
  - { owner: prod, with: [partner], access: execute }
  - { with: [partner], pipelines: ["secret-*"] }
rules:
"#;
    let refused = |rule: &str| {
        let text = format!("{never}  - {{ name: r, {rule} }}\n");
        Policy::parse(&root(&text))
            .err()
            .map(|errors| errors.to_string())
    };
    let first = "line 12, column 5: 555555555555 may not have access execute to pipelines of 444444444444: line 9 of the root never grants it";
    assert_eq!(
        refused(r#"owner: prod, pipelines: ["a*"], with: [dev, partner], access: execute"#),
        Some(first.to_owned())
    );
    let role = r#"owner: prod, pipelines: ["a*"], with: ["arn:aws:iam::555555555555:role/x"], access: execute"#;
    assert!(
        refused(role).unwrap().contains("role/x may not"),
        "a role of the account"
    );
    assert_eq!(
        refused(r#"owner: prod, pipelines: ["a*"], with: [dev], access: execute"#),
        None
    );
    assert_eq!(
        refused(r#"owner: prod, pipelines: ["a*"], with: [partner]"#),
        None
    );
    let second = refused(r#"owner: test, pipelines: ["*"], with: [partner]"#).unwrap();
    assert!(
        second.ends_with("line 10 of the root never grants it"),
        "{second}"
    );
    assert_eq!(
        refused(r#"owner: test, pipelines: ["*"], except: ["secret-*"], with: [partner]"#),
        None
    );
    let inner = refused(r#"owner: test, pipelines: ["*-key"], with: [partner]"#);
    assert!(inner.is_some(), "secret-key is one");
}

#[test]
fn whom_an_organization_holds_nobody_says_so_what_is_never_granted_is_refused() {
    let text = r#"version: 1
organization: { id: o-example1234, ramSharing: true }
accounts: { test: "222222222222", prod: "444444444444", partner: { id: "555555555555", external: true } }
never:
  - { with: [WHO], owner: test }
rules:
  - { name: r, owner: test, pipelines: ["*"], with: ["arn:aws:organizations::999999999999:organization/o-example1234"] }
"#;
    assert!(Policy::parse(&text.replace("WHO", "prod")).is_err());
    assert!(
        Policy::parse(&text.replace("WHO", "partner")).is_ok(),
        "outside"
    );
}

const TEAMS: &str = r#"teams:
  churn: { owners: [test], pipelines: ["churn-*"], except: ["churn-secret*"], with: [dev, shared], access: execute }
  fraud: { owners: [test, dev], with: [shared] }
rules:
  - { name: root-rule, owner: dev, pipelines: ["*"], with: [shared] }
"#;

fn together(root_text: &str, teams: &[(&str, &str)]) -> Result<Policy, PolicyErrors> {
    let teams: Vec<_> = teams
        .iter()
        .map(|(team, text)| TeamDocument { team, text })
        .collect();
    Policy::parse_all(&root(root_text), &teams, Some(&place()))
}

fn document(rule: &str) -> String {
    format!("version: 1\nrules:\n  - {{ {rule} }}\n")
}

#[test]
fn a_team_shares_within_its_bounds() {
    let churn = document(
        r#"name: churn-ops, owner: test, pipelines: ["churn-train", "CHURN-eval-*"], with: ["arn:aws:iam::111111111111:role/x"], access: execute"#,
    );
    let policy = together(TEAMS, &[("churn", &churn)]).unwrap();
    let teams: Vec<_> = policy
        .rules
        .iter()
        .map(|rule| rule.team.as_deref())
        .collect();
    assert_eq!(teams, [None, Some("churn")]);
    assert_eq!(policy.teams, ["churn", "fraud"]);
}

#[test]
fn whatever_is_beyond_the_bounds_of_a_team_is_refused_with_the_bound() {
    let beyond = |rule: &str| {
        let errors = together(TEAMS, &[("churn", &document(rule))]).unwrap_err();
        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        beyond(
            r#"name: r, owner: dev, pipelines: ["churn-*", "fraud"], with: [partner], access: "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution""#
        ),
        [
            "document churn, line 3, column 5: access arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution is beyond the team's bounds, whose access is execute (line 9 of the root)",
            "document churn, line 3, column 5: owner 111111111111 is beyond the team's bounds, whose owners are 222222222222 (line 9 of the root)",
            "document churn, line 3, column 5: pattern \"churn-*\" is beyond the team's bounds, whose pipelines are churn-* except churn-secret* (line 9 of the root)",
            "document churn, line 3, column 5: pattern \"fraud\" is beyond the team's bounds, whose pipelines are churn-* except churn-secret* (line 9 of the root)",
            "document churn, line 3, column 5: principal 555555555555 is beyond the team's bounds, who shares with 111111111111, 333333333333 (line 9 of the root)",
        ]
    );
    let fraud =
        document(r#"name: r, owner: dev, pipelines: ["*"], with: [shared], access: execute"#);
    let errors = together(TEAMS, &[("fraud", &fraud)]).unwrap_err();
    assert!(
        errors.to_string().contains("access execute is beyond"),
        "{errors}"
    );
}

#[test]
fn a_team_document_has_rules_alone_and_names_of_its_own() {
    let text = "version: 1\naccounts: {}\nrules:\n  - { name: Root-Rule, owner: test, pipelines: [a], with: [shared] }\n";
    let other = document("name: root-rule, owner: test, pipelines: [a], with: [shared]");
    let errors = together(TEAMS, &[("fraud", text), ("frauds", &other)]).unwrap_err();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "document fraud, line 2, column 1: unknown key \"accounts\"; the document of a team has only version, rules",
            "document fraud, line 4, column 13: the rule on line 12 of the root has this name already",
            "document frauds, line 1, column 1: the root has no team \"frauds\"; did you mean \"fraud\"?",
        ]
    );
}

#[test]
fn of_a_team_in_force_only_what_does_not_hold_any_more_is_not_granted() {
    let fraud = "version: 1\nrules:\n  - { name: good, owner: test, pipelines: [a], with: [shared] }\n  - { name: bad, owner: prod, pipelines: [a], with: [shared] }\n";
    let documents = [
        TeamDocument {
            team: "churn",
            text: "version: [",
        },
        TeamDocument {
            team: "fraud",
            text: fraud,
        },
    ];
    let (policy, errors) = Policy::combine(&root(TEAMS), &documents, &place()).unwrap();
    let names: Vec<_> = policy.rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names, ["root-rule", "good"]);
    assert!(
        errors
            .of_document(Some("fraud"))
            .to_string()
            .contains("owner 444444444444 is beyond")
    );
    assert!(!errors.of_document(Some("churn")).is_empty());
    assert!(errors.of_document(None).is_empty());

    let broken = Policy::combine("version: 2", &documents, &place());
    assert!(broken.unwrap_err().to_string().starts_with("line 1"));
}

#[test]
fn a_limit_is_a_share_of_the_grants() {
    assert_eq!(parse("limits: { withdraw: 50% }\n").limits.withdraw, 50);
    assert_eq!(parse("").limits.withdraw, 25);
    for wrong in ["", "50", "101%", "-1%", "+1%", "half", "[1%]", "%"] {
        assert_eq!(
            errors(&format!("limits: {{ withdraw: \"{wrong}\" }}\n")).len(),
            1,
            "{wrong}"
        );
    }
}
