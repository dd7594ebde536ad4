//! Triggers: what a message says may have changed.
//!
//! A trigger is a reason to reconcile, never a fact to act on. Events of AWS are best
//! effort: they come late, twice, out of order, or not at all. So only the fields
//! are read that some function goes by, everything else may be absent or odd, and
//! what is no trigger is [`Ignored`] with a reason.

mod command;
mod event;
mod fields;
mod ignored;

pub use command::{Command, CommandAction, Confirmation, ExplainRequest, PlanRequest, account_of};
pub use event::{OFFER_DETAIL_TYPE, OFFER_SOURCE, Offer};
pub use ignored::Ignored;

use jiff::Timestamp;
use serde_json::Value;

use crate::{execution::Execution, id::AccountId, status::ExecutionStatus};
use fields::Fields;

/// One message, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// When it happened, according to the sender.
    pub time: Option<Timestamp>,
    /// Whether it comes out of an archive, so that nobody should be notified again.
    pub replay: bool,
    /// What may have changed.
    pub kind: TriggerKind,
}

/// What a trigger is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TriggerKind {
    /// A pipeline of this account was created, updated or deleted.
    Pipeline(AccountId),
    /// An execution reached a status.
    Execution {
        /// The execution, with the status that it has now.
        execution: Box<Execution>,
        /// The status that it had before.
        previous: Option<ExecutionStatus>,
        /// When it reached the status, as far as the event says.
        at: Option<Timestamp>,
    },
    /// Something about a share of this account, or with it, changed: AWS
    /// documents neither which share nor every event.
    Share(AccountId),
    /// A parameter changed that may be the policy.
    Policy,
    /// It is time to reconcile everything.
    Schedule,
    /// A share awaits acceptance.
    Offer(Offer),
    /// Somebody sends a command.
    Command(Command),
    /// Somebody confirms that a version may withdraw what it withdraws.
    Confirmation(Confirmation),
    /// Somebody asks what documents would do.
    Plan(PlanRequest),
    /// Somebody asks why there is access, or none.
    Explain(ExplainRequest),
}

/// Reads the body of a message: an event of `EventBridge`, or a command.
///
/// ```
/// use domain::trigger::{self, Ignored, TriggerKind};
///
/// let event = r#"{
///     "source": "aws.sagemaker",
///     "detail-type": "SageMaker Model Building Pipeline Execution Status Change",
///     "account": "222222222222",
///     "detail": {
///         "pipelineArn": "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn",
///         "pipelineExecutionArn": "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn/execution/p4jn9xou8a8s",
///         "currentPipelineExecutionStatus": "Succeeded"
///     }
/// }"#;
/// let TriggerKind::Execution { execution, .. } = trigger::parse(event)?.kind else {
///     panic!("an event about an execution")
/// };
/// assert_eq!(execution.pipeline.name(), "churn");
///
/// let ignored = trigger::parse(&event.replace("aws.sagemaker", "aws.s3")).unwrap_err();
/// assert!(matches!(ignored, Ignored::UnknownEvent { .. }));
/// # Ok::<(), Ignored>(())
/// ```
pub fn parse(body: &str) -> Result<Trigger, Ignored> {
    let value: Value = serde_json::from_str(body).map_err(|error| Ignored::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let body = Fields::root(&value).ok_or(Ignored::NotAnEvent)?;
    let kind = if body.has("detail-type") {
        event::read(&body)?
    } else if body.has("action") {
        command::read(&body)?
    } else {
        return Err(Ignored::NotAnEvent);
    };
    Ok(Trigger {
        time: body.time("time"),
        replay: body.has("replay-name"),
        kind,
    })
}
