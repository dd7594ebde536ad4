//! What is installed from outside is what was locked.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files of the repository that people or machines execute, or that say what is to be installed.
fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = [".ci", "infra", "tests", "functions"]
        .map(|name| root().join(name))
        .to_vec();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !matches!(
                path.extension().and_then(|it| it.to_str()),
                Some("md" | "rs")
            ) {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn whatever_pip_installs_is_locked_by_hashes() {
    let pip = Regex::new(r"pip[\x22']? install").unwrap();
    let mut installers = BTreeSet::new();
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let text = text.replace("\\\n", " ");
        for line in text.lines().filter(|line| pip.is_match(line)) {
            let locked = line.contains("--require-hashes") && line.contains("--requirement");
            assert!(locked, "{}: {line}", path.display());
            installers.insert(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
    // One for all; people take `infra/verify` along alone, and CodeBuild has but the example.
    let expected = [
        "infra/cicd/example/buildspec.yaml",
        "infra/venv",
        "infra/verify",
    ];
    assert_eq!(installers, expected.map(PathBuf::from).into());
}

#[test]
fn every_file_of_requirements_has_a_lock_that_agrees() {
    let pinned = Regex::new(r"(?m)^([A-Za-z0-9_.\[\]-]+==[^ ;\\\s]+)").unwrap();
    let pins = |text: &str| -> BTreeSet<String> {
        let found = pinned.captures_iter(text);
        found.map(|found| found[1].to_lowercase()).collect()
    };
    let mut checked = 0;
    for path in files() {
        if path.extension().is_none_or(|it| it != "lock") {
            continue;
        }
        let requirements = path.with_extension("txt");
        let wanted = fs::read_to_string(&requirements).unwrap();
        let locked = fs::read_to_string(&path).unwrap();
        let lines = wanted
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(
            pins(&wanted).len(),
            lines.count(),
            "{}",
            requirements.display()
        );
        let missing: Vec<_> = pins(&wanted).difference(&pins(&locked)).cloned().collect();
        assert!(
            missing.is_empty(),
            "run tests/infra/lock, {} lacks {missing:?}",
            path.display()
        );
        let hashes = locked.matches("--hash=sha256:").count();
        assert!(hashes >= pins(&locked).len(), "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 8, "{checked}");
}
