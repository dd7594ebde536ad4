//! Conditions: of writes, of keys and of filters.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    Item, attribute_value,
    expression::{Parser, Path, Placeholders, Token},
    invalid,
};
use crate::world::ApiError;

/// Something that is true of an item or not.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    Type(Path, Operand),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

/// What a condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    Path(Path),
    Value(Value),
    Size(Path),
}

/// How two operands compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const COMPARATORS: &[(&str, Comparator)] = &[
    ("=", Comparator::Equal),
    ("<>", Comparator::NotEqual),
    ("<", Comparator::Less),
    ("<=", Comparator::LessOrEqual),
    (">", Comparator::Greater),
    (">=", Comparator::GreaterOrEqual),
];

impl Condition {
    /// Reads the condition in a member of the input, if it is there.
    pub(super) fn read(
        input: &Value,
        member: &str,
        placeholders: &Placeholders<'_>,
    ) -> Result<Option<Self>, ApiError> {
        let Some(text) = input[member].as_str() else {
            return Ok(None);
        };
        let mut parser = Parser::new(member, text, placeholders)?;
        let condition = disjunction(&mut parser)?;
        parser.expect_end()?;
        Ok(Some(condition))
    }

    /// Whether it is true of this item.
    pub(super) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(a, b) => a.holds(item) && b.holds(item),
            Self::Or(a, b) => a.holds(item) || b.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Compare(a, comparator, b) => {
                comparator.holds(a.value(item).as_ref(), b.value(item).as_ref())
            }
            Self::Between(operand, low, high) => {
                let value = operand.value(item);
                let holds = |comparator: Comparator, bound: &Operand| {
                    comparator.holds(value.as_ref(), bound.value(item).as_ref())
                };
                holds(Comparator::GreaterOrEqual, low) && holds(Comparator::LessOrEqual, high)
            }
            Self::In(operand, list) => list.iter().any(|candidate| {
                let (value, candidate) = (operand.value(item), candidate.value(item));
                Comparator::Equal.holds(value.as_ref(), candidate.as_ref())
            }),
            Self::Exists(path) => path.get(item).is_some(),
            Self::Type(path, kind) => is_of_type(path.get(item), kind.value(item).as_ref()),
            Self::BeginsWith(operand, prefix) => {
                begins_with(operand.value(item).as_ref(), prefix.value(item).as_ref())
            }
            Self::Contains(operand, part) => {
                contains(operand.value(item).as_ref(), part.value(item).as_ref())
            }
        }
    }
}

impl Operand {
    fn value(&self, item: &Item) -> Option<Value> {
        match self {
            Self::Path(path) => path.get(item).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(path) => attribute_value::size(path.get(item)?),
        }
    }
}

