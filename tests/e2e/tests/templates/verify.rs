//! `infra/verify` knows the questions, the answers and what follows from them as they stand here.

use serde_json::{Value, json};

use sandbox::readings::TABLE;

use super::readings::EXCEPTIONS;

const FILE: &str = include_str!("../../../../infra/verification/readings.json");

#[test]
fn what_is_asked_of_real_accounts_is_the_table_and_the_outcome_of_the_proof() {
    let file: Value = serde_json::from_str(FILE).unwrap_or_else(|error| panic!("{error}"));
    let questions = file["questions"].as_array().into_iter().flatten();
    let questions = questions.map(|question| {
        // Why nobody asks is not for the sandbox to know.
        let mut question = question.clone();
        if let Some(members) = question.as_object_mut() {
            members.remove("notAsked");
        }
        question
    });
    let questions: Vec<Value> = questions.collect();
    let expected: Vec<Value> = TABLE
        .iter()
        .map(|question| {
            let answers = question.answers.iter();
            let answers = answers.map(|it| json!({ "answer": it.name, "text": it.text }));
            let answers: Vec<Value> = answers.collect();
            json!({ "question": question.name, "text": question.text, "answers": answers })
        })
        .collect();
    for (known, expected) in questions.iter().zip(&expected) {
        assert_eq!(known, expected, "infra/verification/readings.json is stale");
    }
    assert_eq!(
        questions.len(),
        expected.len(),
        "infra/verification/readings.json has other questions than the table"
    );

    let exceptions = EXCEPTIONS.iter();
    let exceptions = exceptions
        .map(|(readings, consequence)| json!({ "readings": readings, "consequence": consequence }));
    let exceptions: Vec<Value> = exceptions.collect();
    assert_eq!(file["exceptions"], Value::from(exceptions));
}
