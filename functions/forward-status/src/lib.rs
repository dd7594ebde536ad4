//! Tells the people who wait for it how executions go.
//!
//! ```text
//! hints ──▶ changes ──▶ who wants to know ──▶ who may ──▶ what they know ──▶ details ──▶ tell
//! sweep ──▶ executions changed lately ──▶ changes
//! ```
//!
//! Each destination is told each change once, however often and in whatever
//! order the events come; and what no event told, the sweep does.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod ceilings;
mod config;
mod report;
mod sweep;
mod tell;

use aws::{Aws, Hub};
use domain::{
    hint::{self, Action, ExecutionChange, Hint, Ignored, Kind},
    id::{AccountId, ExecutionArn, PipelineArn},
    notification::{Change, Seen},
    policy::Policy,
    time::after,
};
use jiff::{SignedDuration, Timestamp};
use runtime::{
    lambda::{self, Deadline, Outcome, Record, Reply},
    metrics::{Metric, Metrics},
    notifier::Notices,
    reconcile::policy_in_force,
};

use ceilings::Ceilings;
pub use config::Config;
use report::Report;

/// How far the clocks of SageMaker and SQS may be apart (ASSUMED: they are not).
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What the function works with.
#[derive(Debug)]
pub struct ForwardStatus<'a> {
    aws: &'a Aws,
    hub: &'a Hub<'a>,
    notices: Notices<'a, Hub<'a>>,
    ceilings: Ceilings,
}

/// A change of one execution.
#[derive(Debug, Clone)]
struct ExecutionNews {
    execution: ExecutionArn,
    pipeline: PipelineArn,
    change: Change,
    display_name: Option<String>,
    started: Option<Timestamp>,
}

/// What a record of the batch asks for.
#[derive(Debug)]
enum Task {
    Tell(Box<ExecutionNews>),
    /// All owners that rules name, or one of them.
    Sweep(Option<AccountId>),
    Nothing(&'static str),
}

impl lambda::Function for ForwardStatus<'_> {
    async fn handle(&self, batch: &[Record], deadline: Deadline, metrics: &Metrics) -> Reply {
        let mut report = Report::default();
        let outcomes = self.serve(batch, deadline, &mut report).await;
        report.count(metrics);
        metrics.count(Metric::HubFailed, self.notices.take_refused_by_hub());
        report.reply(outcomes)
    }
}

impl<'a> ForwardStatus<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, hub: &'a Hub<'a>, config: &Config) -> Self {
        Self {
            hub,
            notices: Notices::new(hub, &config.topic),
            ceilings: Ceilings::default(),
            aws,
        }
    }

    /// Serves a batch of hints.
    async fn serve(
        &self,
        batch: &[Record],
        deadline: Deadline,
        report: &mut Report,
    ) -> Vec<Outcome> {
        self.ceilings.forget();
        let policy = match policy_in_force(self.hub).await {
            Ok(policy) => policy,
            Err(stopped) => {
                report.stop(&stopped);
                return stopped.outcomes(batch);
            }
        };
        report.policy_version = Some(policy.version);
        let mut outcomes = Vec::new();
        for record in batch {
            if deadline.is_over() {
                outcomes.push(Outcome::NotReached);
                continue;
            }
            let serving = self.serve_one(&policy.policy, record, deadline, report);
            outcomes.push(Box::pin(serving).await);
        }
        outcomes
    }

    /// Serves one record.
    async fn serve_one(
        &self,
        policy: &Policy,
        record: &Record,
        deadline: Deadline,
        report: &mut Report,
    ) -> Outcome {
        let teller = record.teller();
        match read(record, policy, teller.now) {
            Err(ignored) => report.ignore(&ignored),
            Ok(Task::Nothing(why)) => report.skip(why),
            Ok(Task::Tell(news)) => {
                let told = self.tell(policy, teller, &news).await;
                return report.push(told);
            }
            Ok(Task::Sweep(owner)) => {
                return Box::pin(self.sweep(policy, teller, owner, deadline, report)).await;
            }
        }
        Outcome::Done
    }
}

/// What a record of the batch asks for.
fn read(record: &Record, policy: &Policy, now: Timestamp) -> Result<Task, Ignored> {
    let Hint { kind, replay, time } = hint::parse(&record.body)?;
    Ok(match kind {
        // A replay brings back what happened long ago; state is read again, people are not told again.
        Kind::Execution(_) if replay => Task::Nothing("a replayed event is not told again"),
        Kind::Execution(change) => {
            let news = news(change, time.unwrap_or(now));
            // It would pass for later than everything that happens from now on.
            let sent = record.sent.unwrap_or(Timestamp::MAX);
            if news.change.at > after(sent, SKEW) {
                return Ok(Task::Nothing("the event is of a time that has not come"));
            }
            Task::Tell(Box::new(news))
        }
        Kind::Sweep => Task::Sweep(None),
        Kind::Command(command) => match command.action {
            _ if command.dry_run => Task::Nothing("a dry run tells nothing"),
            Action::Sweep => {
                let named = command.account.as_ref();
                let named = named.map(|account| hint::account_of(account, policy));
                Task::Sweep(named.transpose()?)
            }
            action => return Err(action.not_for_this_function()),
        },
        Kind::Step(_) => Task::Nothing("failed steps are told with their execution"),
        Kind::Pipeline(_) | Kind::Policy(_) | Kind::Share(_) | Kind::Offer(_) => {
            Task::Nothing("the hint is not about an execution")
        }
    })
}

/// The change that an event reports. An end is known by its own time, anything else by the event's.
fn news(event: ExecutionChange, time: Timestamp) -> ExecutionNews {
    let at = match event.ended {
        Some(ended) if event.status.is_terminal() => ended,
        _ => time,
    };
    ExecutionNews {
        execution: event.execution,
        pipeline: event.pipeline,
        change: Change {
            status: event.status,
            previous: event.previous,
            at,
            seen: Seen::ByEvent,
        },
        display_name: event.display_name,
        started: event.started,
    }
}
