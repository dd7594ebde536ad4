//! Search expressions: filters that And or Or joins.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::input,
    property::{self, Kind, Resource},
};
use crate::world::{ApiError, epoch_seconds};

/// The most elements that an expression, and each list in it, may have.
const MOST: usize = 20;

const OPERATORS: [&str; 10] = [
    "Equals",
    "NotEquals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LessThan",
    "LessThanOrEqualTo",
    "Contains",
    "Exists",
    "NotExists",
    "In",
];

/// What a record must be like to be found.
pub(super) enum Expression<'a> {
    Filter(Filter<'a>),
    /// One item of the list satisfies all filters.
    Nested(&'a str, Vec<Filter<'a>>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// A property, an operator and the value to compare with.
pub(super) struct Filter<'a> {
    name: &'a str,
    operator: &'a str,
    value: Value,
}

impl<'a> Expression<'a> {
    /// Reads a `SearchExpression`.
    pub(super) fn read(document: &'a Value, resource: Resource) -> Result<Self, ApiError> {
        let expression = Self::parts(document, resource)?;
        if expression.count("Contains") > 1 {
            return Err(input::invalid(
                "'CONTAINS' operator usage limit of 1 exceeded.",
            ));
        }
        Ok(expression)
    }

    fn parts(document: &'a Value, resource: Resource) -> Result<Self, ApiError> {
        let mut parts = Vec::new();
        for filter in list(document, "Filters")? {
            let kind = |name: &str| resource.kind(name);
            parts.push(Self::Filter(Filter::read(filter, "", &kind)?));
        }
        for nested in list(document, "NestedFilters")? {
            parts.push(Self::nested(nested, resource)?);
        }
        for expression in list(document, "SubExpressions")? {
            parts.push(Self::parts(expression, resource)?);
        }
        // ASSUMED: the wording.
        if parts.is_empty() || parts.len() > MOST {
            return Err(input::invalid(format!(
                "A search expression must have 1 to {MOST} filters, nested filters and \
                 subexpressions."
            )));
        }
        match member(document, "Operator", &["And", "Or"])? {
            "Or" => Ok(Self::Any(parts)),
            _ => Ok(Self::All(parts)),
        }
    }

    fn nested(document: &'a Value, resource: Resource) -> Result<Self, ApiError> {
        let name = text(document, "NestedPropertyName", 255)?;
        let members = resource.items(name).ok_or_else(|| {
            // ASSUMED: the wording.
            input::invalid(format!(
                "Property '{name}' is not a list to nest filters in."
            ))
        })?;
        let prefix = format!("{name}.");
        let kind = |member: &str| {
            let known = members.contains(&member).then_some(Kind::Text);
            known.ok_or_else(|| input::invalid(format!("Unknown property '{prefix}{member}'.")))
        };
        let filters: Result<Vec<_>, _> = list(document, "Filters")?
            .iter()
            .map(|filter| Filter::read(filter, &prefix, &kind))
            .collect();
        match filters? {
            filters if filters.is_empty() => Err(input::missing("Filters")),
            filters => Ok(Self::Nested(name, filters)),
        }
    }

    /// How often the operator is used.
    fn count(&self, operator: &str) -> usize {
        let uses = |filter: &&Filter<'_>| filter.operator == operator;
        match self {
            Self::Filter(filter) => usize::from(uses(&filter)),
            Self::Nested(_, filters) => filters.iter().filter(uses).count(),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().map(|part| part.count(operator)).sum()
            }
        }
    }

    /// Whether the record is to be found.
    pub(super) fn holds(&self, record: &Value) -> bool {
        match self {
            Self::Filter(filter) => filter.holds(record),
            Self::Nested(list, filters) => {
                let items = property::value(record, list).and_then(Value::as_array);
                let fits = |item: &Value| filters.iter().all(|filter| filter.holds(item));
                items.is_some_and(|items| items.iter().any(fits))
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(record)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(record)),
        }
    }
}

