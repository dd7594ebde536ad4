//! What one reconciliation of an account came to.

use super::{Applied, Plan, Problem, Step, StepOutcome, rule_of, should_requeue};
use crate::{
    error::{Class, Error},
    id::AccountId,
    notification::Alert,
    reconcile::worst,
};

/// What was planned in an account, and what became of it.
#[derive(Debug, Clone)]
pub struct Reconciliation {
    /// What there was to do, and what is left to wait for.
    pub plan: Plan,
    /// What became of the steps.
    pub steps: Vec<Applied<Error>>,
    /// What failed beside steps.
    pub errors: Vec<Error>,
}

impl Reconciliation {
    /// A plan that is not to be carried out.
    #[must_use]
    pub fn planned(plan: Plan) -> Self {
        Self {
            plan,
            steps: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// An account that could not be observed, so that nothing was done.
    #[must_use]
    pub fn failed(account: AccountId, error: Error) -> Self {
        Self {
            plan: Plan::nothing(account),
            steps: Vec::new(),
            errors: vec![error],
        }
    }

    /// Both, if the account was reconciled a second time at once.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        let mut plan = self.plan;
        plan.problems.extend(first.plan.problems);
        plan.let_in.extend(first.plan.let_in);
        plan.expired.extend(first.plan.expired);
        Self {
            plan,
            steps: [first.steps, self.steps].concat(),
            errors: [first.errors, self.errors].concat(),
        }
    }

    /// The failure that decides what becomes of the record: one that a
    /// repetition may cure, before one that needs people.
    #[must_use]
    pub fn worst(&self) -> Option<&Error> {
        let of_steps = self.steps.iter().filter_map(Applied::error);
        worst(of_steps.chain(&self.errors))
    }

    /// The class of the [worst](Self::worst) failure.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        self.worst().map(Error::class)
    }

    /// The associations that RAM refused, also in answers to steps.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let of_steps = self.steps.iter().flat_map(Applied::refused);
        self.plan.problems.iter().cloned().chain(of_steps).collect()
    }

    /// Whether IAM refused a step.
    #[must_use]
    pub fn was_denied(&self) -> bool {
        self.steps.iter().any(Applied::was_denied)
    }

    /// Whether the account is reconciled again soon, without waiting for the schedule.
    #[must_use]
    pub fn should_requeue(&self) -> bool {
        let is_pending = self.class() == Some(Class::Pending);
        should_requeue(self.plan.unsettled, &self.steps, is_pending)
    }

    /// What only people can fix. `explain` says what of the account's ceiling
    /// is in the way of a step that IAM refused, if that is known.
    #[must_use]
    pub fn alerts(&self, explain: impl Fn(&Step) -> Option<String>) -> Vec<Alert> {
        let failures = self.errors.iter().filter_map(Error::alert);
        let steps = self.steps.iter().filter_map(|step| step.alert(&explain));
        failures
            .chain(steps)
            .chain(self.problems().iter().map(Problem::alert))
            .chain(self.plan.alerts())
            .collect()
    }
}

impl Applied<Error> {
    /// The failure of the step.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            StepOutcome::Failed(error) => Some(error),
            StepOutcome::Done(_) | StepOutcome::Skipped => None,
        }
    }

    /// Whether IAM refused the step.
    #[must_use]
    pub fn was_denied(&self) -> bool {
        self.error().is_some_and(Error::is_access_denied)
    }

    /// Its failure, if that is for people. AWS does not always say what it refuses to whom.
    fn alert(&self, explain: impl Fn(&Step) -> Option<String>) -> Option<Alert> {
        let Alert { kind, text, .. } = self.error()?.alert()?;
        let step = &self.step;
        let ceiling = explain(step).filter(|_| self.was_denied());
        let ceiling = ceiling.map_or_else(String::new, |ceiling| format!("; {ceiling}"));
        Some(Alert {
            kind: format!("{kind} {}", step.share),
            text: format!("{step}: {text}{ceiling}"),
            rule: rule_of(&step.share),
        })
    }
}
