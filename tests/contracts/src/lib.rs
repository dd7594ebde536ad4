//! What documents say, in a form that tests compare with templates and code.
//!
//! The tests themselves are in `tests/contracts`.

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
