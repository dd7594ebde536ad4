//! The hub account: the policy's parameter, the table, topics, buses and queues.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use domain::{
    error::Error,
    id::AccountId,
    notification::Notification,
    policy::{Labelled, Place, TeamVersions, Version},
    storage::{Delivery, Item, Lease, Values, Write},
};
use jiff::Timestamp;
use runtime::ports::{self, Address};

use crate::{Failures, Table};

/// The ARN of the hub's topic.
pub const HUB_TOPIC: &str = "arn:aws:sns:us-east-1:333333333333:pipeshare";

/// A notification that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// `hub`, or the account and `bus` or `topic`.
    pub address: String,
    /// What was published.
    pub notification: Notification,
}

/// A message that was sent to a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The URL of the queue.
    pub queue_url: String,
    /// What was sent.
    pub body: String,
    /// When it is delivered.
    pub delay: Duration,
    /// How often it was sent before.
    pub attempts: u32,
}

/// The document of a team.
#[derive(Debug, Default)]
pub struct Document {
    /// The versions of its parameter, in order.
    pub versions: Vec<Version>,
    /// The number of the version that carries the label `in-force`.
    pub labelled: Option<i64>,
}

/// A hub whose every operation can be made to fail.
#[derive(Debug)]
pub struct Hub {
    /// The table.
    pub table: Table,
    /// The versions of the policy's parameter, in order.
    pub versions: RefCell<Vec<Version>>,
    /// The number of the version that carries the label `in-force`.
    pub labelled: Cell<Option<i64>>,
    /// The documents of teams.
    pub documents: RefCell<BTreeMap<String, Document>>,
    /// What was published, in order.
    pub published: RefCell<Vec<Published>>,
    /// What was sent to queues, in order.
    pub sent: RefCell<Vec<Message>>,
    /// What is to fail, by AWS's names of operations.
    pub failures: RefCell<Failures>,
    /// The date of AWS's last answer.
    pub time: Cell<Option<Timestamp>>,
    place: Place,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            table: Table::default(),
            versions: RefCell::default(),
            labelled: Cell::default(),
            documents: RefCell::default(),
            published: RefCell::default(),
            sent: RefCell::default(),
            failures: RefCell::default(),
            time: Cell::default(),
            place: Place {
                partition: "aws".to_owned(),
                region: "us-east-1".parse().expect("it is a Region"),
            },
        }
    }
}

impl Hub {
    /// A hub with this policy in force.
    #[must_use]
    pub fn with_policy(policy: &str) -> Self {
        let hub = Self::default();
        let version = hub.write_policy(policy);
        hub.labelled.set(Some(version));
        hub
    }

    /// Writes a version of the policy, which is not in force yet; its number.
    pub fn write_policy(&self, policy: &str) -> i64 {
        push(&mut self.versions.borrow_mut(), policy)
    }

    /// Writes a version of a team's document, which is not in force yet; its number.
    pub fn write_document(&self, team: &str, text: &str) -> i64 {
        let mut documents = self.documents.borrow_mut();
        push(
            &mut documents.entry(team.to_owned()).or_default().versions,
            text,
        )
    }

    /// Has the next call of an operation fail with this code.
    pub fn fail_next(&self, operation: &'static str, code: &str) {
        self.failures.borrow_mut().next(operation, code);
    }

    /// The notifications that went to an address, such as `hub` or `111111111111/topic`.
    #[must_use]
    pub fn published_to(&self, address: &str) -> Vec<Notification> {
        let published = self.published.borrow();
        let there = published.iter().filter(|it| it.address == address);
        there.map(|it| it.notification.clone()).collect()
    }

    /// A call of an operation of the hub's services, which may fail.
    fn call(&self, service: &'static str, operation: &'static str) -> Result<(), Error> {
        self.call_in(service, operation, None)
    }

    fn call_in(
        &self,
        service: &'static str,
        operation: &'static str,
        account: Option<&AccountId>,
    ) -> Result<(), Error> {
        let failure = self.failures.borrow_mut().take(operation);
        failure.map_or(Ok(()), |failure| Err(failure.error(service, account)))
    }

    fn version(&self, number: i64) -> Option<Version> {
        let versions = self.versions.borrow();
        let mut versions = versions.iter();
        versions.find(|it| it.version == number).cloned()
    }
}

impl ports::PolicyStore for Hub {
    fn place(&self) -> &Place {
        &self.place
    }

    async fn labelled(&self) -> Result<Labelled, Error> {
        self.call("ssm", "GetParameter")?;
        let version = self.labelled.get().and_then(|number| self.version(number));
        let read = |teams| Labelled::read(version.clone(), teams, &self.place, self.time.get());
        let labelled = read(TeamVersions::new());
        if labelled.teams().is_empty() {
            return Ok(labelled);
        }
        self.call("ssm", "GetParameters")?;
        let documents = self.documents.borrow();
        let in_force = documents.iter().filter_map(|(team, document)| {
            let number = document.labelled?;
            let version = document.versions.iter().find(|it| it.version == number)?;
            Some((team.clone(), version.clone()))
        });
        let of_teams = in_force.filter(|(team, _)| labelled.teams().contains(team));
        Ok(read(of_teams.collect()))
    }

