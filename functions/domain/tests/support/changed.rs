//! Documents in which some things are others.

use proptest::sample::Index;
use serde_json::Value;

/// The JSON pointers of everything within a value.
pub(crate) fn pointers(value: &Value) -> Vec<String> {
    let mut all = Vec::new();
    collect(value, "", &mut all);
    all
}

fn collect(value: &Value, at: &str, into: &mut Vec<String>) {
    into.push(at.to_owned());
    if let Value::Object(members) = value {
        for (name, member) in members {
            collect(member, &format!("{at}/{name}"), into);
        }
    }
}

/// A document in which some things are others.
pub(crate) fn changed(document: &str, changes: Vec<(Index, Value)>) -> Value {
    let mut document: Value =
        serde_json::from_str(document).unwrap_or_else(|error| panic!("{error}"));
    for (index, value) in changes {
        let all = pointers(&document);
        if let Some(part) = document.pointer_mut(&all[index.index(all.len())]) {
            *part = value;
        }
    }
    document
}
