//! Runs a pipeline that was deployed, lets it be shared, and waits until it is.
//!
//! ```text
//! job ──▶ how far it is ──▶ observe, next step, execute ──▶ answer: done, failed, or go on
//! ```
//!
//! No invocation waits for anything. What takes time is answered with a token,
//! with which `CodePipeline` invokes the function again; how far it is stands in
//! the table, since a token is only what somebody hands over.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod config;
mod event;
mod execute;
mod memory;
mod observe;
mod report;
mod runs;

use std::time::Duration;

use aws::{Aws, Error, Hub, codepipeline::Heard};
use domain::hook::{Failure, FailureKind, Mistakes, Request, Token};
use runtime::ports::PolicyStore as _;
use runtime::{
    lambda::{self, Answer, Invocation},
    metrics::{Metric, Metrics},
};
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
    hub: &'a Hub<'a>,
}

impl lambda::Handler for CodePipelineHook<'_> {
    async fn serve(&self, payload: Value, invocation: &Invocation, metrics: &Metrics) -> Answer {
        let answer = self.answer_to(&payload, invocation, metrics).await;
        // Lambda counts every error; this is the part that nobody has to mend here.
        let refused = answer.result.as_ref().is_err_and(report::is_the_callers);
        metrics.count(Metric::RequestsRefused, u64::from(refused));
        answer
    }
}

impl<'a> CodePipelineHook<'a> {
    /// The function in its environment.
    #[must_use]
    pub fn new(aws: &'a Aws, hub: &'a Hub<'a>, config: Config) -> Self {
        Self { aws, config, hub }
    }

    async fn answer_to(
        &self,
        payload: &Value,
        invocation: &Invocation,
        metrics: &Metrics,
    ) -> Answer {
        let mut event = match event::read(payload, &invocation.request_id) {
            Ok(event) => event,
            Err(error) => return report::unanswerable(error),
        };
        if let Caller::Job(id) = &event.caller {
            match self.aws.codepipeline().job(id).await {
                Ok(Some(job)) => event = Event::known(id, job),
                // Nobody waits for an answer, so what the payload asks for harms nobody.
                Ok(None) => {}
                Err(error) => return report::unknown_job(&error),
            }
        }
        let Event {
            caller,
            request,
            token,
        } = event;
        let time = invocation.time_left.saturating_sub(HEADROOM);
        let report = match (request, token) {
            (Ok(request), Ok(token)) => self.work(&request, token, time).await,
            (Ok(_), Err(failure)) => Report::refused(failure),
            (Err(mistakes), _) => Report::refused(self.explain(mistakes, time).await),
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

    /// Everything that is wrong with a request, also what only the policy can tell.
    async fn explain(&self, mistakes: Mistakes, time: Duration) -> Failure {
        let reading = timeout(time, self.hub.labelled()).await;
        match reading {
            Ok(Ok(labelled)) => {
                let in_force = labelled.policy();
                let policy = in_force.as_ref().map(|in_force| &in_force.policy);
                mistakes.and_of_place(policy, self.aws.region()).into()
            }
            // What is known is told all the same.
            _ => mistakes.into(),
        }
    }

    /// Goes on with the work for as long as the invocation lasts and nothing has to be waited for.
    async fn work(&self, request: &Request, token: Token, time: Duration) -> Report {
        let mut report = Report::new(token);
        let outcome = match timeout(time, self.advance(request, &mut report)).await {
            Ok(Ok(outcome)) => {
                report.token.failures = 0;
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
    report.token.failures = report.token.failures.saturating_add(1);
    if report.token.failures < MOST_FAILURES {
        return Outcome::Waiting(format!("trying again: {why}"));
    }
    let message = format!("after {MOST_FAILURES} tries: {why}");
    Outcome::Failed(Failure::new(FailureKind::SystemUnavailable, message))
}
