//! The edge towards the Lambda runtime, the same for every function.
//!
//! A function is given a batch of records and says of each what became of it;
//! what SQS and Lambda have to be answered follows from that, here.
//!
//! ```no_run
//! use runtime::{lambda::{self, Deadline, Function, RecordOutcome, Record, Reply}, metrics::Metrics, ports::Host};
//!
//! struct Example;
//!
//! impl Function for Example {
//!     async fn handle(&self, batch: &[Record], _deadline: Deadline, _metrics: &Metrics) -> Reply {
//!         Reply {
//!             outcomes: batch.iter().map(|_| RecordOutcome::Done).collect(),
//!             summary: serde_json::json!({ "records": batch.len() }),
//!         }
//!     }
//! }
//!
//! async fn run(host: impl Host) -> Result<(), lambda::StartError> {
//!     runtime::log::init("example");
//!     lambda::serve(&host, None, Example).await
//! }
//! ```

mod deadline;
mod record;
mod single;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    panic::AssertUnwindSafe,
    slice,
    time::Duration,
};

use futures::future::{FutureExt, LocalBoxFuture, join_all};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};

pub use deadline::{Deadline, share_of};
use record::Event;
pub use record::Record;
pub use single::{Answer, Failed, Handler, Invocation, serve_each};

use crate::{
    Class, Error, clock,
    config::QUEUE_URL,
    log,
    metrics::{Metric, Metrics},
    ports::{Host, Message},
};

/// Why a function does not start.
pub type StartError = lambda_runtime::Error;

/// How often a record is requeued before it is left to the schedule. Each time
/// waits twice as long as the one before, so this is about as long as the schedule takes to come.
pub const MAX_ATTEMPTS: u32 = 8;

/// The longest delay that SQS knows.
const MAX_DELAY: Duration = Duration::from_mins(15);

/// When to look again, if the error that says *not yet* does not know better.
const REQUEUE_AFTER: Duration = Duration::from_mins(1);

/// When a record has its turn that was not reached, at the earliest.
const NEXT_TURN: Duration = Duration::from_secs(5);

/// What became of one record.
#[derive(Debug, Clone)]
pub enum RecordOutcome {
    /// It was served, or there is nothing to do.
    Done,
    /// It was served, and these commands follow it; many records may ask for
    /// the same one, which then follows once.
    Followed {
        /// When they are due; 15 minutes at most.
        after: Duration,
        /// The commands, as text.
        by: Vec<String>,
        /// Commands that go on where the time ended: they are due at once, and no
        /// further attempt at the same.
        next: Vec<String>,
    },
    /// It could not be served; whether it is tried again is for its class to say.
    Failed(Error),
    /// Its turn did not come in time; another invocation serves it.
    NotReached,
    /// It is about more than one invocation should serve: these commands take
    /// its place, spread evenly over a time.
    Spread {
        /// When the last of them is due; 15 minutes at most.
        over: Duration,
        /// The commands, as text.
        commands: Vec<String>,
    },
}

impl RecordOutcome {
    /// Done, but for these commands, if there are any.
    #[must_use]
    pub fn followed(after: Duration, by: Vec<String>) -> Self {
        if by.is_empty() {
            Self::Done
        } else {
            let next = Vec::new();
            Self::Followed { after, by, next }
        }
    }
}

/// What a function has to say about a batch.
#[derive(Debug, Clone)]
pub struct Reply {
    /// What became of each record, in the order of the batch.
    pub outcomes: Vec<RecordOutcome>,
    /// What was found and done; logged, and the result of a direct invocation.
    pub summary: Value,
}

/// The same outcome for each record of a batch.
#[must_use]
pub fn each(batch: &[Record], outcome: &RecordOutcome) -> Vec<RecordOutcome> {
    batch.iter().map(|_| outcome.clone()).collect()
}

/// What one Lambda function does.
pub trait Function {
    /// Serves a batch of triggers, or the one command of a direct invocation.
    ///
    /// What is not done by the deadline should be said to follow.
    fn handle(
        &self,
        batch: &[Record],
        deadline: Deadline,
        metrics: &Metrics,
    ) -> impl Future<Output = Reply>;
}

