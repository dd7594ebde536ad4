//! Takes nodes for what they should be, and notes whatever they are not.
//!
//! Every method returns what it could read, or nothing after it has reported
//! why; so a reader goes on to the next field, and one run finds every mistake.

use std::collections::BTreeMap;

use super::{
    document::{Data, Key, Node, Position},
    error::PolicyError,
    until::Until,
    warnings::Remarks,
};

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(super) struct Checker {
    /// The team whose document is read; none for the root.
    team: Option<String>,
    errors: Vec<PolicyError>,
    remarks: Remarks,
}

/// Something is there and could not be read, which was reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

/// A mapping of which only known keys remain.
pub(super) struct Fields<'n> {
    at: Position,
    what: &'static str,
    values: BTreeMap<&'static str, &'n Node>,
}

impl<'n> Fields<'n> {
    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.values.get(key).copied()
    }
}

impl Checker {
    pub(super) fn into_parts(self) -> (Vec<PolicyError>, Remarks) {
        (self.errors, self.remarks)
    }

    /// What was seen so far beside what is wrong.
    pub(super) fn remarks(&self) -> &Remarks {
        &self.remarks
    }

    /// Notes what was seen beside what is wrong.
    pub(super) fn remarks_mut(&mut self) -> &mut Remarks {
        &mut self.remarks
    }

    /// Notes what is to be looked at again, from a time on if not at once.
    pub(super) fn warn_at(&mut self, at: Position, message: String, from: Option<Until>) {
        let team = self.team.clone();
        let warning = at.error(message);
        self.remarks.warn(PolicyError { team, ..warning }, from);
    }

    /// The team whose document is read; none for the root.
    pub(super) fn team(&self) -> Option<&str> {
        self.team.as_deref()
    }

    /// How much is wrong so far.
    pub(super) fn count(&self) -> usize {
        self.errors.len()
    }

    /// From now on, what is reported is in the document of this team.
    pub(super) fn enter(&mut self, team: &str) {
        self.team = Some(team.to_owned());
    }

    /// Notes what is wrong with the document that is read.
    pub(super) fn add(&mut self, error: PolicyError) {
        let team = self.team.clone();
        self.errors.push(PolicyError { team, ..error });
    }

    /// Notes that something is wrong with a node.
    pub(super) fn report(&mut self, node: &Node, message: impl Into<String>) {
        self.report_at(node.at, message);
    }

    /// Notes that something is wrong at a position.
    pub(super) fn report_at(&mut self, at: Position, message: impl Into<String>) {
        self.add(at.error(message));
    }

    /// Notes that a node is not what stands in its place.
    pub(super) fn expected(&mut self, node: &Node, expected: &str) {
        let found = node.data.description();
        self.report(node, format!("expected {expected}, but found {found}"));
    }

    /// The characters of a text.
    pub(super) fn text<'n>(&mut self, node: &'n Node, expected: &str) -> Option<&'n str> {
        let text = node.text();
        if text.is_none() {
            self.expected(node, expected);
        }
        text
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        if let Data::Text {
            text,
            quoted: false,
        } = &node.data
            && let Ok(value) = text.parse()
        {
            return Some(value);
        }
        self.report(node, "expected true or false, without quotes");
        None
    }

    /// The items of a list; an absent one (not an empty key) has none.
    pub(super) fn list<'n>(&mut self, node: Option<&'n Node>, of: &str) -> Option<&'n [Node]> {
        let Some(node) = node else {
            return Some(&[]);
        };
        match &node.data {
            Data::List(items) => return Some(items),
            Data::Text { text, .. } => {
                let text = quoted(text);
                self.report(node, format!("expected a list of {of}; write [{text}]"));
            }
            _ => self.expected(node, &format!("a list of {of}")),
        }
        None
    }

    /// The entries of a mapping, each key once.
    pub(super) fn entries<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
    ) -> Option<Vec<(&'n Key, &'n Node)>> {
        let Data::Mapping(entries) = &node.data else {
            self.expected(node, &format!("{what}, which is a mapping"));
            return None;
        };
        let mut lines = BTreeMap::new();
        let mut unique = Vec::new();
        for (key, value) in entries {
            match lines.insert(&key.text, key.at.line) {
                None => unique.push((key, value)),
                Some(line) => {
                    let name = quoted(&key.text);
                    self.report_at(key.at, format!("{name} is on line {line} already"));
                }
            }
        }
        Some(unique)
    }

    /// The fields of a mapping that may have only these keys.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &'static str,
        keys: &[&'static str],
    ) -> Option<Fields<'n>> {
        let mut values = BTreeMap::new();
        for (key, value) in self.entries(node, what)? {
            if let Some(known) = keys.iter().find(|known| **known == key.text) {
                values.insert(*known, value);
            } else {
                let otherwise = format!("{what} has only {}", keys.join(", "));
                let message = unknown("key", &key.text, keys.iter().copied(), &otherwise);
                self.report_at(key.at, message);
            }
        }
        Some(Fields {
            at: node.at,
            what,
            values,
        })
    }

    /// The value of a key that must be there.
    pub(super) fn required<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<&'n Node> {
        let value = fields.get(key);
        if value.is_none() {
            let message = format!("{} needs {}", fields.what, quoted(key));
            self.report_at(fields.at, message);
        }
        value
    }
}

/// A text in quotes, cut where it is longer than a message should be.
pub(crate) fn quoted(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Says that a word is not known, and which known one may be meant, or else what to write.
pub(crate) fn unknown<'a>(
    what: &str,
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> String {
    let found = quoted(word);
    match nearest(word, known) {
        Some(meant) => format!("unknown {what} {found}; did you mean {meant:?}?"),
        None => format!("unknown {what} {found}; {otherwise}"),
    }
}

/// The known word that this one is most likely a misspelling of.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    let distance = |k: &str| strsim::damerau_levenshtein(&word, &k.to_ascii_lowercase());
    let most = |candidate: &str| (candidate.len() / 3).max(1);
    known
        .into_iter()
        // To compare takes as much memory as both are long, and the word may have any length.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= 4 * most(candidate))
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}
