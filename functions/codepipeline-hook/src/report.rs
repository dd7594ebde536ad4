//! What is said of an invocation: to CodePipeline, to the caller, in the log and in the metrics.

use aws::{
    Error,
    codepipeline::{JobAck, Success},
};
use domain::hook::{ErrorKind, Failure, InvocationError, JobOutcome, State};
use runtime::{
    lambda::{Answer, Failed},
    metrics::{Metric, Metrics},
};
use serde_json::{Map, Value, json};

use crate::{event::BadEvent, ports::Jobs};

/// The end of an invocation.
#[derive(Debug)]
pub(crate) struct End {
    /// The result, or why there is none.
    pub(crate) result: Result<Value, InvocationError>,
    summary: Value,
}

impl From<End> for Answer {
    fn from(End { result, summary }: End) -> Self {
        let failed = |error: InvocationError| Failed {
            kind: error.kind.as_str().to_owned(),
            message: error.message,
        };
        Self {
            result: result.map_err(failed),
            summary,
        }
    }
}

/// One invocation that somebody can be answered for.
#[derive(Debug)]
pub(crate) struct Report {
    outcome: JobOutcome,
    /// What the invocation knew at its end; none if it never began.
    state: Option<State>,
}

impl Report {
    /// Of work that came to this.
    pub(crate) fn new(outcome: JobOutcome, state: State) -> Self {
        Self {
            outcome,
            state: Some(state),
        }
    }

    /// Of work that never began.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self {
            outcome: JobOutcome::Failed(failure),
            state: None,
        }
    }

    /// Counts what came of it.
    pub(crate) fn count(&self, metrics: &Metrics) {
        match &self.outcome {
            JobOutcome::Waiting(_) => metrics.count(Metric::HooksWaiting, 1),
            JobOutcome::Succeeded => metrics.count(Metric::HooksSucceeded, 1),
            JobOutcome::Failed(_) => {
                let state = self.state.as_ref();
                let fails = state.is_some_and(|state| state.is_failed_account(&self.outcome));
                metrics.count(Metric::HooksFailed, 1);
                metrics.count(Metric::AccountFailed, u64::from(fails));
            }
        }
    }

    /// Answers a job of CodePipeline.
    pub(crate) async fn answer(&self, jobs: &impl Jobs, job: &str) -> Result<JobAck, Error> {
        let execution = self.execution();
        match &self.outcome {
            JobOutcome::Waiting(wait) => {
                let token = self.token();
                let summary = wait.to_string();
                jobs.go_on(job, &token, &summary, execution).await
            }
            JobOutcome::Succeeded => {
                // An action that refers to a variable that does not exist fails.
                let value = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
                let variables = self.variables();
                let success = Success {
                    summary: self.state.as_ref().map(State::success).unwrap_or_default(),
                    execution,
                    variables: variables
                        .map(|(name, known)| (name.to_owned(), value(known)))
                        .collect(),
                };
                jobs.succeed(job, &success).await
            }
            JobOutcome::Failed(failure) => jobs.fail(job, failure, execution).await,
        }
    }

    /// The end of an invocation, after CodePipeline was answered, or could not be.
    pub(crate) fn after_answering(&self, answered: Result<JobAck, Error>) -> End {
        match answered {
            Ok(JobAck::Yes) => self.end(Ok(())),
            Ok(JobAck::No) => self.end(self.outcome.for_nobody()),
            Err(error) => {
                tracing::error!("the job was not answered: {error}");
                // Lambda shall try again.
                self.end(Err(unanswered(&error)))
            }
        }
    }

    /// The end of an invocation whose caller waits for the result.
    pub(crate) fn returned(&self) -> End {
        let mut end = self.end(self.outcome.for_caller());
        if let (JobOutcome::Waiting(_), Ok(result)) = (&self.outcome, &mut end.result) {
            result["continuationToken"] = self.token().into();
        }
        end
    }

    fn end(&self, result: Result<(), InvocationError>) -> End {
        let summary = self.summary();
        End {
            result: result.map(|()| summary.clone()),
            summary,
        }
    }

    /// The result of an invocation, and the log line of every one.
    fn summary(&self) -> Value {
        let known = self
            .variables()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let mut summary: Map<String, Value> = known.collect();
        let mut insert = |name: &str, value: Value| summary.insert(name.to_owned(), value);
        insert("state", self.outcome.state().into());
        match &self.outcome {
            JobOutcome::Waiting(wait) => {
                insert("waitingFor", wait.to_string().into());
            }
            JobOutcome::Succeeded => {}
            JobOutcome::Failed(failure) => {
                insert("type", failure.kind.as_str().into());
                insert("reason", failure.message.clone().into());
            }
        }
        summary.into()
    }

    fn variables(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        self.state.iter().flat_map(State::variables)
    }

    fn execution(&self) -> Option<String> {
        let execution = self.state.as_ref()?.execution()?;
        Some(execution.to_string())
    }

    fn token(&self) -> String {
        let state = self.state.as_ref();
        state.map(|state| state.token().text()).unwrap_or_default()
    }
}

/// The end of an invocation that nobody can be answered for.
pub(crate) fn unanswerable(error: BadEvent) -> End {
    tracing::error!("{error}");
    let error = InvocationError {
        kind: ErrorKind::BadEvent,
        message: error.to_string(),
    };
    without_work(error, "refused")
}

/// The end of an invocation for a job that nothing could be learned about: Lambda shall try again.
pub(crate) fn unknown_job(error: &Error) -> End {
    tracing::error!("the job could not be looked up: {error}");
    without_work(unanswered(error), "unknown")
}

fn without_work(error: InvocationError, state: &str) -> End {
    End {
        result: Err(error),
        summary: json!({ "state": state }),
    }
}

fn unanswered(error: &Error) -> InvocationError {
    InvocationError {
        kind: ErrorKind::Unanswered,
        message: error.to_string(),
    }
}
