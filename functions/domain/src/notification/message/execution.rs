//! What is said of an execution.

use std::fmt::{self, Write};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Notification,
    about::Explained,
    next::{self, NextStep},
    notification,
    subject::{Part, subject},
};
use crate::{
    execution::{Details, Execution, ExecutionChange, Parameter},
    id::ExecutionArn,
    notification::{DeliveryRecord, EXECUTION_DETAIL_TYPE},
    policy::{Policy, RuleName},
    status::ExecutionStatus,
    text::{self, LONGEST, Untrusted, quoted},
};

/// How many failed steps are shown; of a broken image, all may have failed.
const MOST_STEPS: usize = 20;

/// The longest status: AWS's own have 21 characters.
const LONGEST_STATUS: usize = 30;

/// The longest value of a parameter that is shown, in characters.
const LONGEST_VALUE: usize = 200;

/// How many parameters are shown.
const MOST_PARAMETERS: usize = 20;

/// What is known of an execution besides the change itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What `SageMaker` says of it, if it does.
    pub details: Option<&'a Details>,
    /// What the destination was notified of about it.
    pub history: &'a [DeliveryRecord],
}

impl<'a> From<&'a Details> for Known<'a> {
    fn from(details: &'a Details) -> Self {
        Self {
            details: Some(details),
            history: &[],
        }
    }
}

/// Says that an execution took a status, with what is known of it.
#[must_use]
pub fn execution_notification(
    policy: &Policy,
    news: &ExecutionChange,
    known: Known<'_>,
    rules: &[RuleName],
) -> Notification {
    let execution = &news.execution;
    let name = policy.display_name(execution.arn.account());
    let pipeline = execution.pipeline.name();
    let status = text::name(execution.status.as_str(), LONGEST_STATUS);
    let subject = subject(&[
        Part::Name(pipeline),
        Part::Kept(" in "),
        Part::Name(name),
        Part::Kept(": "),
        Part::Kept(known_status(execution)),
    ]);
    let message = Message {
        news,
        details: known.details,
        why: news.explanation(known.details),
        retry_of: retry_of(news, known.history),
        account_name: name,
        status: &status,
        rules,
        steps: next::of_execution(policy, execution),
        explained: Explained::of(policy, rules),
    };
    let id = format!("{}|{status}|{}", execution.arn, news.at);
    notification(
        EXECUTION_DETAIL_TYPE,
        id,
        &subject,
        &message.text(),
        message.detail(),
    )
}

/// The end of the run that this one is a retry of, as far as it is known.
fn retry_of(news: &ExecutionChange, history: &[DeliveryRecord]) -> Option<RetryOf> {
    let ends = history.iter().filter(|told| told.status.is_terminal());
    let last = ends
        .filter(|told| told.at < news.at)
        .max_by_key(|told| told.at);
    let by_history = last.map(|told| RetryOf {
        status: told.status.clone(),
        at: Some(told.at),
    });
    let before = news.previous.as_ref().filter(|status| status.is_terminal());
    by_history.or_else(|| {
        let status = before?.clone();
        Some(RetryOf { status, at: None })
    })
}

/// How the run before ended.
#[derive(Debug, Serialize)]
struct RetryOf {
    status: ExecutionStatus,
    at: Option<Timestamp>,
}

/// What the message is made of.
struct Message<'a> {
    news: &'a ExecutionChange,
    details: Option<&'a Details>,
    /// The details, if they explain a failure.
    why: Option<&'a Details>,
    retry_of: Option<RetryOf>,
    account_name: &'a str,
    status: &'a str,
    rules: &'a [RuleName],
    steps: Vec<NextStep>,
    explained: Explained<'a>,
}

