//! The characters of a policy: how its lines end, and what it may not hold.

use domain::policy::{Policy, is_unwritten, versions_left};

const RULES: &str = "\
# The policy of the platform team.
version: 1
accounts: { dev: \"111111111111\" }
rules:
  - { name: r, owner: \"222222222222\", pipelines: [a], with: [dev] }
";

#[track_caller]
fn refused(text: &str, line: &str) {
    let said = Policy::parse(text).map_err(|errors| errors.to_string());
    assert_eq!(said.err().as_deref(), Some(line), "about {text:?}");
    assert!(!is_unwritten(text), "{text:?} is more than a remark");
}

#[test]
fn a_policy_behind_a_comment_is_read_however_its_lines_end() {
    let expected = Policy::parse(RULES);
    assert!(
        expected
            .as_ref()
            .is_ok_and(|policy| policy.rules.len() == 1)
    );
    for ends in ["\r", "\r\n", "\n"] {
        let text = RULES.replace('\n', ends);
        assert!(!is_unwritten(&text), "{ends:?}");
        assert_eq!(Policy::parse(&text), expected, "{ends:?}");
    }
}

#[test]
fn mistakes_are_counted_by_the_lines_that_people_see() {
    let said = |text: &str| Policy::parse(text).map_err(|errors| errors.to_string());
    let wrong = RULES.replace("owner", "ownr");
    let expected = said(&wrong);
    assert!(
        expected
            .as_ref()
            .is_err_and(|said| said.contains("line 5, column 16"))
    );
    assert_eq!(said(&wrong.replace('\n', "\r")), expected);
    let tab = RULES.replace("  - {", "\t- {");
    assert!(said(&tab).is_err_and(|said| said.contains("line 5, column 1: a tab")));
    assert_eq!(said(&tab.replace('\n', "\r")), said(&tab));
}

#[test]
fn what_only_looks_like_the_end_of_a_line_is_refused_and_hides_nothing() {
    for (character, code) in [
        ('\u{85}', "U+0085"),
        ('\u{2028}', "U+2028"),
        ('\u{2029}', "U+2029"),
    ] {
        let message =
            format!("{code} ends no line in YAML, although editors show it so; end lines with LF");
        let all = RULES.replace('\n', &character.to_string());
        refused(&all, &format!("line 1, column 35: {message}"));
        // Here the rules would be part of a comment, and everything withdrawn.
        let some = format!("version: 1\n# the rules:{character}rules: []\n");
        refused(&some, &format!("line 2, column 13: {message}"));
    }
}

#[test]
fn what_no_yaml_has_is_named_with_its_code() {
    refused(
        "version: 1\n# page\u{c}two\n",
        "line 2, column 7: YAML has no character U+000C; remove it",
    );
    refused(
        "version: 1\n# \u{0}\n",
        "line 2, column 3: YAML has no character U+0000; remove it",
    );
    refused(
        "version: 1\n\u{feff}rules: []\n",
        "line 2, column 1: a byte order mark (U+FEFF) stands here, in the middle of the text; remove it",
    );
    let wide: String = RULES.chars().flat_map(|c| [c, '\0']).collect();
    refused(
        &wide,
        "line 1, column 2: every other character is U+0000, so this is UTF-16; save the policy as UTF-8 without it",
    );
}

#[test]
fn a_text_of_comments_alone_is_no_policy_whatever_its_lines_end_with() {
    for text in [
        "",
        "\n\n",
        "# one",
        "# one\r# two\r",
        "\u{feff}# with a byte order mark\r\n",
        "  \t\n   # indented\n",
    ] {
        assert!(is_unwritten(text), "{text:?}");
    }
    for text in [
        "---\n",
        "#one\nversion: 1",
        "# one\rversion: 1",
        "\u{a0}",
        "~",
    ] {
        assert!(!is_unwritten(text), "{text:?}");
    }
}

#[test]
fn what_yaml_would_make_of_a_word_is_never_guessed() {
    let with = |line: &str| Policy::parse(&format!("version: 1\n{line}\n"));
    for account in ["012345678901", "'012345678901'", "\"012345678901\""] {
        let policy = with(&format!(
            "accounts: {{ no: {account}, on: {{ id: 111111111111, external: false }} }}"
        ));
        let policy = policy.unwrap_or_else(|errors| panic!("{errors}"));
        let accounts: Vec<_> = policy
            .accounts
            .iter()
            .map(|a| (a.name.as_str(), a.id.as_str()))
            .collect();
        assert_eq!(accounts, [("no", "012345678901"), ("on", "111111111111")]);
    }
    for (line, said) in [
        (
            "accounts: { dev: { id: \"111111111111\", external: no } }",
            "line 2, column 50: expected true or false, without quotes",
        ),
        (
            "accounts: { dev: 1.11111111111e11 }",
            "line 2, column 18: \"1.11111111111e11\" is not an account id, which has twelve digits",
        ),
        (
            "accounts: { dev: 0o1234567 }",
            "line 2, column 18: \"0o1234567\" is not an account id, which has twelve digits",
        ),
        (
            "accounts: { null: \"111111111111\" }",
            "line 2, column 13: a key is a text, but here is nothing",
        ),
        (
            "accounts: { <<: { dev: \"111111111111\" } }",
            "line 2, column 13: \"<<\": an account's name has letters, digits, '-' and '_' only",
        ),
        (
            "version: 1",
            "line 2, column 1: \"version\" is on line 1 already",
        ),
        (
            "...\nversion: 1",
            "line 3, column 1: a second YAML document starts here; a policy is only one",
        ),
    ] {
        let errors = with(line).map_err(|errors| errors.to_string());
        let first = errors.err().unwrap_or_default();
        assert_eq!(first.lines().next(), Some(said), "about {line}");
    }
}

#[test]
fn people_hear_of_versions_before_parameter_store_takes_no_more() {
    assert_eq!(versions_left(1, 1), None);
    assert_eq!(versions_left(7, 7 + 79), None);
    assert_eq!(versions_left(7, 7 + 80), Some(19));
    assert_eq!(versions_left(7, 7 + 99), Some(0));
    assert_eq!(versions_left(i64::MIN, i64::MAX), Some(0));
    assert_eq!(versions_left(9, 3), None);
}
