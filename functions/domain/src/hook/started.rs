//! Whether SageMaker started what it was asked to start.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Failure, FailureKind, Request, Round};
use crate::{
    execution::is_same_value,
    id::{ExecutionArn, PipelineArn},
};

/// How far the clocks of two services may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// An execution as SageMaker describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The pipeline that it is one of.
    pub pipeline: Option<PipelineArn>,
    /// When it was started.
    pub created: Option<Timestamp>,
    /// The version of the pipeline that it runs.
    pub version: Option<i64>,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
}

/// Says what is wrong with an execution that SageMaker returned for a round, if anything is.
///
/// The token of a round is nobody else's, so nothing ever should be; but what
/// is remembered from here on opens gates.
pub fn check_started(
    request: &Request,
    pipeline: &PipelineArn,
    round: &Round,
    execution: &ExecutionArn,
    started: &Started,
) -> Result<(), Failure> {
    let mut problems = Vec::new();
    if started.pipeline.as_ref() != Some(pipeline) {
        problems.push("it is of another pipeline".to_owned());
    }
    let earliest = round.at.checked_sub(SKEW).unwrap_or(Timestamp::MIN);
    if started.created.is_some_and(|created| created < earliest) {
        problems.push(format!("it is older than the wish for it, of {}", round.at));
    }
    if let (Some(wanted), Some(version)) = (request.version, started.version)
        && wanted != version
    {
        problems.push(format!("it runs version {version}, not {wanted}"));
    }
    for (name, wanted) in &request.parameters {
        let found = started.parameters.get(name);
        if !found.is_some_and(|found| is_same_value(wanted, found)) {
            problems.push(format!("its parameter {name:?} is not as requested"));
        }
    }
    if problems.is_empty() {
        return Ok(());
    }
    let problems = problems.join("; ");
    let message = format!("SageMaker returned {execution}, which was not asked for: {problems}");
    Err(Failure::new(FailureKind::JobFailed, message))
}