impl Comparator {
    /// A missing operand equals nothing, and differs from everything.
    fn holds(self, a: Option<&Value>, b: Option<&Value>) -> bool {
        let (Some(a), Some(b)) = (a, b) else {
            return self == Self::NotEqual;
        };
        let order = attribute_value::compare(a, b);
        match self {
            Self::Equal => attribute_value::equal(a, b),
            Self::NotEqual => !attribute_value::equal(a, b),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

fn is_of_type(value: Option<&Value>, kind: Option<&Value>) -> bool {
    let value = value.and_then(attribute_value::parts);
    let kind = kind.and_then(|kind| kind["S"].as_str());
    value.is_some_and(|(own, _)| Some(own) == kind)
}

fn begins_with(value: Option<&Value>, prefix: Option<&Value>) -> bool {
    let text = |value: Option<&Value>| value?["S"].as_str().map(str::to_owned);
    match (text(value), text(prefix)) {
        (Some(value), Some(prefix)) => value.starts_with(&prefix),
        _ => false,
    }
}

fn contains(value: Option<&Value>, part: Option<&Value>) -> bool {
    let (Some(value), Some(part)) = (value, part) else {
        return false;
    };
    match (attribute_value::parts(value), attribute_value::parts(part)) {
        (Some(("S", Value::String(text))), Some(("S", Value::String(part)))) => {
            text.contains(part.as_str())
        }
        (Some(("SS", set)), Some(("S", part)))
        | (Some(("NS", set)), Some(("N", part)))
        | (Some(("BS", set)), Some(("B", part))) => {
            set.as_array().is_some_and(|set| set.contains(part))
        }
        (Some(("L", list)), _) => list.as_array().is_some_and(|list| list.contains(part)),
        _ => false,
    }
}

fn disjunction(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let mut condition = conjunction(parser)?;
    while parser.take_keyword("OR") {
        let other = conjunction(parser)?;
        condition = Condition::Or(Box::new(condition), Box::new(other));
    }
    Ok(condition)
}

fn conjunction(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let mut condition = negation(parser)?;
    while parser.take_keyword("AND") {
        let other = negation(parser)?;
        condition = Condition::And(Box::new(condition), Box::new(other));
    }
    Ok(condition)
}

fn negation(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let mut holds = true;
    while parser.take_keyword("NOT") {
        holds = !holds;
    }
    let condition = primary(parser)?;
    Ok(if holds {
        condition
    } else {
        Condition::Not(Box::new(condition))
    })
}

fn primary(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    if parser.take_sign("(") {
        let condition = disjunction(parser)?;
        parser.expect_sign(")")?;
        return Ok(condition);
    }
    if parser.keyword().as_deref() == Some("SIZE") {
        return comparison(parser);
    }
    match parser.take_function() {
        Some(name) => function(parser, &name),
        None => comparison(parser),
    }
}

fn function(parser: &mut Parser<'_>, name: &str) -> Result<Condition, ApiError> {
    let condition = match name {
        "attribute_exists" => Condition::Exists(parser.path()?),
        "attribute_not_exists" => Condition::Not(Box::new(Condition::Exists(parser.path()?))),
        "attribute_type" => {
            let path = parser.path()?;
            parser.expect_sign(",")?;
            Condition::Type(path, operand(parser)?)
        }
        "begins_with" | "contains" => {
            let first = operand(parser)?;
            parser.expect_sign(",")?;
            let second = operand(parser)?;
            if name == "contains" {
                Condition::Contains(first, second)
            } else {
                Condition::BeginsWith(first, second)
            }
        }
        _ => {
            return Err(invalid(format!(
                "Invalid expression: Invalid function name; function: {name}"
            )));
        }
    };
    parser.expect_sign(")")?;
    Ok(condition)
}

fn comparison(parser: &mut Parser<'_>) -> Result<Condition, ApiError> {
    let first = operand(parser)?;
    if parser.take_keyword("BETWEEN") {
        let low = operand(parser)?;
        parser.expect_keyword("AND")?;
        return Ok(Condition::Between(first, low, operand(parser)?));
    }
    if parser.take_keyword("IN") {
        parser.expect_sign("(")?;
        let mut list = vec![operand(parser)?];
        while parser.take_sign(",") {
            list.push(operand(parser)?);
        }
        parser.expect_sign(")")?;
        return Ok(Condition::In(first, list));
    }
    let comparator = match parser.peek() {
        Some(Token::Sign(sign)) => COMPARATORS.iter().find(|(text, _)| text == sign),
        _ => None,
    };
    let (sign, comparator) = comparator.ok_or_else(|| parser.unexpected())?;
    parser.expect_sign(sign)?;
    Ok(Condition::Compare(first, *comparator, operand(parser)?))
}

fn operand(parser: &mut Parser<'_>) -> Result<Operand, ApiError> {
    if let Some(value) = parser.value()? {
        return Ok(Operand::Value(value));
    }
    if parser.keyword().as_deref() == Some("SIZE") && parser.take_function().is_some() {
        let path = parser.path()?;
        parser.expect_sign(")")?;
        return Ok(Operand::Size(path));
    }
    Ok(Operand::Path(parser.path()?))
}
