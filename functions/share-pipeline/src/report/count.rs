//! What is counted of a run.

use domain::{
    error::Class,
    sharing::{Action, Call, Step, StepOutcome},
};
use runtime::metrics::{Metric, Metrics};

use super::Report;
use crate::account::{Served, Turn};

/// Counts what was done.
pub(crate) fn count(metrics: &Metrics, report: &Report, served: &[Served]) {
    let refused = usize::from(report.policy_refused.is_some()) + report.documents_refused.len();
    metrics.count(Metric::PolicyRefused, refused as u64);
    metrics.count(Metric::EventsIgnored, report.ignored.len() as u64);
    for served in served {
        let reconciled = &served.reconciled;
        // A dry run notifies nobody, and so it raises no alarm.
        let permanent = reconciled.class() == Some(Class::Permanent) && !served.dry_run;
        metrics.count(Metric::AccountFailed, u64::from(permanent));
        let out_of_time = u64::from(served.turn != Turn::Whole);
        metrics.count(Metric::AccountsCutShort, out_of_time);
        let problems = reconciled.problems().len() as u64;
        metrics.count(Metric::AssociationsFailed, problems);
        let waiting = reconciled.plan.waiting.len() as u64;
        metrics.count(Metric::PipelinesWaiting, waiting);
        for applied in &reconciled.steps {
            if matches!(applied.outcome, StepOutcome::Done(_)) {
                let (metric, count) = change(&applied.step);
                metrics.count(metric, count as u64);
            }
        }
    }
}

/// What a step counts as, and how many things it concerns.
fn change(step: &Step) -> (Metric, usize) {
    let Call::Change(action) = &step.call else {
        return (Metric::SharesCreated, 1);
    };
    match action {
        Action::ReplacePermission { .. } => (Metric::PermissionsReplaced, 1),
        Action::AllowExternal { .. } => (Metric::SharesUpdated, 1),
        Action::AddPipelines { pipelines } => (Metric::PipelinesAdded, pipelines.len()),
        Action::RemoveResources { resources } => (Metric::ResourcesRemoved, resources.len()),
        Action::AddPrincipals { principals } => (Metric::PrincipalsAdded, principals.len()),
        Action::RemovePrincipals { principals } => (Metric::PrincipalsRemoved, principals.len()),
        Action::Delete => (Metric::SharesDeleted, 1),
    }
}
