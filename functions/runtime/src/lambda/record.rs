//! What Lambda hands over: a batch from SQS, or anything else, as it is.

use aws_lambda_events::sqs::SqsMessage;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::{clock, notifier::LeaseOwner, ports::ATTEMPTS};

/// One trigger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The message id; none for a direct invocation. It stays the same when
    /// SQS delivers the message again.
    pub id: Option<String>,
    /// The event or command, as text.
    pub body: String,
    /// How often it was requeued because something was not ready.
    pub attempts: u32,
    /// When SQS received it.
    pub sent: Option<Timestamp>,
    /// When it was first handed to the function, which is before now.
    pub received: Option<Timestamp>,
}

impl Record {
    /// On whose behalf something is sent: this record's.
    #[must_use]
    pub fn lease_owner(&self) -> LeaseOwner<'_> {
        LeaseOwner {
            holder: self.id.as_deref().unwrap_or("direct"),
            // What was to be delivered later was sent long before.
            now: self
                .received
                .max(self.sent)
                .unwrap_or_else(clock::wall_clock),
        }
    }
}

/// An invocation's payload.
pub(super) enum Event {
    /// Messages of the function's queue.
    Batch(Vec<Record>),
    /// The payload of a direct invocation.
    Direct(Record),
}

impl From<Value> for Event {
    fn from(payload: Value) -> Self {
        if payload["Records"][0]["eventSource"] != "aws:sqs" {
            return Self::Direct(Record {
                id: None,
                body: payload.to_string(),
                attempts: 0,
                sent: None,
                received: None,
            });
        }
        let records = payload["Records"].as_array().into_iter().flatten();
        Self::Batch(records.map(read).collect())
    }
}

/// Reads a message for itself, so that a strange one keeps no other from being
/// served. It is itself a message without a body, which is no trigger.
fn read(message: &Value) -> Record {
    let id = message["messageId"].as_str().map(str::to_owned);
    let message = SqsMessage::deserialize(message).unwrap_or_default();
    Record {
        id,
        ..Record::from(message)
    }
}

impl From<SqsMessage> for Record {
    fn from(message: SqsMessage) -> Self {
        let attempts = message
            .message_attributes
            .get(ATTEMPTS)
            .and_then(|attribute| attribute.string_value.as_ref()?.parse().ok());
        let time = |attribute: &str| {
            let time = message.attributes.get(attribute)?;
            Timestamp::from_millisecond(time.parse().ok()?).ok()
        };
        let sent = time("SentTimestamp");
        let received = time("ApproximateFirstReceiveTimestamp");
        Self {
            id: message.message_id,
            body: message.body.unwrap_or_default(),
            attempts: attempts.unwrap_or_default(),
            sent,
            received,
        }
    }
}
