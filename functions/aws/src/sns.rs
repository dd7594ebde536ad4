//! SNS: telling people.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;

use crate::error::{Error, Service};

/// A subject has fewer than a hundred characters.
const MAX_SUBJECT: usize = 99;

/// What a message may weigh on a topic that nobody changed.
const MAX_MESSAGE: usize = 256 * 1024;

const SHORTENED: &str = "\n[shortened]";

/// The topics of the function's own account.
#[derive(Debug, Clone)]
pub struct Sns {
    client: Client,
    service: Service,
}

impl Sns {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("sns", None),
        }
    }

    /// Publishes a message; subject and message are made to fit what SNS takes.
    pub async fn publish(&self, topic: &str, subject: &str, message: &str) -> Result<(), Error> {
        self.client
            .publish()
            .topic_arn(topic)
            .set_subject(legal_subject(subject))
            .message(shortened(message))
            .send()
            .await
            .map_err(self.service.failed("Publish"))?;
        Ok(())
    }
}

/// A subject is ASCII, has no line breaks, and begins with more than a space;
/// none if nothing is left of it.
fn legal_subject(subject: &str) -> Option<String> {
    let legal = |character: char| match character {
        ' '..='~' => character,
        _ if character.is_whitespace() || character.is_control() => ' ',
        _ => '?',
    };
    let subject: String = subject
        .trim()
        .chars()
        .map(legal)
        .take(MAX_SUBJECT)
        .collect();
    let subject = subject.trim();
    (!subject.is_empty()).then(|| subject.to_owned())
}

fn shortened(message: &str) -> String {
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_MESSAGE - SHORTENED.len());
    format!("{}{SHORTENED}", &message[..end])
}
