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

mod attempt;
mod config;
mod event;
mod memory;
mod ports;
mod report;

use std::time::Duration;

use aws::{Class, Error};
use domain::hook::{FailedCall, Failure, InvocationError, Request, State, Token, ValidationErrors};
use runtime::{
    lambda::{Answer, Handler, Invocation},
    metrics::{Metric, Metrics},
    ports::{Clock, PolicyStore, Queue, Table},
};
use serde_json::Value;
use tokio::time::timeout;

use attempt::Attempt;
pub use config::Config;
use event::{Caller, Event};
use ports::{Access, Jobs, Runs, SharePipeline};
use report::{End, Report};

/// What is kept of an invocation's time for the answer: what its call may take at most, and a bit.
const HEADROOM: Duration = Duration::from_secs(35);

/// What the function works with: the accounts, and the hub.
#[derive(Debug)]
pub struct CodePipelineHook<'a, A, H> {
    accounts: &'a A,
    hub: &'a H,
    config: Config,
}

impl<A, H> Handler for CodePipelineHook<'_, A, H>
where
    A: Access + Jobs + Runs,
    H: Clock + PolicyStore + Queue + Table,
{
    async fn serve(&self, payload: Value, invocation: &Invocation, metrics: &Metrics) -> Answer {
        let end = self.end_of(&payload, invocation, metrics).await;
        // Lambda counts every error; this is the part that nobody has to fix here.
        let is_the_callers = |error: &InvocationError| error.kind.is_the_callers();
        let refused = end.result.as_ref().is_err_and(is_the_callers);
        metrics.count(Metric::RequestsRefused, u64::from(refused));
        end.into()
    }
}

impl<'a, A, H> CodePipelineHook<'a, A, H>
where
    A: Access + Jobs + Runs,
    H: Clock + PolicyStore + Queue + Table,
{
    /// The function in its environment.
    #[must_use]
    pub fn new(accounts: &'a A, hub: &'a H, config: Config) -> Self {
        Self {
            accounts,
            hub,
            config,
        }
    }

    async fn end_of(&self, payload: &Value, invocation: &Invocation, metrics: &Metrics) -> End {
        let mut event = match event::read(payload, &invocation.request_id) {
            Ok(event) => event,
            Err(error) => return report::unanswerable(error),
        };
        if let Caller::Job(id) = &event.caller {
            match self.accounts.job(id).await {
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
            (Ok(request), Ok(token)) => self.work(request, token, time).await,
            (Ok(_), Err(failure)) => Report::refused(failure),
            (Err(mistakes), _) => Report::refused(self.explain(mistakes, time).await),
        };
        report.count(metrics);
        match caller {
            Caller::Job(job) => {
                let answered = report.answer(self.accounts, &job).await;
                report.after_answering(answered)
            }
            Caller::Direct => report.returned(),
        }
    }

    /// Everything that is wrong with a request, also what only the policy can tell.
    async fn explain(&self, mistakes: ValidationErrors, time: Duration) -> Failure {
        match timeout(time, self.hub.labelled()).await {
            Ok(Ok(labelled)) => {
                let in_force = labelled.policy();
                let policy = in_force.as_ref().map(|in_force| &in_force.policy);
                let region = &self.hub.place().region;
                mistakes.and_of_place(policy, region).into()
            }
            // What is known is reported all the same.
            _ => mistakes.into(),
        }
    }

    /// Goes on with the work for as long as the invocation lasts and nothing has to be waited for.
    async fn work(&self, request: Request, token: Token, time: Duration) -> Report {
        let mut state = State::new(request, token);
        let mut attempt = Attempt {
            accounts: self.accounts,
            hub: self.hub,
            share_pipeline: SharePipeline {
                hub: self.hub,
                queue_url: &self.config.share_queue,
            },
            state: &mut state,
        };
        let advanced = timeout(time, attempt.advance()).await;
        let outcome = match advanced {
            Ok(Ok(outcome)) => {
                state.ended();
                outcome
            }
            Ok(Err(error)) => state.failed(failed_call(&error, &error.to_string())),
            Err(_) => state.unserved("AWS did not answer in time"),
        };
        Report::new(outcome, state)
    }
}

/// What the state has to know of a call that failed.
fn failed_call<'a>(error: &'a Error, message: &'a str) -> FailedCall<'a> {
    FailedCall {
        may_pass: error.class() != Class::Permanent,
        is_denied: error.is_access_denied(),
        code: error.code(),
        message,
    }
}

#[cfg(test)]
mod tests;
