//! Events as `EventBridge` delivers them.

use serde_json::{Value, json};

use super::{
    TriggerKind,
    fields::Fields,
    ignored::{Ignored, label},
};
use crate::{
    execution::Execution,
    id::{AccountId, ExecutionArn, PipelineArn, PipelineOwner, ShareArn},
    notification::SOURCE,
    policy::RuleName,
    status::ExecutionStatus,
    text::{Untrusted, is_name},
};

/// The source of our own events.
pub const OFFER_SOURCE: &str = SOURCE;

/// The detail type of an [`Offer`].
pub const OFFER_DETAIL_TYPE: &str = "Share Offered";

/// The calls that change a pipeline: its definition, its settings, or what one
/// of its versions is called.
const CALLS: [&str; 4] = [
    "CreatePipeline",
    "UpdatePipeline",
    "UpdatePipelineVersion",
    "DeletePipeline",
];

/// The longest status: AWS's own have 21 characters.
const LONGEST_STATUS: usize = 64;

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

    /// The event as EventBridge would deliver it, for an offer that is followed up.
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
pub(super) fn read(event: &Fields) -> Result<TriggerKind, Ignored> {
    let source = event.text("source")?;
    let detail_type = event.text("detail-type")?;
    match (source, detail_type) {
        ("aws.sagemaker", "AWS API Call via CloudTrail") => {
            read_call(event).map(TriggerKind::Pipeline)
        }
        ("aws.sagemaker", "SageMaker Model Building Pipeline Execution Status Change") => {
            read_execution(event)
        }
        ("aws.ram", "Resource Sharing State Change") => read_account(event).map(TriggerKind::Share),
        ("aws.ssm", "Parameter Store Change") => Ok(TriggerKind::Policy),
        // By a scheduled rule, or by EventBridge Scheduler with its default input.
        ("aws.events" | "aws.scheduler", "Scheduled Event") => Ok(TriggerKind::Schedule),
        (OFFER_SOURCE, OFFER_DETAIL_TYPE) => read_offer(event).map(TriggerKind::Offer),
        _ => Err(Ignored::UnknownEvent {
            source: label(source),
            detail_type: label(detail_type),
        }),
    }
}

/// Reads a call that CloudTrail recorded: in which account it changed a pipeline.
///
/// A call that failed has no response, or one that tells the error.
fn read_call(event: &Fields) -> Result<AccountId, Ignored> {
    let account = read_account(event)?;
    let detail = event.object("detail")?;
    let event_name = detail.text("eventName")?;
    if !CALLS.contains(&event_name) {
        return Err(Ignored::UninterestingCall {
            event_name: label(event_name),
        });
    }
    let failed = |error_code: Option<&str>| Ignored::FailedCall {
        event_name: event_name.to_owned(),
        error_code: error_code.map(label),
    };
    if detail.has("errorCode") || !detail.has("responseElements") {
        return Err(failed(detail.optional_text("errorCode")));
    }
    match detail.object("responseElements") {
        // "Other services provide error information as part of responseElements."
        Ok(response) if response.has("errorCode") || response.has("errorMessage") => {
            Err(failed(response.optional_text("errorCode")))
        }
        // Whatever else it says, there is one.
        _ => Ok(account),
    }
}

/// An end is known by its own time, anything else by the event's.
fn read_execution(event: &Fields) -> Result<TriggerKind, Ignored> {
    let account = read_account(event)?;
    let detail = event.object("detail")?;
    let (pipeline, arn) = read_run(&detail, &account)?;
    let status = read_status(&detail, "currentPipelineExecutionStatus")?;
    let ended = detail.time("executionEndTime");
    let ended = ended.filter(|_| status.is_terminal());
    let display_name = detail.optional_text("pipelineExecutionDisplayName");
    let execution = Execution {
        arn,
        pipeline,
        status,
        display_name: display_name.map(Untrusted::from),
        started: detail.time("executionStartTime"),
    };
    Ok(TriggerKind::Execution {
        execution: Box::new(execution),
        previous: read_status(&detail, "previousPipelineExecutionStatus").ok(),
        at: ended.or_else(|| event.time("time")),
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