    async fn newest(&self) -> Result<Option<Version>, Error> {
        self.call("ssm", "GetParameter")?;
        Ok(self.versions.borrow().last().cloned())
    }

    async fn put_in_force(&self, version: i64) -> Result<(), Error> {
        self.call("ssm", "LabelParameterVersion")?;
        self.labelled.set(Some(version));
        Ok(())
    }

    async fn newest_of_teams(&self, teams: &[String]) -> Result<TeamVersions, Error> {
        self.call("ssm", "GetParameters")?;
        let documents = self.documents.borrow();
        let newest = documents.iter().filter_map(|(team, document)| {
            let is_wanted = teams.contains(team);
            let version = document.versions.last().filter(|_| is_wanted)?;
            Some((team.clone(), version.clone()))
        });
        Ok(newest.collect())
    }

    async fn put_team_in_force(&self, team: &str, version: i64) -> Result<(), Error> {
        self.call("ssm", "LabelParameterVersion")?;
        if let Some(document) = self.documents.borrow_mut().get_mut(team) {
            document.labelled = Some(version);
        }
        Ok(())
    }

    fn parameter_of(&self, team: &str) -> String {
        format!("/pipeshare/policy/{team}")
    }

    async fn written_by(&self, parameter: &str, version: i64) -> Result<Option<String>, Error> {
        self.call("ssm", "GetParameterHistory")?;
        let writer = format!("arn:aws:iam::333333333333:user/writer-of-{version}");
        Ok((!parameter.is_empty()).then_some(writer))
    }
}

impl ports::Table for Hub {
    async fn get(&self, pk: &str, sk: &str) -> Result<Option<Values>, Error> {
        self.call("dynamodb", "GetItem")?;
        Ok(self.table.get(pk, sk))
    }

    async fn put(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.call("dynamodb", "PutItem")?;
        self.table.put(pk, sk, values, expires);
        Ok(())
    }

    async fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<bool, Error> {
        self.call("dynamodb", "PutItem")?;
        Ok(self.table.put_if_absent(pk, sk, values, expires))
    }

    async fn list(&self, pk: &str) -> Result<Vec<Item>, Error> {
        self.call("dynamodb", "Query")?;
        Ok(self.table.list(pk))
    }

    async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        self.call("dynamodb", "DeleteItem")?;
        self.table.delete(pk, sk);
        Ok(())
    }

    async fn write_all(&self, writes: Vec<Write>) -> Result<bool, Error> {
        self.call("dynamodb", "TransactWriteItems")?;
        Ok(self.table.write_all(writes))
    }

    async fn history(&self, pk: &str) -> Result<Vec<Delivery>, Error> {
        self.call("dynamodb", "Query")?;
        Ok(self.table.history(pk))
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
        self.call("dynamodb", "PutItem")?;
        Ok(self.table.lease((pk, sk), holder, now, keep, values))
    }

    async fn done(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        self.call("dynamodb", "UpdateItem")?;
        Ok(self.table.done(pk, sk, holder))
    }

    async fn release(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error> {
        self.call("dynamodb", "UpdateItem")?;
        Ok(self.table.release(pk, sk, holder))
    }
}

impl ports::Publish for Hub {
    async fn publish(
        &self,
        address: Address<'_>,
        notification: &Notification,
    ) -> Result<(), Error> {
        let address = match address {
            Address::HubTopic(_) => {
                self.call("sns", "Publish")?;
                "hub".to_owned()
            }
            Address::ConsumerTopic(account) => {
                self.call_in("sns", "Publish", Some(account))?;
                format!("{account}/topic")
            }
            Address::ConsumerBus(account) => {
                self.call_in("events", "PutEvents", Some(account))?;
                format!("{account}/bus")
            }
        };
        self.published.borrow_mut().push(Published {
            address,
            notification: notification.clone(),
        });
        Ok(())
    }
}

impl ports::Queue for Hub {
    async fn send(
        &self,
        queue_url: &str,
        body: &str,
        delay: Duration,
        attempts: u32,
    ) -> Result<(), Error> {
        self.call("sqs", "SendMessage")?;
        self.sent.borrow_mut().push(Message {
            queue_url: queue_url.to_owned(),
            body: body.to_owned(),
            delay,
            attempts,
        });
        Ok(())
    }

    async fn send_all(&self, queue_url: &str, messages: Vec<ports::Message>) -> Result<(), Error> {
        self.call("sqs", "SendMessageBatch")?;
        let messages = messages.into_iter().map(|message| Message {
            queue_url: queue_url.to_owned(),
            body: message.body,
            delay: message.delay,
            attempts: 0,
        });
        self.sent.borrow_mut().extend(messages);
        Ok(())
    }
}

impl ports::Clock for Hub {
    fn time(&self) -> Option<Timestamp> {
        self.time.get()
    }
}

impl ports::Host for Hub {
    fn function(&self) -> &'static str {
        "test"
    }

    fn begin_invocation(&self) {}
}

fn push(versions: &mut Vec<Version>, text: &str) -> i64 {
    let version = i64::try_from(versions.len() + 1).unwrap_or(i64::MAX);
    versions.push(Version {
        version,
        text: text.to_owned(),
        written: Timestamp::from_second(1_767_600_000 + version).ok(),
    });
    version
}
