//! SNS: notifying people.

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use domain::notification::{Attribute, Notification, legal_subject};
use serde_json::json;

use crate::{
    clients::Session,
    error::{Error, Service},
};

/// What a message may weigh on a topic that nobody changed, in bytes, without
/// what its attributes weigh: a hundred names of pipelines at most.
const MAX_MESSAGE: usize = 256 * 1024 - MAX_ATTRIBUTES;

const MAX_ATTRIBUTES: usize = 32 * 1024;

const SHORTENED: &str = "\n[shortened]";

/// Topics, reached with the credentials of one account.
#[derive(Debug, Clone)]
pub struct Sns {
    client: Client,
    service: Service,
}

impl Sns {
    pub(crate) fn new(client: Client, session: Option<Session>) -> Self {
        Self {
            client,
            service: Service::new("sns", session),
        }
    }

    /// Publishes a notification with the attributes that subscriptions filter by;
    /// subject and message are made to fit what SNS takes.
    pub async fn publish(&self, topic: &str, notification: &Notification) -> Result<(), Error> {
        let subject = legal_subject(&notification.subject);
        let attributes = notification.attributes().into_iter();
        let attributes = attributes.map(|(name, value)| (name.to_owned(), attribute(value)));
        self.client
            .publish()
            .topic_arn(topic)
            // SNS takes no empty one.
            .set_subject((!subject.is_empty()).then_some(subject))
            .set_message_attributes(Some(attributes.collect()))
            .message(shortened(&notification.text))
            .send()
            .await
            .map_err(self.service.failed("Publish"))?;
        Ok(())
    }
}

fn attribute(value: Attribute) -> MessageAttributeValue {
    let (data_type, text) = match value {
        Attribute::One(text) => ("String", text.to_owned()),
        Attribute::Many(texts) => ("String.Array", json!(texts).to_string()),
    };
    let built = MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(text)
        .build();
    #[expect(
        clippy::expect_used,
        reason = "the one member that is required is set above"
    )]
    built.expect("an attribute has its type")
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

    fn notification(subject: &str) -> Notification {
        Notification {
            id: "id".to_owned(),
            subject: subject.to_owned(),
            text: "message".to_owned(),
            detail_type: "Pipeline Execution Status",
            detail: json!({ "status": "Failed", "pipelineName": "churn", "rules": ["a", "b"] }),
            resources: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_message_is_published_with_a_subject_that_sns_takes() {
        let replay = Replay::of([Answer::Http(200, PUBLISHED.to_owned())]);
        let sns = Sns::new(Client::new(&replay.config().await), None);
        sns.publish("arn:t", &notification("churn:\nfailed – now"))
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
    async fn a_message_has_the_attributes_that_subscriptions_filter_by() {
        let replay = Replay::of([Answer::Http(200, PUBLISHED.to_owned())]);
        let sns = Sns::new(Client::new(&replay.config().await), None);
        sns.publish("arn:t", &notification("churn")).await.unwrap();
        let form = &replay.requests()[0].text;
        let pairs: Vec<_> = form.split('&').collect();
        let has = |name: &str, data_type: &str, value: &str| {
            let name = pairs.iter().find_map(|pair| {
                let (key, text) = pair.split_once('=')?;
                (text == name).then(|| key.strip_suffix("Name"))?
            });
            let prefix = name.unwrap_or_default();
            let is = |member: &str, text: &str| {
                pairs.contains(&format!("{prefix}Value.{member}={text}").as_str())
            };
            is("DataType", data_type) && is("StringValue", value)
        };
        assert!(has("severity", "String", "error"), "{form}");
        assert!(
            has("pipeline", "String.Array", "%5B%22churn%22%5D"),
            "{form}"
        );
        assert!(
            has("rule", "String.Array", "%5B%22a%22%2C%22b%22%5D"),
            "{form}"
        );
    }

    #[tokio::test]
    async fn a_message_of_which_no_subject_is_left_is_published_without_one() {
        let replay = Replay::of([Answer::Http(200, PUBLISHED.to_owned())]);
        let sns = Sns::new(Client::new(&replay.config().await), None);
        sns.publish("arn:t", &notification(" \n ")).await.unwrap();
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
