//! What makes the domain testable: it depends on its arguments alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Crates that reach the world outside, by the beginnings of their names.
const IMPURE: [&str; 9] = [
    "aws", "axum", "chrono", "hyper", "lambda", "mio", "reqwest", "rustls", "tokio",
];

/// Ways of the standard library, and of jiff, to do the same.
const WAYS_OUT: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::process",
    "std::thread",
    "std::time",
    "Timestamp::now",
    "Zoned::now",
    "async ",
];

#[test]
fn no_dependency_reaches_the_world_outside() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "domain", "--edges", "normal"])
        .args(["--prefix", "none", "--format", "{p}", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8_lossy(&tree.stdout);
    assert!(tree.starts_with("domain"), "{tree}");
    for line in tree.lines() {
        let reaches_out = IMPURE.iter().any(|name| line.starts_with(name));
        assert!(!reaches_out, "the domain depends on {line}");
    }
}

#[test]
fn no_source_asks_for_the_time_the_environment_or_the_network() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 10, "{sources:?}");
    for path in sources {
        let source = fs::read_to_string(&path).expect("a source is text");
        let code = source
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let way = WAYS_OUT.iter().find(|way| line.contains(**way));
            assert_eq!(way, None, "{}: {line}", path.display());
        }
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("it can be read").path())
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
