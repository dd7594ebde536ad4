//! What is said, as readable text and as data.

use std::{collections::BTreeSet, fmt::Write};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use sha2::{Digest, Sha256};

use super::{EXECUTION_DETAIL_TYPE, PROBLEM_DETAIL_TYPE, REFUSAL_DETAIL_TYPE, SHARED_DETAIL_TYPE};
use crate::{
    id::{AccountId, ExecutionArn, PipelineArn, Region, ShareArn},
    invitation::{Invitation, Refusal},
    policy::{Access, Policy, PolicyErrors, Rule, RuleName},
    status::ExecutionStatus,
};

/// How many pipelines a message lists: a share may hold thousands, and an
/// event weighs at most 256 KB.
const MAX_LISTED: usize = 100;

/// How many problems a message lists.
const MAX_PROBLEMS: usize = 10;

/// A message to people and machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The same for every repetition of this message, so that a receiver can drop it.
    pub id: String,
    /// One line.
    pub subject: String,
    /// The message in words.
    pub text: String,
    /// What kind of event it is.
    pub detail_type: &'static str,
    /// The message as the detail of an event; it contains `id`, `subject` and `text`.
    pub detail: Value,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
}

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

/// Says that an invitation was not accepted, and why.
#[must_use]
pub fn refusal_notice(
    policy: &Policy,
    region: &Region,
    invitation: &Invitation,
    refusal: &Refusal,
    was_rejected: bool,
) -> Notice {
    let receiver = policy.display_name(&invitation.receiver);
    let fate = if was_rejected {
        "rejected"
    } else {
        "left alone"
    };
    let subject = format!(
        "Invitation to {} {fate} in {receiver}",
        invitation.share_name
    );
    let advice = if was_rejected {
        "It cannot be accepted any more."
    } else {
        "It stays pending until it expires. If you expected it, correct the sharing policy; \
         if you did not, reject it and ask the sender."
    };
    let text = format!(
        "The invitation to share {} in {receiver} ({}, {region}) was {fate}: {refusal}.\n\
         Sender: {}\nInvitation: {}\n{advice}\n",
        invitation.share_name, invitation.receiver, invitation.sender, invitation.arn
    );
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{}|{}", invitation.arn, refusal.code()),
        subject,
        text,
        json!({
            "invitationArn": invitation.arn,
            "senderAccountId": invitation.sender,
            "refusal": refusal,
        }),
    )
}

/// Says that a visible share holds more than its rule names.
#[must_use]
pub fn excess_notice(
    policy: &Policy,
    share: &ShareArn,
    share_name: &str,
    consumer: &AccountId,
    refusal: &Refusal,
) -> Notice {
    let owner = policy.display_name(share.owner());
    let name = policy.display_name(consumer);
    let subject = format!("Share {share_name} of {owner} is not what the policy says");
    let text = format!(
        "{name} ({consumer}) can see the share {share_name} of {owner} ({}): {refusal}.\n\
         Share: {share}\n\
         A share of pipelines cannot be left; its owner has to take away what is too much.\n",
        share.owner()
    );
    let what = digest(&refusal.to_string());
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{share}|{consumer}|{}|{what}", refusal.code()),
        subject,
        text,
        json!({ "shareArn": share, "consumerAccountId": consumer, "refusal": refusal }),
    )
}

/// Pipelines that an account can use now.
#[derive(Debug, Clone, Copy)]
pub struct SharedPipelines<'a> {
    /// The share that holds them.
    pub share: &'a ShareArn,
    /// The rule that it serves.
    pub rule: &'a Rule,
    /// The account that can use them.
    pub consumer: &'a AccountId,
    /// All pipelines of the share, in order.
    pub pipelines: &'a [PipelineArn],
}

