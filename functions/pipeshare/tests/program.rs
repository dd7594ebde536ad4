//! The program, as people and CI run it.
//!
//! `UPDATE_EXPECT=1 cargo test -p pipeshare` writes what is said of each document anew.
//! Read what has changed before it is committed: nothing else checks the words.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use expect_test::{expect, expect_file};
use serde_json::{Value, json};

/// What a run has left behind.
#[derive(Debug)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

/// The folder of documents.
fn documents() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/documents")
}

/// Runs the program in the folder of documents.
fn pipeshare(arguments: &[&str]) -> Run {
    pipeshare_in(&documents(), arguments, b"")
}

fn pipeshare_in(folder: &Path, arguments: &[&str], stdin: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipeshare"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It does not wait for what it does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of a test's own, which is empty.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn every_mistake_in_a_document_is_said_at_once() {
    let mut checked = 0;
    for entry in fs::read_dir(documents()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_said = path.extension().is_some_and(|it| it == "txt");
        if is_said || name.starts_with("valid") {
            continue;
        }
        let Run {
            code,
            stdout,
            stderr,
        } = pipeshare(&["check", name]);
        assert_eq!(code, 1, "{name}: {stderr}");
        let said = documents().join(path.file_stem().unwrap());
        let said = said.with_extension("txt");
        expect_file![said].assert_eq(&format!("{stdout}{stderr}"));
        checked += 1;
    }
    assert!(checked >= 25, "{checked}");
}

#[test]
fn a_valid_policy_is_said_to_be_valid_and_nothing_else() {
    for name in ["valid.yaml", "valid.json"] {
        let run = pipeshare(&["check", name]);
        assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
        assert!(run.stderr.starts_with("1 document is valid: 1 rule, "));
    }
}

#[test]
fn a_directory_is_its_root_and_the_documents_beside_it() {
    let folder = pipeshare(&["check", "teams-beyond"]);
    let files = [
        "check",
        "teams-beyond/policy.yaml",
        "teams-beyond/churn.yaml",
        "teams-beyond/fraud.yml",
    ];
    let files = pipeshare(&files);
    assert_eq!(folder.stdout, files.stdout);
    assert_eq!(folder.stderr, files.stderr);
    // Of a folder, neither what is hidden nor a schema is a document.
    let valid = pipeshare(&["check", "valid-teams"]);
    let said = "2 documents are valid: 2 rules, 3 accounts named\n";
    assert_eq!((valid.code, valid.stderr.as_str()), (0, said), "{valid:?}");
}

#[test]
fn one_file_is_the_root_even_if_it_is_named_after_a_team() {
    let run = pipeshare(&["check", "teams-beyond/fraud.yml"]);
    let said = "unknown account \"dev\"";
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains(said), "{run:?}");
    assert!(!run.stdout.contains("bounds"), "{run:?}");
}

#[test]
fn standard_input_is_the_root_and_files_are_of_teams() {
    let root = fs::read(documents().join("valid-teams/policy.yaml")).unwrap();
    let valid = pipeshare_in(&documents(), &["check", "-"], &root);
    assert_eq!((valid.code, valid.stdout.as_str()), (0, ""), "{valid:?}");
    let both = ["check", "-", "valid-teams/churn.yaml"];
    let both = pipeshare_in(&documents(), &both, &root);
    assert!(both.stderr.starts_with("2 documents are valid"), "{both:?}");
    let wrong = pipeshare_in(&documents(), &["check", "-"], b"version: 2\n");
    let said = "-:1:10: unknown version \"2\"; the only one is 1\n";
    assert_eq!((wrong.code, wrong.stdout.as_str()), (1, said));
}

#[test]
fn a_place_makes_mistakes_of_what_cannot_work_there() {
    let text = b"version: 1\nrules:\n  - { name: a, owner: \"222222222222\", pipelines: [\"*\"], \
        with: [\"arn:aws:iam::111111111111:role/engineer\"] }\n";
    let check = |place| pipeshare_in(&documents(), &["check", "-", "--place", place], text);
    assert_eq!(check("aws/eu-west-1").code, 0);
    let elsewhere = check("aws-cn/cn-north-1");
    assert_eq!(elsewhere.code, 1);
    let said = "this ARN is of the partition aws, but all accounts here are in aws-cn";
    assert!(elsewhere.stdout.contains(said), "{elsewhere:?}");
    let wrong = check("eu-west-1");
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("such as aws/eu-west-1"), "{wrong:?}");
}

