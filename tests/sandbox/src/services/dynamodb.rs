//! DynamoDB: items, conditional writes and queries.

mod access;
mod attribute_value;
mod condition;
mod expression;
mod number;
mod query;
mod table;
mod update;
mod write;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(crate) use self::access::accesses;
use self::table::Table;
use super::arn::Arn;
use crate::{
    services::{key::ResourceKey, validation::invalid},
    world::{ApiError, Call, World, epoch_seconds},
};

/// Members of the time before expressions, which would change what a call means.
const LEGACY: &[&str] = &[
    "AttributeUpdates",
    "AttributesToGet",
    "ConditionalOperator",
    "Expected",
    "IndexName",
    "KeyConditions",
    "QueryFilter",
    "ScanFilter",
];

/// All tables by account, Region and name.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    #[serde(with = "crate::state::pairs")]
    tables: BTreeMap<ResourceKey, Table>,
}

/// An item: its attributes by name, each as `{"S": "text"}` and the like.
type Item = Map<String, Value>;

/// Answers an API call.
pub fn call(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    if LEGACY.iter().any(|member| call.input.get(member).is_some()) {
        return Err(ApiError::not_implemented(call));
    }
    answer(world, call)
}

operations! {
    fn answer(world, call) {
        "ListTables" => Ok(list(world, call)),
        "DescribeTable" => {
            let table = table_mut(world, call, &call.input)?;
            Ok(json!({ "Table": table.shown() }))
        },
        "GetItem" => get(table_mut(world, call, &call.input)?, &call.input),
        "BatchGetItem" => batch_get(world, call),
        "Query" => query::query(table_mut(world, call, &call.input)?, &call.input),
        "Scan" => query::scan(table_mut(world, call, &call.input)?, &call.input),
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            write::one(table_mut(world, call, &call.input)?, call)
        },
        "TransactWriteItems" => write::transact(world, call),
    }
}

/// Makes a table, as a template's `AWS::DynamoDB::Table` with these properties would.
pub fn create_table(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let key = ResourceKey::new(account, region, name);
    if world.dynamodb.tables.contains_key(&key) {
        let message = format!("Table already exists: {name}");
        return Err(ApiError::new("ResourceInUseException", message));
    }
    let mut table = Table::read(name, properties)?;
    table.arn = format!("arn:aws:dynamodb:{region}:{account}:table/{name}");
    table.created = epoch_seconds(world.now);
    world.dynamodb.tables.insert(key, table);
    Ok(())
}

/// Forgets the items whose time to live is over.
pub(crate) fn tidy(world: &mut World) {
    for table in world.dynamodb.tables.values_mut() {
        table.expire(world.now);
    }
}

/// How many items there are.
pub(crate) fn held(world: &World) -> (&'static str, usize) {
    let tables = world.dynamodb.tables.values();
    ("items", tables.map(Table::len).sum())
}

fn list(world: &World, call: &Call) -> Value {
    let keys = world.dynamodb.tables.keys();
    let names: Vec<&str> = keys
        .filter(|key| key.is_own(call))
        .map(|key| key.name.as_str())
        .collect();
    json!({ "TableNames": names })
}

fn get(table: &Table, input: &Value) -> Result<Value, ApiError> {
    let projection = query::Projection::read(input)?;
    let key = table.check_key(&input["Key"])?;
    Ok(match table.get(&key) {
        Some(item) => json!({ "Item": projection.apply(item) }),
        None => json!({}),
    })
}

fn batch_get(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let requests = call.input["RequestItems"].as_object();
    let mut responses = Map::new();
    let mut count = 0;
    for (name, request) in requests.into_iter().flatten() {
        let projection = query::Projection::read(request)?;
        let table = named_table_mut(world, call, name)?;
        let keys = request["Keys"].as_array().map_or(&[][..], Vec::as_slice);
        count += keys.len();
        let mut items = Vec::new();
        for key in keys {
            let key = table.check_key(key)?;
            items.extend(table.get(&key).map(|item| projection.apply(item)));
        }
        responses.insert(name.clone(), items.into_iter().map(Value::Object).collect());
    }
    if !(1..=100).contains(&count) {
        return Err(invalid(
            "Too many items requested for the BatchGetItem call",
        ));
    }
    Ok(json!({ "Responses": responses, "UnprocessedKeys": {} }))
}

/// The table that an input names, without the items whose time is over.
fn table_mut<'a>(
    world: &'a mut World,
    call: &Call,
    input: &Value,
) -> Result<&'a mut Table, ApiError> {
    let name = input["TableName"].as_str();
    let name = name.ok_or_else(|| invalid("The parameter 'TableName' is required"))?;
    named_table_mut(world, call, name)
}

fn named_table_mut<'a>(
    world: &'a mut World,
    call: &Call,
    name: &str,
) -> Result<&'a mut Table, ApiError> {
    let now = world.now;
    let table = world.dynamodb.tables.get_mut(&table_key(call, name));
    let table = table.ok_or_else(|| {
        let message = format!("Requested resource not found: Table: {name} not found");
        ApiError::new("ResourceNotFoundException", message)
    })?;
    table.expire(now);
    Ok(table)
}

/// A table may be named by its ARN. ASSUMED: that of another account is never shared.
fn table_key(call: &Call, name: &str) -> ResourceKey {
    let (account, region) = (&call.caller.account, &call.region);
    let own = match Arn::parse(name) {
        Some(arn) if arn.account == account && arn.region == region => {
            arn.resource.trim_start_matches("table/")
        }
        _ => name,
    };
    ResourceKey::own(call, own)
}

#[cfg(test)]
mod tests;
