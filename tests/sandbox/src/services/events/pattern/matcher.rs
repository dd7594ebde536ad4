//! What a single value must be like.

use std::net::IpAddr;

use serde_json::Value;

use super::InvalidPattern;

/// Numbers in numeric comparisons are limited to this size.
const MAX_NUMBER: f64 = 5.0e9;

/// One entry of a field's list: a literal or a comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Matcher {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    EqualsIgnoreCase(String),
    Wildcard(Vec<String>),
    Numeric(Range),
    Cidr(Cidr),
    Exists(bool),
    AnythingBut(Vec<Matcher>),
}

impl Matcher {
    /// Reads an entry of a field's list.
    pub(super) fn read(value: &Value) -> Result<Self, InvalidPattern> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Bool(boolean) => Ok(Self::Boolean(*boolean)),
            Value::Number(number) => Ok(Self::Number(number.as_f64().unwrap_or(f64::NAN))),
            Value::String(text) => Ok(Self::Text(text.clone())),
            Value::Array(_) => Err(InvalidPattern::new(
                "Match value must be String, number, true, false, or null",
            )),
            Value::Object(_) => {
                let (name, argument) = only_member(value)?;
                Self::read_named(name, argument)
            }
        }
    }

    fn read_named(name: &str, argument: &Value) -> Result<Self, InvalidPattern> {
        match name {
            "prefix" => affix(name, argument, Self::Prefix, Self::PrefixIgnoreCase),
            "suffix" => affix(name, argument, Self::Suffix, Self::SuffixIgnoreCase),
            "equals-ignore-case" => text(name, argument).map(Self::EqualsIgnoreCase),
            "wildcard" => wildcard(text(name, argument)?.as_str()).map(Self::Wildcard),
            "numeric" => Range::read(argument).map(Self::Numeric),
            "cidr" => Cidr::read(&text(name, argument)?).map(Self::Cidr),
            "anything-but" => anything_but(argument).map(Self::AnythingBut),
            "exists" => argument
                .as_bool()
                .map(Self::Exists)
                .ok_or_else(|| InvalidPattern::new("exists match pattern must be true or false")),
            _ => Err(InvalidPattern::new(format!(
                "Unrecognized match type {name}"
            ))),
        }
    }

    /// Whether a field that the event lacks fits.
    pub(super) fn matches_absence(&self) -> bool {
        matches!(self, Self::Exists(false))
    }

    /// Whether a value that the event has fits.
    pub(super) fn matches(&self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean(boolean) => value.as_bool() == Some(*boolean),
            Self::Number(number) => value.as_f64() == Some(*number),
            Self::Numeric(range) => value.as_f64().is_some_and(|number| range.contains(number)),
            Self::Exists(exists) => *exists,
            Self::AnythingBut(matchers) => !matchers.iter().any(|m| m.matches(value)),
            _ => value.as_str().is_some_and(|text| self.matches_text(text)),
        }
    }

    fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Text(other) => text == other,
            Self::Prefix(prefix) => text.starts_with(prefix),
            Self::PrefixIgnoreCase(prefix) => text.to_lowercase().starts_with(prefix),
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::SuffixIgnoreCase(suffix) => text.to_lowercase().ends_with(suffix),
            Self::EqualsIgnoreCase(other) => text.to_lowercase() == other.to_lowercase(),
            Self::Wildcard(parts) => wildcard_matches(parts, text),
            Self::Cidr(cidr) => text.parse().is_ok_and(|address| cidr.contains(address)),
            _ => false,
        }
    }
}

fn only_member(value: &Value) -> Result<(&str, &Value), InvalidPattern> {
    let mut members = value.as_object().into_iter().flatten();
    match (members.next(), members.next()) {
        (Some((name, argument)), None) => Ok((name, argument)),
        _ => Err(InvalidPattern::new(
            "Only one key allowed in match expression",
        )),
    }
}

fn text(name: &str, value: &Value) -> Result<String, InvalidPattern> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| InvalidPattern::new(format!("{name} match pattern must be a string")))
}

fn number(value: &Value) -> Result<f64, InvalidPattern> {
    value
        .as_f64()
        .filter(|number| number.abs() <= MAX_NUMBER)
        .ok_or_else(|| InvalidPattern::new("Value must be between -5.0E9 and 5.0E9, inclusive"))
}

/// A prefix or suffix: a text, or `{"equals-ignore-case": text}`.
fn affix(
    name: &str,
    argument: &Value,
    exact: fn(String) -> Matcher,
    ignoring_case: fn(String) -> Matcher,
) -> Result<Matcher, InvalidPattern> {
    if !argument.is_object() {
        return text(name, argument).map(exact);
    }
    match only_member(argument)? {
        (inner @ "equals-ignore-case", argument) => {
            Ok(ignoring_case(text(inner, argument)?.to_lowercase()))
        }
        (other, _) => Err(InvalidPattern::new(format!(
            "Unsupported {name} pattern: {other}"
        ))),
    }
}

