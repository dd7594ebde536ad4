//! Tags and their limits, which most services have in common.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The most tags that a resource may have.
pub(crate) const MOST: usize = 50;

/// Tags by their keys.
pub(crate) type Tags = BTreeMap<String, String>;

/// Whether a tag has the lengths that it may have, and a key that is not AWS's own.
pub(crate) fn fits(key: &str, value: &str) -> bool {
    let is_long_enough = (1..=128).contains(&key.chars().count());
    is_long_enough && !key.starts_with("aws:") && value.chars().count() <= 256
}

/// A list of tags; the first that makes no sense is refused.
pub(crate) fn read<E>(list: &Value, refuse: impl Fn() -> E) -> Result<Tags, E> {
    let tags = list.as_array().into_iter().flatten();
    tags.map(|tag| {
        let [key, value] = ["Key", "Value"].map(|member| tag[member].as_str());
        key.zip(value)
            .filter(|(key, value)| fits(key, value))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .ok_or_else(&refuse)
    })
    .collect()
}

/// The tags with some more, unless there are too many then.
pub(crate) fn with(tags: &Tags, more: Tags) -> Option<Tags> {
    let mut all = tags.clone();
    all.extend(more);
    (all.len() <= MOST).then_some(all)
}

/// The tags as answers list them.
pub(crate) fn shown(tags: &Tags) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}
