//! What is said about documents that are not a policy.

use domain::policy::Policy;

#[path = "support/documents.rs"]
mod documents;

use documents::{refused, refused_line, with_line};

#[test]
fn every_mistake_is_reported_in_the_order_of_the_text() {
    refused(
        r#"version: 2
organisation: { id: o-example1234, ramSharing: true }
accounts:
  dev: "11111111111"
  test: "222222222222"
rules:
  - name: read.ers
    owner: tset
    pipelines: []
    with: [dev, prod, "arn:aws:organizations::999999999999:organization/o-example1234"]
    acess: read
    after: succeded
    notify: [failed, Running]
  - owner: test
    pipelines: ["a[bc]"]
    with: []
    access: write
"#,
        &[
            r#"line 1, column 10: unknown version "2"; the only one is 1"#,
            r#"line 2, column 1: unknown key "organisation"; did you mean "organization"?"#,
            r#"line 4, column 8: "11111111111" is not an account id, which has twelve digits"#,
            r#"line 7, column 11: "read.ers": a rule name is 1 to 100 letters, digits and '-', and starts and ends with a letter or a digit"#,
            r#"line 8, column 12: unknown account "tset"; did you mean "test"?"#,
            r#"line 9, column 16: no pipeline at all; write ["*"] for every one, or remove the rule"#,
            r#"line 10, column 17: unknown account "prod"; name it under accounts, or write its twelve digits"#,
            r#"line 10, column 23: "arn:aws:organizations::999999999999:organization/o-example1234": RAM shares with this only where "organization" says "ramSharing: true""#,
            r#"line 11, column 5: unknown key "acess"; did you mean "access"?"#,
            r#"line 12, column 12: unknown gate "succeded"; did you mean "succeeded"?"#,
            r#"line 13, column 14: unknown status "failed"; did you mean "Failed"?"#,
            r#"line 13, column 22: unknown status "Running"; they are Executing, Stopping, Stopped, Failed, Succeeded, CompletedWithFailures"#,
            r#"line 14, column 5: a rule needs "name""#,
            r#"line 15, column 17: "a[bc]": '[' is neither part of a pipeline's name (letters, digits, '-') nor one of the two wildcards, '*' for any text and '?' for one character"#,
            "line 16, column 11: a rule shares with at least one principal; or remove the rule",
            r#"line 17, column 13: unknown access "write"; write read, execute or the ARN of a managed permission"#,
        ],
    );
}

#[test]
fn what_is_not_one_yaml_mapping_is_refused() {
    const EMPTY: &str =
        "line 1, column 1: the policy is empty; one that shares nothing is \"version: 1\"";
    for nothing in ["", "\n\n", "# only a comment\n", "---\n", "null"] {
        refused(nothing, &[EMPTY]);
    }
    refused(
        "- version: 1",
        &["line 1, column 1: expected a policy, which is a mapping, but found a list"],
    );
    refused(
        "version: 1\n---\nversion: 1\n",
        &["line 2, column 1: a second YAML document starts here; a policy is only one"],
    );
    refused(
        "version: 1\nrules: [",
        &[
            "line 2, column 9: this is not valid YAML: while parsing a node, did not find expected node content",
        ],
    );
    refused(
        "version: 1\nrules:\n\t- name: r\n",
        &["line 3, column 1: a tab indents this line; YAML wants spaces"],
    );
    refused(
        "{\"version\": 1",
        &[
            "line 1, column 14: this is not valid YAML: while parsing a flow mapping, did not find expected ',' or '}'",
        ],
    );
}

#[test]
fn what_hides_the_meaning_of_yaml_is_refused() {
    const ALIAS: &str = "a policy has no anchors or aliases; write the value out";
    refused_line(
        9,
        "    pipelines: &all [\"*\"]",
        &[&format!("line 9, column 16: {ALIAS}")],
    );
    refused(
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n",
        &[&format!("line 1, column 4: {ALIAS}")],
    );
    refused(
        "version: !!int 1",
        &["line 1, column 10: a policy has no tags; write the value alone"],
    );
    refused(
        "? [version]\n: 1",
        &["line 1, column 3: a key is a text, but here is a list"],
    );
}

#[test]
fn size_and_depth_are_limited() {
    let long = format!("version: 1\n#{}\n", "x".repeat(8192));
    refused(
        &long,
        &["line 1, column 1: the policy has 8205 bytes, and its parameter holds at most 8192"],
    );
    for deep in ["[".repeat(200) + &"]".repeat(200), "- ".repeat(4000)] {
        let said = Policy::parse(&deep).unwrap_err().to_string();
        assert!(
            said.ends_with(": this is nested deeper than any policy"),
            "{said}"
        );
    }
    let fits = format!("version: 1\n#{}", "x".repeat(8192 - 12));
    assert!(Policy::parse(&fits).is_ok());
}

