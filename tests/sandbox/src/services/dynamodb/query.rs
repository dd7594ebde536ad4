//! Queries and scans.

use serde_json::{Map, Value, json};

use super::{
    Item,
    condition::{Comparator, Condition, Operand},
    expression::{Parser, Path, Placeholders},
    invalid,
    table::{KeyAttribute, Table},
};
use crate::world::ApiError;

/// The attributes that the caller wants to see; all, if none are named.
pub(super) struct Projection {
    attributes: Vec<String>,
}

impl Projection {
    /// Reads a projection that stands alone in its input.
    pub(super) fn read(input: &Value) -> Result<Self, ApiError> {
        let placeholders = Placeholders::new(input);
        let projection = Self::read_with(input, &placeholders)?;
        placeholders.check_all_used()?;
        Ok(projection)
    }

    fn read_with(input: &Value, placeholders: &Placeholders<'_>) -> Result<Self, ApiError> {
        let mut attributes = Vec::new();
        if let Some(text) = input["ProjectionExpression"].as_str() {
            let mut parser = Parser::new("ProjectionExpression", text, placeholders)?;
            attributes.push(projected(&parser.path()?)?);
            while parser.take_sign(",") {
                attributes.push(projected(&parser.path()?)?);
            }
            parser.expect_end()?;
        }
        Ok(Self { attributes })
    }

    /// What the caller sees of an item.
    pub(super) fn apply(&self, item: &Item) -> Item {
        let wanted = |name: &String| self.attributes.is_empty() || self.attributes.contains(name);
        let attributes = item.iter().filter(|(name, _)| wanted(name));
        attributes
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

fn projected(path: &Path) -> Result<String, ApiError> {
    if path.is_attribute() {
        return Ok(path.attribute().to_owned());
    }
    let message = "Projections into attributes are not implemented in the sandbox";
    Err(ApiError::with_status(501, "NotImplemented", message))
}

/// Answers `Query`.
pub(super) fn query(table: &Table, input: &Value) -> Result<Value, ApiError> {
    let placeholders = Placeholders::new(input);
    let condition = Condition::read(input, "KeyConditionExpression", &placeholders)?
        .ok_or_else(|| invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."))?;
    check_key_condition(table, &condition)?;
    let mut items: Vec<&Item> = table.items().filter(|item| condition.holds(item)).collect();
    items.sort_by(|a, b| table.compare(a, b));
    if input["ScanIndexForward"] == false {
        items.reverse();
    }
    page(table, input, &placeholders, &items)
}

/// Answers `Scan`. AWS promises no order; here it is that of the keys.
pub(super) fn scan(table: &Table, input: &Value) -> Result<Value, ApiError> {
    let mut items: Vec<&Item> = table.items().collect();
    items.sort_by(|a, b| table.compare(a, b));
    page(table, input, &Placeholders::new(input), &items)
}

/// One page: `Limit` counts the items that were looked at, not those that the filter left.
fn page(
    table: &Table,
    input: &Value,
    placeholders: &Placeholders<'_>,
    items: &[&Item],
) -> Result<Value, ApiError> {
    let filter = Condition::read(input, "FilterExpression", placeholders)?;
    let projection = Projection::read_with(input, placeholders)?;
    placeholders.check_all_used()?;
    let start = start(table, input, items)?;
    let limit = input["Limit"]
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok());
    if limit == Some(0) {
        return Err(invalid("Limit must be greater than or equal to 1"));
    }
    let end = limit.map_or(items.len(), |limit| start.saturating_add(limit));
    let end = end.min(items.len());
    let seen = &items[start..end];
    let is_left = |item: &&&Item| filter.as_ref().is_none_or(|filter| filter.holds(item));
    let left: Vec<Item> = seen
        .iter()
        .filter(is_left)
        .map(|item| projection.apply(item))
        .collect();
    let mut answer = Map::new();
    answer.insert("Count".to_owned(), json!(left.len()));
    answer.insert("ScannedCount".to_owned(), json!(seen.len()));
    // AWS says so even if nothing follows: a page that is full may not be the last.
    if let (Some(_), Some(last)) = (limit.filter(|limit| *limit == seen.len()), seen.last()) {
        answer.insert("LastEvaluatedKey".to_owned(), json!(table.key_of(last)));
    }
    if input["Select"] != "COUNT" {
        answer.insert("Items".to_owned(), json!(left));
    }
    Ok(Value::Object(answer))
}

/// The position after the item that the page before ended with.
fn start(table: &Table, input: &Value, items: &[&Item]) -> Result<usize, ApiError> {
    if input["ExclusiveStartKey"].is_null() {
        return Ok(0);
    }
    let key = table.check_key(&input["ExclusiveStartKey"])?;
    if let Some(position) = items.iter().position(|item| table.key_of(item) == key) {
        return Ok(position + 1);
    }
    // The item may have gone since.
    let forward = input["ScanIndexForward"] != false;
    let is_before = |item: &&Item| {
        let order = table.compare(item, &key);
        if forward {
            order.is_lt()
        } else {
            order.is_gt()
        }
    };
    Ok(items.partition_point(is_before))
}

/// A query names one partition, and may narrow the sort key down.
fn check_key_condition(table: &Table, condition: &Condition) -> Result<(), ApiError> {
    let (first, second) = match condition {
        Condition::And(first, second) => (first.as_ref(), Some(second.as_ref())),
        single => (single, None),
    };
    let parts = [Some(first), second];
    let mut parts = parts.into_iter().flatten();
    if !parts.clone().any(|part| is_equality(&table.hash, part)) {
        return Err(invalid(format!(
            "Query condition missed key schema element: {}",
            table.hash.name
        )));
    }
    let narrows = |part: &Condition| table.range.as_ref().is_some_and(|key| is_range(key, part));
    if parts.all(|part| is_equality(&table.hash, part) || narrows(part)) {
        return Ok(());
    }
    Err(invalid("Query key condition not supported"))
}

fn is_equality(key: &KeyAttribute, condition: &Condition) -> bool {
    matches!(condition, Condition::Compare(operand, Comparator::Equal, Operand::Value(_)) if is_key(key, operand))
}

fn is_range(key: &KeyAttribute, condition: &Condition) -> bool {
    match condition {
        Condition::Compare(operand, comparator, Operand::Value(_)) => {
            is_key(key, operand) && *comparator != Comparator::NotEqual
        }
        Condition::Between(operand, ..) | Condition::BeginsWith(operand, _) => is_key(key, operand),
        _ => false,
    }
}

fn is_key(key: &KeyAttribute, operand: &Operand) -> bool {
    matches!(operand, Operand::Path(path) if path.is_attribute() && path.attribute() == key.name)
}
