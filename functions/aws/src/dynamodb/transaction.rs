//! Several writes that are made together or not at all.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Delete, Put, TransactWriteItem},
};
use domain::storage::{Condition, Key, Write};

use super::{Table, item, key, text};
use crate::error::Error;

const CANCELED: &str = "TransactionCanceledException";

impl Table {
    /// Makes all writes or none; whether they were made.
    ///
    /// They are not if a condition does not hold, or if somebody else is
    /// writing one of the items just now.
    pub async fn write_all(&self, writes: Vec<Write>) -> Result<bool, Error> {
        let operation = "TransactWriteItems";
        let items: Result<Vec<_>, _> = writes.into_iter().map(|it| self.prepared(it)).collect();
        let items =
            items.map_err(|error| self.service.odd_answer(operation, &error.to_string()))?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await
            .map_err(self.service.failed(operation));
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.is(CANCELED) && is_overtaken(error.message()) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn prepared(&self, write: Write) -> Result<TransactWriteItem, BuildError> {
        let item_of = TransactWriteItem::builder();
        Ok(match write {
            Write::Put {
                key: Key { pk, sk },
                values,
                expires,
                condition,
            } => {
                let mut put = Put::builder()
                    .table_name(&self.name)
                    .set_item(Some(item(&pk, &sk, &values, expires)))
                    .set_condition_expression(expression(&condition));
                if let Condition::Is(name, value) = &condition {
                    put = put
                        .expression_attribute_names("#name", *name)
                        .expression_attribute_values(":value", text(value));
                }
                item_of.put(put.build()?)
            }
            Write::Delete {
                key: Key { pk, sk },
                condition,
            } => {
                let mut delete = Delete::builder()
                    .table_name(&self.name)
                    .set_key(Some(key(&pk, &sk)))
                    .set_condition_expression(expression(&condition));
                if let Condition::Is(name, value) = &condition {
                    delete = delete
                        .expression_attribute_names("#name", *name)
                        .expression_attribute_values(":value", text(value));
                }
                item_of.delete(delete.build()?)
            }
        }
        .build())
    }
}

fn expression(condition: &Condition) -> Option<String> {
    let expression = match condition {
        Condition::Any => return None,
        Condition::Absent => "attribute_not_exists(pk)",
        Condition::Is(..) => "#name = :value",
    };
    Some(expression.to_owned())
}

/// The reasons stand in the message, one for each write.
fn is_overtaken(message: &str) -> bool {
    message.contains("ConditionalCheckFailed") || message.contains("TransactionConflict")
}

#[cfg(test)]
mod tests {
    use domain::storage::Values;
    use serde_json::json;

    use super::*;
    use crate::{
        Class,
        replay::{Answer, Replay, ok, refusal},
    };

    fn some_key(sk: &str) -> Key {
        Key {
            pk: "p".to_owned(),
            sk: sk.to_owned(),
        }
    }

    fn canceled(reasons: &str) -> Answer {
        let message =
            format!("Transaction cancelled, please refer cancellation reasons [{reasons}]");
        refusal(400, CANCELED, &message)
    }

    async fn write_two(replay: &Replay) -> Result<bool, Error> {
        let table = Table::new(&replay.config().await, "pipeshare");
        let put = Write::Put {
            key: some_key("a"),
            values: Values::from([("generation".to_owned(), "8".to_owned())]),
            expires: None,
            condition: Condition::Is("generation", "7".to_owned()),
        };
        let delete = Write::Delete {
            key: some_key("b"),
            condition: Condition::Any,
        };
        table.write_all(vec![put, delete]).await
    }

    #[tokio::test]
    async fn writes_are_made_together_and_each_on_its_condition() {
        let replay = Replay::of([ok(&json!({}))]);
        assert!(write_two(&replay).await.unwrap());
        let body = replay.requests()[0].json();
        let [put, delete] = [
            &body["TransactItems"][0]["Put"],
            &body["TransactItems"][1]["Delete"],
        ];
        assert_eq!(put["ConditionExpression"], "#name = :value");
        assert_eq!(
            put["ExpressionAttributeNames"],
            json!({ "#name": "generation" })
        );
        assert_eq!(
            put["ExpressionAttributeValues"],
            json!({ ":value": { "S": "7" } })
        );
        assert_eq!(put["Item"]["generation"], json!({ "S": "8" }));
        assert_eq!(
            delete["Key"],
            json!({ "pk": { "S": "p" }, "sk": { "S": "b" } })
        );
        assert_eq!(delete.get("ConditionExpression"), None);
    }

    #[tokio::test]
    async fn who_was_overtaken_writes_nothing_and_a_busy_table_is_tried_again() {
        for reasons in ["None, ConditionalCheckFailed", "TransactionConflict, None"] {
            let replay = Replay::of([canceled(reasons)]);
            assert!(!write_two(&replay).await.unwrap(), "{reasons}");
        }
        let replay = Replay::of([canceled("ThrottlingError, None")]);
        let error = write_two(&replay).await.unwrap_err();
        assert_eq!(error.class(), Class::Transient);
    }
}
