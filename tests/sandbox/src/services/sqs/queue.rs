//! One queue: its attributes and what lies in it.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Message, invalid_attribute, invalid_value, number};
use crate::{
    services::{
        pages,
        tags::{self, Tags},
    },
    world::ApiError,
};

/// Attributes that are numbers: default, least and most.
const NUMBERS: &[(&str, u64, u64, u64)] = &[
    ("DelaySeconds", 0, 0, 900),
    ("KmsDataKeyReusePeriodSeconds", 300, 60, 86_400),
    ("MaximumMessageSize", 1_048_576, 1024, 1_048_576),
    ("MessageRetentionPeriod", 345_600, 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 0, 20),
    ("VisibilityTimeout", 30, 0, 43_200),
];

/// Attributes that are there only if somebody set them.
const OTHERS: &[&str] = &[
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
];

/// A standard queue.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Queue {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) created: Timestamp,
    pub(super) purged: Option<Timestamp>,
    pub(super) messages: Vec<Message>,
    pub(super) tags: BTreeMap<String, String>,
    attributes: BTreeMap<String, String>,
}

/// Where messages go that were received too often.
pub(super) struct Redrive {
    pub(super) target: String,
    pub(super) max_receive_count: u64,
}

impl Queue {
    pub(super) fn new(account: &str, region: &str, name: &str) -> Self {
        Self {
            account: account.to_owned(),
            region: region.to_owned(),
            name: name.to_owned(),
            created: Timestamp::UNIX_EPOCH,
            purged: None,
            messages: Vec::new(),
            tags: BTreeMap::new(),
            attributes: BTreeMap::new(),
        }
    }

    pub(super) fn arn(&self) -> String {
        arn(&self.account, &self.region, &self.name)
    }

    pub(super) fn url(&self) -> String {
        let Self {
            account,
            region,
            name,
            ..
        } = self;
        format!("https://sqs.{region}.amazonaws.com/{account}/{name}")
    }

