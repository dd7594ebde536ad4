//! SQS: messages that are delivered after a delay.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    Client,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use futures::{StreamExt, TryStreamExt, stream};
use runtime::ports::{ATTEMPTS, Message};

use crate::error::{Error, Service};

/// The longest delay that SQS knows.
const MAX_DELAY: Duration = Duration::from_mins(15);

/// How many messages SQS takes in one call (API reference of `SendMessageBatch`).
const BATCH: usize = 10;

/// How many batches are under way at once.
const BATCHES_AT_ONCE: usize = 8;

/// The queues of the function's own account.
#[derive(Debug, Clone)]
pub struct Sqs {
    client: Client,
    service: Service,
}

impl Sqs {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("sqs", None),
        }
    }

    /// Sends a message that is delivered after a delay of at most 15 minutes.
    pub async fn send(
        &self,
        queue_url: &str,
        body: &str,
        delay: Duration,
        attempts: u32,
    ) -> Result<(), Error> {
        let attempts = MessageAttributeValue::builder()
            .data_type("Number")
            .string_value(attempts.to_string())
            .build()
            .map_err(|error| self.service.refused("SendMessage", None, error.to_string()))?;
        self.client
            .send_message()
            .queue_url(queue_url)
            .message_body(body)
            .delay_seconds(seconds(delay))
            .message_attributes(ATTEMPTS, attempts)
            .send()
            .await
            .map_err(self.service.failed("SendMessage"))?;
        Ok(())
    }

    /// Sends messages, ten in a call; which of them were sent is not known after a failure.
    pub async fn send_all(&self, queue_url: &str, messages: Vec<Message>) -> Result<(), Error> {
        let batches = messages.chunks(BATCH);
        stream::iter(batches.map(|batch| self.send_batch(queue_url, batch)))
            .buffer_unordered(BATCHES_AT_ONCE)
            .try_collect()
            .await
    }

    async fn send_batch(&self, queue_url: &str, batch: &[Message]) -> Result<(), Error> {
        let operation = "SendMessageBatch";
        let entries = batch.iter().enumerate().map(|(number, message)| {
            SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(&message.body)
                .delay_seconds(seconds(message.delay))
                .build()
        });
        let entries = entries.collect::<Result<Vec<_>, _>>();
        let entries =
            entries.map_err(|error| self.service.refused(operation, None, error.to_string()))?;
        let answer = self
            .client
            .send_message_batch()
            .queue_url(queue_url)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(self.service.failed(operation))?;
        // SQS says for each message whether it took it, and answers with success all the same.
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => {
                let why = failed.message().unwrap_or("no message").to_owned();
                Err(self.service.refused(operation, Some(failed.code()), why))
            }
        }
    }
}

fn seconds(delay: Duration) -> i32 {
    i32::try_from(delay.min(MAX_DELAY).as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::replay::{Replay, ok};

    #[tokio::test]
    async fn a_delay_is_never_longer_than_sqs_allows() {
        let replay = Replay::of([ok(&json!({ "MessageId": "m" }))]);
        let sqs = Sqs::new(&replay.config().await);
        sqs.send("https://q", "body", Duration::from_hours(12), 1)
            .await
            .unwrap();
        assert_eq!(replay.requests()[0].json()["DelaySeconds"], 900);
    }

    fn messages(count: u64) -> Vec<Message> {
        let message = |number| Message {
            body: format!("message {number}"),
            delay: Duration::from_secs(number),
        };
        (0..count).map(message).collect()
    }

    #[tokio::test]
    async fn messages_are_sent_ten_at_a_time() {
        let taken = json!({ "Successful": [], "Failed": [] });
        let replay = Replay::of([ok(&taken), ok(&taken), ok(&taken)]);
        let sqs = Sqs::new(&replay.config().await);
        sqs.send_all("https://q", messages(21)).await.unwrap();
        let sent = replay.requests();
        let entries: Vec<_> = sent
            .iter()
            .map(|request| request.json()["Entries"].as_array().unwrap().len())
            .collect();
        assert_eq!(entries, [10, 10, 1]);
        let last = &sent[2].json()["Entries"][0];
        assert_eq!(last["MessageBody"], "message 20");
        assert_eq!(last["DelaySeconds"], 20);
    }

    #[tokio::test]
    async fn a_message_that_sqs_did_not_take_is_a_failure() {
        let failed = json!({ "Id": "1", "SenderFault": false, "Code": "InternalError" });
        let replay = Replay::of([ok(&json!({ "Successful": [], "Failed": [failed] }))]);
        let sqs = Sqs::new(&replay.config().await);
        let error = sqs.send_all("https://q", messages(2)).await.unwrap_err();
        assert!(error.is("InternalError"), "{error}");
    }
}
