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
pub(crate) const EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn the_templates_hold_under_every_reading_of_the_documents() {
    let outcomes = try_out(&cases());
    for (name, stop) in &outcomes {
        println!("{name}: {}", stop.as_deref().unwrap_or("holds"));
    }
    for (name, stop) in &outcomes {
        let exception = EXCEPTIONS.iter().find(|(reading, _)| reading == name);
        match (stop, exception) {
            (None, None) | (Some(_), Some(_)) => {}
            (Some(stop), None) => panic!("under {name}: {stop}"),
            (None, Some(_)) => panic!("{name} holds after all"),
        }
    }
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

fn case(chosen: &[(&str, &str)]) -> Case {
    let mut readings = Readings::default();
    let mut name = Vec::new();
    for (question, answer) in chosen {
        let choice = readings.choose(question, answer);
        choice.unwrap_or_else(|error| panic!("{error}"));
        name.push(format!("{question}={answer}"));
    }
    Case {
        name: name.join(" "),
        templates: Templates::default(),
        readings,
    }
}
