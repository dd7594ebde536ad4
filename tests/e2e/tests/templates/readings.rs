//! The templates hold under every reading of AWS's documents, not only under the one that is played by default.

use e2e::{Templates, sampled};
use sandbox::readings::{Readings, alternatives};

use super::{Case, try_out};

/// Questions about one and the same call, of which two answers may be other
/// than the sandbox's at once.
const TOGETHER: &[(&str, &str)] = &[
    ("ram-permission-keys", "ram-permission-resources"),
    ("ram-new-share-permission", "ram-new-share-name"),
    ("ram-bare-share", "ram-resource-policy"),
];

/// Readings under which something does not hold, and what follows from that.
///
/// The probes of the tour know those about permissions; `tests/roles.rs` shows
/// those about roles.
pub(crate) const EXCEPTIONS: &[(&str, &str)] = &[
    (
        "ram-permission-keys=by-resource ram-permission-resources=share",
        "who takes over the hub may give a share of ours any permission of the account; the functions ask for those that are allowed",
    ),
    (
        "ram-permission-resources=permission",
        "who takes over the hub may give any share of the account another permission, of those that are allowed, unless the share's name comes with the permission",
    ),
    (
        "ram-new-share-permission=not-asked",
        "who takes over the hub may create a share with any permission of the account; the functions ask for those that are allowed",
    ),
    (
        "ram-role-invitations=receiver",
        "a role or user that a rule names must accept by itself, and people are told of every invitation that expires; rules that name accounts hold",
    ),
    (
        "ram-role-shares=principal",
        "a role or user that a rule names has access, but its account is not told of it; rules that name accounts hold",
    ),
];

#[test]
fn the_templates_hold_under_every_reading_of_the_documents() {
    let outcomes = try_out(&sampled(cases(), 12));
    for (name, stop) in &outcomes {
        println!("{name}: {}", stop.as_deref().unwrap_or("holds"));
    }
    let stopped = outcomes.iter().filter(|(_, stop)| stop.is_some());
    let stopped: Vec<_> = stopped.collect();
    assert!(stopped.is_empty(), "{stopped:#?}");
}

/// Every reading but those by default, and those pairs that concern one call.
fn cases() -> Vec<Case> {
    let pairs = TOGETHER.iter().flat_map(|(one, other)| pairs(one, other));
    let all = alternatives().chain(pairs);
    all.map(|name| Case {
        templates: Templates::default(),
        readings: chosen(&name),
        name,
    })
    .collect()
}

fn pairs(one: &str, other: &str) -> Vec<String> {
    let of = |question: &str| {
        let question = format!("{question}=");
        let readings: Vec<_> = alternatives()
            .filter(|it| it.starts_with(&question))
            .collect();
        assert!(!readings.is_empty(), "{question} is a question");
        readings
    };
    let others = of(other);
    let with_others = |first: String| {
        let pairs: Vec<_> = others
            .iter()
            .map(|other| format!("{first} {other}"))
            .collect();
        pairs
    };
    of(one).into_iter().flat_map(with_others).collect()
}

/// The readings by default, but for these, as in `PIPESHARE_READINGS`.
pub(crate) fn chosen(wanted: &str) -> Readings {
    let mut readings = Readings::default();
    for reading in wanted.split_whitespace() {
        let played = readings.play(reading);
        played.unwrap_or_else(|error| panic!("{reading}: {error}"));
    }
    readings
}

const DOCUMENT: &str = include_str!("../../../README.md");

#[test]
fn the_document_says_what_does_not_hold_and_under_which_reading() {
    let rows = EXCEPTIONS.iter().map(|(readings, consequence)| {
        let readings: Vec<_> = readings.split(' ').map(|it| format!("`{it}`")).collect();
        format!("| {} | {consequence} |\n", readings.join(" with "))
    });
    let head = "| Reading | What does not hold |\n|---|---|\n".to_owned();
    let table: String = std::iter::once(head).chain(rows).collect();
    assert!(
        DOCUMENT.contains(&format!("{table}\n")) || DOCUMENT.ends_with(&table),
        "tests/README.md should have this table:\n\n{table}"
    );
}
