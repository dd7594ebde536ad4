//! Schemas of types, as CloudFormation's registry has them.

use serde_json::{Map, Value};

use crate::world::ApiError;

/// What a value may be.
#[derive(Debug)]
pub(super) enum Schema {
    Integer,
    List(&'static Schema),
    Object(&'static [Member]),
    Text,
}

/// A member of an object; there are no others.
#[derive(Debug)]
pub(super) struct Member {
    name: &'static str,
    schema: Schema,
    is_required: bool,
}

impl Member {
    pub(super) const fn required(name: &'static str, schema: Schema) -> Self {
        Self {
            name,
            schema,
            is_required: true,
        }
    }

    pub(super) const fn optional(name: &'static str, schema: Schema) -> Self {
        Self {
            name,
            schema,
            is_required: false,
        }
    }
}

impl Schema {
    /// The properties with each scalar in the type that its property has.
    ///
    /// A template may write a number as a text and a text as a number, and
    /// the value of a parameter is always a text.
    pub(super) fn convert(&self, properties: &Value) -> Result<Value, ApiError> {
        self.at("#", properties)
    }

    fn at(&self, path: &str, value: &Value) -> Result<Value, ApiError> {
        let converted = match (self, value) {
            (Self::Text, value) => text(value).map(Value::from),
            (Self::Integer, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
            (Self::Integer, Value::Number(number)) => number.as_i64().map(Value::from),
            (Self::List(schema), Value::Array(items)) => {
                let items = items.iter().enumerate();
                let items = items.map(|(index, item)| schema.at(&format!("{path}/{index}"), item));
                return items.collect();
            }
            (Self::Object(members), Value::Object(given)) => return object(members, path, given),
            _ => None,
        };
        converted.ok_or_else(|| {
            let (expected, found) = (self.name(), name(value));
            invalid(path, &format!("expected type: {expected}, found: {found}"))
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Integer => "Integer",
            Self::List(_) => "JSONArray",
            Self::Object(_) => "JSONObject",
            Self::Text => "String",
        }
    }
}

fn object(members: &[Member], path: &str, given: &Map<String, Value>) -> Result<Value, ApiError> {
    let is_known = |name: &String| members.iter().any(|member| member.name == name);
    if let Some(unknown) = given.keys().find(|name| !is_known(name)) {
        let problem = format!("extraneous key [{unknown}] is not permitted");
        return Err(invalid(path, &problem));
    }
    let mut converted = Map::new();
    for Member {
        name,
        schema,
        is_required,
    } in members
    {
        match given.get(*name) {
            Some(value) => {
                let value = schema.at(&format!("{path}/{name}"), value)?;
                converted.insert((*name).to_owned(), value);
            }
            None if *is_required => {
                return Err(invalid(path, &format!("required key [{name}] not found")));
            }
            None => {}
        }
    }
    Ok(Value::Object(converted))
}

/// The text that CloudFormation makes of a scalar.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The refusal of what stands at a path of the properties.
pub(super) fn invalid(path: &str, problem: &str) -> ApiError {
    let message = format!("Properties validation failed with message: {path}: {problem}");
    ApiError::new("ValidationError", message)
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}
