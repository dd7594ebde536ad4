//! The workflows of GitHub do what `.ci/run` does, and a release is what it says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use regex_lite::Regex;
use saphyr::{LoadableYamlNode, Yaml};

const CI: &str = include_str!("../../../../.github/workflows/ci.yml");
const RELEASE: &str = include_str!("../../../../.github/workflows/release.yml");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const GITOPS: &str = include_str!("../../../../functions/gitops.md");
const HOOKS: &str = include_str!("../../../../.pre-commit-hooks.yaml");

/// What `.ci/run` does with these arguments.
fn ci_run(arguments: &[&str]) -> Output {
    let mut command = Command::new(root().join(".ci/run"));
    command.args(arguments).output().unwrap()
}

/// The names of the steps, as `.ci/run` lists them.
fn listed() -> Vec<String> {
    let output = ci_run(&["--list"]);
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().map(|line| line.split_whitespace().next());
    names.map(|name| name.unwrap().to_owned()).collect()
}

/// The commands of a workflow, in all jobs.
fn commands(workflow: &str) -> Vec<String> {
    let workflow = Yaml::load_from_str(workflow).unwrap().remove(0);
    let jobs = workflow["jobs"].as_mapping().unwrap();
    let steps = jobs.values().filter_map(|job| job.as_mapping_get("steps"));
    let steps = steps.flat_map(|steps| steps.as_sequence().unwrap());
    let commands = steps.filter_map(|step| step.as_mapping_get("run")?.as_str());
    commands.map(str::to_owned).collect()
}

#[test]
fn the_workflow_of_ci_runs_each_step_once() {
    let commands = commands(CI);
    let mut run: Vec<_> = commands
        .iter()
        .map(|command| command.strip_prefix(".ci/run "))
        .map(|step| step.expect("a step of .ci/run"))
        .collect();
    let mut listed = listed();
    run.sort_unstable();
    listed.sort_unstable();
    assert_eq!(run, listed);
}

#[test]
fn every_step_that_is_listed_is_there() {
    let script = fs::read_to_string(root().join(".ci/run")).unwrap();
    for step in listed() {
        assert!(script.contains(&format!("\n{step}() {{")), "{step}");
    }
}

#[test]
fn a_step_that_is_not_there_fails_before_any_other_runs() {
    let output = ci_run(&["format", "lnit"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no step lnit"), "{said}");
}

#[test]
fn a_release_waits_for_every_step() {
    let release = Yaml::load_from_str(RELEASE).unwrap().remove(0);
    let jobs = &release["jobs"];
    let ci = jobs["steps"]["uses"].as_str();
    assert_eq!(ci, Some("./.github/workflows/ci.yml"));
    let needs = jobs["publish"]["needs"].as_sequence().unwrap();
    assert!(needs.iter().any(|job| job.as_str() == Some("steps")));
}

#[test]
fn the_functions_are_described_by_their_version() {
    let hub = fs::read_to_string(root().join("infra/hub/template.yaml")).unwrap();
    let described = Regex::new(r"FunctionName: pipeshare-.+\n +Description: (.+)").unwrap();
    let beginning = format!("\"pipeshare {}: ", env!("CARGO_PKG_VERSION"));
    let mut functions = 0;
    for found in described.captures_iter(&hub) {
        assert!(found[1].starts_with(&beginning), "{}", &found[1]);
        functions += 1;
    }
    assert_eq!(functions, hub.matches("FunctionName: pipeshare-").count());
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let uses = Regex::new(r"(?m)^ *(?:- )?uses: (.*)$").unwrap();
    let pinned = Regex::new(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$").unwrap();
    let mut actions = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let workflow = fs::read_to_string(&path).unwrap();
        for action in uses.captures_iter(&workflow) {
            let own = action[1].starts_with("./");
            let what = format!("{}: {}", path.display(), &action[1]);
            assert!(own || pinned.is_match(&action[1]), "{what}");
            actions += 1;
        }
    }
    assert!(actions > 5, "{actions}");
}

#[test]
fn the_workflow_to_copy_is_one_and_has_actions_as_they_are_pinned_here() {
    let blocks = contracts::fenced(&contracts::section(GITOPS, "In CI"));
    let workflow = blocks.iter().find(|it| it.contains("jobs:")).unwrap();
    let ran = commands(workflow);
    assert!(ran.iter().any(|it| it.starts_with("pipeshare check ")));
    let uses: Vec<_> = workflow.lines().filter(|it| it.contains("uses:")).collect();
    assert!(!uses.is_empty());
    for action in uses {
        assert!(CI.contains(action), "{action}");
    }
}

#[test]
fn the_hook_to_copy_is_the_one_that_there_is() {
    let blocks = contracts::fenced(&contracts::section(GITOPS, "In CI"));
    let config = blocks.iter().find(|it| it.starts_with("repos:")).unwrap();
    let config = Yaml::load_from_str(config).unwrap().remove(0);
    let hooks = Yaml::load_from_str(HOOKS).unwrap().remove(0);
    let (wanted, hook) = (&config["repos"][0]["hooks"][0], &hooks[0]);
    assert_eq!(wanted["id"], hook["id"]);
    assert_eq!(hook["entry"].as_str(), Some("pipeshare check"));
    // One document decides about another, so they are never checked one by one.
    assert_eq!(hook["pass_filenames"].as_bool(), Some(false));
}

/// What `.ci/release-notes v0.2.0` says of a repository of version 0.2.0 with this CHANGELOG.
fn release_notes(name: &str, tag: &str, changelog: &str) -> Result<String, String> {
    let repository = std::env::temp_dir().join(format!("pipeshare-{name}-{}", std::process::id()));
    let script = repository.join(".ci/release-notes");
    fs::create_dir_all(repository.join(".ci")).unwrap();
    fs::copy(root().join(".ci/release-notes"), &script).unwrap();
    let manifest = "[workspace]\nresolver = \"3\"\n\n[workspace.package]\nversion = \"0.2.0\"\n";
    fs::write(repository.join("Cargo.toml"), manifest).unwrap();
    fs::write(repository.join("CHANGELOG.md"), changelog).unwrap();
    let output = Command::new(script).arg(tag).output().unwrap();
    fs::remove_dir_all(repository).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

#[test]
fn a_release_says_what_the_changelog_says_of_its_version() {
    let changelog = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-11-28\n\n### Added\n\n\
        * Words.\n\n## [0.1.0] - 2026-01-01\n\n* All.\n\n[0.2.0]: https://example.com\n";
    let notes = release_notes("notes", "v0.2.0", changelog).unwrap();
    assert_eq!(notes.trim(), "### Added\n\n* Words.");
}

#[test]
fn a_tag_that_disagrees_with_cargo_or_the_changelog_is_not_released() {
    let dated = "## [0.2.0] - 2026-11-28\n\n* Words.\n";
    let refused = release_notes("tag", "v0.3.0", dated).unwrap_err();
    assert!(refused.contains("the tag is v0.3.0"), "{refused}");
    for (name, changelog) in [
        ("undated", "## [0.2.0]\n\n* Words.\n"),
        ("other", "## [0.2.1] - 2026-11-28\n\n* Words.\n"),
        ("silent", "## [0.2.0] - 2026-11-28\n\n[0.2.0]: x\n"),
    ] {
        let refused = release_notes(name, "v0.2.0", changelog).unwrap_err();
        let why = "says nothing under a dated heading of 0.2.0";
        assert!(refused.contains(why), "{name}: {refused}");
    }
}
