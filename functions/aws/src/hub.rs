//! What the functions need of the hub account, as the runtime's ports.

use std::time::Duration;

use domain::{
    notification::{Notification, SOURCE},
    policy::{Labelled, Place, TeamVersions, Version},
    storage::{Delivery, Item, Lease, Values, Write},
};
use jiff::Timestamp;
use runtime::{
    config::Settings,
    ports::{self, Address, Message},
};

use crate::{
    Aws, Error,
    dynamodb::Table,
    error::Class,
    eventbridge::Entry,
    ssm::{IN_FORCE, Ssm},
};

/// The name of the bus, and of the topic, in every consumer account.
const CONSUMER: &str = "pipeshare";

/// The policy's parameter, the table, the queues and the topics of the hub.
#[derive(Debug, Clone)]
pub struct Hub<'a> {
    aws: &'a Aws,
    ssm: Ssm,
    table: Table,
    policy: String,
    /// The hub's own bus.
    bus: Option<String>,
}

impl<'a> Hub<'a> {
    /// The hub of these settings.
    #[must_use]
    pub fn new(aws: &'a Aws, settings: &Settings) -> Self {
        Self {
            aws,
            ssm: aws.ssm(),
            table: aws.table(&settings.table),
            policy: settings.policy.clone(),
            bus: None,
        }
    }

    /// The same hub, which also puts on this bus what its topic is notified of:
    /// for the audit trail, for chats, and for machines.
    #[must_use]
    pub fn with_bus(self, bus: String) -> Self {
        Self {
            bus: Some(bus),
            ..self
        }
    }

    /// Puts a notification on the hub's bus.
    ///
    /// What the bus refuses until people act is logged: they are not kept
    /// from being notified.
    async fn record(&self, notification: &Notification) -> Result<(), Error> {
        let Some(bus) = &self.bus else {
            return Ok(());
        };
        let eventbridge = self.aws.eventbridge();
        match eventbridge.put(bus, vec![event(notification)]).await {
            Err(error) if error.class() == Class::Permanent => {
                tracing::error!(
                    trail.detail_type = notification.detail_type,
                    trail.detail = %notification.detail,
                    %error,
                    "an event of the trail was not sent"
                );
                Ok(())
            }
            put => put,
        }
    }
}

/// A notification for machines.
fn event(notification: &Notification) -> Entry {
    Entry {
        source: SOURCE.to_owned(),
        detail_type: notification.detail_type.to_owned(),
        detail: notification.detail.clone(),
        resources: notification.resources.clone(),
    }
}

impl ports::Table for Hub<'_> {
    async fn get(&self, pk: &str, sk: &str) -> Result<Option<Values>, Error> {
        self.table.get(pk, sk).await
    }

    async fn put(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.table.put(pk, sk, values, expires).await
    }

    async fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<bool, Error> {
        self.table.put_if_absent(pk, sk, values, expires).await
    }

    async fn list(&self, pk: &str) -> Result<Vec<Item>, Error> {
        self.table.list(pk).await
    }

    async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        self.table.delete(pk, sk).await
    }

    async fn write_all(&self, writes: Vec<Write>) -> Result<bool, Error> {
        self.table.write_all(writes).await
    }

    async fn history(&self, pk: &str) -> Result<Vec<Delivery>, Error> {
        self.table.history(pk).await
    }

    async fn lease(
        &self,
        pk: &str,
        sk: &str,
        holder: &str,
        now: Timestamp,
        keep: Duration,
        values: Values,
    ) -> Result<Lease, Error> {
        self.table.lease(pk, sk, holder, now, keep, values).await
    }

    async fn done(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        self.table.done(pk, sk, holder).await
    }

    async fn release(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        self.table.release(pk, sk, holder).await
    }
}

impl ports::PolicyStore for Hub<'_> {
    fn place(&self) -> &Place {
        self.aws.place()
    }

    async fn labelled(&self) -> Result<Labelled, Error> {
        let root = self.ssm.in_force(&self.policy).await?;
        let place = self.aws.place();
        let read = |teams| Labelled::read(root.clone(), teams, place, self.ssm.time());
        let mut labelled = read(TeamVersions::new());
        // Without teams, one call is all.
        if !labelled.teams().is_empty() {
            let documents = self
                .ssm
                .documents(&self.policy, labelled.teams(), Some(IN_FORCE));
            labelled = read(documents.await?);
        }
        if let Labelled::Refused { version, errors } = &labelled {
            tracing::error!(
                policy.version = version,
                "the policy in force is not valid: {errors}"
            );
        }
        Ok(labelled)
    }

    async fn newest(&self) -> Result<Option<Version>, Error> {
        self.ssm.newest(&self.policy).await
    }

    async fn put_in_force(&self, version: i64) -> Result<(), Error> {
        self.ssm.put_in_force(&self.policy, version).await
    }

    async fn newest_of_teams(&self, teams: &[String]) -> Result<TeamVersions, Error> {
        self.ssm.documents(&self.policy, teams, None).await
    }

    async fn put_team_in_force(&self, team: &str, version: i64) -> Result<(), Error> {
        let name = self.parameter_of(team);
        self.ssm.put_in_force(&name, version).await
    }

    fn parameter_of(&self, team: &str) -> String {
        format!("{}/{team}", self.policy)
    }

    async fn written_by(&self, parameter: &str, version: i64) -> Result<Option<String>, Error> {
        self.ssm.written_by(parameter, version).await
    }
}

impl ports::Publish for Hub<'_> {
    async fn publish(
        &self,
        address: Address<'_>,
        notification: &Notification,
    ) -> Result<(), Error> {
        match address {
            Address::HubTopic(topic) => {
                // First, since a repetition is one record there and two messages to people.
                self.record(notification).await?;
                self.aws.sns().publish(topic, notification).await
            }
            Address::ConsumerTopic(account) => {
                let topic = self.aws.topic_arn(account, CONSUMER);
                let notifier = self.aws.notifier(account);
                notifier.sns.publish(&topic, notification).await
            }
            Address::ConsumerBus(account) => {
                let notifier = self.aws.notifier(account);
                let event = event(notification);
                notifier.eventbridge.put(CONSUMER, vec![event]).await
            }
        }
    }
}

impl ports::Queue for Hub<'_> {
    async fn send(
        &self,
        queue_url: &str,
        body: &str,
        delay: Duration,
        attempts: u32,
    ) -> Result<(), Error> {
        self.aws.sqs().send(queue_url, body, delay, attempts).await
    }

    async fn send_all(&self, queue_url: &str, messages: Vec<Message>) -> Result<(), Error> {
        self.aws.sqs().send_all(queue_url, messages).await
    }
}

impl ports::Clock for Hub<'_> {
    fn time(&self) -> Option<Timestamp> {
        self.ssm.time()
    }
}

impl ports::Host for Hub<'_> {
    fn function(&self) -> &str {
        self.aws.function()
    }

    fn begin_invocation(&self) {
        self.aws.begin_invocation();
    }
}

#[cfg(test)]
mod tests;
