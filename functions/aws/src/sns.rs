//! SNS: telling people.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use domain::text::flat;

use crate::{
    clients::Session,
    error::{Error, Service},
};

/// A subject has fewer than a hundred characters.
const MAX_SUBJECT: usize = 99;

/// What a message may weigh on a topic that nobody changed.
const MAX_MESSAGE: usize = 256 * 1024;

const SHORTENED: &str = "\n[shortened]";

/// Topics, reached with the credentials of one account.
#[derive(Debug, Clone)]
pub struct Sns {
    client: Client,
    service: Service,
}

impl Sns {
    pub(crate) fn new(config: &SdkConfig, session: Option<Session>) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("sns", session),
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

/// A subject is UTF-8, has no line breaks or control characters, and begins
/// with more than a space; none if nothing is left of it.
///
/// Whether SNS counts characters or the units of UTF-16 is not said; the
/// latter are never fewer.
fn legal_subject(subject: &str) -> Option<String> {
    let mut legal = flat(subject, MAX_SUBJECT);
    while legal.encode_utf16().count() > MAX_SUBJECT {
        legal.pop();
    }
    (!legal.is_empty()).then_some(legal)
}

fn shortened(message: &str) -> String {
    if message.len() <= MAX_MESSAGE {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MAX_MESSAGE - SHORTENED.len());
    format!("{}{SHORTENED}", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Answer, Replay};

    #[tokio::test]
    async fn a_message_is_published_with_a_subject_that_sns_takes() {
        let answer = "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";
        let replay = Replay::of([Answer::Http(200, answer.to_owned())]);
        let sns = Sns::new(&replay.config().await, None);
        sns.publish("arn:t", "churn:\nfailed – now", "message")
            .await
            .unwrap();
        let form = &replay.requests()[0].text;
        assert!(form.contains("Action=Publish"), "{form}");
        assert!(form.contains("TopicArn=arn%3At"), "{form}");
        assert!(
            form.contains("Subject=churn%3A%20failed%20%E2%80%93%20now"),
            "{form}"
        );
        assert!(form.contains("Message=message"), "{form}");
    }

    #[test]
    fn a_subject_is_short_on_one_line_and_keeps_its_letters() {
        let long = legal_subject(&format!(" \t{}", "é".repeat(500))).unwrap();
        assert_eq!(long, format!("{}…", "é".repeat(98)));
        let wide = legal_subject(&"🚀".repeat(99)).unwrap();
        assert_eq!(wide.encode_utf16().count(), 98);
        assert_eq!(
            legal_subject("Größe: Failed").as_deref(),
            Some("Größe: Failed")
        );
        assert_eq!(
            legal_subject("a\u{7}b\r\nc\u{2028}d").as_deref(),
            Some("a b c d")
        );
        assert_eq!(legal_subject(" \n "), None);
    }

    #[test]
    fn a_message_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("short"), "short");
        let full = "x".repeat(MAX_MESSAGE);
        assert_eq!(shortened(&full), full);
        let cut = shortened(&"é".repeat(MAX_MESSAGE));
        assert!(cut.len() <= MAX_MESSAGE && cut.len() > MAX_MESSAGE - 4);
        assert!(cut.ends_with("é\n[shortened]"));
    }
}
