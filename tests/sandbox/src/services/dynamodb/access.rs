//! What a call touches, for those who decide whether it may.

use serde_json::Value;

use super::{
    condition::{Comparator, Condition, Operand},
    expression::Placeholders,
    table::Table,
    table_key,
};
use crate::world::{Call, World};

/// One action on one table, and the partitions that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    /// The action, for instance `PutItem`.
    pub(crate) action: String,
    /// The name of the table.
    pub(crate) table: String,
    /// The partition keys as texts; empty where the action is not about partitions.
    pub(crate) leading_keys: Vec<String>,
}

/// What a call touches. What is malformed touches nothing that a key could name.
pub(crate) fn accesses(world: &World, call: &Call) -> Vec<Access> {
    let input = &call.input;
    let operation = call.operation.as_str();
    match operation {
        "TransactWriteItems" | "TransactGetItems" => transaction(world, call),
        "BatchGetItem" => batch(world, call, &|request| {
            request["Keys"].as_array().cloned().unwrap_or_default()
        }),
        "BatchWriteItem" => batch(world, call, &|requests| {
            let requests = requests.as_array().into_iter().flatten();
            let key = |request: &Value| match request.get("PutRequest") {
                Some(put) => put["Item"].clone(),
                None => request["DeleteRequest"]["Key"].clone(),
            };
            requests.map(key).collect()
        }),
        _ => match input["TableName"].as_str() {
            Some(name) => vec![one(world, call, operation, name, input)],
            None => vec![access(operation, "*", Vec::new())],
        },
    }
}

fn access(action: &str, table: &str, leading_keys: Vec<String>) -> Access {
    Access {
        action: action.to_owned(),
        table: table.to_owned(),
        leading_keys,
    }
}

fn one(world: &World, call: &Call, action: &str, name: &str, input: &Value) -> Access {
    let table = table(world, call, name);
    let keys = table.map(|table| match action {
        "PutItem" => hash(table, &input["Item"]).into_iter().collect(),
        "Query" => queried(table, input).into_iter().collect(),
        _ => hash(table, &input["Key"]).into_iter().collect(),
    });
    access(action, name, keys.unwrap_or_default())
}

/// Each write of a transaction needs the permission for the write alone.
fn transaction(world: &World, call: &Call) -> Vec<Access> {
    let entries = call.input["TransactItems"].as_array();
    let entries = entries.into_iter().flatten().filter_map(Value::as_object);
    let entries = entries.flat_map(|entry| entry.iter());
    entries
        .map(|(kind, input)| {
            let action = match kind.as_str() {
                "ConditionCheck" => "ConditionCheckItem".to_owned(),
                kind => format!("{kind}Item"),
            };
            let name = input["TableName"].as_str().unwrap_or("*");
            one(world, call, &action, name, input)
        })
        .collect()
}

fn batch(world: &World, call: &Call, keys: &dyn Fn(&Value) -> Vec<Value>) -> Vec<Access> {
    let requests = call.input["RequestItems"].as_object();
    let requests = requests.into_iter().flatten();
    requests
        .map(|(name, request)| {
            let table = table(world, call, name);
            let items = keys(request);
            let leading = items.iter().filter_map(|key| hash(table?, key)).collect();
            access(&call.operation, name, leading)
        })
        .collect()
}

fn table<'a>(world: &'a World, call: &Call, name: &str) -> Option<&'a Table> {
    world.dynamodb.tables.get(&table_key(call, name))
}

/// The partition key of an item, whatever its type.
fn hash(table: &Table, item: &Value) -> Option<String> {
    text(item.get(&table.hash.name)?)
}

fn queried(table: &Table, input: &Value) -> Option<String> {
    let placeholders = Placeholders::new(input);
    let condition = Condition::read(input, "KeyConditionExpression", &placeholders).ok()??;
    let parts = match condition {
        Condition::And(first, second) => vec![*first, *second],
        single => vec![single],
    };
    parts.into_iter().find_map(|part| match part {
        Condition::Compare(Operand::Path(path), Comparator::Equal, Operand::Value(value))
            if path.is_attribute() && path.attribute() == table.hash.name =>
        {
            text(&value)
        }
        _ => None,
    })
}

fn text(value: &Value) -> Option<String> {
    let content = value.as_object()?.values().next()?;
    content.as_str().map(str::to_owned)
}