impl Message<'_> {
    fn detail(&self) -> Value {
        let Self { news, details, .. } = self;
        let execution = &news.execution;
        let steps = self.why.map_or(&[][..], |why| &why.failed_steps);
        let parameters = details.map_or(&[][..], |details| &details.parameters);
        json!({
            "status": self.status,
            "pipelineName": execution.pipeline.name(),
            "pipelineArn": execution.pipeline,
            "pipelineVersionId": details.and_then(|details| details.pipeline_version),
            "pipelineExecutionArn": execution.arn,
            "pipelineExecutionDisplayName": news.display_name(*details),
            "deployment": self.deployment().map(Untrusted::from),
            "retryOf": self.retry_of,
            "startedBy": details.and_then(|details| details.started_by.as_ref()),
            "stoppedBy": self.stopped_by(),
            "parameters": parameters.iter().take(MOST_PARAMETERS).collect::<Vec<_>>(),
            "parameterCount": parameters.len(),
            "accountId": execution.arn.account(),
            "accountName": self.account_name,
            "region": execution.arn.region(),
            "startTime": news.started(*details),
            "endTime": news.end(),
            "durationSeconds": news.duration(*details).map(|duration| duration.as_secs()),
            "failureReason": self.why.and_then(|why| why.failure_reason.as_ref()),
            "failedSteps": steps.iter().take(MOST_STEPS).collect::<Vec<_>>(),
            "failedStepCount": steps.len(),
            "consoleUrl": console_url(&execution.arn),
            "nextSteps": next::data(&self.steps),
            "rules": self.rules,
            "about": self.explained.data(),
        })
    }

    /// What happened, where and why; what can be done; and then all else that is known.
    fn text(&self) -> String {
        let execution = &self.news.execution;
        let mut text = format!(
            "Pipeline {} in {} ({}, {}): {}\n",
            execution.pipeline.name(),
            self.account_name,
            execution.arn.account(),
            execution.arn.region(),
            self.status
        );
        if let Some(why) = self.why {
            explain(why, &mut |label, value| {
                let _ = writeln!(text, "{label}: {value}");
            });
        } else if self.news.has_failed() {
            text.push_str(
                "The reason is not known: SageMaker tells of another state of this execution.\n",
            );
        }
        next::write(&mut text, &self.steps);
        self.write_facts(&mut text);
        self.explained.write(&mut text);
        text
    }

    fn write_facts(&self, text: &mut String) {
        for (label, value) in self.of_run().into_iter().chain(self.of_details()) {
            if let Some(value) = value {
                let _ = writeln!(text, "{label}: {value}");
            }
        }
        self.write_parameters(text);
        let execution = &self.news.execution;
        let rules: Vec<_> = self.rules.iter().map(RuleName::as_str).collect();
        let _ = writeln!(
            text,
            "Pipeline ARN: {}\nExecution ARN: {}\nBy rule: {}",
            execution.pipeline,
            execution.arn,
            rules.join(", ")
        );
        if let Some(url) = console_url(&execution.arn) {
            let _ = writeln!(text, "Console: {url}");
        }
    }

    /// Which run it is, and when it was.
    fn of_run(&self) -> [(&'static str, Option<String>); 6] {
        let Self { news, details, .. } = self;
        let name = news.display_name(*details);
        let duration = news.duration(*details);
        let deployment = self.deployment();
        [
            ("Deployment", deployment.map(|it| quoted(it, LONGEST))),
            ("Execution", name.map(ToString::to_string)),
            ("Retry of", self.retry_of.as_ref().map(ToString::to_string)),
            ("Started", news.started(*details).map(|it| it.to_string())),
            ("Ended", news.end().map(|it| it.to_string())),
            ("Duration", duration.map(|it| format!("{it:#}"))),
        ]
    }

    /// Who was at it, and what it ran.
    fn of_details(&self) -> [(&'static str, Option<String>); 3] {
        let started_by = self.details.and_then(|it| it.started_by.as_ref());
        let version = self.details.and_then(|it| it.pipeline_version);
        [
            ("Started by", started_by.map(ToString::to_string)),
            ("Stopped by", self.stopped_by().map(ToString::to_string)),
            ("Pipeline version", version.map(|it| it.to_string())),
        ]
    }

    fn write_parameters(&self, text: &mut String) {
        let parameters = self.details.map_or(&[][..], |details| &details.parameters);
        let short = |value: &Untrusted| quoted(value.raw(), LONGEST_VALUE);
        for Parameter {
            name,
            value,
            default,
        } in parameters.iter().take(MOST_PARAMETERS)
        {
            let default = default.as_ref();
            let default = default.map_or("none".to_owned(), short);
            let name = text::name(name.raw(), LONGEST);
            let _ = writeln!(
                text,
                "Parameter {name}: {}, default {default}",
                short(value)
            );
        }
        let more = parameters.len().saturating_sub(MOST_PARAMETERS);
        if more > 0 {
            let _ = writeln!(text, "Parameters besides: {more}");
        }
    }

    /// The name of the deployment, if the hook started the execution: what stands
    /// in the display name between our prefix and the digest at its end.
    ///
    /// Anybody may give such a name to an execution, so it proves nothing.
    fn deployment(&self) -> Option<&str> {
        let name = self.news.display_name(self.details)?.raw();
        let (name, digest) = name.strip_prefix("pipeshare-")?.rsplit_once('-')?;
        let is_digest = digest.len() == 8 && digest.bytes().all(|it| it.is_ascii_hexdigit());
        (is_digest && !name.is_empty()).then_some(name)
    }

    /// Who changed the execution last, which of a stopped one is who stopped it.
    ///
    /// ASSUMED: that stopping counts as a modification is documented nowhere.
    fn stopped_by(&self) -> Option<&Untrusted> {
        let details = self.details?;
        let stopped = [ExecutionStatus::Stopping, ExecutionStatus::Stopped];
        let is_stopped = stopped.contains(&self.news.execution.status);
        let by = details.changed_by.as_ref();
        by.filter(|_| is_stopped && details.status == self.news.execution.status)
    }
}

impl fmt::Display for RetryOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = text::name(self.status.as_str(), LONGEST_STATUS);
        write!(f, "the run before, which ended as {status}")?;
        match self.at {
            Some(at) => write!(f, " at {at}"),
            None => Ok(()),
        }
    }
}

