//! What a target is sent: the event, a part of it, a constant, or a text made from it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{rules::RuleId, validation_error};
use crate::world::ApiError;

/// What a target is sent.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) enum Input {
    Event,
    Constant(String),
    Path(Path),
    Template {
        paths: BTreeMap<String, Path>,
        template: String,
    },
}

impl Input {
    /// Reads `Input`, `InputPath` or `InputTransformer` of a target.
    pub(super) fn read(target: &Value) -> Result<Self, ApiError> {
        let [constant, path, transformer] =
            ["Input", "InputPath", "InputTransformer"].map(|member| &target[member]);
        match (constant.as_str(), path.as_str(), transformer.as_object()) {
            (None, None, None) => Ok(Self::Event),
            (Some(constant), None, None) => match serde_json::from_str::<Value>(constant) {
                Ok(_) => Ok(Self::Constant(constant.to_owned())),
                Err(error) => Err(validation_error(format!(
                    "Input is not valid JSON: {error}"
                ))),
            },
            (None, Some(path), None) => Path::read(path).map(Self::Path),
            (None, None, Some(_)) => Self::read_transformer(transformer),
            _ => Err(validation_error(
                "Only one of Input, InputPath, or InputTransformer must be provided.",
            )),
        }
    }

    fn read_transformer(transformer: &Value) -> Result<Self, ApiError> {
        let paths = transformer["InputPathsMap"].as_object();
        let paths = paths
            .into_iter()
            .flatten()
            .map(|(name, path)| Ok((name.clone(), Path::read(path.as_str().unwrap_or(""))?)))
            .collect::<Result<BTreeMap<_, _>, ApiError>>()?;
        let template = transformer["InputTemplate"]
            .as_str()
            .ok_or_else(|| validation_error("Parameter InputTemplate is required."))?;
        let known = |name: &str| name.starts_with("aws.events.") || paths.contains_key(name);
        if let Some(unknown) = placeholders(template).find(|name| !known(name)) {
            return Err(validation_error(format!(
                "InputTemplate contains invalid placeholder {unknown}."
            )));
        }
        let template = template.to_owned();
        Ok(Self::Template { paths, template })
    }

    /// The text that the target is sent for an event.
    pub(super) fn render(&self, rule: &RuleId, event: &Value) -> String {
        match self {
            Self::Event => event.to_string(),
            Self::Constant(text) => text.clone(),
            // ASSUMED: a path that leads nowhere yields an empty object. A
            // text is sent as JSON, that is, in quotes.
            Self::Path(path) => path
                .find(event)
                .map_or_else(|| "{}".to_owned(), Value::to_string),
            Self::Template { paths, template } => {
                let value = |name: &str| match name {
                    "aws.events.rule-arn" => Some(rule.arn().into()),
                    "aws.events.rule-name" => Some(rule.name.clone().into()),
                    "aws.events.event.ingestion-time" => Some(event["time"].clone()),
                    "aws.events.event" | "aws.events.event.json" => Some(event.clone()),
                    _ => paths.get(name)?.find(event).cloned(),
                };
                fill(template, value)
            }
        }
    }
}

/// The names between angle brackets.
fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>').map(|(name, _)| name))
}

/// Puts values in the place of the names between angle brackets.
///
/// Within quotes a text stands as it is; elsewhere every value stands as JSON.
fn fill(template: &str, value: impl Fn(&str) -> Option<Value>) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else {
            break;
        };
        filled.push_str(before);
        rest = after;
        let json = value(name).map(|value| value.to_string());
        match (json, is_quoted(&filled)) {
            // ASSUMED: outside quotes, what a path does not find is null.
            (None, false) => filled.push_str("null"),
            (None, true) => {}
            (Some(json), false) => filled.push_str(&json),
            (Some(json), true) => filled.push_str(&unquoted(&json)),
        }
    }
    filled + rest
}

/// Whether a text ends within a JSON string.
fn is_quoted(text: &str) -> bool {
    let mut quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    quoted
}

/// A JSON value as a part of a JSON string.
fn unquoted(json: &str) -> String {
    match json
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
    {
        Some(text) => text.to_owned(),
        None => json.replace('\\', "\\\\").replace('"', "\\\""),
    }
}

/// A path such as `$.detail.steps[0].name`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Path(Vec<String>);

impl Path {
    fn read(text: &str) -> Result<Self, ApiError> {
        let invalid = || validation_error(format!("Invalid InputPath {text:?}."));
        let rest = text.strip_prefix('$').ok_or_else(invalid)?;
        // An element of an array is a step like any other.
        let steps = rest.replace('[', ".").replace(']', "");
        let Some(steps) = steps.strip_prefix('.') else {
            return steps
                .is_empty()
                .then(|| Self(Vec::new()))
                .ok_or_else(invalid);
        };
        let steps: Vec<String> = steps.split('.').map(str::to_owned).collect();
        let legal = |step: &String| !step.is_empty() && !step.contains(['*', '\'', '"', '?']);
        steps
            .iter()
            .all(legal)
            .then_some(Self(steps))
            .ok_or_else(invalid)
    }

    fn find<'e>(&self, event: &'e Value) -> Option<&'e Value> {
        self.0.iter().try_fold(event, |value, step| match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        })
    }
}
