//! What is said of an execution.

use std::fmt::Write;

use serde_json::json;

use super::{
    Notification,
    about::Explained,
    notification,
    subject::{Part, subject},
};
use crate::{
    execution::{Details, Execution, ExecutionChange},
    id::ExecutionArn,
    notification::EXECUTION_DETAIL_TYPE,
    policy::{Policy, RuleName},
    text,
};

/// How many failed steps are shown; of a broken image, all may have failed.
const MOST_STEPS: usize = 20;

/// The longest status: AWS's own have 21 characters.
const LONGEST_STATUS: usize = 30;

/// Says that an execution took a status, with what `SageMaker` says of it, if it does.
#[must_use]
pub fn execution_notification(
    policy: &Policy,
    news: &ExecutionChange,
    details: Option<&Details>,
    rules: &[RuleName],
) -> Notification {
    let execution = &news.execution;
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
    let explained = Explained::of(policy, rules);
    let text = execution_text(news, details, name, &explained);
    let why = news.explanation(details);
    let steps = why.map_or(&[][..], |why| &why.failed_steps);
    let detail = json!({
        "status": status,
        "pipelineName": pipeline,
        "pipelineArn": execution.pipeline,
        "pipelineVersionId": details.and_then(|details| details.pipeline_version),
        "pipelineExecutionArn": execution.arn,
        "pipelineExecutionDisplayName": news.display_name(details),
        "accountId": account,
        "accountName": name,
        "region": execution.arn.region(),
        "startTime": news.started(details),
        "endTime": news.end(),
        "durationSeconds": news.duration(details).map(|duration| duration.as_secs()),
        "failureReason": why.and_then(|why| why.failure_reason.as_ref()),
        "failedSteps": steps.iter().take(MOST_STEPS).collect::<Vec<_>>(),
        "failedStepCount": steps.len(),
        "consoleUrl": console_url(&execution.arn),
        "rules": rules,
        "about": explained.data(),
    });
    let id = format!("{}|{status}|{}", execution.arn, news.at);
    notification(EXECUTION_DETAIL_TYPE, id, &subject, &text, detail)
}

fn execution_text(
    news: &ExecutionChange,
    details: Option<&Details>,
    account_name: &str,
    explained: &Explained<'_>,
) -> String {
    let execution = &news.execution;
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
    if let Some(why) = news.explanation(details) {
        explain(why, &mut line);
    }
    if let Some(name) = news.display_name(details) {
        line("Execution", &name.to_string());
    }
    if let Some(started) = news.started(details) {
        line("Started", &started.to_string());
    }
    if let Some(ended) = news.end() {
        line("Ended", &ended.to_string());
    }
    if let Some(duration) = news.duration(details) {
        line("Duration", &format!("{duration:#}"));
    }
    if let Some(version) = details.and_then(|details| details.pipeline_version) {
        line("Pipeline version", &version.to_string());
    }
    line("Pipeline ARN", execution.pipeline.as_str());
    line("Execution ARN", execution.arn.as_str());
    if let Some(url) = console_url(&execution.arn) {
        line("Console", &url);
    }
    explained.write(&mut text);
    text
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