#[test]
fn a_rule_that_is_over_by_the_given_time_is_a_warning() {
    let warnings = |time| pipeshare(&["check", "valid-teams", "--at", time]).stdout;
    // The last day counts.
    assert_eq!(warnings("2026-12-31T16:59:59Z"), "");
    expect![[r#"
        valid-teams/policy.yaml:21:12: warning: rule all-readers grants nothing since 2027-04-01T00:00:00Z; remove it, or write a later "until" than 2027-03-31
        valid-teams/churn.yaml:10:12: warning: rule churn-operators grants nothing since 2026-12-31T17:00:00Z; remove it, or write a later "until" than 2026-12-31T18:00:00+01:00
    "#]]
    .assert_eq(&warnings("2027-04-01"));
    assert!(!warnings("2027-03-31").contains("all-readers"));
}

#[test]
fn what_nothing_names_and_what_grants_nothing_is_a_warning() {
    let run = pipeshare(&["check", "valid-warned", "--at", "2027-01-01"]);
    assert_eq!(run.code, 0, "{run:?}");
    expect![[r#"
        valid-warned/policy.yaml:6:3: warning: nothing names account "prod"; remove it, or use it
        valid-warned/policy.yaml:16:3: warning: nothing names group "nobody"; remove it, or use it
        valid-warned/policy.yaml:26:13: warning: rule readers grants nothing, since "except" covers all of its pipelines; except less, or remove the rule
        valid-warned/policy.yaml:32:12: warning: rule operators grants nothing since 2027-01-01T00:00:00Z; remove it, or write a later "until" than 2026-12-31
        valid-warned/churn.yaml:6:13: warning: rule churn-readers grants nothing, since "except" covers all of its pipelines; except less, or remove the rule
    "#]].assert_eq(&run.stdout);
    // Where the document of a team is not given, nobody knows which groups it uses.
    let root = pipeshare(&["check", "valid-warned/policy.yaml"]).stdout;
    assert!(root.contains("account \"prod\""), "{root}");
    assert!(!root.contains("group"), "{root}");
}

#[test]
fn json_is_one_object_with_everything_that_was_found() {
    let json = |arguments: &[&str]| {
        let run = pipeshare(arguments);
        assert_eq!(run.stderr, "");
        let value: Value = serde_json::from_str(&run.stdout).unwrap();
        (run.code, value)
    };
    let (code, wrong) = json(&["check", "--format", "json", "teams-beyond"]);
    assert_eq!((code, &wrong["valid"]), (1, &json!(false)));
    let lines = pipeshare(&["check", "teams-beyond"]).stdout;
    let mistakes = wrong["mistakes"].as_array().unwrap();
    assert_eq!(mistakes.len(), lines.lines().count());
    for (mistake, line) in mistakes.iter().zip(lines.lines()) {
        let text = |key: &str| mistake[key].as_str().unwrap();
        let (row, column) = (&mistake["line"], &mistake["column"]);
        let (file, message) = (text("file"), text("message"));
        assert_eq!(format!("{file}:{row}:{column}: {message}"), line);
    }
    let named = json!([
        { "file": "teams-beyond/policy.yaml", "team": null },
        { "file": "teams-beyond/churn.yaml", "team": "churn" },
        { "file": "teams-beyond/fraud.yml", "team": "fraud" },
    ]);
    assert_eq!(wrong["documents"], named);

    let late = ["check", "--format=json", "--at=2028-01-01", "valid-teams"];
    let (code, valid) = json(&late);
    assert_eq!((code, &valid["valid"]), (0, &json!(true)));
    assert_eq!(valid["mistakes"], json!([]));
    assert_eq!(valid["warnings"].as_array().unwrap().len(), 2);
    let of_team = &valid["warnings"][1];
    assert_eq!(of_team["team"], "churn");
    let place = (&of_team["line"], &of_team["column"]);
    assert_eq!(place, (&json!(10), &json!(12)));
}

#[test]
fn what_cannot_be_checked_is_neither_valid_nor_a_mistake() {
    let folder = scratch("unreadable");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    write(
        "policy.yaml",
        b"version: 1\nteams: { churn: { owner: \"222222222222\", with: [] } }\n",
    );
    write("churn.yaml", b"version: 1\n");
    write("churn.json", b"{ \"version\": 1 }\n");
    write("latin.yaml", b"# \xe4\nversion: 1\n");
    fs::create_dir_all(folder.join("empty")).unwrap();
    for (arguments, said) in [
        (&["check", "absent.yaml"][..], "cannot read absent.yaml: "),
        (
            &["check", "policy.yaml", "absent.yaml"],
            "cannot read absent.yaml: ",
        ),
        (
            &["check", "latin.yaml"],
            "latin.yaml is not UTF-8; save it as UTF-8",
        ),
        (
            &["check", "empty"],
            "empty has no policy.yaml, which is the root; ",
        ),
        (&["check", "policy.yaml", "empty"], "empty is a directory, "),
        (
            &["check", "policy.yaml", "-"],
            "standard input (-) is the root; name it first",
        ),
        (
            &["check", "."],
            "./churn.json and ./churn.yaml are both the document of team churn",
        ),
        (&["check"], "required arguments"),
        (&["check", "--fromat", "json", "policy.yaml"], "'--format'"),
        (
            &["check", "--at", "tomorrow", "policy.yaml"],
            "write 2027-03-31",
        ),
        (&["chekc", "policy.yaml"], "'check'"),
        (&[], "Usage: pipeshare <COMMAND>"),
    ] {
        let run = pipeshare_in(&folder, arguments, b"");
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{arguments:?} {run:?}"
        );
        assert!(run.stderr.contains(said), "{arguments:?} {run:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_link_to_nowhere_is_not_passed_over() {
    let folder = scratch("link");
    fs::write(folder.join("policy.yaml"), "version: 1\n").unwrap();
    std::os::unix::fs::symlink("absent", folder.join("churn.yaml")).unwrap();
    let run = pipeshare_in(&folder, &["check", "."], b"");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("cannot read ./churn.yaml: "), "{run:?}");
}

#[test]
fn the_schemas_are_those_of_the_repository() {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (arguments, file) in [
        (&["schema"][..], "policy.schema.json"),
        (&["schema", "--team"], "team.schema.json"),
    ] {
        let run = pipeshare(arguments);
        let kept = fs::read_to_string(functions.join(file)).unwrap();
        assert_eq!((run.code, run.stdout), (0, kept));
    }
}

#[test]
fn help_shows_examples_and_the_version_is_that_of_the_workspace() {
    let help = pipeshare(&["check", "--help"]);
    assert_eq!(help.code, 0);
    assert!(
        help.stdout.contains("pipeshare check policies\n"),
        "{help:?}"
    );
    let version = pipeshare(&["--version"]);
    let expected = format!("pipeshare {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((version.code, version.stdout), (0, expected));
}

/// The commands of the page, each with what is printed there.
fn on_the_page() -> Vec<(String, String)> {
    let page = include_str!("../../gitops.md");
    let blocks = page.split("```console\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    let commands = blocks.flat_map(|block| block.split("$ ").skip(1));
    let commands = commands.filter_map(|it| it.split_once('\n'));
    commands
        .filter(|(command, _)| command.starts_with("pipeshare "))
        .map(|(command, printed)| (command.to_owned(), printed.to_owned()))
        .collect()
}

#[test]
fn every_command_of_the_page_prints_what_the_page_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page");
    let commands = on_the_page();
    assert!(commands.len() >= 3, "{commands:?}");
    for (command, printed) in commands {
        // Where the output goes to a file, nothing is printed.
        let (typed, to_file) = match command.split_once(" > ") {
            Some((typed, _)) => (typed, true),
            None => (command.as_str(), false),
        };
        let words: Vec<_> = typed.split_whitespace().skip(1).collect();
        let run = pipeshare_in(&folder, &words, b"");
        let stdout = if to_file { "" } else { &run.stdout };
        assert_eq!(format!("{stdout}{}", run.stderr), printed, "{command}");
        assert!(run.code < 2, "{command}: {run:?}");
    }
}
