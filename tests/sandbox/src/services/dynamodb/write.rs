//! Writes, each on a condition, alone or several at once.

use serde_json::{Value, json};

use super::{
    Item, condition::Condition, expression::Placeholders, invalid, table::Table, table_mut,
    update::Update,
};
use crate::world::{ApiError, Call, World};

const MAX_TRANSACTION: usize = 100;

/// An item before and after a write.
struct Written {
    before: Option<Item>,
    after: Option<Item>,
    /// The attributes that an update touched.
    touched: Vec<String>,
}

/// Answers `PutItem`, `UpdateItem` or `DeleteItem`.
pub(super) fn one(table: &mut Table, call: &Call) -> Result<Value, ApiError> {
    if call
        .text("ReturnValuesOnConditionCheckFailure")
        .is_some_and(|what| what != "NONE")
    {
        return Err(ApiError::not_implemented(call));
    }
    let written = write(table, &call.operation, &call.input)?;
    let attributes = match call.text("ReturnValues").unwrap_or("NONE") {
        "NONE" => None,
        "ALL_OLD" => written.before,
        "ALL_NEW" if call.operation == "UpdateItem" => written.after,
        "UPDATED_OLD" if call.operation == "UpdateItem" => {
            written.before.map(|item| only(item, &written.touched))
        }
        "UPDATED_NEW" if call.operation == "UpdateItem" => {
            written.after.map(|item| only(item, &written.touched))
        }
        _ => return Err(invalid("Return values set to invalid value")),
    };
    Ok(match attributes {
        Some(attributes) if !attributes.is_empty() => json!({ "Attributes": attributes }),
        _ => json!({}),
    })
}

fn only(mut item: Item, attributes: &[String]) -> Item {
    item.retain(|name, _| attributes.contains(name));
    item
}

/// Answers `TransactWriteItems`: all writes or none.
pub(super) fn transact(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let entries = call.input["TransactItems"].as_array();
    let entries = entries.map_or(&[][..], Vec::as_slice);
    if !(1..=MAX_TRANSACTION).contains(&entries.len()) {
        return Err(invalid("A transaction has 1 to 100 items"));
    }
    let mut undo = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let outcome = transact_one(world, call, entry);
        match outcome {
            Ok((input, key, before)) => undo.push((input, key, before)),
            Err(error) => {
                for (input, key, before) in undo.into_iter().rev() {
                    let table = table_mut(world, call, input)?;
                    match before {
                        Some(item) => table.put(item),
                        None => table.remove(&key),
                    }
                }
                return Err(cancelled(entries.len(), index, error));
            }
        }
    }
    Ok(json!({}))
}

/// Does one write of a transaction; returns what is needed to undo it.
fn transact_one<'a>(
    world: &mut World,
    call: &Call,
    entry: &'a Value,
) -> Result<(&'a Value, Item, Option<Item>), ApiError> {
    let action = entry.as_object().and_then(|members| members.iter().next());
    let (action, input) = action.ok_or_else(|| invalid("An item of a transaction is empty"))?;
    let table = table_mut(world, call, input)?;
    let operation = match action.as_str() {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheck",
        _ => return Err(invalid(format!("Unknown action {action}"))),
    };
    let key = key(table, operation, input)?;
    let written = write(table, operation, input)?;
    Ok((input, key, written.before))
}

fn cancelled(count: usize, failed: usize, error: ApiError) -> ApiError {
    if error.code != "ConditionalCheckFailedException" {
        return error;
    }
    let reason = |index| {
        if index == failed {
            "ConditionalCheckFailed"
        } else {
            "None"
        }
    };
    let reasons: Vec<&str> = (0..count).map(reason).collect();
    ApiError::new(
        "TransactionCanceledException",
        format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            reasons.join(", ")
        ),
    )
}

fn key(table: &Table, operation: &str, input: &Value) -> Result<Item, ApiError> {
    if operation == "PutItem" {
        return Ok(table.key_of(&table.check_item(&input["Item"])?));
    }
    table.check_key(&input["Key"])
}

/// Writes an item if the condition holds for what is there.
fn write(table: &mut Table, operation: &str, input: &Value) -> Result<Written, ApiError> {
    let placeholders = Placeholders::new(input);
    let condition = Condition::read(input, "ConditionExpression", &placeholders)?;
    let update = Update::read(input, &placeholders)?;
    placeholders.check_all_used()?;
    let key = key(table, operation, input)?;
    let before = table.get(&key).cloned();
    let holds = |condition: Condition| condition.holds(&before.clone().unwrap_or_default());
    if !condition.is_none_or(holds) {
        return Err(ApiError::new(
            "ConditionalCheckFailedException",
            "The conditional request failed",
        ));
    }
    let after = match operation {
        "PutItem" => Some(table.check_item(&input["Item"])?),
        "UpdateItem" => Some(updated(
            table,
            &update,
            before.clone().unwrap_or(key.clone()),
        )?),
        "DeleteItem" => None,
        _ => before.clone(),
    };
    match &after {
        Some(item) => table.put(item.clone()),
        None => table.remove(&key),
    }
    let touched = update.attributes().into_iter().map(str::to_owned).collect();
    Ok(Written {
        before,
        after,
        touched,
    })
}

fn updated(table: &Table, update: &Update, mut item: Item) -> Result<Item, ApiError> {
    if let Some(key) = update
        .attributes()
        .into_iter()
        .find(|name| table.is_key(name))
    {
        return Err(invalid(format!(
            "One or more parameter values were invalid: Cannot update attribute {key}. \
             This attribute is part of the key"
        )));
    }
    update.apply(&mut item)?;
    table.check_item(&Value::Object(item))
}
