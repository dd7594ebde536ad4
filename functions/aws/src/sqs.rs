//! SQS: messages that are delivered after a delay.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::{Client, types::MessageAttributeValue};

use runtime::ports::ATTEMPTS;

use crate::error::{Error, Service};

/// The longest delay that SQS knows.
const MAX_DELAY: Duration = Duration::from_mins(15);

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
        let seconds = delay.min(MAX_DELAY).as_secs();
        let attempts = MessageAttributeValue::builder()
            .data_type("Number")
            .string_value(attempts.to_string())
            .build()
            .map_err(|error| self.service.refused("SendMessage", None, error.to_string()))?;
        self.client
            .send_message()
            .queue_url(queue_url)
            .message_body(body)
            .delay_seconds(i32::try_from(seconds).unwrap_or_default())
            .message_attributes(ATTEMPTS, attempts)
            .send()
            .await
            .map_err(self.service.failed("SendMessage"))?;
        Ok(())
    }
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
}
