//! What the page about security says is assumed of AWS is what the code marks, and is played if it can be.

use std::{collections::BTreeMap, fs, path::Path};

use sandbox::readings::TABLE;

const PAGE: &str = include_str!("../../../../infra/security.md");

/// The marks in the comments of the functions.
const MARK: &str = "ASSUMED";

#[test]
fn every_assumption_of_the_functions_is_on_the_page_about_security() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut marked = BTreeMap::new();
    count_marks(&root, &root.join("functions"), &mut marked);
    let mut listed = BTreeMap::new();
    for [_, place, _] in rows() {
        *listed.entry(place).or_default() += 1;
    }
    assert_eq!(marked, listed, "marks in the code, rows of the page");
}

#[test]
fn every_assumption_that_is_played_names_its_question() {
    for [assumption, _, played] in rows() {
        let is_question = TABLE.iter().any(|question| question.name == played);
        assert!(played == "no" || is_question, "{assumption}: {played}");
    }
}

/// Counts the marks in each file of Rust below a folder.
fn count_marks(root: &Path, folder: &Path, marks: &mut BTreeMap<String, usize>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            count_marks(root, &path, marks);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("the file can be read");
            let count = text.matches(MARK).count();
            if count > 0 {
                let name = path.strip_prefix(root).expect("it is below the root");
                marks.insert(name.display().to_string(), count);
            }
        }
    }
}

/// Assumption, file and question of each row of the table.
fn rows() -> Vec<[String; 3]> {
    let (_, section) = PAGE
        .split_once("\n### Assumptions about AWS\n")
        .expect("the page has the section");
    let section = section.split("\n#").next().unwrap_or(section);
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let cells = rows.skip(1).map(|row| {
        let row = row.trim_matches(|it| it == '|' || it == ' ');
        let cells: Vec<_> = row.rsplitn(3, " | ").collect();
        let cells: [&str; 3] = cells.try_into().expect("a row has three cells");
        let [played, place, assumption] = cells.map(|cell| cell.trim_matches('`').to_owned());
        [assumption, place, played]
    });
    cells.collect()
}