/// Runs a function until Lambda ends the process.
///
/// What is not ready yet is requeued at `queue_url`, the function's own queue;
/// without one, SQS delivers it again.
pub async fn serve(
    host: &impl Host,
    queue_url: Option<String>,
    function: impl Function,
) -> Result<(), StartError> {
    let edge = Edge::new(function, host, queue_url);
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| edge.invoke(event))).await
}

/// A function behind its edge: [`serve`] runs it until Lambda ends the process,
/// and a simulation of Lambda hands it one invocation after the other.
pub struct Edge<'a, F, H> {
    function: F,
    host: &'a H,
    queue_url: Option<String>,
}

impl<'h, F: Function, H: Host> Edge<'h, F, H> {
    /// The function, which requeues at `queue_url`.
    pub fn new(function: F, host: &'h H, queue_url: Option<String>) -> Self {
        Self {
            function,
            host,
            queue_url,
        }
    }

    /// Serves one invocation and writes its metrics, whatever came of it.
    async fn invoke(&self, event: LambdaEvent<Value>) -> Result<Value, Diagnostic> {
        let LambdaEvent { payload, context } = event;
        let metrics = Metrics::default();
        let time_left = clock::time_until(context.deadline());
        let request_id = &context.request_id;
        let answer = self.serve(payload, request_id, time_left, &metrics).await;
        write(&metrics, self.host.function());
        answer
    }

    /// Serves one invocation, which may take this long, and counts what it did.
    pub async fn serve(
        &self,
        payload: Value,
        request_id: &str,
        time_left: Duration,
        metrics: &Metrics,
    ) -> Result<Value, Diagnostic> {
        self.host.begin_invocation();
        let deadline = Deadline::of_invocation(time_left);
        self.answer(payload, request_id, deadline, metrics).await
    }

    async fn answer(
        &self,
        payload: Value,
        request_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Result<Value, Diagnostic> {
        match Event::from(payload) {
            Event::Batch(batch) => {
                let failed = self
                    .serve_batch(&batch, request_id, deadline, metrics)
                    .await;
                Ok(batch_response(&failed))
            }
            Event::Direct(record) => {
                let reply = self.handle(&[record], deadline, metrics).await;
                log_summary(request_id, 1, &reply.summary);
                direct_response(reply)
            }
        }
    }

    /// Serves a batch; the answer is the records to deliver again.
    ///
    /// Should a record make the function panic, the others are served all the
    /// same: the batch is gone through once more, record by record, and only
    /// what panics for itself is delivered again until it is a dead letter.
    async fn serve_batch<'a>(
        &self,
        batch: &'a [Record],
        request_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Vec<&'a Record> {
        let together = self.serve_together(batch, request_id, deadline, metrics);
        if batch.len() < 2 {
            return together.await;
        }
        if let Ok(failed) = AssertUnwindSafe(together).catch_unwind().await {
            return failed;
        }
        let mut failed = Vec::new();
        for record in batch {
            let alone = self.serve_together(slice::from_ref(record), request_id, deadline, metrics);
            match AssertUnwindSafe(alone).catch_unwind().await {
                Ok(unserved) => failed.extend(unserved),
                Err(_) => failed.push(record),
            }
        }
        failed
    }