#[test]
fn a_key_that_occurs_twice_is_refused() {
    refused_line(
        8,
        "    owner: test\n    owner: dev",
        &[r#"line 9, column 5: "owner" is on line 8 already"#],
    );
    refused_line(
        4,
        "  test: \"111111111111\"",
        &[
            r#"line 5, column 3: "test" is on line 4 already"#,
            r#"line 11, column 12: unknown account "dev"; name it under accounts, or write its twelve digits"#,
        ],
    );
}

#[test]
fn two_rules_may_not_be_told_apart_by_case_only() {
    let second = "  - { name: Readers, owner: test, pipelines: [a], with: [dev] }";
    refused(
        &format!("{}\n{second}", with_line(14, "")),
        &["line 14, column 13: the rule on line 7 has this name already"],
    );
}

#[test]
fn accounts_are_named_once() {
    refused_line(
        5,
        "  test: \"222222222222\"\n  copy: \"111111111111\"\n  TEST: \"333333333333\"",
        &[
            r#"line 6, column 3: "copy" is the same account as "dev": 111111111111"#,
            r#"line 7, column 3: "TEST" and "test" differ in case only"#,
        ],
    );
    refused_line(
        4,
        "  dev: \"111111111111\"\n  \"444444444444\": \"444444444444\"\n  my team: \"555555555555\"",
        &[
            r#"line 5, column 3: "444444444444": an account's name is not a number; write NAME: "ID""#,
            r#"line 6, column 3: "my team": an account's name has letters, digits, '-' and '_' only"#,
        ],
    );
}

#[test]
fn an_account_that_could_not_be_read_is_not_called_unknown_as_well() {
    refused_line(
        4,
        "  dev: { id: \"1\", extrenal: yes }",
        &[
            r#"line 4, column 14: "1" is not an account id, which has twelve digits"#,
            r#"line 4, column 19: unknown key "extrenal"; did you mean "external"?"#,
        ],
    );
    refused(
        "version: 1\naccounts: [dev]\nrules: [{name: r, owner: dev, pipelines: [a], with: [\"111111111111\"]}]",
        &["line 2, column 11: expected the accounts by name, which is a mapping, but found a list"],
    );
}

#[test]
fn an_organization_says_its_id_and_whether_ram_shares_in_it() {
    refused_line(
        2,
        "organization: {}",
        &[
            r#"line 2, column 15: an organization needs "id""#,
            r#"line 2, column 15: an organization needs "ramSharing""#,
        ],
    );
    refused_line(
        2,
        "organization: { id: example, ramSharing: \"true\" }",
        &[
            r#"line 2, column 21: "example" is not an organization id like o-example1234"#,
            "line 2, column 42: expected true or false, without quotes",
        ],
    );
}

#[test]
fn an_owner_is_one_account() {
    refused_line(
        8,
        "    owner: arn:aws:iam::222222222222:role/builder",
        &["line 8, column 12: an owner is an account; write its name or its twelve digits"],
    );
    refused_line(
        8,
        "    owner: [test]",
        &["line 8, column 12: an owner is one account or group; write several as \"owners\""],
    );
    refused_line(
        8,
        "    owner: 22222222222",
        &[r#"line 8, column 12: "22222222222" is not an account id, which has twelve digits"#],
    );
}

#[test]
fn a_rule_shares_with_others_and_with_each_once() {
    refused_line(
        11,
        "    with: [dev, test, \"111111111111\", arn:aws:iam::222222222222:user/eve]",
        &[
            "line 11, column 17: this is the owner itself, whose pipelines these are",
            r#"line 11, column 23: "111111111111" is in this list already"#,
            "line 11, column 39: this is the owner itself, whose pipelines these are",
        ],
    );
    refused_line(
        11,
        "    with: dev",
        &[r#"line 11, column 11: expected a list of accounts or ARNs; write ["dev"]"#],
    );
}

#[test]
fn patterns_that_match_no_pipeline_are_refused() {
    let wrong = |pattern: &str, problem: &str| {
        let shown = if pattern.len() > 80 {
            format!("{:?}…", &pattern[..80])
        } else {
            format!("{pattern:?}")
        };
        let line = format!("line 10, column 14: {shown}: {problem}");
        refused_line(10, &format!("    except: [\"{pattern}\"]"), &[&line]);
    };
    wrong(
        "",
        "an empty pattern matches nothing; write \"*\" for every pipeline",
    );
    wrong(
        "churn-",
        "no pipeline's name starts or ends with '-'; write '*' beside it to match longer names",
    );
    wrong(
        &"a".repeat(257),
        "no pipeline's name is as long as this; the longest have 256 characters",
    );
    for character in "[]{}!,_. ü".chars() {
        wrong(
            &format!("a{character}b"),
            &format!(
                "{character:?} is neither part of a pipeline's name (letters, digits, '-') nor one of the two wildcards, '*' for any text and '?' for one character"
            ),
        );
    }
}

#[test]
fn an_empty_key_is_not_an_empty_list() {
    refused(
        "version: 1\nrules:\n",
        &["line 2, column 6: expected a list of rules, but found nothing"],
    );
    refused(
        "version: 1\naccounts: ~\n",
        &[
            "line 2, column 11: expected the accounts by name, which is a mapping, but found nothing",
        ],
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    refused(
        "{ \"versiön\": 1, versoin: 1, version: 1 }",
        &[
            r#"line 1, column 3: unknown key "versiön"; did you mean "version"?"#,
            r#"line 1, column 17: unknown key "versoin"; did you mean "version"?"#,
        ],
    );
}
