//! YAML with positions, and only as much of it as a policy needs.
//!
//! Texts keep the characters that were written, whatever YAML would make of
//! them: `012345678901` without quotes is still twelve digits here. Keys that
//! occur twice are kept, so that they can be reported beside other mistakes.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, StrInput};

use super::error::PolicyError;

/// The most that an advanced parameter of the SSM Parameter Store can hold.
const MAX_BYTES: usize = 8192;

/// Deeper than any policy, and shallow enough to be walked by recursion.
const MAX_DEPTH: usize = 16;

/// Where a node starts, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl Position {
    const START: Self = Self { line: 1, column: 1 };

    fn of(marker: &Marker) -> Self {
        Self {
            line: marker.line(),
            column: marker.col() + 1,
        }
    }

    pub(super) fn error(self, message: impl Into<String>) -> PolicyError {
        PolicyError {
            line: self.line,
            column: self.column,
            message: message.into(),
        }
    }
}

/// A part of the document.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) data: Data,
}

impl Node {
    /// The characters, if this is a text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// What a part of the document holds.
#[derive(Debug)]
pub(super) enum Data {
    /// Nothing at all, or YAML's `null`.
    Nothing,
    /// Characters, and whether they stand in quotes.
    Text { text: String, quoted: bool },
    /// Items in order.
    List(Vec<Node>),
    /// Keys and values in order, with every repetition.
    Mapping(Vec<(Key, Node)>),
}

/// The key of a mapping.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) at: Position,
    pub(super) text: String,
}

impl Data {
    /// What this is, for a person.
    pub(super) fn description(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text { .. } => "a text",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

/// Reads the only document of a text.
pub(super) fn parse(text: &str) -> Result<Node, PolicyError> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the policy has {} bytes, and its parameter holds at most {MAX_BYTES}",
            text.len()
        );
        return Err(Position::START.error(message));
    }
    // A byte order mark would shift the columns of the first line by one.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader(Parser::new_from_str(text));
    let root = reader.first_document()?;
    reader.expect_end()?;
    match root {
        Some(node) if !matches!(node.data, Data::Nothing) => Ok(node),
        _ => {
            Err(Position::START
                .error("the policy is empty; one that shares nothing is \"version: 1\""))
        }
    }
}

/// Turns the parser's events into nodes.
struct Reader<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Reader<'a> {
    /// The next event and where it starts.
    fn next(&mut self) -> Result<(Event<'a>, Position), PolicyError> {
        match self.0.next_event() {
            Some(Ok((event, span))) => Ok((event, Position::of(&span.start))),
            Some(Err(error)) => Err(Position::of(error.marker())
                .error(format!("this is not valid YAML: {}", error.info()))),
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    /// The first document, or nothing where there is none.
    fn first_document(&mut self) -> Result<Option<Node>, PolicyError> {
        loop {
            match self.next()? {
                (Event::StreamStart | Event::Nothing, _) => {}
                (Event::DocumentStart(_), _) => return self.next_node(0).map(Some),
                _ => return Ok(None),
            }
        }
    }

    /// Refuses whatever follows the first document.
    fn expect_end(&mut self) -> Result<(), PolicyError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(()),
                (Event::DocumentStart(_), at) => {
                    return Err(
                        at.error("a second YAML document starts here; a policy is only one")
                    );
                }
                _ => {}
            }
        }
    }

    fn next_node(&mut self, depth: usize) -> Result<Node, PolicyError> {
        let (event, at) = self.next()?;
        self.node(event, at, depth)
    }

    /// The node that starts with this event.
    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Result<Node, PolicyError> {
        if depth > MAX_DEPTH {
            return Err(at.error("this is nested deeper than any policy"));
        }
        let data = match event {
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _)
            | Event::Alias(_) => {
                return Err(at.error("a policy has no anchors or aliases; write the value out"));
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(at.error("a policy has no tags; write the value alone"));
            }
            Event::Scalar(text, style, ..) => scalar(&text, style),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            _ => Data::Nothing,
        };
        Ok(Node { at, data })
    }

    fn list(&mut self, depth: usize) -> Result<Data, PolicyError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Data::List(items)),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Data, PolicyError> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Ok(Data::Mapping(entries)),
                (event, at) => {
                    let key = key(self.node(event, at, depth + 1)?)?;
                    entries.push((key, self.next_node(depth + 1)?));
                }
            }
        }
    }
}

/// What a scalar holds.
fn scalar(text: &str, style: ScalarStyle) -> Data {
    let quoted = style != ScalarStyle::Plain;
    if !quoted && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Data::Nothing;
    }
    Data::Text {
        text: text.to_owned(),
        quoted,
    }
}

/// Takes a node for the key of a mapping.
fn key(node: Node) -> Result<Key, PolicyError> {
    match node.data {
        Data::Text { text, .. } => Ok(Key { at: node.at, text }),
        other => {
            let found = other.description();
            Err(node
                .at
                .error(format!("a key is a text, but here is {found}")))
        }
    }
}
