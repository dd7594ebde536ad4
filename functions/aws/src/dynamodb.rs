//! DynamoDB: one table of small items, and the record of deliveries.
//!
//! Items have a partition key `pk`, a sort key `sk`, texts, and in `expires` the
//! second at which DynamoDB may forget them.

mod transaction;

use std::{collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    operation::{put_item::builders::PutItemFluentBuilder, query::builders::QueryFluentBuilder},
    types::AttributeValue,
};
use domain::storage::{Delivery, Item, LEASE, Lease, Values};
use jiff::Timestamp;

use crate::error::{Error, Service};

const CONDITION_FAILED: &str = "ConditionalCheckFailedException";
const LEASED: &str = "leased";
const DONE: &str = "done";

/// A table of the function's own account.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    service: Service,
    name: String,
}

impl Table {
    pub(crate) fn new(config: &SdkConfig, name: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("dynamodb", None),
            name: name.into(),
        }
    }

    /// The texts of an item; none if there is no such item.
    pub async fn get(&self, pk: &str, sk: &str) -> Result<Option<Values>, Error> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(pk, sk)))
            .consistent_read(true)
            .send()
            .await
            .map_err(self.service.failed("GetItem"))?;
        Ok(answer.item.map(|item| read(item).values))
    }

    /// Writes an item, over one that may be there.
    pub async fn put(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.writing(pk, sk, values, expires)
            .send()
            .await
            .map_err(self.service.failed("PutItem"))?;
        Ok(())
    }

    /// Writes an item unless it is there; whether it was written.
    pub async fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let put = self
            .writing(pk, sk, values, expires)
            .condition_expression("attribute_not_exists(pk)");
        let answer = put.send().await.map_err(self.service.failed("PutItem"));
        if_met(answer)
    }

    /// All items of a partition, by sort key.
    pub async fn list(&self, pk: &str) -> Result<Vec<Item>, Error> {
        let mut items = self.querying(pk).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.push(read(item.map_err(self.service.failed("Query"))?));
        }
        Ok(found)
    }

    /// What was done, or is being done, in a partition.
    pub async fn history(&self, pk: &str) -> Result<Vec<Delivery>, Error> {
        let sent = self.list(pk).await?.into_iter().map(|mut item| Delivery {
            sk: item.sk,
            done: item.values.get("state").is_some_and(|state| state == DONE),
            holder: item.values.remove("holder").unwrap_or_default(),
            values: item.values,
        });
        Ok(sent.collect())
    }

    /// Asks for the right to do something that must be done once.
    ///
    /// The same holder is given it again, so a message that is delivered again
    /// after a crash goes on at once. The item holds `values`, and is forgotten
    /// after `keep` unless somebody asks in the last third of that time.
    pub async fn lease(
        &self,
        pk: &str,
        sk: &str,
        holder: &str,
        now: Timestamp,
        keep: Duration,
        mut values: Values,
    ) -> Result<Lease, Error> {
        values.extend(
            [("state", LEASED), ("holder", holder)]
                .map(|(name, text)| (name.to_owned(), text.to_owned())),
        );
        let abandoned = now
            .as_second()
            .saturating_sub(LEASE.as_secs().cast_signed());
        let expires = now.as_second().saturating_add_unsigned(keep.as_secs());
        let put = self
            .writing(pk, sk, &values, None)
            .item("since", number(now.as_second()))
            .item("expires", number(expires))
            .condition_expression(
                "attribute_not_exists(pk) OR (#state <> :done AND (#holder = :holder OR #since < :abandoned))",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#holder", "holder")
            .expression_attribute_names("#since", "since")
            .expression_attribute_values(":done", text(DONE))
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":abandoned", number(abandoned));
        let answer = put.send().await.map_err(self.service.failed("PutItem"));
        if if_met(answer)? {
            return Ok(Lease::Taken);
        }
        let there = self.get(pk, sk).await?.unwrap_or_default();
        if there.get("state").is_none_or(|state| state != DONE) {
            return Ok(Lease::HeldByOther);
        }
        let known = there.get("expires").and_then(|time| time.parse().ok());
        let soon = expires.saturating_sub_unsigned(keep.as_secs() / 3 * 2);
        if known.is_some_and(|known: i64| known < soon) {
            self.keep(pk, sk, expires).await?;
        }
        Ok(Lease::Done)
    }

    fn updating(&self, pk: &str, sk: &str) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(&self.name);
        update.set_key(Some(key(pk, sk)))
    }

    /// Updates an item; whether its condition was met.
    async fn update(&self, update: UpdateItemFluentBuilder) -> Result<bool, Error> {
        let answer = update.send().await;
        if_met(answer.map_err(self.service.failed("UpdateItem")))
    }

    /// Lets an item be forgotten later, if it is not forgotten yet.
    async fn keep(&self, pk: &str, sk: &str, expires: i64) -> Result<bool, Error> {
        let update = self
            .updating(pk, sk)
            .update_expression("SET expires = :expires")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":expires", number(expires));
        self.update(update).await
    }

    /// Marks what was leased as done; whether the lease was still ours.
    pub async fn done(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        let update = self
            .updating(pk, sk)
            .update_expression("SET #state = :done")
            .condition_expression("#holder = :holder")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#holder", "holder")
            .expression_attribute_values(":done", text(DONE))
            .expression_attribute_values(":holder", text(holder));
        self.update(update).await
    }

    /// Gives a lease back that came to nothing; whether it was still ours.
    pub async fn release(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        let update = self
            .updating(pk, sk)
            .update_expression("SET #since = :never")
            .condition_expression("#holder = :holder AND #state <> :done")
            .expression_attribute_names("#since", "since")
            .expression_attribute_names("#holder", "holder")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":never", number(0))
            .expression_attribute_values(":holder", text(holder))
            .expression_attribute_values(":done", text(DONE));
        self.update(update).await
    }

    /// Deletes an item, if it is there.
    pub async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        self.client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key(pk, sk)))
            .send()
            .await
            .map_err(self.service.failed("DeleteItem"))?;
        Ok(())
    }

    fn writing(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item(pk, sk, values, expires)))
    }

    fn querying(&self, pk: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .consistent_read(true)
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn key(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn item(
    pk: &str,
    sk: &str,
    values: &Values,
    expires: Option<Timestamp>,
) -> HashMap<String, AttributeValue> {
    let mut item = key(pk, sk);
    let texts = values
        .iter()
        .map(|(name, value)| (name.clone(), text(value)));
    item.extend(texts);
    item.extend(expires.map(|time| ("expires".to_owned(), number(time.as_second()))));
    item
}

fn read(item: HashMap<String, AttributeValue>) -> Item {
    let texts = item.into_iter().filter_map(|(name, value)| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => Some((name, text)),
        _ => None,
    });
    let mut values: Values = texts.collect();
    values.remove("pk");
    let sk = values.remove("sk").unwrap_or_default();
    Item { sk, values }
}

/// Whether a conditional write was made.
fn if_met<T>(answer: Result<T, Error>) -> Result<bool, Error> {
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.is(CONDITION_FAILED) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
