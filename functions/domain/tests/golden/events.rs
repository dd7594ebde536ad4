//! Messages that are ignored, and why.

use std::{fmt::Write, fs};

use domain::trigger;

use super::{beside, expect};

/// Each paragraph of the script is a comment and the body of a message.
#[test]
fn why_each_message_is_ignored() {
    let script = fs::read_to_string(beside("events/ignored.in")).unwrap();
    let mut said = String::new();
    for paragraph in script.trim().split("\n\n") {
        let (comment, body) = paragraph.split_once('\n').unwrap();
        assert!(comment.starts_with("# "), "{comment}");
        let why = match trigger::parse(body) {
            Ok(understood) => panic!("{comment}: {understood:?}"),
            Err(ignored) => ignored.to_string(),
        };
        writeln!(said, "{comment}\n{why}\n").unwrap();
    }
    expect("events/ignored.txt", &said);
}