/// Says which pipelines an account can use now, with the ARNs that it needs to do so.
///
/// Neither Studio nor `ListPipelines` shows shared pipelines, so the ARNs are
/// what a consumer waits for.
#[must_use]
pub fn shared_notice(policy: &Policy, shared: &SharedPipelines<'_>) -> Notice {
    let SharedPipelines {
        share,
        rule,
        consumer,
        pipelines,
    } = shared;
    let owner = policy.display_name(&rule.owner);
    let name = policy.display_name(consumer);
    let access = match &rule.access {
        Access::Read => "see",
        Access::Execute => "see and run",
        Access::Permission(_) => "use",
    };
    let subject = format!("{name} can {access} pipelines of {owner}");
    let mut text = format!(
        "{name} ({consumer}) can {access} these pipelines of {owner} ({}), by rule {}:\n",
        rule.owner, rule.name
    );
    let arns = pipelines.iter().map(PipelineArn::as_str);
    let listed: Vec<_> = arns.clone().take(MAX_LISTED).collect();
    for arn in &listed {
        let _ = writeln!(text, "  {arn}");
    }
    if pipelines.len() > listed.len() {
        let _ = writeln!(
            text,
            "  and {} more; all of them: aws ram list-resources --resource-owner OTHER-ACCOUNTS \
             --resource-share-arns {share}",
            pipelines.len() - listed.len()
        );
    }
    let what = digest(&arns.collect::<Vec<_>>().join("\n"));
    let detail = json!({
        "shareArn": share,
        "rule": rule.name,
        "ownerAccountId": rule.owner,
        "consumerAccountId": consumer,
        "access": access,
        "pipelineArns": listed,
        "pipelineCount": pipelines.len(),
    });
    let id = format!("{share}|{consumer}|{what}");
    notice(SHARED_DETAIL_TYPE, id, subject, text, detail)
}

/// Says that a version of the policy was not put in force.
#[must_use]
pub fn policy_refused_notice(parameter: &str, version: i64, errors: &PolicyErrors) -> Notice {
    let subject = format!("The sharing policy was not put in force (version {version})");
    let text = format!(
        "Version {version} of {parameter} is not valid, and the last valid version stays in \
         force:\n{errors}\n"
    );
    let detail = json!({ "parameter": parameter, "parameterVersion": version });
    let id = format!("{parameter}|{version}");
    notice(PROBLEM_DETAIL_TYPE, id, subject, text, detail)
}

/// Something that only people can mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trouble {
    /// What kind of problem it is, the same for each occurrence.
    pub kind: String,
    /// The problem in words.
    pub text: String,
}

/// Says what in an account cannot be done until people mend it.
///
/// `day` makes it said again each day that it lasts; however many resources
/// are concerned, it is one message.
#[must_use]
pub fn problem_notice(
    policy: &Policy,
    account: &AccountId,
    troubles: &[Trouble],
    day: &str,
) -> Notice {
    let name = policy.display_name(account);
    let subject = format!("pipeshare cannot do its work in {name}");
    let mut text = format!("In {name} ({account}):\n");
    for trouble in troubles.iter().take(MAX_PROBLEMS) {
        let _ = writeln!(text, "  {}", trouble.text);
    }
    if troubles.len() > MAX_PROBLEMS {
        let more = troubles.len() - MAX_PROBLEMS;
        let _ = writeln!(text, "  and {more} more, which the log has");
    }
    let kinds: BTreeSet<_> = troubles
        .iter()
        .map(|trouble| trouble.kind.as_str())
        .collect();
    let what = digest(&kinds.iter().copied().collect::<Vec<_>>().join("\n"));
    let detail = json!({ "accountId": account, "problems": kinds });
    let id = format!("{account}|{day}|{what}");
    notice(PROBLEM_DETAIL_TYPE, id, subject, text, detail)
}

/// Puts what every message carries into its detail.
fn notice(
    detail_type: &'static str,
    id: String,
    subject: String,
    text: String,
    mut detail: Value,
) -> Notice {
    let arns = [
        "pipelineArn",
        "pipelineExecutionArn",
        "shareArn",
        "invitationArn",
    ];
    let resources = arns
        .iter()
        .filter_map(|member| detail[*member].as_str().map(str::to_owned))
        .collect();
    detail["version"] = json!("1");
    detail["id"] = json!(id);
    detail["subject"] = json!(subject);
    detail["text"] = json!(text);
    Notice {
        id,
        subject,
        text,
        detail_type,
        detail,
        resources,
    }
}

/// A short name for a long text.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text);
    digest[..8].iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