/// Why the execution failed, in a line each.
fn explain(why: &Details, line: &mut impl FnMut(&str, &str)) {
    for step in why.failed_steps.iter().take(MOST_STEPS) {
        line("Failed step", &step.to_string());
    }
    let more = why.failed_steps.len().saturating_sub(MOST_STEPS);
    if more > 0 {
        line("Failed steps besides", &more.to_string());
    }
    if let Some(reason) = &why.failure_reason {
        line("Reason", &reason.to_string());
    } else if why.failed_steps.is_empty() {
        line("Reason", "none given by SageMaker");
    }
}

/// The status, unless it is nothing that AWS would call one.
fn known_status(execution: &Execution) -> &str {
    let status = execution.status.as_str();
    if text::is_name(status, LONGEST_STATUS) {
        status
    } else {
        "an unknown status"
    }
}

/// The front page of SageMaker's console in the Region; none where AWS does not
/// say which console there is, as in partitions that have no way to the Internet.
///
/// Studio has no page for a pipeline of another account, and its own pages
/// need the id of a domain.
fn console_url(execution: &ExecutionArn) -> Option<String> {
    let region = execution.region();
    let host = match execution.as_str().split(':').nth(1)? {
        "aws" => "console.aws.amazon.com",
        "aws-cn" => "console.amazonaws.cn",
        "aws-us-gov" => "console.amazonaws-us-gov.com",
        "aws-eusc" => "console.amazonaws-eusc.eu",
        _ => return None,
    };
    Some(format!(
        "https://{region}.{host}/sagemaker/home?region={region}"
    ))
}
