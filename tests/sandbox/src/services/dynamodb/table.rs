//! A table: its keys, its items, and when they expire.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Item, attribute_value, invalid};
use crate::world::ApiError;

const MAX_ITEM: usize = 400 << 10;

/// A table.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Table {
    pub(super) arn: String,
    pub(super) created: Value,
    pub(super) hash: KeyAttribute,
    pub(super) range: Option<KeyAttribute>,
    name: String,
    ttl_attribute: Option<String>,
    items: BTreeMap<String, Item>,
    /// Nothing expires before, in seconds since 1970.
    soonest: i64,
}

/// An attribute of the primary key.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    kind: String,
}

impl Table {
    /// Reads the properties of a template's `AWS::DynamoDB::Table`.
    pub(super) fn read(name: &str, properties: &Value) -> Result<Self, ApiError> {
        for property in [
            "GlobalSecondaryIndexes",
            "LocalSecondaryIndexes",
            "StreamSpecification",
        ] {
            if properties.get(property).is_some() {
                let message = format!("{property} are not implemented in the sandbox");
                return Err(ApiError::with_status(501, "NotImplemented", message));
            }
        }
        let hash = KeyAttribute::read(properties, "HASH")?;
        let hash = hash.ok_or_else(|| invalid("No Hash Key specified in schema."))?;
        let ttl = &properties["TimeToLiveSpecification"];
        let ttl_enabled = ttl["Enabled"] == true || ttl["Enabled"] == "true";
        let ttl_attribute = ttl["AttributeName"].as_str().filter(|_| ttl_enabled);
        Ok(Self {
            arn: String::new(),
            created: Value::Null,
            hash,
            range: KeyAttribute::read(properties, "RANGE")?,
            name: name.to_owned(),
            ttl_attribute: ttl_attribute.map(str::to_owned),
            items: BTreeMap::new(),
            soonest: i64::MAX,
        })
    }

    /// What `DescribeTable` shows.
    pub(super) fn shown(&self) -> Value {
        let keys = || [(Some(&self.hash), "HASH"), (self.range.as_ref(), "RANGE")].into_iter();
        let keys = || keys().filter_map(|(key, kind)| Some((key?, kind)));
        let schema: Vec<Value> = keys()
            .map(|(key, kind)| json!({ "AttributeName": key.name, "KeyType": kind }))
            .collect();
        let attributes: Vec<Value> = keys()
            .map(|(key, _)| json!({ "AttributeName": key.name, "AttributeType": key.kind }))
            .collect();
        json!({
            "TableName": self.name,
            "TableArn": self.arn,
            "TableStatus": "ACTIVE",
            "CreationDateTime": self.created,
            "KeySchema": schema,
            "AttributeDefinitions": attributes,
            "ItemCount": self.items.len(),
        })
    }

