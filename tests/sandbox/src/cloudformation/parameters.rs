//! The parameters of a template and the values that a stack gives them.

use std::collections::BTreeMap;

use regex_lite::Regex;
use serde_json::Value;

use super::{
    Problem,
    syntax::{Entry, Kind, Node},
};

/// A parameter as the template declares it.
#[derive(Debug)]
pub(super) struct Parameter {
    name: String,
    line: usize,
    is_list: bool,
    is_number: bool,
    default: Option<String>,
    allowed_pattern: Option<Regex>,
    allowed_values: Vec<String>,
    /// `MinLength` and `MaxLength`, which are about characters.
    length: Range,
    /// `MinValue` and `MaxValue`, which are about numbers.
    size: Range,
    constraint: Option<String>,
}

/// The least and the greatest that is allowed.
#[derive(Debug, Default)]
struct Range {
    min: Option<f64>,
    max: Option<f64>,
}

impl Range {
    fn contains(&self, number: f64) -> bool {
        self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
    }
}

impl Parameter {
    pub(super) fn read(entry: &Entry) -> Result<Self, Problem> {
        let name = &entry.key;
        let mut parameter = Self {
            name: name.clone(),
            line: entry.line,
            is_list: false,
            is_number: false,
            default: None,
            allowed_pattern: None,
            allowed_values: Vec::new(),
            length: Range::default(),
            size: Range::default(),
            constraint: None,
        };
        let mut kind = None;
        for attribute in entry.value.entries(name)? {
            let value = &attribute.value;
            match attribute.key.as_str() {
                "Type" => kind = Some(value.text("Type")?),
                "Default" => parameter.default = Some(scalar_text(value)?),
                "AllowedPattern" => parameter.allowed_pattern = Some(pattern(value)?),
                "AllowedValues" => {
                    let values = value.items("AllowedValues")?.iter().map(scalar_text);
                    parameter.allowed_values = values.collect::<Result<_, _>>()?;
                }
                "MinLength" => parameter.length.min = Some(number(value)?),
                "MaxLength" => parameter.length.max = Some(number(value)?),
                "MinValue" => parameter.size.min = Some(number(value)?),
                "MaxValue" => parameter.size.max = Some(number(value)?),
                "ConstraintDescription" => {
                    parameter.constraint = Some(value.text("ConstraintDescription")?.to_owned());
                }
                // These are for people and for the console.
                "Description" | "NoEcho" => {}
                other => return Err(unsupported(attribute.line, name, other)),
            }
        }
        match kind {
            Some("String") => {}
            Some("Number") => parameter.is_number = true,
            Some("CommaDelimitedList") => parameter.is_list = true,
            Some(other) => return Err(unsupported(entry.line, name, &format!("Type {other}"))),
            None => return Err(Problem::new(entry.line, format!("{name} has no Type"))),
        }
        Ok(parameter)
    }

    /// The value that `Ref` gives.
    ///
    /// A number stays a text, as CloudFormation has it: whoever reads a
    /// property converts it.
    fn value(&self, given: &BTreeMap<String, String>) -> Result<Value, Problem> {
        let value = given.get(&self.name).or(self.default.as_ref());
        let value = value.ok_or_else(|| self.problem("has no value"))?;
        if self.is_number {
            let number = value
                .parse()
                .map_err(|_| self.problem(&format!("is {value:?}, which is not a number")))?;
            self.require(self.size.contains(number), value)?;
        }
        if !self.is_list {
            self.check(value)?;
            return Ok(Value::from(value.as_str()));
        }
        let items: Vec<&str> = value.split(',').map(str::trim).collect();
        items.iter().try_for_each(|item| self.check(item))?;
        Ok(items.into())
    }

    fn check(&self, value: &str) -> Result<(), Problem> {
        let pattern = self.allowed_pattern.as_ref();
        let fits = pattern.is_none_or(|pattern| pattern.is_match(value));
        let listed = self.allowed_values.is_empty()
            || self.allowed_values.iter().any(|allowed| allowed == value);
        let length = u32::try_from(value.chars().count()).unwrap_or(u32::MAX);
        self.require(fits && listed && self.length.contains(length.into()), value)
    }

    fn require(&self, is_allowed: bool, value: &str) -> Result<(), Problem> {
        if is_allowed {
            return Ok(());
        }
        let reason = self.constraint.as_deref().unwrap_or("is not allowed");
        Err(self.problem(&format!("is {value:?}, but {reason}")))
    }

    fn problem(&self, message: &str) -> Problem {
        Problem::new(self.line, format!("parameter {} {message}", self.name))
    }
}

/// The values of all parameters.
pub(super) fn values(
    parameters: &[Parameter],
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, Problem> {
    let known = |name: &&String| parameters.iter().any(|parameter| parameter.name == **name);
    if let Some(unknown) = given.keys().find(|name| !known(name)) {
        let message = format!("the template has no parameter {unknown}");
        return Err(Problem::new(1, message));
    }
    parameters
        .iter()
        .map(|parameter| Ok((parameter.name.clone(), parameter.value(given)?)))
        .collect()
}

fn scalar_text(node: &Node) -> Result<String, Problem> {
    match &node.kind {
        Kind::Scalar(Value::String(text)) => Ok(text.clone()),
        Kind::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        _ => Err(Problem::new(node.line, "expected a text or a number")),
    }
}

fn number(node: &Node) -> Result<f64, Problem> {
    let text = scalar_text(node)?;
    text.parse()
        .map_err(|_| Problem::new(node.line, format!("{text} is not a number")))
}

/// An `AllowedPattern`, which has to match the whole value.
fn pattern(node: &Node) -> Result<Regex, Problem> {
    let text = node.text("AllowedPattern")?;
    Regex::new(&format!("^(?:{text})$"))
        .map_err(|error| Problem::new(node.line, format!("AllowedPattern: {error}")))
}

fn unsupported(line: usize, name: &str, what: &str) -> Problem {
    Problem::new(line, format!("{name}: {what} is not supported"))
}
