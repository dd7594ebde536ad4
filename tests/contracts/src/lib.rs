//! What documents say, in a form that tests compare with templates and code.
//!
//! The tests themselves are in `tests/contracts`.

pub mod insights;

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex_lite::Regex;

/// The cells of a row.
pub type Row = Vec<String>;

/// The only table, or the first one, under a heading.
#[must_use]
pub fn table(document: &str, heading: &str) -> Vec<Row> {
    tables(document, heading).remove(0)
}

/// The tables between a heading and the next one, without their head rows.
///
/// # Panics
///
/// If there is no such heading.
#[must_use]
pub fn tables(document: &str, heading: &str) -> Vec<Vec<Row>> {
    let is_heading = |line: &&str| line.starts_with('#');
    let mut lines = document
        .lines()
        .skip_while(|line| !(is_heading(line) && line.trim_start_matches('#').trim() == heading));
    assert!(lines.next().is_some(), "there is no heading {heading}");
    let section: Vec<&str> = lines.take_while(|line| !is_heading(line)).collect();
    let tables = section
        .split(|line| !line.starts_with('|'))
        .filter(|table| !table.is_empty());
    tables
        .map(|table| table[2..].iter().map(|line| cells(line)).collect())
        .collect()
}

/// What stands under a heading, with what stands under its own subheadings.
///
/// # Panics
///
/// If there is no such heading.
#[must_use]
pub fn section(document: &str, heading: &str) -> String {
    let is_wanted = |line: &&str| line.starts_with('#') && title(line) == heading;
    let mut lines = document.lines().skip_while(|line| !is_wanted(line));
    let first = lines.next();
    let first = first.unwrap_or_else(|| panic!("there is no heading {heading}"));
    let depth = first.len() - first.trim_start_matches('#').len();
    let is_over = |line: &str| {
        let marks = line.len() - line.trim_start_matches('#').len();
        (1..=depth).contains(&marks)
    };
    let inside: Vec<&str> = lines.take_while(|line| !is_over(line)).collect();
    inside.join("\n")
}

/// The headings of a document of a depth, in order.
#[must_use]
pub fn headings(document: &str, depth: usize) -> Vec<String> {
    let marks = format!("{} ", "#".repeat(depth));
    let lines = prose(document).into_iter();
    let found = lines.filter_map(|line| Some(line.strip_prefix(&marks)?.trim().to_owned()));
    found.collect()
}

/// The fenced blocks of a text, without their fences.
#[must_use]
pub fn fenced(text: &str) -> Vec<String> {
    let block = Regex::new(r"(?s)```[a-z]*\n(.*?)\n```").expect("the expression is constant");
    let found = block.captures_iter(text);
    found.map(|captures| captures[1].to_owned()).collect()
}

/// The lines of a document that are not in fenced blocks.
#[must_use]
pub fn prose(document: &str) -> Vec<&str> {
    let mut in_block = false;
    let mut lines = Vec::new();
    for line in document.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push(line);
        }
    }
    lines
}

/// What a link to a heading names it by.
#[must_use]
pub fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below a folder of the repository whose names end like this, without those
/// of hidden folders and of builds, in order.
///
/// # Panics
///
/// If a folder cannot be read.
#[must_use]
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("the folder can be read");
        for entry in entries {
            let path = entry.expect("the entry can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || ["target", "node_modules"].contains(&name.as_ref()) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn title(line: &str) -> &str {
    line.trim_start_matches('#').trim()
}

fn cells(line: &str) -> Row {
    let line = line.trim().trim_matches('|');
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// What stands between backticks.
#[must_use]
pub fn codes(cell: &str) -> Vec<String> {
    let code = Regex::new("`([^`]+)`").expect("the expression is constant");
    let codes = code.captures_iter(cell);
    codes.map(|captures| captures[1].to_owned()).collect()
}