    /// Forgets the items whose time to live is over.
    ///
    /// AWS may take days for it. Nothing may rely on an item that has expired,
    /// so here it goes at once.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let Some(attribute) = &self.ttl_attribute else {
            return;
        };
        if now.as_second() < self.soonest {
            return;
        }
        let number = json!({ "N": now.as_second().to_string() });
        self.items.retain(|_, item| {
            let expires = item.get(attribute);
            let order = expires.and_then(|expires| attribute_value::compare(expires, &number));
            order.is_none_or(Ordering::is_gt)
        });
        let left = self.items.values().filter_map(|item| self.end_of(item));
        self.soonest = left.min().unwrap_or(i64::MAX);
    }

    /// The second at the latest before which an item stays; none if it stays for good.
    fn end_of(&self, item: &Item) -> Option<i64> {
        let expires = item.get(self.ttl_attribute.as_ref()?)?;
        let number = expires["N"].as_str()?;
        // A number that is no whole one is looked at whenever the table is.
        Some(number.parse().unwrap_or(i64::MIN))
    }

    /// How many items there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn get(&self, key: &Item) -> Option<&Item> {
        self.items.get(&self.position(key))
    }

    pub(super) fn put(&mut self, item: Item) {
        let end = self.end_of(&item).unwrap_or(i64::MAX);
        self.soonest = self.soonest.min(end);
        self.items.insert(self.position(&item), item);
    }

    pub(super) fn remove(&mut self, key: &Item) {
        let position = self.position(key);
        self.items.remove(&position);
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values()
    }

    /// The key of an item.
    pub(super) fn key_of(&self, item: &Item) -> Item {
        self.key_attributes()
            .filter_map(|key| Some((key.name.clone(), item.get(&key.name)?.clone())))
            .collect()
    }

    /// The order of two items in a partition.
    pub(super) fn compare(&self, a: &Item, b: &Item) -> Ordering {
        let by = |key: &KeyAttribute| {
            let (a, b) = (a.get(&key.name)?, b.get(&key.name)?);
            attribute_value::compare(a, b)
        };
        let orders = self.key_attributes().filter_map(by);
        orders.fold(Ordering::Equal, Ordering::then)
    }

    /// A key that has exactly the attributes of the schema.
    pub(super) fn check_key(&self, key: &Value) -> Result<Item, ApiError> {
        let matches = |key: &&Item| key.len() == self.key_attributes().count();
        let item = key
            .as_object()
            .filter(matches)
            .ok_or_else(|| invalid("The provided key element does not match the schema"))?;
        self.check_item(&Value::Object(item.clone()))
            .map_err(|_| invalid("The provided key element does not match the schema"))
    }

    /// An item that has its key, and whose values are values.
    pub(super) fn check_item(&self, item: &Value) -> Result<Item, ApiError> {
        let attributes = item.as_object().cloned().unwrap_or_default();
        attributes.values().try_for_each(attribute_value::check)?;
        for key in self.key_attributes() {
            key.check(&attributes)?;
        }
        if item.to_string().len() > MAX_ITEM {
            return Err(invalid("Item size has exceeded the maximum allowed size"));
        }
        Ok(attributes)
    }

    /// Whether the attribute is part of the key.
    pub(super) fn is_key(&self, attribute: &str) -> bool {
        self.key_attributes().any(|key| key.name == attribute)
    }

    fn key_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        [&self.hash].into_iter().chain(&self.range)
    }

    fn position(&self, item: &Item) -> String {
        let values = self.key_attributes().map(|key| item.get(&key.name));
        values
            .map(|value| value.unwrap_or(&Value::Null).to_string())
            .collect()
    }
}

impl KeyAttribute {
    fn read(properties: &Value, kind: &str) -> Result<Option<Self>, ApiError> {
        let list = |member: &str| properties[member].as_array().into_iter().flatten();
        let Some(key) = list("KeySchema").find(|key| key["KeyType"] == kind) else {
            return Ok(None);
        };
        let name = &key["AttributeName"];
        let definition = list("AttributeDefinitions").find(|d| d["AttributeName"] == *name);
        let definition = definition.and_then(|definition| definition["AttributeType"].as_str());
        match (name.as_str(), definition) {
            (Some(name), Some(kind)) => Ok(Some(Self {
                name: name.to_owned(),
                kind: kind.to_owned(),
            })),
            _ => Err(invalid(format!(
                "One or more parameter values were invalid: Some index key attributes are not \
                 defined in AttributeDefinitions. Keys: [{name}]"
            ))),
        }
    }

    fn check(&self, item: &Item) -> Result<(), ApiError> {
        let Self { name, kind } = self;
        let value = item.get(name).and_then(attribute_value::parts);
        let problem = match value {
            None => format!("Missing the key {name} in the item"),
            Some((own, _)) if own != kind => {
                format!("Type mismatch for key {name} expected: {kind} actual: {own}")
            }
            Some((_, Value::String(text))) if text.is_empty() => format!(
                "The AttributeValue for a key attribute cannot contain an empty string value. \
                 Key: {name}"
            ),
            Some(_) => return Ok(()),
        };
        Err(invalid(format!(
            "One or more parameter values were invalid: {problem}"
        )))
    }
}
