//! The words in which the functions say why, and the page that explains them.

use std::{collections::BTreeSet, fs, path::Path};

use regex_lite::{Regex, escape};

use contracts::{codes, table};

const PAGE: &str = include_str!("../../../../functions/reasons.md");

/// The headings of the page: which type of which file each explains.
const EXPLAINED: &[(&str, &str, &str)] = &[
    (
        "Steps of share-pipeline",
        "domain/src/sharing/step.rs",
        "Reason",
    ),
    (
        "Invitations",
        "domain/src/invitation/outcome.rs",
        "InvitationOutcome",
    ),
    ("Refusals", "domain/src/invitation.rs", "Refusal"),
    (
        "Inspections",
        "domain/src/invitation/outcome.rs",
        "Inspection",
    ),
    ("Offers", "domain/src/invitation/offer.rs", "OfferState"),
    (
        "Deliveries",
        "domain/src/notification/outcome.rs",
        "DeliveryOutcome",
    ),
];

/// The variants of a type and what stands between them.
fn body(file: &str, name: &str) -> String {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let source = fs::read_to_string(functions.join(file)).unwrap();
    let (_, rest) = source.split_once(&format!("enum {name} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n}").unwrap();
    body.to_owned()
}

/// The variants of a type as the log writes them.
fn words(file: &str, name: &str) -> BTreeSet<String> {
    let variant = Regex::new(r"(?m)^    ([A-Z][A-Za-z]+)").unwrap();
    let body = body(file, name);
    let variants = variant.captures_iter(&body);
    variants.map(|captures| kebab(&captures[1])).collect()
}

fn kebab(name: &str) -> String {
    let capital = Regex::new("([a-z])([A-Z])").unwrap();
    capital.replace_all(name, "$1-$2").to_lowercase()
}

#[test]
fn the_page_explains_every_reason_and_no_other() {
    for (heading, file, name) in EXPLAINED {
        let rows = table(PAGE, heading);
        let explained: BTreeSet<String> = rows.iter().flat_map(|row| codes(&row[0])).collect();
        assert_eq!(explained, words(file, name), "{name} in functions/{file}");
    }
}

#[test]
fn the_page_explains_every_message_about_what_triggers_nothing_in_its_own_words() {
    let body = body("domain/src/trigger/ignored.rs", "Ignored");
    let message = Regex::new(r#"(?s)#\[error\(\s*"((?:[^"\\]|\\.)*)""#).unwrap();
    let field = Regex::new(r"\\\{[^}]*\\\}").unwrap();
    let messages = message.captures_iter(&body).map(|found| {
        let text = found[1].replace("\\\"", "\"");
        let pattern = field.replace_all(&escape(&text), ".+").into_owned();
        Regex::new(&format!("^{pattern}$")).unwrap()
    });
    let messages: Vec<_> = messages.collect();
    let variants = words("domain/src/trigger/ignored.rs", "Ignored");
    assert_eq!(messages.len(), variants.len());
    let rows = table(PAGE, "Ignored messages");
    assert_eq!(rows.len(), messages.len());
    let explained: BTreeSet<String> = rows.iter().flat_map(|row| codes(&row[1])).collect();
    assert_eq!(explained, variants);
    for row in &rows {
        let is_one = messages.iter().any(|message| message.is_match(&row[0]));
        assert!(is_one, "no message is {}", row[0]);
    }
    for message in &messages {
        let is_explained = rows.iter().any(|row| message.is_match(&row[0]));
        assert!(is_explained, "not explained: {message}");
    }
}
