//! What became of one step.

use aws::Error;
use domain::{
    notification::Trouble,
    sharing::{Action, Applied, Call, Step, StepOutcome},
};
use runtime::metrics::Metric;
use serde::Serialize;

/// What became of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepReport {
    #[serde(flatten)]
    pub(super) step: Step,
    pub(super) text: String,
    pub(super) outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// What of the account's ceiling will refuse it, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refused_by: Option<String>,
    /// Whether IAM refused it.
    #[serde(skip)]
    pub(crate) was_denied: bool,
    /// Its failure, if that is permanent.
    #[serde(skip)]
    pub(super) trouble: Option<Trouble>,
}

impl StepReport {
    pub(super) fn planned(step: &Step) -> Self {
        Self {
            step: step.clone(),
            text: step.to_string(),
            outcome: "planned",
            error: None,
            refused_by: None,
            was_denied: false,
            trouble: None,
        }
    }

    /// What became of a step.
    pub(super) fn applied(applied: &Applied<Error>) -> Self {
        let step = &applied.step;
        let planned = Self::planned(step);
        match &applied.outcome {
            StepOutcome::Done(_) => Self {
                outcome: "done",
                ..planned
            },
            StepOutcome::Skipped => Self {
                outcome: "skipped",
                ..planned
            },
            StepOutcome::Failed(error) => Self {
                outcome: "failed",
                error: Some(error.to_string()),
                was_denied: error.is_access_denied(),
                // AWS does not always say what it refuses to whom.
                trouble: error.trouble().map(|trouble| Trouble {
                    kind: format!("{} {}", trouble.kind, step.share),
                    text: format!("{step}: {}", trouble.text),
                }),
                ..planned
            },
        }
    }

    /// The step itself.
    pub(crate) fn step(&self) -> &Step {
        &self.step
    }

    /// Its failure, if that is permanent, with what of the ceiling is in the way.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let Trouble { kind, text } = self.trouble.clone()?;
        let text = match &self.refused_by {
            Some(ceiling) => format!("{text}; {ceiling}"),
            None => text,
        };
        Some(Trouble { kind, text })
    }

    /// How many things the step concerns.
    pub(super) fn count(&self) -> u64 {
        let Call::Change(action) = &self.step.call else {
            return 1;
        };
        let count = match action {
            Action::AddPipelines { pipelines } => pipelines.len(),
            Action::RemoveResources { resources } => resources.len(),
            Action::AddPrincipals { principals } => principals.len(),
            Action::RemovePrincipals { principals } => principals.len(),
            _ => 1,
        };
        count as u64
    }

    pub(super) fn metric(&self) -> Metric {
        let Call::Change(action) = &self.step.call else {
            return Metric::SharesCreated;
        };
        match action {
            Action::ReplacePermission { .. } => Metric::PermissionsReplaced,
            Action::AllowExternal { .. } => Metric::SharesUpdated,
            Action::AddPipelines { .. } => Metric::PipelinesAdded,
            Action::RemoveResources { .. } => Metric::ResourcesRemoved,
            Action::AddPrincipals { .. } => Metric::PrincipalsAdded,
            Action::RemovePrincipals { .. } => Metric::PrincipalsRemoved,
            Action::Delete => Metric::SharesDeleted,
        }
    }
}
