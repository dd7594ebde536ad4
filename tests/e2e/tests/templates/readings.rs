//! The templates hold under every reading of AWS's documents, not only under the one that is played by default.

use e2e::Templates;
use sandbox::readings::{Question, Readings, TABLE};

use super::{Case, try_out};

/// Questions about one and the same call, of which two answers may be other
/// than the sandbox's at once.
const TOGETHER: &[&[&str]] = &[
    &["ram-permission-keys", "ram-permission-resources"],
    &["ram-new-share-permission", "ram-new-share-name"],
    &["ram-bare-share", "ram-resource-policy"],
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
    let outcomes = try_out(&cases());
    for (name, stop) in &outcomes {
        println!("{name}: {}", stop.as_deref().unwrap_or("holds"));
    }
    let stopped = outcomes.iter().filter(|(_, stop)| stop.is_some());
    let stopped: Vec<_> = stopped.collect();
    assert!(stopped.is_empty(), "{stopped:#?}");
}

/// Every answer but the first of every question, and those pairs that concern one call.
fn cases() -> Vec<Case> {
    let single = TABLE.iter().flat_map(|question| {
        let others = question.answers[1..].iter();
        others.map(|answer| case(&[(question.name, answer.name)]))
    });
    let pairs = TOGETHER.iter().flat_map(|together| pairs(together));
    single.chain(pairs).collect()
}

fn pairs(questions: &[&str]) -> Vec<Case> {
    let [first, second] = questions else {
        panic!("questions come in pairs");
    };
    let mut pairs = Vec::new();
    for one in &question(first).answers[1..] {
        for other in &question(second).answers[1..] {
            pairs.push(case(&[(first, one.name), (second, other.name)]));
        }
    }
    pairs
}

fn question(name: &str) -> &'static Question {
    let question = TABLE.iter().find(|question| question.name == name);
    question.unwrap_or_else(|| panic!("{name} is a question"))
}

fn case(answers: &[(&str, &str)]) -> Case {
    let name: Vec<_> = answers
        .iter()
        .map(|(question, answer)| format!("{question}={answer}"))
        .collect();
    Case {
        name: name.join(" "),
        templates: Templates::default(),
        readings: chosen(answers),
    }
}

/// The readings by default, but for these answers.
pub(crate) fn chosen(answers: &[(&str, &str)]) -> Readings {
    let mut readings = Readings::default();
    for (question, answer) in answers {
        let choice = readings.choose(question, answer);
        choice.unwrap_or_else(|error| panic!("{error}"));
    }
    readings
}

const DOCUMENT: &str = include_str!("../../../README.md");

#[test]
fn the_table_of_readings_in_the_document_is_the_one_that_is_played() {
    let table = table();
    assert!(
        DOCUMENT.contains(&table),
        "tests/README.md should have this table:\n\n{table}"
    );
}

/// The table as the document has it.
fn table() -> String {
    let head = "| Question | What is not known | Source | Readings, the one that is played first | Holds |\n|---|---|---|---|---|\n";
    let rows = TABLE.iter().map(row);
    std::iter::once(head.to_owned()).chain(rows).collect()
}

fn row(question: &Question) -> String {
    let answers = question.answers.iter();
    let answers = answers.map(|answer| format!("`{}`: {}", answer.name, answer.text));
    let answers: Vec<_> = answers.collect();
    let of_question = |reading: &str| {
        let question = format!("{}=", question.name);
        Some(reading.strip_prefix(&question)?.to_owned())
    };
    let failing = EXCEPTIONS.iter().filter_map(|(reading, consequence)| {
        let answer = of_question(reading)?;
        Some(format!("not under `{answer}`: {consequence}"))
    });
    let failing: Vec<_> = failing.collect();
    let holds = if failing.is_empty() {
        "under all".to_owned()
    } else {
        failing.join("; ")
    };
    format!(
        "| `{}` | {} | {} | {} | {holds} |\n",
        question.name,
        question.text,
        question.source,
        answers.join("<br>"),
    )
}
