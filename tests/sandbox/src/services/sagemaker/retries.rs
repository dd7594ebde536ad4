//! The retry policies of steps.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{definition::Step, state::StepRun};

/// The type of a failure that does not name one.
const JOB_INTERNAL_ERROR: &str = "SageMaker.JOB_INTERNAL_ERROR";

/// What SageMaker retries without a policy, too.
const AUTOMATIC: [&str; 2] = ["Step.SERVICE_FAULT", "Step.THROTTLING"];

/// The types of failures that policies know.
const EXCEPTION_TYPES: [&str; 6] = [
    AUTOMATIC[0],
    AUTOMATIC[1],
    JOB_INTERNAL_ERROR,
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
    "Emr.RESOURCE_LIMIT",
];

/// The step types that policies apply to; a notebook job is a training job.
const STEP_TYPES: [&str; 7] = [
    "Processing",
    "Training",
    "Tuning",
    "AutoML",
    "Model",
    "RegisterModel",
    "Transform",
];

/// How often and how fast failures of some types are retried.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Policy {
    #[serde(deserialize_with = "one_or_many")]
    exception_type: Vec<String>,
    interval_seconds: u32,
    backoff_rate: f64,
    max_attempts: Option<u32>,
    expire_after_min: Option<u32>,
}

/// The SageMaker Python SDK writes a list of types, the JSON schema of definitions has one.
fn one_or_many<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Types {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Types::deserialize(input)? {
        Types::One(kind) => vec![kind],
        Types::Many(kinds) => kinds,
    })
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            exception_type: Vec::new(),
            interval_seconds: 1,
            backoff_rate: 2.0,
            max_attempts: None,
            expire_after_min: None,
        }
    }
}

impl Policy {
    /// What is wrong with the policy, if anything is.
    ///
    /// ASSUMED: exception types that are not documented are refused, and the wording.
    pub(super) fn problem(&self) -> Option<String> {
        let mut types = self.exception_type.iter();
        if let Some(unknown) = types.find(|name| !EXCEPTION_TYPES.contains(&name.as_str())) {
            return Some(format!("Unknown exception type '{unknown}'."));
        }
        if self.exception_type.is_empty() || self.backoff_rate <= 0.0 {
            return Some("A retry policy needs exception types and a positive rate.".to_owned());
        }
        None
    }

    /// How many retries there are at most.
    ///
    /// ASSUMED: a policy that expires needs no count, as the Python SDK gives
    /// either; the count is documented to be five otherwise.
    fn most(&self) -> u32 {
        let unlimited = self.expire_after_min.map(|_| u32::MAX);
        self.max_attempts.or(unlimited).unwrap_or(5)
    }

    fn pause(&self, attempt: u32) -> Option<Duration> {
        let power = i32::try_from(attempt).ok()?.checked_sub(1)?;
        let seconds = f64::from(self.interval_seconds) * self.backoff_rate.powi(power);
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// How long to wait until the failed run is tried again; none if it has failed for good.
///
/// ASSUMED: expiry counts from the start of the step, and without a policy
/// the automatic retries follow the defaults of policies.
pub(super) fn pause(step: &Step, run: &StepRun, now: Timestamp) -> Option<Duration> {
    let kind = exception_type(run.failure.as_deref()?);
    let retries_itself = ["Tuning", "AutoML"].contains(&step.kind.as_str());
    if !STEP_TYPES.contains(&step.kind.as_str()) || retries_itself && kind == JOB_INTERNAL_ERROR {
        return None;
    }
    let covers = |policy: &&Policy| policy.exception_type.iter().any(|known| known == kind);
    let automatic = AUTOMATIC.contains(&kind).then(Policy::default);
    let policy = step.retries.iter().find(covers).or(automatic.as_ref())?;
    if run.attempt > policy.most() {
        return None;
    }
    let pause = policy.pause(run.attempt)?;
    let next = now.checked_add(pause).ok()?;
    let expired = policy.expire_after_min.is_some_and(|minutes| {
        let life = Duration::from_mins(u64::from(minutes));
        // The end of a life that goes past the end of all time is never reached.
        run.started.checked_add(life).is_ok_and(|end| end < next)
    });
    (!expired).then_some(pause)
}

/// The type at the beginning of a failure reason, such as `SageMaker.CAPACITY_ERROR: Full.`
///
/// ASSUMED: what names no type is an internal error of the job.
fn exception_type(reason: &str) -> &str {
    let start = reason.split(':').next().unwrap_or_default();
    let known = EXCEPTION_TYPES.iter().find(|known| **known == start);
    known.copied().unwrap_or(JOB_INTERNAL_ERROR)
}
