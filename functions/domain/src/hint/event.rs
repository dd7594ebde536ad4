//! Events as `EventBridge` delivers them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kind,
    fields::Fields,
    ignored::{Ignored, label},
};
use crate::{
    id::{AccountId, ExecutionArn, PipelineArn, PipelineOwner, ShareArn},
    notification::SOURCE,
    policy::RuleName,
    status::ExecutionStatus,
    text::is_name,
};

/// The source of our own events.
pub const OFFER_SOURCE: &str = SOURCE;

/// The detail type of an [`Offer`].
pub const OFFER_DETAIL_TYPE: &str = "Share Offered";

/// The longest status: AWS's own have 21 characters.
const LONGEST_STATUS: usize = 64;

/// A pipeline changed, as a call recorded by CloudTrail tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineChange {
    /// The pipeline.
    pub pipeline: PipelineArn,
    /// The account in which the call was made.
    pub account: AccountId,
    /// What was done to it.
    pub change: Change,
}

/// What was done to a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was created.
    Created,
    /// Its definition or settings changed, or what one of its versions is called.
    Updated,
    /// It was deleted.
    Deleted,
}

/// An execution reached a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionChange {
    /// The account in which the execution runs.
    pub account: AccountId,
    /// The pipeline, which may be AWS's own.
    pub pipeline: PipelineArn,
    /// The execution.
    pub execution: ExecutionArn,
    /// The status that it has now.
    pub status: ExecutionStatus,
    /// The status that it had before.
    pub previous: Option<ExecutionStatus>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Its name for people.
    pub display_name: Option<String>,
}

/// A step of an execution reached a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepChange {
    /// The account in which the execution runs.
    pub account: AccountId,
    /// The pipeline, which may be AWS's own.
    pub pipeline: PipelineArn,
    /// The execution.
    pub execution: ExecutionArn,
    /// The name of the step.
    pub step: String,
    /// The status that the step has now.
    pub status: String,
    /// Why it failed, which the event of the execution does not tell.
    pub failure_reason: Option<String>,
}

/// RAM rang: something about a share changed, for its owner or for a principal.
///
/// AWS documents neither which share nor every event, so it is a doorbell only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareChange {
    /// The account whose share or access changed.
    pub account: AccountId,
    /// What RAM calls the change, for instance `Resource Share Association`.
    pub event: Option<String>,
    /// What became of it, for instance `associated`.
    pub status: Option<String>,
}

/// A parameter of the Parameter Store changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// The parameter's name.
    pub name: String,
    /// What was done to it, for instance `Update`.
    pub operation: String,
}

/// Our own event: a share that its consumer has to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The account that shares.
    pub owner: AccountId,
    /// The account that has to accept.
    pub consumer: AccountId,
    /// What it has to accept.
    pub share: ShareArn,
    /// The rule that the share is of.
    pub rule: String,
}

impl Offer {
    /// The detail of the event that tells of this offer.
    #[must_use]
    pub fn detail(&self) -> Value {
        json!({
            "owner": self.owner,
            "consumer": self.consumer,
            "share": self.share,
            "rule": self.rule,
        })
    }

    /// The event as EventBridge would deliver it, for an offer that is looked at again.
    #[must_use]
    pub fn event(&self) -> Value {
        json!({
            "source": OFFER_SOURCE,
            "detail-type": OFFER_DETAIL_TYPE,
            "detail": self.detail(),
        })
    }
}

/// Reads an event by who sent it and what it is called.
pub(super) fn read(event: &Fields) -> Result<Kind, Ignored> {
    let source = event.text("source")?;
    let detail_type = event.text("detail-type")?;
    match (source, detail_type) {
        ("aws.sagemaker", "AWS API Call via CloudTrail") => read_call(event).map(Kind::Pipeline),
        ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change") => {
            read_execution(event).map(Kind::Execution)
        }
        ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Step Status Change") => {
            read_step(event).map(Kind::Step)
        }
        ("aws.ram", "Resource Sharing State Change") => read_share(event).map(Kind::Share),
        ("aws.ssm", "Parameter Store Change") => read_parameter(event).map(Kind::Policy),
        // By a scheduled rule, or by EventBridge Scheduler with its default input.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(Kind::Sweep),
        (OFFER_SOURCE, OFFER_DETAIL_TYPE) => read_offer(event).map(Kind::Offer),
        _ => Err(Ignored::UnknownEvent {
            source: label(source),
            detail_type: label(detail_type),
        }),
    }
}

/// Reads a call that CloudTrail recorded.
///
/// The request may be truncated, and its name of the pipeline is not its ARN;
/// so only the response counts, which a failed call does not have.
fn read_call(event: &Fields) -> Result<PipelineChange, Ignored> {
    let account = read_account(event)?;
    let detail = event.object("detail")?;
    if detail.text("eventSource")? != "sagemaker.amazonaws.com" {
        return Err(detail.bad("eventSource", "sagemaker.amazonaws.com"));
    }
    let event_name = detail.text("eventName")?;
    let change = match event_name {
        "CreatePipeline" => Change::Created,
        "UpdatePipeline" | "UpdatePipelineVersion" => Change::Updated,
        "DeletePipeline" => Change::Deleted,
        other => {
            return Err(Ignored::UninterestingCall {
                event_name: label(other),
            });
        }
    };
    let failed = |error_code: Option<&str>| Ignored::FailedCall {
        event_name: event_name.to_owned(),
        error_code: error_code.map(label),
    };
    if detail.has("errorCode") || !detail.has("responseElements") {
        return Err(failed(detail.optional_text("errorCode")));
    }
    let response = detail.object("responseElements")?;
    // "Other services provide error information as part of responseElements."
    if response.has("errorCode") || response.has("errorMessage") {
        return Err(failed(response.optional_text("errorCode")));
    }
    let pipeline = read_pipeline(&response, &account)?;
    Ok(PipelineChange {
        pipeline,
        account,
        change,
    })
}

