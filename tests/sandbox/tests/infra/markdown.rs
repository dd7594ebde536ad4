//! The tables of a Markdown document.

use regex_lite::Regex;

/// The cells of a row.
pub(crate) type Row = Vec<String>;

/// The only table, or the first one, under a heading.
pub(crate) fn table(document: &str, heading: &str) -> Vec<Row> {
    tables(document, heading).remove(0)
}

/// The tables between a heading and the next one, without their head rows.
pub(crate) fn tables(document: &str, heading: &str) -> Vec<Vec<Row>> {
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
pub(crate) fn codes(cell: &str) -> Vec<String> {
    let code = Regex::new("`([^`]+)`").unwrap();
    let codes = code.captures_iter(cell);
    codes.map(|captures| captures[1].to_owned()).collect()
}
