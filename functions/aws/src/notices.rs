//! Tells everything once: to the hub's topic, and to the buses of consumers.

use std::time::Duration;

use domain::notification::{Notice, Told};
use jiff::Timestamp;

pub use crate::dynamodb::Lease;
use crate::{
    Aws, Error,
    dynamodb::{Table, Values},
    sns::Sns,
};

/// How long it is remembered that something was told. Events are repeated
/// within a day; an execution may be retried much later.
const KEEP: Duration = Duration::from_hours(24 * 90);

/// The topic, and the ledger of what was told to whom.
#[derive(Debug, Clone)]
pub struct Notices {
    table: Table,
    sns: Sns,
    topic: String,
}

/// On whose behalf something is told.
#[derive(Debug, Clone, Copy)]
pub struct Teller<'a> {
    /// The same for every delivery of one hint: after a crash, the hint's next
    /// delivery takes over at once what the dead run had begun.
    pub holder: &'a str,
    /// The time at AWS, as the hint tells it.
    pub now: Timestamp,
}

impl Notices {
    /// The ledger in `table`, and the topic with this ARN.
    #[must_use]
    pub fn new(aws: &Aws, table: &str, topic: &str) -> Self {
        Self {
            table: aws.table(table),
            sns: aws.sns(),
            topic: topic.to_owned(),
        }
    }

    /// Publishes a notice on the topic.
    pub async fn publish(&self, notice: &Notice) -> Result<(), Error> {
        self.sns
            .publish(&self.topic, &notice.subject, &notice.text)
            .await
    }

    /// Publishes a notice on the topic, unless that was done; whether it was done now.
    pub async fn publish_once(&self, teller: Teller<'_>, notice: &Notice) -> Result<bool, Error> {
        self.once(teller, "topic", &notice.id, async || {
            self.publish(notice).await
        })
        .await
    }

    /// Tells a destination something that has an id, unless that was done.
    ///
    /// A crash between telling and noting it doubles the message and never
    /// loses it: the hint is delivered again, and its holder may go on.
    pub async fn once(
        &self,
        teller: Teller<'_>,
        destination: &str,
        id: &str,
        tell: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let ledger = format!("told|{destination}");
        if self.lease(teller, &ledger, id, Values::new()).await? != Lease::Taken {
            return Ok(false);
        }
        tell().await?;
        self.done(teller, &ledger, id).await?;
        Ok(true)
    }

    /// Tells a destination of a change of an execution, unless that was done.
    pub async fn once_of_change(
        &self,
        teller: Teller<'_>,
        ledger: &str,
        key: &str,
        told: &Told,
        tell: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<Lease, Error> {
        let value = |name: &str, text: String| (name.to_owned(), text);
        let values = Values::from([
            value("status", told.status.to_string()),
            value("at", told.at.to_string()),
            value("seen", told.seen.as_str().to_owned()),
        ]);
        let lease = self.lease(teller, ledger, key, values).await?;
        if lease == Lease::Taken {
            tell().await?;
            self.done(teller, ledger, key).await?;
        }
        Ok(lease)
    }

    /// What a destination was told of an execution, or is being told by somebody else.
    pub async fn history(&self, teller: Teller<'_>, ledger: &str) -> Result<Vec<Told>, Error> {
        let notices = self.table.history(ledger).await?;
        let concerns = notices
            .into_iter()
            .filter(|notice| notice.done || notice.holder != teller.holder);
        let told = concerns.filter_map(|notice| {
            Some(Told {
                status: notice.values.get("status")?.as_str().into(),
                at: notice.values.get("at")?.parse().ok()?,
                seen: notice.values.get("seen")?.parse().ok()?,
            })
        });
        Ok(told.collect())
    }

    async fn lease(
        &self,
        teller: Teller<'_>,
        ledger: &str,
        key: &str,
        values: Values,
    ) -> Result<Lease, Error> {
        self.table
            .lease(ledger, key, teller.holder, teller.now, KEEP, values)
            .await
    }

    /// A lease that was lost meanwhile was taken over after it had expired; that run notes it too.
    async fn done(&self, teller: Teller<'_>, ledger: &str, key: &str) -> Result<(), Error> {
        self.table.done(ledger, key, teller.holder).await?;
        Ok(())
    }
}
