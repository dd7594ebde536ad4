//! A template as a tree whose nodes know their line and whose functions are told apart from data.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, Tag, YamlData};
use serde_json::Value;

use super::Problem;

/// The functions that the sandbox evaluates, by their long names.
const FUNCTIONS: &[&str] = &[
    "Ref",
    "Condition",
    "Fn::And",
    "Fn::Contains",
    "Fn::Equals",
    "Fn::GetAtt",
    "Fn::If",
    "Fn::Join",
    "Fn::Not",
    "Fn::Or",
    "Fn::Select",
    "Fn::Split",
    "Fn::Sub",
];

/// A value of a template.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// What a value of a template is.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A function by its long name, however it was written.
    Function(&'static str, Box<Node>),
}

/// A key of a map and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) line: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

impl Node {
    /// Reads a document.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let documents = MarkedYaml::load_from_str(text)
            .map_err(|error| Problem::new(error.marker().line(), error.info()))?;
        match &documents[..] {
            [document] => Self::read(document),
            _ => Err(Problem::new(1, "expected one YAML document")),
        }
    }

    fn read(yaml: &MarkedYaml<'_>) -> Result<Self, Problem> {
        let line = yaml.span.start.line();
        let kind = match &yaml.data {
            YamlData::Value(scalar) => Kind::Scalar(read_scalar(yaml, scalar)?),
            YamlData::Sequence(items) => {
                Kind::List(items.iter().map(Self::read).collect::<Result<_, _>>()?)
            }
            YamlData::Mapping(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Entry::read(key, value))
                    .collect::<Result<_, _>>()?;
                long_form(line, entries)?
            }
            YamlData::Tagged(tag, argument) => {
                let name = short_name(tag)
                    .ok_or_else(|| Problem::new(line, format!("unknown function {tag}")))?;
                let mut argument = Self::read(argument)?;
                // The position of a tagged scalar is kept with its tag only.
                if argument.line == 0 {
                    argument.line = line;
                }
                Kind::Function(name, Box::new(argument))
            }
            _ => return Err(Problem::new(line, "this value cannot be read")),
        };
        Ok(Self { line, kind })
    }

    /// The entries of a map; `what` says what should have been one.
    pub(super) fn entries(&self, what: &str) -> Result<&[Entry], Problem> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(Problem::new(self.line, format!("{what} must be a map"))),
        }
    }

    /// The items of a list; `what` says what should have been one.
    pub(super) fn items(&self, what: &str) -> Result<&[Node], Problem> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(Problem::new(self.line, format!("{what} must be a list"))),
        }
    }

    /// A plain text; `what` says what should have been one.
    pub(super) fn text(&self, what: &str) -> Result<&str, Problem> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Ok(text),
            _ => Err(Problem::new(self.line, format!("{what} must be a text"))),
        }
    }
}

impl Entry {
    fn read(key: &MarkedYaml<'_>, value: &MarkedYaml<'_>) -> Result<Self, Problem> {
        let line = key.span.start.line();
        let key = match &key.data {
            YamlData::Value(scalar) => match read_scalar(key, scalar)? {
                Value::String(text) => text,
                other => other.to_string(),
            },
            _ => return Err(Problem::new(line, "a key must be a text")),
        };
        if key == "<<" {
            return Err(Problem::new(
                line,
                "CloudFormation does not merge keys with <<",
            ));
        }
        let value = Node::read(value)?;
        Ok(Self { line, key, value })
    }
}

/// Tells a function in its long form from a map.
///
/// `Condition` is not among them: in a resource or a policy it is an ordinary key.
fn long_form(line: usize, mut entries: Vec<Entry>) -> Result<Kind, Problem> {
    let is_function = |entry: &Entry| entry.key == "Ref" || entry.key.starts_with("Fn::");
    let Some(position) = entries.iter().position(is_function) else {
        return Ok(Kind::Map(entries));
    };
    if entries.len() > 1 {
        let function = &entries[position].key;
        let message = format!("{function} cannot stand beside other keys");
        return Err(Problem::new(line, message));
    }
    let entry = entries.remove(position);
    let name = FUNCTIONS.iter().find(|name| **name == entry.key);
    let name =
        name.ok_or_else(|| Problem::new(entry.line, format!("unknown function {}", entry.key)))?;
    Ok(Kind::Function(name, Box::new(entry.value)))
}

/// The long name of a function that is written as a tag.
fn short_name(tag: &Tag) -> Option<&'static str> {
    let short = |name: &str| name.strip_prefix("Fn::").unwrap_or(name) == tag.suffix;
    let local = tag.handle == "!";
    FUNCTIONS.iter().copied().find(|name| local && short(name))
}

fn read_scalar(yaml: &MarkedYaml<'_>, scalar: &Scalar<'_>) -> Result<Value, Problem> {
    let value = match scalar {
        Scalar::Null => {
            let message = "CloudFormation does not allow null values";
            return Err(Problem::new(yaml.span.start.line(), message));
        }
        Scalar::Boolean(boolean) => Value::Bool(*boolean),
        Scalar::Integer(integer) => Value::from(*integer),
        Scalar::FloatingPoint(float) => Value::from(float.0),
        Scalar::String(text) => Value::from(text.as_ref()),
    };
    // 012345678901 is an account to its author and a smaller number to YAML.
    let written = yaml.span.len();
    if value.is_number() && written > 0 && value.to_string().len() != written {
        let line = yaml.span.start.line();
        let message = format!("this number reads as {value}: put it in quotes if it is a text");
        return Err(Problem::new(line, message));
    }
    Ok(value)
}
