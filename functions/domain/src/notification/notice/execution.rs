//! What is said of an execution.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::{Notice, notice};
use crate::{
    id::{ExecutionArn, PipelineArn},
    notification::EXECUTION_DETAIL_TYPE,
    policy::{Policy, RuleName},
    status::ExecutionStatus,
};

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedStep {
    /// The name of the step.
    pub name: String,
    /// Why it failed, as `SageMaker` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
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
    pub display_name: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended, if it has.
    pub ended: Option<Timestamp>,
    /// The version of the pipeline's definition that it runs.
    pub pipeline_version: Option<i64>,
    /// Why it failed, as `SageMaker` says.
    pub failure_reason: Option<String>,
    /// The steps that failed.
    pub failed_steps: Vec<FailedStep>,
}

/// Says that an execution took a status.
#[must_use]
pub fn execution_notice(policy: &Policy, execution: &Execution, rules: &[RuleName]) -> Notice {
    let account = execution.arn.account();
    let name = policy.display_name(account);
    let pipeline = execution.pipeline.name();
    let status = &execution.status;
    let subject = format!("{pipeline} in {name}: {status}");
    let text = execution_text(execution, name);
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
        "failedSteps": execution.failed_steps,
        "consoleUrl": console_url(&execution.arn),
        "rules": rules,
    });
    let id = format!("{}|{status}|{}", execution.arn, execution.at);
    notice(EXECUTION_DETAIL_TYPE, id, subject, text, detail)
}

fn execution_text(execution: &Execution, account_name: &str) -> String {
    let account = execution.arn.account();
    let pipeline = execution.pipeline.name();
    let mut text = format!(
        "Pipeline {pipeline} in {account_name} ({account}, {}): {}\n",
        execution.arn.region(),
        execution.status
    );
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(text, "{label}: {value}");
    };
    for step in &execution.failed_steps {
        let reason = step.reason.as_deref().unwrap_or("no reason given");
        line("Failed step", &format!("{}: {reason}", step.name));
    }
    if let Some(reason) = &execution.failure_reason {
        line("Reason", reason);
    }
    if let Some(name) = &execution.display_name {
        line("Execution", name);
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
    line("Console", &console_url(&execution.arn));
    text
}

/// How long the execution ran, in whole seconds.
fn duration(execution: &Execution) -> Option<SignedDuration> {
    let lasted = execution.ended?.duration_since(execution.started?);
    (!lasted.is_negative()).then(|| SignedDuration::from_secs(lasted.as_secs()))
}

/// The front page of SageMaker's console in the Region.
///
/// Studio has no page for a pipeline of another account, and its own pages
/// need the id of a domain.
fn console_url(execution: &ExecutionArn) -> String {
    let region = execution.region();
    let host = match execution.as_str().split(':').nth(1) {
        Some("aws-cn") => "console.amazonaws.cn",
        Some("aws-us-gov") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    format!("https://{region}.{host}/sagemaker/home?region={region}")
}