impl<'a> Filter<'a> {
    /// Reads a `Filter`; the names of properties of items begin with that of their list.
    fn read(
        document: &'a Value,
        prefix: &str,
        kind: &dyn Fn(&str) -> Result<Kind, ApiError>,
    ) -> Result<Self, ApiError> {
        let name = text(document, "Name", 255)?;
        // ASSUMED: the prefix may be left out.
        let name = name.strip_prefix(prefix).unwrap_or(name);
        let kind = kind(name)?;
        let operator = member(document, "Operator", &OPERATORS)?;
        let supported = match operator {
            "Exists" | "NotExists" => true,
            "Equals" | "NotEquals" => kind != Kind::Whole,
            "Contains" | "In" => kind == Kind::Text,
            _ => matches!(kind, Kind::Number | Kind::Time),
        };
        if !supported {
            // ASSUMED: the wording.
            return Err(input::invalid(format!(
                "Operator '{operator}' is not supported for property '{name}'."
            )));
        }
        let value = if operator.ends_with("Exists") {
            Value::Null
        } else {
            parse(text(document, "Value", 1024)?, kind)?
        };
        Ok(Self {
            name,
            operator,
            value,
        })
    }

    /// ASSUMED: of a property that is not there, nothing but `NotExists` holds,
    /// and texts compare with regard to case.
    fn holds(&self, record: &Value) -> bool {
        let Some(value) = property::value(record, self.name) else {
            return self.operator == "NotExists";
        };
        let ordering = property::compare(value, &self.value);
        let text = value.as_str().unwrap_or_default();
        let wanted = self.value.as_str().unwrap_or_default();
        match self.operator {
            "Exists" => true,
            "NotExists" => false,
            "Contains" => text.contains(wanted),
            "In" => wanted.split(',').any(|one| one.trim() == text),
            "Equals" => ordering.is_some_and(Ordering::is_eq),
            "NotEquals" => ordering.is_some_and(Ordering::is_ne),
            "GreaterThan" => ordering.is_some_and(Ordering::is_gt),
            "GreaterThanOrEqualTo" => ordering.is_some_and(Ordering::is_ge),
            "LessThan" => ordering.is_some_and(Ordering::is_lt),
            _ => ordering.is_some_and(Ordering::is_le),
        }
    }
}

/// The value that a filter compares with.
///
/// ASSUMED: times without an offset are in UTC, and the wording.
fn parse(text: &str, kind: Kind) -> Result<Value, ApiError> {
    match kind {
        Kind::Text | Kind::Whole => Ok(text.into()),
        Kind::Number => {
            let number = text.parse::<f64>().ok().filter(|it| it.is_finite());
            number
                .map(|number| json!(number))
                .ok_or_else(|| input::invalid(format!("{text} is not a number")))
        }
        Kind::Time => text
            .parse::<Timestamp>()
            .or_else(|_| format!("{text}Z").parse())
            .map(epoch_seconds)
            .map_err(|_| input::invalid(format!("{text} is not a time like 2026-01-05T09:00:00Z"))),
    }
}

/// The items of a list that may be absent but not empty.
fn list<'a>(document: &'a Value, member: &str) -> Result<&'a [Value], ApiError> {
    match document.get(member) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if (1..=MOST).contains(&items.len()) => Ok(items),
        Some(other) => {
            let wanted = format!("have length between 1 and {MOST}");
            Err(input::constraint(member, other, &wanted))
        }
    }
}

/// A text that must be there.
fn text<'a>(document: &'a Value, member: &str, most: usize) -> Result<&'a str, ApiError> {
    let value = document.get(member).unwrap_or(&Value::Null);
    match value.as_str() {
        None => Err(input::missing(member)),
        Some(text) if (1..=most).contains(&text.chars().count()) => Ok(text),
        Some(_) => {
            let wanted = format!("have length between 1 and {most}");
            Err(input::constraint(member, value, &wanted))
        }
    }
}

/// One of the values of an enumeration; the first of them if the member is absent.
fn member<'a>(document: &'a Value, member: &str, values: &[&'a str]) -> Result<&'a str, ApiError> {
    let Some(value) = document.get(member).filter(|value| !value.is_null()) else {
        return Ok(values.first().copied().unwrap_or_default());
    };
    let known = values.iter().find(|known| *value == **known).copied();
    known.ok_or_else(|| {
        let wanted = format!("satisfy enum value set: [{}]", values.join(", "));
        input::constraint(member, value, &wanted)
    })
}
