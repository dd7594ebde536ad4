//! SNS: notifying people.

use aws_config::SdkConfig;
use aws_sdk_sns::Client;
use domain::notification::legal_subject;

use crate::{
    clients::Session,
    error::{Error, Service},
};

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
        let subject = legal_subject(subject);
        self.client
            .publish()
            .topic_arn(topic)
            // SNS takes no empty one.
            .set_subject((!subject.is_empty()).then_some(subject))
            .message(shortened(message))
            .send()
            .await
            .map_err(self.service.failed("Publish"))?;
        Ok(())
    }
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

    const PUBLISHED: &str = "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>";

    #[tokio::test]
    async fn a_message_is_published_with_a_subject_that_sns_takes() {
        let replay = Replay::of([Answer::Http(200, PUBLISHED.to_owned())]);
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

    #[tokio::test]
    async fn a_message_of_which_no_subject_is_left_is_published_without_one() {
        let replay = Replay::of([Answer::Http(200, PUBLISHED.to_owned())]);
        let sns = Sns::new(&replay.config().await, None);
        sns.publish("arn:t", " \n ", "message").await.unwrap();
        let form = &replay.requests()[0].text;
        assert!(!form.contains("Subject"), "{form}");
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