/// What `anything-but` excludes.
fn anything_but(argument: &Value) -> Result<Vec<Matcher>, InvalidPattern> {
    if !argument.is_object() {
        return excluded_literals(argument);
    }
    let (name, argument) = only_member(argument)?;
    if !matches!(
        name,
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard"
    ) {
        return Err(InvalidPattern::new(format!(
            "Unsupported anything-but pattern: {name}"
        )));
    }
    let read = |item: &Value| match text(name, item)?.as_str() {
        "" => Err(InvalidPattern::new(format!("Empty {name} is not allowed"))),
        _ => Matcher::read_named(name, item),
    };
    items(argument)?.iter().map(read).collect()
}

fn excluded_literals(argument: &Value) -> Result<Vec<Matcher>, InvalidPattern> {
    let items = items(argument)?;
    let texts = items.iter().all(Value::is_string);
    let numbers = items.iter().all(Value::is_number);
    if !texts && !numbers {
        return Err(InvalidPattern::new(
            "Inside anything-but list, either all values are number or string, mixed type is not supported",
        ));
    }
    items.iter().map(Matcher::read).collect()
}

/// The entries of a list; a single value is a list of one.
fn items(value: &Value) -> Result<&[Value], InvalidPattern> {
    match value {
        Value::Array(items) if items.is_empty() => {
            Err(InvalidPattern::new("Empty arrays are not allowed"))
        }
        Value::Array(items) => Ok(items),
        _ => Ok(std::slice::from_ref(value)),
    }
}

/// The literal texts between the wildcards of a pattern.
fn wildcard(pattern: &str) -> Result<Vec<String>, InvalidPattern> {
    let mut parts = vec![String::new()];
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        let literal = match character {
            '*' if characters.peek() == Some(&'*') => {
                return Err(InvalidPattern::new(
                    "Consecutive wildcard characters are not allowed",
                ));
            }
            '*' => {
                parts.push(String::new());
                continue;
            }
            '\\' => characters
                .next()
                .filter(|next| matches!(next, '*' | '\\'))
                .ok_or_else(|| InvalidPattern::new("Invalid escape character in wildcard"))?,
            other => other,
        };
        if let Some(part) = parts.last_mut() {
            part.push(literal);
        }
    }
    Ok(parts)
}

fn wildcard_matches(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return parts.iter().all(|only| only == text);
    };
    let Some(rest) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some(mut rest) = rest.strip_suffix(last.as_str()) else {
        return false;
    };
    // The earliest place for each part leaves the most room for the next.
    middle.iter().all(|part| match rest.find(part.as_str()) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// A bound of a range, and whether it belongs to the range.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound {
    number: f64,
    inclusive: bool,
}

/// Numbers between two bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    lower: Option<Bound>,
    upper: Option<Bound>,
}

impl Range {
    /// Reads `["=", n]`, or a lower bound, an upper bound, or a lower and then an upper bound.
    fn read(argument: &Value) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern::new("Invalid numeric match expression");
        let items = argument.as_array().ok_or_else(invalid)?;
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(invalid());
        }
        let comparisons = pairs
            .iter()
            .map(|[operator, operand]| Ok((operator.as_str().unwrap_or(""), number(operand)?)))
            .collect::<Result<Vec<_>, _>>()?;
        let range = match comparisons[..] {
            [("=", number)] => Self::between(">=", number, "<=", number),
            [(operator @ (">" | ">="), number)] => Self {
                lower: Some(bound(operator, number)),
                upper: None,
            },
            [(operator @ ("<" | "<="), number)] => Self {
                lower: None,
                upper: Some(bound(operator, number)),
            },
            [(lower @ (">" | ">="), low), (upper @ ("<" | "<="), high)] if low < high => {
                Self::between(lower, low, upper, high)
            }
            [(">" | ">=", _), ("<" | "<=", _)] => {
                return Err(InvalidPattern::new("Bottom must be less than top"));
            }
            _ => return Err(invalid()),
        };
        Ok(range)
    }

    fn between(lower: &str, low: f64, upper: &str, high: f64) -> Self {
        Self {
            lower: Some(bound(lower, low)),
            upper: Some(bound(upper, high)),
        }
    }

    #[expect(
        clippy::float_cmp,
        reason = "a bound means exactly the number that it writes"
    )]
    fn contains(self, number: f64) -> bool {
        let at = |bound: Bound| bound.inclusive && number == bound.number;
        self.lower.is_none_or(|low| number > low.number || at(low))
            && self
                .upper
                .is_none_or(|high| number < high.number || at(high))
    }
}

fn bound(operator: &str, number: f64) -> Bound {
    Bound {
        number,
        inclusive: operator.ends_with('='),
    }
}

/// A block of IP addresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cidr {
    network: IpAddr,
    length: u32,
}

impl Cidr {
    fn read(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern::new(format!("Malformed CIDR {text}"));
        let (network, length) = text.split_once('/').ok_or_else(invalid)?;
        let network: IpAddr = network.parse().map_err(|_| invalid())?;
        let length: u32 = length.parse().map_err(|_| invalid())?;
        // ASSUMED: a block of a single address is refused, as event-ruler does.
        if length >= width(network) {
            return Err(invalid());
        }
        Ok(Self { network, length })
    }

    fn contains(self, address: IpAddr) -> bool {
        let host_bits = width(self.network) - self.length;
        width(address) == width(self.network)
            && bits(address).checked_shr(host_bits) == bits(self.network).checked_shr(host_bits)
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}