    async fn serve_together<'a>(
        &self,
        batch: &'a [Record],
        request_id: &str,
        deadline: Deadline,
        metrics: &Metrics,
    ) -> Vec<&'a Record> {
        let reply = self.handle(batch, deadline, metrics).await;
        log_summary(request_id, batch.len(), &reply.summary);
        self.settle(batch, reply.outcomes, metrics).await
    }

    /// Boxed, since what all calls to AWS in one function add up to is a
    /// future too deep for the compiler.
    fn handle<'a>(
        &'a self,
        batch: &'a [Record],
        deadline: Deadline,
        metrics: &'a Metrics,
    ) -> LocalBoxFuture<'a, Reply> {
        self.function.handle(batch, deadline, metrics).boxed_local()
    }

    /// Does what the outcomes ask for; the answer is the records to deliver again.
    async fn settle<'a>(
        &self,
        batch: &'a [Record],
        outcomes: Vec<RecordOutcome>,
        metrics: &Metrics,
    ) -> Vec<&'a Record> {
        let unsent = self.follow_up(batch, &outcomes, metrics).await;
        let mut outcomes = outcomes.into_iter();
        let settling = batch.iter().map(|record| {
            let outcome = outcomes.next();
            let unsent = &unsent;
            async move {
                let settled = match outcome {
                    Some(RecordOutcome::Followed { by, next, .. }) => {
                        !by.iter().chain(&next).any(|c| unsent.contains(c))
                    }
                    outcome => self.settle_one(record, outcome, metrics).await,
                };
                (!settled).then_some(record)
            }
        });
        join_all(settling).await.into_iter().flatten().collect()
    }

    /// Sends each command that follows a record of the batch once; returns those that were not sent.
    async fn follow_up(
        &self,
        batch: &[Record],
        outcomes: &[RecordOutcome],
        metrics: &Metrics,
    ) -> Vec<String> {
        let mut commands: BTreeMap<&String, (u32, Duration)> = BTreeMap::new();
        let mut going_on: BTreeSet<&String> = BTreeSet::new();
        for (record, outcome) in batch.iter().zip(outcomes) {
            let RecordOutcome::Followed { after, by, next } = outcome else {
                continue;
            };
            going_on.extend(next);
            for command in by {
                let earliest = commands.entry(command).or_insert((record.attempts, *after));
                *earliest = (*earliest).min((record.attempts, *after));
            }
        }
        let sending = commands
            .into_iter()
            .map(async |(command, (attempts, after))| {
                let record = Record {
                    id: None,
                    body: command.clone(),
                    attempts,
                    sent: None,
                    received: None,
                };
                let why = "something has not finished";
                let sent = self.requeue(&record, after, why, metrics).await;
                (!sent).then(|| command.clone())
            });
        let again = join_all(sending).await.into_iter().flatten();
        let next: Vec<_> = going_on.into_iter().cloned().collect();
        let sent = match batch {
            [record, ..] if !next.is_empty() => {
                self.spread(record, Duration::ZERO, next.clone()).await
            }
            _ => true,
        };
        again.chain(next.into_iter().filter(|_| !sent)).collect()
    }

    /// Whether SQS may forget the record.
    async fn settle_one(
        &self,
        record: &Record,
        outcome: Option<RecordOutcome>,
        metrics: &Metrics,
    ) -> bool {
        match outcome {
            Some(RecordOutcome::Done | RecordOutcome::Followed { .. }) => true,
            Some(RecordOutcome::Failed(error)) if error.class() == Class::Pending => {
                let why = error.to_string();
                self.requeue(record, REQUEUE_AFTER, &why, metrics).await
            }
            Some(RecordOutcome::Failed(error)) => give_up_or_retry(record, &error, metrics),
            Some(RecordOutcome::NotReached) => self.requeue_unreached(record, metrics).await,
            Some(RecordOutcome::Spread { over, commands }) => {
                self.spread(record, over, commands).await
            }
            None => {
                // Better served twice than never.
                tracing::error!(record.id, "the function said nothing about a record");
                false
            }
        }
    }

    /// Lets another invocation serve a record that was not reached.
    ///
    /// Nobody has tried it yet, so it is never abandoned: in the end it is left to SQS.
    async fn requeue_unreached(&self, record: &Record, metrics: &Metrics) -> bool {
        let why = "its turn did not come in time";
        if record.attempts < MAX_ATTEMPTS && self.requeue(record, NEXT_TURN, why, metrics).await {
            return true;
        }
        tracing::warn!(record.id, why, "record will be retried by SQS");
        metrics.count(Metric::RecordsRetried, 1);
        false
    }

    /// Sends the commands that take the place of a record.
    ///
    /// If not all of them were sent, the record is delivered again, and some
    /// are served twice.
    async fn spread(&self, record: &Record, over: Duration, commands: Vec<String>) -> bool {
        let Some(queue_url) = &self.queue_url else {
            tracing::warn!(record.id, "record not spread: {QUEUE_URL} is not set");
            return false;
        };
        let count = commands.len();
        match self.host.send_all(queue_url, spread(over, commands)).await {
            Ok(()) => {
                tracing::info!(record.id, count, "record spread over as many commands");
                true
            }
            Err(error) => {
                tracing::warn!(record.id, count, %error, "record not spread");
                false
            }
        }
    }

    /// Sends the record to its queue once more, to be served later.
    async fn requeue(
        &self,
        record: &Record,
        after: Duration,
        why: &str,
        metrics: &Metrics,
    ) -> bool {
        if record.attempts >= MAX_ATTEMPTS {
            tracing::warn!(
                record.id,
                why,
                "record abandoned after {MAX_ATTEMPTS} attempts"
            );
            metrics.count(Metric::RecordsAbandoned, 1);
            return true;
        }
        let Some(queue_url) = &self.queue_url else {
            tracing::warn!(
                record.id,
                why,
                "record not requeued: {QUEUE_URL} is not set"
            );
            return false;
        };
        let attempts = record.attempts.saturating_add(1);
        let after = after.saturating_mul(1 << record.attempts).min(MAX_DELAY);
        let sent = self.host.send(queue_url, &record.body, after, attempts);
        match sent.await {
            Ok(()) => {
                tracing::info!(record.id, why, attempts, "record requeued");
                metrics.count(Metric::RecordsRequeued, 1);
                true
            }
            Err(error) => {
                tracing::warn!(record.id, why, %error, "record not requeued");
                false
            }
        }
    }
}

