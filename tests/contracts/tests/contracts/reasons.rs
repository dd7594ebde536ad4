//! The words in which the functions say why, and the README's tables of them.

use std::{collections::BTreeSet, fs, path::Path};

use regex_lite::Regex;

use contracts::{codes, tables};

const README: &str = include_str!("../../../../README.md");

/// The tables under the heading, in order: which type of which file they explain.
const EXPLAINED: &[(&str, &str)] = &[
    ("domain/src/sharing/step.rs", "Reason"),
    ("domain/src/invitation/outcome.rs", "InvitationOutcome"),
    ("domain/src/invitation.rs", "Refusal"),
    ("domain/src/invitation/outcome.rs", "Inspection"),
    ("domain/src/invitation/offer.rs", "OfferState"),
    ("forward-status/src/report.rs", "Telling"),
    ("domain/src/hint/ignored.rs", "Ignored"),
];

/// The variants of a type as the log writes them.
fn words(file: &str, name: &str) -> BTreeSet<String> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let source = fs::read_to_string(functions.join(file)).unwrap();
    let (_, rest) = source.split_once(&format!("enum {name} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    let variant = Regex::new(r"(?m)^    ([A-Z][A-Za-z]+)").unwrap();
    let variants = variant.captures_iter(body);
    variants.map(|captures| kebab(&captures[1])).collect()
}

fn kebab(name: &str) -> String {
    let capital = Regex::new("([a-z])([A-Z])").unwrap();
    capital.replace_all(name, "$1-$2").to_lowercase()
}

#[test]
fn the_readme_explains_every_reason_and_no_other() {
    let tables = tables(README, "Reasons");
    assert_eq!(tables.len(), EXPLAINED.len());
    for ((file, name), table) in EXPLAINED.iter().zip(tables) {
        let explained: BTreeSet<String> = table.iter().flat_map(|row| codes(&row[0])).collect();
        assert_eq!(explained, words(file, name), "{name} in functions/{file}");
    }
}
