//! What became of one step.

use domain::{
    policy::Policy,
    sharing::{Applied, Step, StepOutcome},
};
use runtime::Error;
use serde::Serialize;

use crate::{account::Served, ceiling};

/// What became of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepReport {
    #[serde(flatten)]
    step: Step,
    text: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What of the account's ceiling will refuse it, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_by: Option<String>,
}

impl StepReport {
    /// The steps that were taken, or in a dry run those that would be.
    pub(super) fn all_of(policy: &Policy, served: &Served) -> Vec<Self> {
        let refusal = |step: &Step| {
            let ceiling = served.ceiling.as_ref()?.as_ref().ok()?;
            ceiling::refusal(policy, served.account(), ceiling, step)
        };
        if served.dry_run {
            let steps = served.reconciled.plan.steps().into_iter();
            return steps
                .map(|step| Self {
                    refused_by: refusal(&step),
                    ..Self::planned(step)
                })
                .collect();
        }
        let steps = served.reconciled.steps.iter();
        steps
            .map(|applied| Self {
                refused_by: refusal(&applied.step).filter(|_| applied.was_denied()),
                ..Self::applied(applied)
            })
            .collect()
    }

    fn planned(step: Step) -> Self {
        Self {
            text: step.to_string(),
            step,
            outcome: "planned",
            error: None,
            refused_by: None,
        }
    }

    fn applied(applied: &Applied<Error>) -> Self {
        let outcome = match &applied.outcome {
            StepOutcome::Done(_) => "done",
            StepOutcome::Failed(_) => "failed",
            StepOutcome::Skipped => "skipped",
        };
        Self {
            outcome,
            error: applied.error().map(ToString::to_string),
            ..Self::planned(applied.step.clone())
        }
    }
}
