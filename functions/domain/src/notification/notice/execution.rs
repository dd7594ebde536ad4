//! What is said of an execution.

use std::fmt::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::{
    Notice, notice,
    subject::{Part, subject},
};
use crate::{
    id::{ExecutionArn, PipelineArn},
    notification::EXECUTION_DETAIL_TYPE,
    policy::{Policy, RuleName},
    status::ExecutionStatus,
    text::{self, Untrusted},
};

/// How many failed steps are told; of a broken image, all may have failed.
const MOST_STEPS: usize = 20;

/// The longest status: AWS's own have 21 characters.
const LONGEST_STATUS: usize = 30;

/// The longest name of a step that SageMaker takes.
const LONGEST_STEP: usize = 64;

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedStep {
    /// The name of the step.
    pub name: Untrusted,
    /// Why it failed, as `SageMaker` says, or as the code of the step says to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Untrusted>,
}

impl fmt::Display for FailedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::name(self.name.raw(), LONGEST_STEP))?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => f.write_str(": no reason given"),
        }
    }
}

/// An execution, with all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The execution.
    pub arn: ExecutionArn,
    /// Its pipeline.
    pub pipeline: PipelineArn,
    /// The status that is told.
    pub status: ExecutionStatus,
    /// When it took that status.
    pub at: Timestamp,
    /// The name that people gave the execution.
    pub display_name: Option<Untrusted>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// The version of the pipeline's definition that it runs.
    pub pipeline_version: Option<i64>,
    /// Why it failed, as `SageMaker` says.
    pub failure_reason: Option<Untrusted>,
    /// The steps that failed.
    pub failed_steps: Vec<FailedStep>,
}

/// Says that an execution took a status.
#[must_use]
pub fn execution_notice(policy: &Policy, execution: &Execution, rules: &[RuleName]) -> Notice {
    let account = execution.arn.account();
    let name = policy.display_name(account);
    let pipeline = execution.pipeline.name();
    let status = &text::name(execution.status.as_str(), LONGEST_STATUS);
    let subject = subject(&[
        Part::Name(pipeline),
        Part::Kept(" in "),
        Part::Name(name),
        Part::Kept(": "),
        Part::Kept(known_status(execution)),
    ]);
    let text = execution_text(execution, name);
    let steps = &execution.failed_steps;
    let detail = json!({
        "status": status,
        "pipelineName": pipeline,
        "pipelineArn": execution.pipeline,
        "pipelineVersionId": execution.pipeline_version,
        "pipelineExecutionArn": execution.arn,
        "pipelineExecutionDisplayName": execution.display_name,
        "accountId": account,
        "accountName": name,
        "region": execution.arn.region(),
        "startTime": execution.started,
        "endTime": execution.ended,
        "durationSeconds": duration(execution).map(|duration| duration.as_secs()),
        "failureReason": execution.failure_reason,
        "failedSteps": steps.iter().take(MOST_STEPS).collect::<Vec<_>>(),
        "failedStepCount": steps.len(),
        "consoleUrl": console_url(&execution.arn),
        "rules": rules,
    });
    let id = format!("{}|{status}|{}", execution.arn, execution.at);
    notice(EXECUTION_DETAIL_TYPE, id, &subject, &text, detail)
}

fn execution_text(execution: &Execution, account_name: &str) -> String {
    let account = execution.arn.account();
    let pipeline = execution.pipeline.name();
    let mut text = format!(
        "Pipeline {pipeline} in {account_name} ({account}, {}): {}\n",
        execution.arn.region(),
        text::name(execution.status.as_str(), LONGEST_STATUS)
    );
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label}: {value}");
    };
    for step in execution.failed_steps.iter().take(MOST_STEPS) {
        line("Failed step", &step.to_string());
    }
    let more = execution.failed_steps.len().saturating_sub(MOST_STEPS);
    if more > 0 {
        line("Failed steps besides", &more.to_string());
    }
    if let Some(reason) = &execution.failure_reason {
        line("Reason", &reason.to_string());
    }
    if let Some(name) = &execution.display_name {
        line("Execution", &name.to_string());
    }
    if let Some(started) = execution.started {
        line("Started", &started.to_string());
    }
    if let Some(ended) = execution.ended {
        line("Ended", &ended.to_string());
    }
    if let Some(duration) = duration(execution) {
        line("Duration", &format!("{duration:#}"));
    }
    if let Some(version) = execution.pipeline_version {
        line("Pipeline version", &version.to_string());
    }
    line("Pipeline ARN", execution.pipeline.as_str());
    line("Execution ARN", execution.arn.as_str());
    if let Some(url) = console_url(&execution.arn) {
        line("Console", &url);
    }
    text
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

/// How long the execution ran, in whole seconds.
fn duration(execution: &Execution) -> Option<SignedDuration> {
    let lasted = execution.ended?.duration_since(execution.started?);
    (!lasted.is_negative()).then(|| SignedDuration::from_secs(lasted.as_secs()))
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
