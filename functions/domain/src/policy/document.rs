//! YAML with positions, and only as much of it as a policy needs.
//!
//! Texts keep the characters that were written, whatever YAML would make of
//! them: `012345678901` without quotes is still twelve digits here. Keys that
//! occur twice are kept, so that they can be reported beside other mistakes.

mod text;

use std::borrow::Cow;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::error::PolicyError;
use crate::text::{LONGEST, flat};

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
    pub(super) const START: Self = Self { line: 1, column: 1 };

    fn of(marker: &Marker) -> Self {
        Self {
            line: marker.line(),
            column: marker.col() + 1,
        }
    }

    pub(super) fn error(self, message: impl Into<String>) -> PolicyError {
        PolicyError {
            team: None,
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

/// The items of a list; none of anything else.
pub(super) fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|node| &node.data) {
        Some(Data::List(items)) => items,
        _ => &[],
    }
}

/// The entries of a mapping, with every repetition; none of anything else.
pub(super) fn entries(node: Option<&Node>) -> &[(Key, Node)] {
    match node.map(|node| &node.data) {
        Some(Data::Mapping(entries)) => entries,
        _ => &[],
    }
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
    let text = text::normalized(text);
    if let Some((at, message)) = text::forbidden(&text) {
        return Err(at.error(message));
    }
    let text = without_json_tabs(&text);
    Reader::new(&text).only_document()
}

/// Whether a text has no content at all, only comments.
pub(super) fn is_comment(text: &str) -> bool {
    let text = text::normalized(text);
    let mut lines = text.lines().map(|line| line.trim_matches([' ', '\t']));
    text::forbidden(&text).is_none() && lines.all(|line| line.is_empty() || line.starts_with('#'))
}

/// Replaces the tabs of a JSON document, which saphyr's parser refuses between some tokens.
///
/// No column changes by that, and no value: JSON has no tab within a string.
fn without_json_tabs(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with('{') {
        Cow::Owned(text.replace('\t', " "))
    } else {
        Cow::Borrowed(text)
    }
}

/// Turns the parser's events into nodes.
struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let parser = Parser::new_from_str(text);
        Self { text, parser }
    }

    /// The next event and where it starts.
    fn next(&mut self) -> Result<(Event<'a>, Position), PolicyError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, Position::of(&span.start))),
            Some(Err(error)) => Err(syntax_error(self.text, &error)),
            None => Ok((Event::StreamEnd, Position::START)),
        }
    }

    /// The first document, where there is no second.
    fn only_document(&mut self) -> Result<Node, PolicyError> {
        const EMPTY: &str = "the policy is empty; one that shares nothing is \"version: 1\"";
        let root = self.first_document()?;
        self.expect_end()?;
        root.filter(|node| !matches!(node.data, Data::Nothing))
            .ok_or_else(|| Position::START.error(EMPTY))
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

/// What the parser says, or the tab that most likely made it say so.
fn syntax_error(text: &str, error: &ScanError) -> PolicyError {
    // YAML's own message about a tab stands wherever the line before it began.
    let tab = text.lines().zip(1..).find_map(|(content, line)| {
        let spaces = content.len() - content.trim_start_matches(' ').len();
        let column = spaces + 1;
        content[spaces..]
            .starts_with('\t')
            .then_some(Position { line, column })
    });
    match tab {
        Some(at) => at.error("a tab indents this line; YAML wants spaces"),
        None => within(text, Position::of(error.marker())).error(format!(
            "this is not valid YAML: {}",
            flat(error.info(), LONGEST)
        )),
    }
}

/// The position itself, or the end of the text where it lies beyond.
fn within(text: &str, at: Position) -> Position {
    let end = text
        .lines()
        .zip(1..)
        .last()
        .map(|(content, line)| Position {
            line,
            column: content.chars().count() + 1,
        });
    end.filter(|end| at.line > end.line).unwrap_or(at)
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
