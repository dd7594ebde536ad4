//! Runs a pipeline that was deployed, lets it be shared, and waits until it is.
//!
//! ```text
//! job ──▶ how far it is ──▶ observe, next step, execute ──▶ answer: done, failed, or go on
//! ```
//!
//! No invocation waits for anything. What takes time is answered with a token,
//! with which `CodePipeline` invokes the function again.

mod config;
mod event;
mod execute;
mod memory;
mod observe;
mod report;

use std::time::Duration;

use aws::{
    Aws, Error,
    codepipeline::Heard,
    dynamodb::Table,
    lambda::{self, Answer, Invocation},
    telemetry::Metrics,
};
use domain::hook::{Failure, FailureKind, Progress, Request};
use serde_json::Value;
use tokio::time::timeout;

pub use config::Config;
use event::{Caller, Event};
use report::{Outcome, Report};

/// What is kept of an invocation's time for the answer: what its call may take at most, and a bit.
const HEADROOM: Duration = Duration::from_secs(35);

/// After so many invocations in a row that AWS could not serve, it is not waited for any more.
const MOST_FAILURES: u32 = 20;

/// What the function works with.
#[derive(Debug)]
pub struct CodePipelineHook<'a> {
    aws: &'a Aws,
    config: Config,
    table: Table,
}

impl lambda::Handler for CodePipelineHook<'_> {
    async fn serve(&self, payload: Value, invocation: &Invocation, metrics: &Metrics) -> Answer {
        let Event { caller, asked } = match event::read(&payload, &invocation.request_id) {
            Ok(event) => event,
            Err(error) => return report::unanswerable(error),
        };
        let report = match asked {
            Ok((request, progress)) => self.work(&request, progress, invocation).await,
            Err(failure) => Report::refused(failure),
        };
        report.count(metrics);
        match caller {
            Caller::Job(job) => match self.answer(&job, &report).await {
                Ok(Heard::Yes) => report.answered(),
                Ok(Heard::No) => report.unheard(),
                Err(error) => report.unanswered(&error),
            },
            Caller::Direct => report.returned(),
        }
    }
}

impl<'a> CodePipelineHook<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, config: Config) -> Self {
        Self {
            table: aws.table(&config.table),
            aws,
            config,
        }
    }

    /// Goes on with the work for as long as the invocation lasts and nothing has to be waited for.
    async fn work(&self, request: &Request, progress: Progress, invocation: &Invocation) -> Report {
        let mut report = Report::new(progress);
        let time = invocation.time_left.saturating_sub(HEADROOM);
        let outcome = match timeout(time, self.advance(request, &mut report)).await {
            Ok(Ok(outcome)) => {
                report.progress.failures = 0;
                outcome
            }
            Ok(Err(trouble)) => go_on_or_give_up(&trouble, &mut report),
            Err(_) => try_again("AWS did not answer in time", &mut report),
        };
        report.outcome = outcome;
        report
    }
}

/// What becomes of the work when a call failed.
fn go_on_or_give_up(error: &Error, report: &mut Report) -> Outcome {
    match report::failure(error) {
        Some(failure) => Outcome::Failed(failure),
        None => try_again(&error.to_string(), report),
    }
}

/// Another invocation may have more luck, but not for ever.
fn try_again(why: &str, report: &mut Report) -> Outcome {
    report.progress.failures += 1;
    if report.progress.failures < MOST_FAILURES {
        return Outcome::Waiting(format!("trying again: {why}"));
    }
    let message = format!("after {MOST_FAILURES} tries: {why}");
    Outcome::Failed(Failure::new(FailureKind::SystemUnavailable, message))
}
