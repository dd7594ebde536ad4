//! What came of an invocation: the answer to CodePipeline, the result, the log line and the metrics.

use aws::{
    Class, Error,
    codepipeline::{Heard, Success},
};
use domain::{
    hook::{Access, Failure, FailureKind, Grant, Token, Wait},
    id::{ExecutionArn, PipelineArn},
};
use runtime::{
    lambda::{Answer, Failed},
    metrics::{Metric, Metrics},
};
use serde_json::{Map, Value, json};

use crate::{CodePipelineHook, event::BadEvent};

/// How long a variable of CodePipeline may get here; all of an action's may have 122,880 bytes.
const LONGEST_VARIABLE: usize = 50_000;

/// The kind of error of an invocation whose job got no answer.
const UNANSWERED: &str = "Unanswered";

/// What came of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It goes on later; this is what it waits for.
    Waiting(String),
    /// It is done.
    Succeeded,
    /// It will not be done.
    Failed(Failure),
}

impl Outcome {
    pub(crate) fn waiting(wait: Wait) -> Self {
        Self::Waiting(match wait {
            Wait::Run(execution, status) => format!("{execution} is {status}"),
            Wait::Access(lacking) => lacking,
        })
    }
}

/// One invocation, as far as anybody wants to know.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) token: Token,
    /// The run, if there is one.
    pub(crate) execution: Option<ExecutionArn>,
    /// Whether gates were opened and sharing was asked for.
    pub(crate) is_shared: bool,
    /// Whether the owner is an account that the policy does not know.
    pub(crate) is_stranger: bool,
    pub(crate) pipeline: Option<PipelineArn>,
    pub(crate) grants: Vec<Grant>,
}

impl Report {
    /// Work that has just begun.
    pub(crate) fn new(token: Token) -> Self {
        Self {
            outcome: Outcome::Waiting("begun".to_owned()),
            token,
            execution: None,
            is_shared: false,
            is_stranger: false,
            pipeline: None,
            grants: Vec::new(),
        }
    }

    /// Work that never began.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self {
            outcome: Outcome::Failed(failure),
            ..Self::new(Token::new(""))
        }
    }

    /// Counts what came of it.
    pub(crate) fn count(&self, metrics: &Metrics) {
        match &self.outcome {
            Outcome::Waiting(_) => metrics.count(Metric::HooksWaiting, 1),
            Outcome::Succeeded => metrics.count(Metric::HooksSucceeded, 1),
            Outcome::Failed(failure) => {
                // An account that nobody has named is a mistyped one, as far as anybody knows.
                let permission = failure.kind == FailureKind::PermissionError && !self.is_stranger;
                metrics.count(Metric::HooksFailed, 1);
                metrics.count(Metric::AccountFailed, u64::from(permission));
            }
        }
    }

    /// What people and later actions want to know of a success.
    fn variables(&self) -> [(&'static str, Option<String>); 4] {
        let shares = self.grants.iter().filter_map(|grant| grant.share.as_ref());
        let shares = joined(shares.map(ToString::to_string));
        let consumers = self.grants.iter().filter(|it| it.access == Access::Granted);
        let consumers = joined(consumers.map(|grant| grant.principal.as_str().to_owned()));
        let pipeline = self.pipeline.as_ref().map(ToString::to_string);
        [
            ("pipelineArn", pipeline),
            ("executionArn", self.execution()),
            ("shareArns", Some(shares).filter(|list| !list.is_empty())),
            ("consumers", Some(consumers).filter(|list| !list.is_empty())),
        ]
    }

    fn execution(&self) -> Option<String> {
        self.execution.as_ref().map(ToString::to_string)
    }

    fn state(&self) -> &'static str {
        match self.outcome {
            Outcome::Waiting(_) => "waiting",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed(_) => "failed",
        }
    }

    /// The result of a direct invocation, and the log line of every one.
    fn summary(&self) -> Value {
        let variables = self.variables().into_iter();
        let known = variables.filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let mut summary: Map<String, Value> = known.collect();
        summary.insert("state".to_owned(), self.state().into());
        match &self.outcome {
            Outcome::Waiting(what) => {
                summary.insert("waitingFor".to_owned(), what.clone().into());
            }
            Outcome::Succeeded => {}
            Outcome::Failed(failure) => {
                summary.insert("type".to_owned(), failure.kind.as_str().into());
                summary.insert("reason".to_owned(), failure.message.clone().into());
            }
        }
        summary.into()
    }

    /// The end of an invocation whose job was answered.
    pub(crate) fn answered(&self) -> Answer {
        Answer {
            result: Ok(self.summary()),
            summary: self.summary(),
        }
    }

    /// The end of one that nobody answers for: a condition of a stage may go by its result alone.
    ///
    /// Only a success is one; what takes time is an error until it is done.
    pub(crate) fn unheard(&self) -> Answer {
        let (kind, message) = match &self.outcome {
            Outcome::Succeeded => return self.answered(),
            Outcome::Waiting(what) => ("Waiting", what.clone()),
            Outcome::Failed(failure) => (failure.kind.as_str(), failure.message.clone()),
        };
        Answer {
            result: Err(Failed {
                kind: kind.to_owned(),
                message,
            }),
            summary: self.summary(),
        }
    }

    /// The end of one whose job was not: Lambda shall try again.
    pub(crate) fn unanswered(&self, error: &Error) -> Answer {
        tracing::error!("the job was not answered: {error}");
        Answer {
            result: Err(Failed {
                kind: UNANSWERED.to_owned(),
                message: error.to_string(),
            }),
            summary: self.summary(),
        }
    }

    /// The end of one whose caller waits for the result.
    pub(crate) fn returned(&self) -> Answer {
        let mut result = self.summary();
        let result = match &self.outcome {
            Outcome::Failed(failure) => Err(Failed {
                kind: failure.kind.as_str().to_owned(),
                message: failure.message.clone(),
            }),
            Outcome::Waiting(_) => {
                result["continuationToken"] = self.token.text().into();
                Ok(result)
            }
            Outcome::Succeeded => Ok(result),
        };
        Answer {
            result,
            summary: self.summary(),
        }
    }
}

