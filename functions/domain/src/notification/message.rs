//! What is said, as readable text and as data.

mod about;
mod attributes;
mod chat;
mod ending;
mod execution;
mod expired;
mod next;
mod policy;
mod problem;
mod refusal;
mod severity;
mod shared;
mod subject;
mod weight;

use serde_json::{Value, json};

use super::Capacity;
use crate::digest;

pub use attributes::Attribute;
pub use ending::{Ending, Notice, ending_notification, endings};
pub use execution::{Known, execution_notification};
pub use expired::{Expired, expired_notification};
pub use policy::{PolicyAlert, policy_alert_notification};
pub use problem::{Alert, RefusedPolicy, policy_refused_notification, problem_notification};
pub use refusal::{
    Fate, StrangersOfDay, excess_key, excess_notification, refusal_notification,
    strangers_notification,
};
pub use severity::Severity;
pub use shared::{AccessChange, access_notification};
pub use subject::legal as legal_subject;

/// A message to people and machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The same for every repetition of this message, so that a receiver can drop it.
    pub id: String,
    /// One line.
    pub subject: String,
    /// The message in words.
    pub text: String,
    /// What kind of event it is.
    pub detail_type: &'static str,
    /// The message as the detail of an event; it contains `id`, `subject` and `text`,
    /// and `chat`, the message for a channel of a chat.
    pub detail: Value,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
}

/// Puts what every message carries into its detail.
fn notification(
    detail_type: &'static str,
    id: String,
    subject: &str,
    text: &str,
    mut detail: Value,
) -> Notification {
    let (subject, text) = (subject::legal(subject), weight::lines(text));
    let arns = [
        "pipelineArn",
        "pipelineExecutionArn",
        "shareArn",
        "invitationArn",
    ];
    let resources: Vec<_> = arns
        .iter()
        .filter_map(|member| detail[*member].as_str().map(str::to_owned))
        .collect();
    detail["version"] = json!("1");
    detail["id"] = json!(id);
    detail["subject"] = json!(subject);
    let mut notification = Notification {
        id,
        subject,
        text,
        detail_type,
        detail,
        resources,
    };
    notification.detail["severity"] = json!(notification.severity());
    notification.carry_text();
    notification
}

impl Notification {
    /// What the event weighs as EventBridge counts it, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        weight::weight(self.detail_type, &self.detail, &self.resources)
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        severity::severity(self)
    }

    /// The message attributes by which subscriptions filter, by name.
    #[must_use]
    pub fn attributes(&self) -> Vec<(&'static str, Attribute)> {
        attributes::attributes(self)
    }

    /// The same, with what people have to know if the next one of its kind is not sent.
    #[must_use]
    pub fn ending(mut self, capacity: Capacity, line: &str) -> Self {
        if capacity == Capacity::Last {
            self.text.push_str(line);
            self.text.push('\n');
            self.carry_text();
        }
        self
    }

    /// Puts the text into the detail, and takes away from both what would be too heavy.
    fn carry_text(&mut self) {
        self.put_texts();
        if self.weight() <= weight::MOST_BYTES {
            return;
        }
        self.text = weight::shortened(&self.text);
        self.put_texts();
        let texts = ["text", "chat"].map(|member| self.detail[member].take());
        let room = texts
            .iter()
            .map(|text| text.to_string().len())
            .sum::<usize>();
        let is_light = |detail: &Value| {
            let data = weight::weight(self.detail_type, detail, &self.resources);
            data + room <= weight::MOST_BYTES
        };
        weight::lighten(&mut self.detail, is_light);
        let [text, chat] = texts;
        self.detail["text"] = text;
        self.detail["chat"] = chat;
    }

    /// Puts what people read into the detail: the text, and what a chat shows.
    fn put_texts(&mut self) {
        self.detail["text"] = json!(self.text);
        self.detail["chat"] = chat::chat(self);
    }
}

/// A short name for a long text.
fn short(text: &str) -> String {
    let mut digest = digest::hex(text);
    digest.truncate(16);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_is_too_heavy_whatever_is_put_into_one() {
        let wide = "é\\\"".repeat(1_000);
        let list = vec![json!({ "name": wide, "reasons": [wide, wide] }); 300];
        let detail = json!({ "shareArn": "arn:a", "steps": list, "reason": wide });
        let text = format!("first\n{}", "line\u{7}\n".repeat(20_000));
        let notification = notification("Problem", "id".to_owned(), &wide, &text, detail);
        assert!(
            notification.weight() <= 250 * 1024,
            "{}",
            notification.weight()
        );
        assert!(notification.text.starts_with("first\nline\nline"));
        assert!(notification.text.ends_with("[shortened]\n"));
        assert_eq!(notification.detail["text"], notification.text);
        assert_eq!(notification.resources, ["arn:a"]);
        let kept = notification.detail["steps"].as_array().map(Vec::len);
        assert!(kept.is_some_and(|kept| kept >= 5), "{kept:?}");
    }

    #[test]
    fn a_message_that_is_light_enough_is_what_it_was() {
        let detail = json!({ "steps": vec!["x"; 1_000] });
        let notification = notification("Problem", "id".to_owned(), "subject", "a\n  b\n", detail);
        assert_eq!(notification.text, "a\n  b\n");
        assert_eq!(
            notification.detail["steps"].as_array().map(Vec::len),
            Some(1_000)
        );
    }
}
