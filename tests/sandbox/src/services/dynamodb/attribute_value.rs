//! Attribute values: how they look, how they compare, and what they add up to.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{invalid, number::Number};
use crate::world::ApiError;

const TYPES: &[&str] = &["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];

/// The type of a value, for instance `S`, and what it holds.
pub(super) fn parts(value: &Value) -> Option<(&str, &Value)> {
    let members = value.as_object()?;
    let (kind, content) = members.iter().next()?;
    (members.len() == 1).then_some((kind.as_str(), content))
}

/// How many levels a value may have.
const MAX_LEVELS: usize = 32;

/// Whether this is a value of DynamoDB, all the way down.
pub(super) fn check(value: &Value) -> Result<(), ApiError> {
    check_level(value, 1)
}

fn check_level(value: &Value, level: usize) -> Result<(), ApiError> {
    if level > MAX_LEVELS {
        return Err(invalid(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
             levels beyond supported limit",
        ));
    }
    let check = |value| check_level(value, level + 1);
    let (kind, content) = parts(value)
        .filter(|(kind, _)| TYPES.contains(kind))
        .ok_or_else(|| invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"))?;
    match kind {
        "N" => number(content).map(drop),
        "M" => content
            .as_object()
            .into_iter()
            .flatten()
            .try_for_each(|(_, value)| check(value)),
        "L" => content.as_array().into_iter().flatten().try_for_each(check),
        "SS" | "NS" | "BS" if content.as_array().is_none_or(Vec::is_empty) => Err(invalid(
            "One or more parameter values were invalid: An string set may not be empty",
        )),
        "NS" => content
            .as_array()
            .into_iter()
            .flatten()
            .try_for_each(|member| number(member).map(drop)),
        _ => Ok(()),
    }
}

/// Which of two values of one type comes first; none if that has no meaning.
pub(super) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (parts(a)?, parts(b)?) {
        (("N", a), ("N", b)) => number(a).ok()?.partial_cmp(&number(b).ok()?),
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
    let (a, b) = (number(a)?, number(b)?);
    let sum = a.plus(if subtract { -b } else { b })?;
    Ok(json!({ "N": sum.to_string() }))
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

/// A number is sent as a text, lest somebody on the way round it.
fn number(content: &Value) -> Result<Number, ApiError> {
    match content.as_str() {
        Some(text) => Number::parse(text),
        None => Err(invalid(
            "The parameter cannot be converted to a numeric value",
        )),
    }
}