impl CodePipelineHook<'_> {
    /// Answers a job of CodePipeline.
    pub(crate) async fn answer(&self, job: &str, report: &Report) -> Result<Heard, Error> {
        let codepipeline = self.aws.codepipeline();
        let execution = report.execution();
        match &report.outcome {
            Outcome::Waiting(what) => {
                let token = report.token.text();
                codepipeline.go_on(job, &token, what, execution).await
            }
            Outcome::Succeeded => {
                // An action that refers to a variable that does not exist fails.
                let value = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
                let variables = report.variables().into_iter();
                let success = Success {
                    summary: report.success(),
                    execution,
                    variables: variables
                        .map(|(name, known)| (name.to_owned(), value(known)))
                        .collect(),
                };
                codepipeline.succeed(job, &success).await
            }
            Outcome::Failed(failure) => codepipeline.fail(job, failure, execution).await,
        }
    }
}

impl Report {
    /// One line about a success, for people.
    fn success(&self) -> String {
        let ran = self.execution.is_some();
        let begin = if ran { "run succeeded" } else { "not run" };
        let end = match (self.is_shared, self.grants.len()) {
            (false, _) => "not shared".to_owned(),
            (true, all) => {
                let has = |grant: &&Grant| grant.access == Access::Granted;
                let granted = self.grants.iter().filter(has).count();
                format!("{granted} of {all} have access")
            }
        };
        format!("{begin}; {end}")
    }
}

/// The end of an invocation that nobody can be answered for.
pub(crate) fn unanswerable(error: BadEvent) -> Answer {
    tracing::error!("{error}");
    Answer {
        result: Err(Failed {
            kind: "BadEvent".to_owned(),
            message: error.to_string(),
        }),
        summary: json!({ "state": "refused" }),
    }
}

/// The end of an invocation for a job that nothing could be learned about: Lambda shall try again.
pub(crate) fn unknown_job(error: &Error) -> Answer {
    tracing::error!("the job could not be looked up: {error}");
    Answer {
        result: Err(Failed {
            kind: UNANSWERED.to_owned(),
            message: error.to_string(),
        }),
        summary: json!({ "state": "unknown" }),
    }
}

/// Whether an invocation failed for a reason that is its caller's, and not ours or AWS's.
///
/// What somebody mistyped, and a run that failed, is an error for whoever asked
/// for it, and no reason to call anybody else.
pub(crate) fn is_the_callers(failed: &Failed) -> bool {
    let ours = [FailureKind::SystemUnavailable.as_str(), UNANSWERED];
    !ours.contains(&failed.kind.as_str())
}

/// The failure that a failed call is, unless trying again may help.
pub(crate) fn failure(error: &Error) -> Option<Failure> {
    let kind = match error.class() {
        Class::Transient | Class::NotYet => return None,
        Class::Permanent if error.is_access_denied() => FailureKind::PermissionError,
        // The pipeline, or a parameter of it, is not what the request takes it for.
        Class::Permanent if error.is("ResourceNotFound") || error.is("ValidationException") => {
            FailureKind::ConfigurationError
        }
        Class::Permanent => FailureKind::JobFailed,
    };
    Some(Failure::new(kind, error.to_string()))
}

/// Distinct texts with commas between them, as many as fit into a variable.
fn joined(texts: impl Iterator<Item = String>) -> String {
    let texts: std::collections::BTreeSet<String> = texts.collect();
    let mut joined = String::new();
    for text in texts {
        if joined.len() + text.len() >= LONGEST_VARIABLE {
            break;
        }
        if !joined.is_empty() {
            joined.push(',');
        }
        joined += &text;
    }
    joined
}