    pub(super) fn check_name(&self) -> Result<(), ApiError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=80).contains(&self.name.len()) && self.name.chars().all(allowed) {
            return Ok(());
        }
        Err(ApiError::new(
            "InvalidParameterValueException",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length \
             (the sandbox has no FIFO queues)",
        ))
    }

    /// Adds tags to those that the queue has.
    pub(super) fn tag(&mut self, tags: &Value) -> Result<(), ApiError> {
        let mut more = Tags::new();
        for (key, value) in tags.as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            if !tags::fits(key, value) {
                return Err(invalid_value("Tags", key));
            }
            more.insert(key.clone(), value.to_owned());
        }
        let too_many = || invalid_value("Tags", "with more than 50 tags");
        self.tags = tags::with(&self.tags, more).ok_or_else(too_many)?;
        Ok(())
    }

    /// Sets an attribute after a look at its value.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        if let Some((_, _, least, most)) = NUMBERS.iter().find(|row| row.0 == name) {
            let number = value.parse().ok();
            if !number.is_some_and(|number: u64| (*least..=*most).contains(&number)) {
                return Err(invalid_attribute(name, "It is not a number in range."));
            }
        } else if !OTHERS.contains(&name) {
            let message = format!("Unknown Attribute {name}.");
            return Err(ApiError::new("InvalidAttributeName", message));
        }
        self.attributes.insert(name.to_owned(), value.to_owned());
        self.redrive()?;
        self.policy().map(drop)
    }

    /// The value of an attribute, also of one that nobody set.
    pub(super) fn get(&self, name: &str) -> String {
        match self.attributes.get(name) {
            Some(value) => value.clone(),
            None => self.number(name).to_string(),
        }
    }

    /// The value of a numeric attribute.
    pub(super) fn number(&self, name: &str) -> u64 {
        let set = self.attributes.get(name).and_then(|text| text.parse().ok());
        let default = || NUMBERS.iter().find(|row| row.0 == name).map(|row| row.1);
        set.or_else(default).unwrap_or_default()
    }

    /// The policy, if there is one.
    pub(super) fn policy(&self) -> Result<Option<Value>, ApiError> {
        self.json("Policy")
    }

    /// The redrive policy, if there is one.
    pub(super) fn redrive(&self) -> Result<Option<Redrive>, ApiError> {
        let Some(policy) = self.json("RedrivePolicy")? else {
            return Ok(None);
        };
        let target = policy.get("deadLetterTargetArn").and_then(Value::as_str);
        let count = match policy.get("maxReceiveCount") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(count) => count.as_u64(),
            None => None,
        };
        if let (Some(target), Some(count @ 1..=1000)) = (target, count) {
            return Ok(Some(Redrive {
                target: target.to_owned(),
                max_receive_count: count,
            }));
        }
        let reason = "It needs deadLetterTargetArn and a maxReceiveCount from 1 to 1000.";
        Err(invalid_attribute("RedrivePolicy", reason))
    }

    /// An attribute that is a document; the empty text takes it away.
    fn json(&self, name: &str) -> Result<Option<Value>, ApiError> {
        match self.attributes.get(name) {
            None => Ok(None),
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => match serde_json::from_str(text) {
                Ok(document) => Ok(Some(document)),
                Err(_) => Err(invalid_attribute(name, "It is not JSON.")),
            },
        }
    }

    /// Every attribute as `GetQueueAttributes` shows it.
    pub(super) fn attributes_at(&self, now: Timestamp) -> BTreeMap<String, String> {
        let count = |which: fn(&Message, Timestamp) -> bool| {
            self.messages
                .iter()
                .filter(|message| self.keeps(message, now) && which(message, now))
                .count()
                .to_string()
        };
        let mut attributes = self.attributes.clone();
        for (name, ..) in NUMBERS {
            attributes.insert((*name).to_owned(), self.get(name));
        }
        for (name, value) in [
            ("QueueArn", self.arn()),
            ("CreatedTimestamp", self.created.as_second().to_string()),
            (
                "LastModifiedTimestamp",
                self.created.as_second().to_string(),
            ),
            ("ApproximateNumberOfMessages", count(Message::is_visible)),
            (
                "ApproximateNumberOfMessagesDelayed",
                count(Message::is_delayed),
            ),
            (
                "ApproximateNumberOfMessagesNotVisible",
                count(Message::is_in_flight),
            ),
        ] {
            attributes.insert(name.to_owned(), value);
        }
        attributes
    }

    /// The messages that their retention period has not removed.
    pub(super) fn messages_at(&self, now: Timestamp) -> Vec<Message> {
        let kept = self
            .messages
            .iter()
            .filter(|message| self.keeps(message, now));
        kept.cloned().collect()
    }

    pub(super) fn visible_at(&self, now: Timestamp) -> usize {
        let retention = self.retention();
        let visible =
            |message: &&Message| message.is_visible(now) && now < message.sent + retention;
        self.messages.iter().filter(visible).count()
    }

    /// Forgets what is older than the retention period.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let retention = self.retention();
        self.messages
            .retain(|message| now < message.sent + retention);
    }

    fn keeps(&self, message: &Message, now: Timestamp) -> bool {
        now < message.sent + self.retention()
    }

    fn retention(&self) -> Duration {
        Duration::from_secs(self.number("MessageRetentionPeriod"))
    }

    /// Deletes a message by its latest receipt; an older one deletes nothing.
    pub(super) fn delete(&mut self, receipt_handle: &str) {
        self.messages
            .retain(|message| message.receipt_handle() != receipt_handle);
    }

    /// The message with this receipt, if it is its latest.
    pub(super) fn received(&mut self, receipt_handle: &str) -> Result<&mut Message, ApiError> {
        let mut messages = self.messages.iter_mut();
        let message = messages.find(|message| message.receipt_handle() == receipt_handle);
        message.ok_or_else(|| invalid_value("ReceiptHandle", receipt_handle))
    }
}

/// Whether `GetQueueAttributes` knows the name.
pub(super) fn is_attribute(name: &str) -> bool {
    const COMPUTED: &[&str] = &[
        "All",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    ];
    const FIFO: &[&str] = &[
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoQueue",
        "FifoThroughputLimit",
    ];
    let set = || NUMBERS.iter().any(|row| row.0 == name) || OTHERS.contains(&name);
    COMPUTED.contains(&name) || FIFO.contains(&name) || set()
}

/// One page of a list, under the name that the operation gives it.
///
/// There is a token for the next page only if the caller set `MaxResults`, as in AWS.
pub(super) fn page(input: &Value, member: &str, items: &[Value]) -> Result<Value, ApiError> {
    const MOST: usize = 1000;

    let token = input.get("NextToken").and_then(Value::as_str);
    let refuse = || invalid_value("NextToken", token.unwrap_or_default());
    let start = pages::position(token, refuse)?;
    let size = number(input, "MaxResults", (1, 1000))?;
    let size_given = size.is_some();
    let size = size.map_or(MOST, |size| usize::try_from(size).unwrap_or(MOST));
    let (items, next) = pages::cut(items.iter().cloned(), start, size);
    let mut output = json!({ member: items });
    if let Some(next) = next.filter(|_| size_given) {
        output["NextToken"] = next.to_string().into();
    }
    Ok(output)
}

/// The ARN of a queue.
pub(super) fn arn(account: &str, region: &str, name: &str) -> String {
    format!("arn:aws:sqs:{region}:{account}:{name}")
}
