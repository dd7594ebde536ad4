//! The README says what the code does, and neither knows who else uses it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandbox::{
    readings::{Question, TABLE},
    services::{SERVICES, Service},
};

const README: &str = include_str!("../README.md");

#[test]
fn the_table_of_services_is_what_is_answered() {
    let row = |service: &Service| {
        let operations = service.operations.iter();
        let operations: Vec<_> = operations.map(|name| format!("`{name}`")).collect();
        let Service { title, name, .. } = service;
        format!("| {title} | `{name}` | {} |\n", operations.join(", "))
    };
    assert_has_table(
        "| Service | In signatures | Operations |\n|---|---|---|\n",
        SERVICES.iter().map(row),
    );
}

#[test]
fn the_table_of_readings_is_the_one_that_is_played() {
    let row = |question: &Question| {
        let answers = question.answers.iter();
        let answers = answers.map(|answer| format!("`{}`: {}", answer.name, answer.text));
        let answers: Vec<_> = answers.collect();
        format!(
            "| `{}` | {} | {} | {} |\n",
            question.name,
            question.text,
            question.source,
            answers.join("<br>")
        )
    };
    assert_has_table(
        "| Question | What is not known | Source | Readings, the one that is played first |\n\
         |---|---|---|---|\n",
        TABLE.iter().map(row),
    );
}

fn assert_has_table(head: &str, rows: impl Iterator<Item = String>) {
    let table: String = std::iter::once(head.to_owned()).chain(rows).collect();
    assert!(
        README.contains(&format!("\n\n{table}\n")),
        "the README should have this table:\n\n{table}"
    );
}

#[test]
fn every_fault_has_its_row() {
    let source = include_str!("../src/faults.rs");
    let of = |name: &str| {
        let (_, body) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let variants = body.lines().filter(|line| {
            let name = line.strip_prefix("    ");
            name.is_some_and(|it| it.starts_with(|first: char| first.is_ascii_uppercase()))
        });
        let name = name.to_owned();
        let variants = variants.map(move |line| {
            let end = |letter: char| !letter.is_alphanumeric();
            format!("{name}::{}", line.trim().split(end).next().unwrap())
        });
        variants.collect::<Vec<_>>()
    };
    let effects = [of("CallEffect"), of("EventEffect")].concat();
    let rows = README.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once("` | ")?;
        name.contains("Effect::").then(|| name.to_owned())
    });
    assert_eq!(rows.collect::<Vec<_>>(), effects);
}

#[test]
fn no_source_and_no_document_knows_the_project_that_it_was_made_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files(&root.join("src")).into_iter();
    let files = files.chain([root.join("README.md"), root.join("Cargo.toml")]);
    let name = ["pipe", "share"].concat();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let known = text
            .lines()
            .find(|line| line.to_lowercase().contains(&name));
        assert_eq!(known, None, "{}", file.display());
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let found = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => files(&path),
        path => vec![path],
    });
    found.collect()
}