fn read_execution(event: &Fields) -> Result<ExecutionChange, Ignored> {
    let account = read_account(event)?;
    let detail = event.object("detail")?;
    let (pipeline, execution) = read_run(&detail, &account)?;
    Ok(ExecutionChange {
        account,
        pipeline,
        execution,
        status: read_status(&detail, "currentPipelineExecutionStatus")?,
        previous: read_status(&detail, "previousPipelineExecutionStatus").ok(),
        started: detail.time("executionStartTime"),
        ended: detail.time("executionEndTime"),
        display_name: detail
            .optional_text("pipelineExecutionDisplayName")
            .map(str::to_owned),
    })
}

/// A status is one word; AWS may add others, which become part of a key and of a subject.
fn read_status(detail: &Fields, name: &str) -> Result<ExecutionStatus, Ignored> {
    let status = detail.text(name)?;
    if is_name(status, LONGEST_STATUS) {
        Ok(status.into())
    } else {
        Err(detail.bad(name, "a status"))
    }
}

fn read_step(event: &Fields) -> Result<StepChange, Ignored> {
    let account = read_account(event)?;
    let detail = event.object("detail")?;
    let (pipeline, execution) = read_run(&detail, &account)?;
    Ok(StepChange {
        account,
        pipeline,
        execution,
        step: detail.text("stepName")?.to_owned(),
        status: detail.text("currentStepStatus")?.to_owned(),
        failure_reason: detail.optional_text("failureReason").map(str::to_owned),
    })
}

fn read_share(event: &Fields) -> Result<ShareChange, Ignored> {
    // A detail that is not there, or is odd, does not keep the bell from ringing.
    let detail = event.object("detail").ok();
    let text = |name| {
        let text = detail.as_ref()?.optional_text(name)?;
        Some(text.to_owned())
    };
    Ok(ShareChange {
        account: read_account(event)?,
        event: text("event"),
        status: text("status"),
    })
}

fn read_parameter(event: &Fields) -> Result<PolicyChange, Ignored> {
    let detail = event.object("detail")?;
    Ok(PolicyChange {
        name: detail.text("name")?.to_owned(),
        operation: detail.text("operation")?.to_owned(),
    })
}

fn read_offer(event: &Fields) -> Result<Offer, Ignored> {
    let detail = event.object("detail")?;
    let owner = detail.id("owner", "an account id")?;
    let share: ShareArn = detail.id("share", "the ARN of a resource share")?;
    check_account(&detail, "share", share.owner(), &owner)?;
    let rule: RuleName = detail.id("rule", "the name of a rule")?;
    Ok(Offer {
        owner,
        consumer: detail.id("consumer", "an account id")?,
        share,
        rule: rule.as_str().to_owned(),
    })
}

/// The account that the event happened in.
fn read_account(event: &Fields) -> Result<AccountId, Ignored> {
    event.id("account", "an account id")
}

/// The pipeline, of this account or of AWS.
fn read_pipeline(fields: &Fields, account: &AccountId) -> Result<PipelineArn, Ignored> {
    let pipeline: PipelineArn = fields.id("pipelineArn", "the ARN of a pipeline")?;
    if let PipelineOwner::Account(owner) = pipeline.owner() {
        check_account(fields, "pipelineArn", owner, account)?;
    }
    Ok(pipeline)
}

/// The pipeline and its execution in this account.
fn read_run(detail: &Fields, account: &AccountId) -> Result<(PipelineArn, ExecutionArn), Ignored> {
    let pipeline = read_pipeline(detail, account)?;
    let execution: ExecutionArn =
        detail.id("pipelineExecutionArn", "the ARN of a pipeline execution")?;
    check_account(detail, "pipelineExecutionArn", execution.account(), account)?;
    // Whoever follows the pipeline of one and reports the execution of the
    // other would tell people about runs that are not shared with them.
    // ASSUMED: executions of AWS's own pipelines may be named differently.
    let same_name = pipeline
        .name()
        .eq_ignore_ascii_case(execution.pipeline_name());
    let same = same_name && pipeline.region() == execution.region();
    if !same && *pipeline.owner() != PipelineOwner::Aws {
        return Err(Ignored::PipelineMismatch);
    }
    Ok((pipeline, execution))
}

fn check_account(
    fields: &Fields,
    name: &str,
    found: &AccountId,
    expected: &AccountId,
) -> Result<(), Ignored> {
    if found == expected {
        return Ok(());
    }
    Err(Ignored::AccountMismatch {
        field: fields.path_of(name),
        found: found.clone(),
        expected: expected.clone(),
    })
}