/// The commands as messages, each due a little later than the one before.
fn spread(over: Duration, commands: Vec<String>) -> Vec<Message> {
    let gaps = u32::try_from(commands.len().saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    let gap = over.checked_div(gaps).unwrap_or_default();
    let commands = commands.into_iter().zip(0_u32..);
    let message = |(body, number)| Message {
        body,
        delay: gap.saturating_mul(number),
    };
    commands.map(message).collect()
}

/// Writes what an invocation has counted.
fn write(metrics: &Metrics, function: &str) {
    if let Err(reason) = metrics.flush(function, &mut io::stdout().lock()) {
        tracing::warn!(%reason, "metrics were not written");
    }
}

fn log_summary(request_id: &str, records: usize, summary: &Value) {
    let out = &mut io::stdout().lock();
    if let Err(reason) = log::log_summary(request_id, records, summary, out) {
        tracing::warn!(%reason, "the summary was not written");
    }
}

/// Whether SQS may forget a record that failed: trying again does not help
/// against what only a person can change.
fn give_up_or_retry(record: &Record, error: &Error, metrics: &Metrics) -> bool {
    if error.class() == Class::Permanent {
        tracing::error!(record.id, %error, "record failed permanently");
        metrics.count(Metric::RecordsFailed, 1);
        metrics.count(Metric::HubFailed, u64::from(error.is_of_hub()));
        true
    } else {
        tracing::warn!(record.id, %error, "record will be retried by SQS");
        metrics.count(Metric::RecordsRetried, 1);
        false
    }
}

/// The answer that has SQS deliver these records again, and no others.
fn batch_response(failed: &[&Record]) -> Value {
    // A record without an id gets an empty identifier, for which Lambda fails
    // the whole batch: again, better served twice than never.
    let item = |record: &&Record| json!({ "itemIdentifier": record.id.as_deref().unwrap_or("") });
    let failures: Vec<_> = failed.iter().map(item).collect();
    json!({ "batchItemFailures": failures })
}

/// The answer to whoever invoked the function directly: the summary, also if
/// something has not finished yet, since the scheduled reconciliation goes on with it.
fn direct_response(reply: Reply) -> Result<Value, Diagnostic> {
    let failure = reply
        .outcomes
        .into_iter()
        .find_map(|outcome| match outcome {
            RecordOutcome::Failed(error) => Some(error),
            RecordOutcome::Done
            | RecordOutcome::Followed { .. }
            | RecordOutcome::NotReached
            | RecordOutcome::Spread { .. } => None,
        });
    failure.map_or(Ok(reply.summary), |error| Err(diagnostic(&error)))
}

/// The error of an invocation, for machines by its class and for people by its message.
fn diagnostic(error: &Error) -> Diagnostic {
    let error_type = match error.class() {
        Class::Transient => "Pipeshare.Transient",
        Class::Permanent => "Pipeshare.Permanent",
        Class::Pending => "Pipeshare.Pending",
    };
    Diagnostic {
        error_type: error_type.to_owned(),
        error_message: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
