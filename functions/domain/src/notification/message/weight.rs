//! Keeps every message below what EventBridge and SNS take.
//!
//! An event that is too heavy reaches nobody. What a message is made of is
//! bounded where it is made; here is seen to it that no kind of message, and
//! nothing that somebody wrote into one, can be over all the same.

use serde_json::Value;

use crate::{notification::SOURCE, text::flat};

/// What an event may weigh. EventBridge takes a call of less than 256 KB, in
/// newer Regions of 1 MB, and SNS takes a message of 256 KB; the rest is reserve.
pub(super) const MOST_BYTES: usize = 250 * 1024;

/// What EventBridge adds for the time of an event.
const TIME_BYTES: usize = 14;

/// How long the text of a message is if all of it would be too much, in bytes.
const LONG_TEXT: usize = 60_000;

/// The longest text within the data of a message that would be too much, in characters.
const LONG_VALUE: usize = 1_000;

/// How many items its lists keep, from the first attempt to the last.
const ITEMS: [usize; 4] = [100, 20, 5, 0];

/// The longest line of a text, in characters.
const LONG_LINE: usize = 4_000;

const SHORTENED: &str = "\n[shortened]\n";

/// What an event weighs as EventBridge counts it: in bytes of UTF-8.
pub(super) fn weight(detail_type: &str, detail: &Value, resources: &[String]) -> usize {
    let detail = detail.to_string().len();
    let resources = resources.iter().map(String::len);
    TIME_BYTES + SOURCE.len() + detail_type.len() + detail + resources.sum::<usize>()
}

/// The lines of a message: each as wide as a line may be, and none with
/// anything in it that breaks it where the message does not.
pub(super) fn lines(text: &str) -> String {
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..indent.min(8)], flat(line, LONG_LINE))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// The beginning of a text that is too long.
pub(super) fn shortened(text: &str) -> String {
    if text.len() <= LONG_TEXT {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(LONG_TEXT - SHORTENED.len());
    format!("{}{SHORTENED}", &text[..end])
}

/// Takes away from a detail, little by little, until it is light enough.
pub(super) fn lighten(detail: &mut Value, is_light: impl Fn(&Value) -> bool) {
    for items in ITEMS {
        if is_light(detail) {
            return;
        }
        cut(detail, items);
    }
}

fn cut(value: &mut Value, items: usize) {
    match value {
        Value::String(text) => {
            if text.len() > LONG_VALUE {
                *text = flat(text, LONG_VALUE);
            }
        }
        Value::Array(list) => {
            list.truncate(items);
            for item in list {
                cut(item, items);
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                cut(member, items);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
