//! What is said, as readable text and as data.

mod execution;
mod expired;
mod policy;
mod problem;
mod refusal;
mod shared;
mod subject;
mod weight;

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Room;

pub use execution::execution_notice;
pub use expired::{Expired, expired_notice};
pub use policy::{PolicyTrouble, policy_trouble_notice};
pub use problem::{RefusedPolicy, Trouble, policy_refused_notice, problem_notice};
pub use refusal::{
    Fate, StrangersOfDay, excess_key, excess_notice, refusal_notice, strangers_notice,
};
pub use shared::{AccessChange, access_notice};
pub use subject::legal as legal_subject;

/// A message to people and machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for every repetition of this message, so that a receiver can drop it.
    pub id: String,
    /// One line.
    pub subject: String,
    /// The message in words.
    pub text: String,
    /// What kind of event it is.
    pub detail_type: &'static str,
    /// The message as the detail of an event; it contains `id`, `subject` and `text`.
    pub detail: Value,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
}

/// Puts what every message carries into its detail.
fn notice(
    detail_type: &'static str,
    id: String,
    subject: &str,
    text: &str,
    mut detail: Value,
) -> Notice {
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
    let mut notice = Notice {
        id,
        subject,
        text,
        detail_type,
        detail,
        resources,
    };
    notice.carry_text();
    notice
}

impl Notice {
    /// What the event weighs as EventBridge counts it, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        weight::weight(self.detail_type, &self.detail, &self.resources)
    }

    /// The same, with what people have to know if the next one of its kind is not told.
    #[must_use]
    pub fn ending(mut self, room: Room, line: &str) -> Self {
        if room == Room::Last {
            self.text.push_str(line);
            self.text.push('\n');
            self.carry_text();
        }
        self
    }

    /// Puts the text into the detail, and takes away from both what would be too heavy.
    fn carry_text(&mut self) {
        self.detail["text"] = json!(self.text);
        if self.weight() <= weight::MOST_BYTES {
            return;
        }
        self.text = weight::shortened(&self.text);
        let text = json!(self.text);
        let is_light = |detail: &Value| {
            let data = weight::weight(self.detail_type, detail, &self.resources);
            data + text.to_string().len() <= weight::MOST_BYTES
        };
        self.detail["text"] = Value::Null;
        weight::lighten(&mut self.detail, is_light);
        self.detail["text"] = text;
    }
}

/// A short name for a long text.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest[..8].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
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
        let notice = notice("Problem", "id".to_owned(), &wide, &text, detail);
        assert!(notice.weight() <= 250 * 1024, "{}", notice.weight());
        assert!(notice.text.starts_with("first\nline\nline"));
        assert!(notice.text.ends_with("[shortened]\n"));
        assert_eq!(notice.detail["text"], notice.text);
        assert_eq!(notice.resources, ["arn:a"]);
        let kept = notice.detail["steps"].as_array().map(Vec::len);
        assert!(kept.is_some_and(|kept| kept >= 5), "{kept:?}");
    }

    #[test]
    fn a_message_that_is_light_enough_is_what_it_was() {
        let detail = json!({ "steps": vec!["x"; 1_000] });
        let notice = notice("Problem", "id".to_owned(), "subject", "a\n  b\n", detail);
        assert_eq!(notice.text, "a\n  b\n");
        assert_eq!(notice.detail["steps"].as_array().map(Vec::len), Some(1_000));
    }
}
