//! What is said, as readable text and as data.

mod execution;
mod expired;
mod problem;
mod refusal;
mod shared;

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use execution::{Execution, FailedStep, execution_notice};
pub use expired::{Expired, expired_notice};
pub use problem::{RefusedPolicy, Trouble, policy_refused_notice, problem_notice};
pub use refusal::{excess_key, excess_notice, refusal_notice};
pub use shared::{AccessChange, access_notice};

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
    subject: String,
    text: String,
    mut detail: Value,
) -> Notice {
    let arns = [
        "pipelineArn",
        "pipelineExecutionArn",
        "shareArn",
        "invitationArn",
    ];
    let resources = arns
        .iter()
        .filter_map(|member| detail[*member].as_str().map(str::to_owned))
        .collect();
    detail["version"] = json!("1");
    detail["id"] = json!(id);
    detail["subject"] = json!(subject);
    detail["text"] = json!(text);
    Notice {
        id,
        subject,
        text,
        detail_type,
        detail,
        resources,
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
