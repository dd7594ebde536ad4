//! Attribute values: how they look, how they compare, and what they add up to.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::invalid;
use crate::world::ApiError;

const TYPES: &[&str] = &["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

/// The type of a value, for instance `S`, and what it holds.
pub(super) fn parts(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object()?;
    let (kind, content) = members.iter().next()?;
    (members.len() == 1).then_some((kind.as_str(), content))
}

/// Whether this is a value of DynamoDB, all the way down.
pub(super) fn check(value: &Value) -> Result<(), ApiError> {
    let (kind, content) = parts(value)
        .filter(|(kind, _)| TYPES.contains(kind))
        .ok_or_else(|| invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"))?;
    match kind {
        "N" if number(content).is_none() => Err(invalid(format!(
            "The parameter cannot be converted to a numeric value: {content}"
        ))),
        "M" => content
            .as_object()
            .into_iter()
            .flatten()
            .try_for_each(|(_, value)| check(value)),
        "L" => content.as_array().into_iter().flatten().try_for_each(check),
        "SS" | "NS" | "BS" if content.as_array().is_none_or(Vec::is_empty) => Err(invalid(
            "One or more parameter values were invalid: An string set may not be empty",
        )),
        _ => Ok(()),
    }
}

/// Which of two values of one type comes first; none if that has no meaning.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (parts(a)?, parts(b)?) {
        (("N", a), ("N", b)) => number(a)?.partial_cmp(&number(b)?),
        // DynamoDB compares texts byte by byte in UTF-8, as Rust does.
        (("S", a), ("S", b)) | (("B", a), ("B", b)) => a.as_str()?.partial_cmp(b.as_str()?),
        _ => None,
    }
}

/// Whether two values are the same; `1` and `1.0` are.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    compare(a, b).map_or(a == b, Ordering::is_eq)
}

/// The sum or the difference of two numbers.
pub(super) fn add(a: &Value, b: &Value, subtract: bool) -> Result<Value, ApiError> {
    let (Some(("N", a)), Some(("N", b))) = (parts(a), parts(b)) else {
        return Err(invalid(
            "An operand in the update expression has an incorrect data type",
        ));
    };
    let sum = match (number(a), number(b), subtract) {
        (Some(Number::Whole(a)), Some(Number::Whole(b)), false) => (a + b).to_string(),
        (Some(Number::Whole(a)), Some(Number::Whole(b)), true) => (a - b).to_string(),
        (Some(a), Some(b), false) => (a.real() + b.real()).to_string(),
        (Some(a), Some(b), true) => (a.real() - b.real()).to_string(),
        _ => {
            return Err(invalid(
                "The parameter cannot be converted to a numeric value",
            ));
        }
    };
    Ok(json!({ "N": sum }))
}

/// The size of a value, as the function `size` knows it.
pub(super) fn size(value: &Value) -> Option<Value> {
    let (_, content) = parts(value)?;
    let size = match content {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => return None,
    };
    Some(json!({ "N": size.to_string() }))
}

/// A number; DynamoDB's 38 digits are exact here for whole numbers only.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Real(f64),
}

fn number(content: &Value) -> Option<Number> {
    let text = content.as_str()?;
    let whole = text.parse().ok().map(Number::Whole);
    let real = || text.parse().ok().filter(|real: &f64| real.is_finite());
    whole.or_else(|| real().map(Number::Real))
}

impl Number {
    #[expect(
        clippy::cast_precision_loss,
        reason = "only reached with a fraction on the other side, where the sandbox rounds"
    )]
    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(b)),
            _ => self.real().partial_cmp(&other.real()),
        }
    }
}
