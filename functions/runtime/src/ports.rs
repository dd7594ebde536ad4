//! What the functions need of AWS, whoever provides it.
//!
//! The crate `aws` does; so do the in-memory models of the tests. A method
//! fails with an [`Error`] that says whether trying again can help.

use std::time::Duration;

use domain::{
    id::AccountId,
    notification::Notification,
    policy::{Labelled, Place, TeamVersions, Version},
    storage::{Delivery, Item, Lease, Values, Write},
};
use jiff::Timestamp;

use crate::Error;

/// The hub's table.
pub trait Table {
    /// The values of an item; none if there is no such item.
    async fn get(&self, pk: &str, sk: &str) -> Result<Option<Values>, Error>;

    /// Writes an item, over one that may be there.
    async fn put(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<(), Error>;

    /// Writes an item unless it is there; whether it was written.
    async fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> Result<bool, Error>;

    /// All items of a partition, by sort key.
    async fn list(&self, pk: &str) -> Result<Vec<Item>, Error>;

    /// Deletes an item, if it is there.
    async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error>;

    /// Makes all writes or none; whether they were made.
    async fn write_all(&self, writes: Vec<Write>) -> Result<bool, Error>;

    /// What was delivered, or is being delivered, in a partition.
    async fn history(&self, pk: &str) -> Result<Vec<Delivery>, Error>;

    /// Asks for the right to do something that must be done once.
    ///
    /// The same holder is given it again, so a message that is delivered again
    /// after a crash goes on at once. The item holds `values`, and expires
    /// after `keep` unless somebody asks in the last third of that time.
    async fn lease(
        &self,
        pk: &str,
        sk: &str,
        holder: &str,
        now: Timestamp,
        keep: Duration,
        values: Values,
    ) -> Result<Lease, Error>;

    /// Marks what was leased as done; whether the lease was still the holder's.
    async fn done(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error>;

    /// Gives a lease back that came to nothing; whether it was still the holder's.
    async fn release(&self, pk: &str, sk: &str, holder: &str) -> Result<bool, Error>;
}

/// The parameter with the policy, and the label on the version in force.
pub trait PolicyStore: Clock {
    /// Where a policy has to work.
    fn place(&self) -> &Place;

    /// What carries the label `in-force`, and has not ended.
    async fn labelled(&self) -> Result<Labelled, Error>;

    /// The newest version; none if there is no such parameter.
    async fn newest(&self) -> Result<Option<Version>, Error>;

    /// Moves the label to a version.
    async fn put_in_force(&self, version: i64) -> Result<(), Error>;

    /// The newest versions of the documents of these teams, of those that there are.
    async fn newest_of_teams(&self, teams: &[String]) -> Result<TeamVersions, Error>;

    /// Moves the label of a team's document to a version.
    async fn put_team_in_force(&self, team: &str, version: i64) -> Result<(), Error>;

    /// The name of a team's parameter.
    fn parameter_of(&self, team: &str) -> String;

    /// The ARN of who wrote a version of a parameter, if SSM still knows.
    async fn written_by(&self, parameter: &str, version: i64) -> Result<Option<String>, Error>;
}

/// Where a notification is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address<'a> {
    /// The topic of the hub with this ARN, for people.
    HubTopic(&'a str),
    /// The bus `pipeshare` of a consumer account, for machines.
    ConsumerBus(&'a AccountId),
    /// The topic `pipeshare` of a consumer account, for people.
    ConsumerTopic(&'a AccountId),
}

/// Topics and buses.
pub trait Publish {
    /// Publishes a notification, however often it was published before.
    async fn publish(&self, address: Address<'_>, notification: &Notification)
    -> Result<(), Error>;
}

/// The attribute of a message that says how often it was requeued.
///
/// The queue's own count of receptions is that of the first message's failures,
/// which lead to the dead-letter queue; waiting is no failure.
pub const ATTEMPTS: &str = "pipeshare-attempts";

/// A message for a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What is sent.
    pub body: String,
    /// When it is delivered; 15 minutes at most.
    pub delay: Duration,
}

/// The queues of the hub.
pub trait Queue {
    /// Sends a message that is delivered after a delay of at most 15 minutes,
    /// and says how often it was sent before.
    async fn send(
        &self,
        queue_url: &str,
        body: &str,
        delay: Duration,
        attempts: u32,
    ) -> Result<(), Error>;

    /// Sends messages, several in a call. After a failure some of them may have been sent.
    async fn send_all(&self, queue_url: &str, messages: Vec<Message>) -> Result<(), Error>;
}

/// The time at AWS.
pub trait Clock {
    /// The date of AWS's last answer; none before the first.
    fn time(&self) -> Option<Timestamp>;
}

/// What the edge towards Lambda has to say to the clients of AWS.
pub trait Host: Queue {
    /// The name of the function.
    fn function(&self) -> &str;

    /// An invocation begins: a session that AWS refuses from now on, although
    /// it was made since, is refused for good.
    fn begin_invocation(&self);
}

/// What every function works with: the policy, the table and the ways to notify.
pub trait Hub: Table + PolicyStore + Publish {}

impl<T: Table + PolicyStore + Publish> Hub for T {}
