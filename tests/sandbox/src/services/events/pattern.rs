//! Event patterns: their grammar, and which events they match.
//!
//! An event is seen as EventBridge sees it: a flat list of values, each with
//! its path and the array elements that it lies in. A pattern matches if for
//! each of its fields there is a value that fits, and all these values can lie
//! in one and the same element of every array of objects.

mod matcher;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use matcher::Matcher;

/// EventBridge refuses a pattern whose `$or` fields multiply to more than this.
const MAX_ALTERNATIVES: usize = 1000;

/// Names that make an element of `$or` a matcher, so that `$or` is the name of a field.
const MATCHERS: &[&str] = &[
    "anything-but",
    "cidr",
    "equals-ignore-case",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
];

/// A pattern that EventBridge refuses, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Event pattern is not valid. Reason: {0}")]
pub struct InvalidPattern(String);

impl InvalidPattern {
    fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// A valid event pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    alternatives: Vec<Vec<Field>>,
}

/// A field that an event must have (or lack), and the values that fit.
#[derive(Debug, Clone, PartialEq)]
struct Field {
    path: String,
    matchers: Vec<Matcher>,
}

impl Field {
    fn allows(&self, value: &Value) -> bool {
        self.matchers.iter().any(|matcher| matcher.matches(value))
    }

    fn allows_absence(&self) -> bool {
        self.matchers.iter().any(Matcher::matches_absence)
    }
}

impl Pattern {
    /// Reads a pattern from JSON text.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| InvalidPattern::new(format!("Filter is not valid JSON: {error}")))?;
        let Value::Object(object) = value else {
            return Err(InvalidPattern::new("Filter is not an object"));
        };
        let mut alternatives = read_object("", &object)?;
        for fields in &mut alternatives {
            // ASSUMED: within a list of objects a field is absent if the
            // object that the other fields are found in lacks it.
            fields.sort_by_key(Field::allows_absence);
        }
        Ok(Self { alternatives })
    }

    /// Whether the pattern matches an event.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        let leaves = Leaves::of(event);
        self.alternatives
            .iter()
            .any(|fields| leaves.satisfy(fields, &BTreeMap::new()))
    }
}

/// The alternatives that an object of a pattern stands for: one, unless there is an `$or`.
fn read_object(path: &str, object: &Map<String, Value>) -> Result<Vec<Vec<Field>>, InvalidPattern> {
    if object.is_empty() {
        return Err(InvalidPattern::new("Empty objects are not allowed"));
    }
    let mut alternatives = vec![Vec::new()];
    for (name, value) in object {
        let choices = match as_or(name, value) {
            Some(branches) => read_or(path, &branches)?,
            None => read_field(&join(path, name), value)?,
        };
        alternatives = combine(&alternatives, &choices)?;
    }
    Ok(alternatives)
}

/// The branches of an `$or`.
///
/// With fewer than two objects, or with a matcher's name in one of them, `$or`
/// is the name of an ordinary field: so older patterns keep their meaning.
fn as_or<'a>(name: &str, value: &'a Value) -> Option<Vec<&'a Map<String, Value>>> {
    let branches: Vec<_> = value
        .as_array()
        .filter(|items| name == "$or" && items.len() > 1)?
        .iter()
        .map(Value::as_object)
        .collect::<Option<_>>()?;
    let reserved =
        |branch: &&Map<String, Value>| branch.keys().any(|key| MATCHERS.contains(&key.as_str()));
    (!branches.iter().any(reserved)).then_some(branches)
}

fn read_or(
    path: &str,
    branches: &[&Map<String, Value>],
) -> Result<Vec<Vec<Field>>, InvalidPattern> {
    let mut choices = Vec::new();
    for branch in branches {
        choices.extend(read_object(path, branch)?);
    }
    Ok(choices)
}

fn read_field(path: &str, value: &Value) -> Result<Vec<Vec<Field>>, InvalidPattern> {
    match value {
        Value::Object(object) => read_object(path, object),
        Value::Array(items) if items.is_empty() => {
            Err(InvalidPattern::new("Empty arrays are not allowed"))
        }
        Value::Array(items) => {
            let matchers = items.iter().map(Matcher::read).collect::<Result<_, _>>()?;
            let path = path.to_owned();
            Ok(vec![vec![Field { path, matchers }]])
        }
        _ => Err(InvalidPattern::new(format!(
            "\"{path}\" must be an object or an array"
        ))),
    }
}

/// Every way to satisfy both.
fn combine(left: &[Vec<Field>], right: &[Vec<Field>]) -> Result<Vec<Vec<Field>>, InvalidPattern> {
    if left.len() * right.len() > MAX_ALTERNATIVES {
        return Err(InvalidPattern::new(
            "The number of combinations of $or is over the limit",
        ));
    }
    Ok(left
        .iter()
        .flat_map(|left| right.iter().map(move |right| [&left[..], right].concat()))
        .collect())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Which element of which array (by its place in the event) a value lies in.
type Elements = BTreeMap<usize, usize>;

/// A value of an event that is neither object nor array.
struct Leaf<'e> {
    value: &'e Value,
    elements: Elements,
}

/// All values of an event by their path.
#[derive(Default)]
struct Leaves<'e> {
    by_path: BTreeMap<String, Vec<Leaf<'e>>>,
    arrays: usize,
}

impl<'e> Leaves<'e> {
    fn of(event: &'e Value) -> Self {
        let mut leaves = Self::default();
        leaves.collect("", event, &Elements::new());
        leaves
    }

    fn collect(&mut self, path: &str, value: &'e Value, elements: &Elements) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    self.collect(&join(path, name), value, elements);
                }
            }
            Value::Array(items) => self.collect_array(path, items, elements),
            _ => {
                let elements = elements.clone();
                let leaf = Leaf { value, elements };
                self.by_path.entry(path.to_owned()).or_default().push(leaf);
            }
        }
    }

    fn collect_array(&mut self, path: &str, items: &'e [Value], elements: &Elements) {
        self.arrays += 1;
        let array = self.arrays;
        for (index, item) in items.iter().enumerate() {
            let mut elements = elements.clone();
            // The plain values of an array are alternatives; only an object
            // binds the fields in it to each other.
            if item.is_object() || item.is_array() {
                elements.insert(array, index);
            }
            self.collect(path, item, &elements);
        }
    }

    /// Whether the fields can be satisfied by values that lie in `chosen` elements.
    fn satisfy(&self, fields: &[Field], chosen: &Elements) -> bool {
        let Some((field, rest)) = fields.split_first() else {
            return true;
        };
        let leaves = self.by_path.get(&field.path);
        let mut consistent = leaves
            .into_iter()
            .flatten()
            .filter_map(|leaf| Some((leaf.value, united(chosen, &leaf.elements)?)))
            .peekable();
        if consistent.peek().is_none() {
            return field.allows_absence() && self.satisfy(rest, chosen);
        }
        consistent.any(|(value, chosen)| field.allows(value) && self.satisfy(rest, &chosen))
    }
}

/// Both choices of elements together; none if they differ about an array.
fn united(left: &Elements, right: &Elements) -> Option<Elements> {
    let agree = |(array, index)| left.get(array).is_none_or(|other| other == index);
    right.iter().all(agree).then(|| {
        let mut both = left.clone();
        both.extend(right);
        both
    })
}
