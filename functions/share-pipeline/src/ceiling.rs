//! Says what an account's ceiling refuses: beforehand in a dry run, and otherwise once IAM has.
//!
//! IAM alone judges. The ceiling only explains, so that a step is never left
//! out because of what somebody wrote into a parameter.

use aws::{Error, clients::Role};
use domain::{
    ceiling::{Beyond, Ceiling},
    id::AccountId,
    policy::{Policy, RuleName},
};
use serde::Serialize;

use crate::{Look, SharePipeline, report::AccountReport};

/// What is known of an account's ceiling, for a dry run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum CeilingReport {
    /// The rules of which something is beyond it, whether or not they lead to a step now.
    RefusedRules(Vec<RefusedRule>),
    /// It could not be read, so nobody knows which steps will be refused.
    Unknown(String),
}

/// A rule of which something is beyond the ceiling.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefusedRule {
    rule: RuleName,
    /// Whether nothing is left of it.
    wholly: bool,
    reasons: Vec<String>,
}

impl SharePipeline<'_> {
    /// The ceiling of an account, if a dry run is to say what it refuses.
    pub(crate) async fn foreseen(
        &self,
        account: &AccountId,
        look: Look,
    ) -> Option<Result<Ceiling, Error>> {
        if look.dry_run {
            return Some(self.aws.ceiling(account, Role::Reader).await);
        }
        None
    }

    /// Adds to what IAM refused which parameter of the account is in the way, if one is.
    pub(crate) async fn explain(&self, policy: &Policy, report: AccountReport) -> AccountReport {
        if !report.was_denied() {
            return report;
        }
        match self.aws.ceiling(&report.account, Role::Reader).await {
            Ok(ceiling) => report.explained(policy, &ceiling),
            Err(error) => {
                tracing::warn!(account.id = %report.account, "no ceiling explains it: {error}");
                report
            }
        }
    }
}

impl AccountReport {
    /// Marks what the ceiling will refuse of a plan that is not to be executed.
    pub(crate) fn bounded(
        mut self,
        policy: &Policy,
        partition: &str,
        ceiling: Result<Ceiling, Error>,
    ) -> Self {
        let ceiling = match ceiling {
            Ok(ceiling) => ceiling,
            Err(error) => {
                self.ceiling = Some(CeilingReport::Unknown(error.to_string()));
                return self;
            }
        };
        let account = self.account.clone();
        for step in &mut self.steps {
            let refused = ceiling.refuses(step.step());
            step.refused_by = refused.map(|beyond| sentence(policy, &account, &beyond));
        }
        let rules = policy.rules_of(&account).filter_map(|rule| {
            let beyond = ceiling.beyond(rule, partition);
            let reasons: Vec<_> = beyond.reasons.iter().map(ToString::to_string).collect();
            (!reasons.is_empty()).then(|| RefusedRule {
                rule: rule.name.clone(),
                wholly: beyond.wholly,
                reasons,
            })
        });
        self.ceiling = Some(CeilingReport::RefusedRules(rules.collect()));
        self
    }

    /// Names the ceiling where it is the reason for what IAM denied.
    fn explained(mut self, policy: &Policy, ceiling: &Ceiling) -> Self {
        let account = self.account.clone();
        for step in self.steps.iter_mut().filter(|step| step.was_denied) {
            let refused = ceiling.refuses(step.step());
            step.refused_by = refused.map(|beyond| sentence(policy, &account, &beyond));
        }
        self
    }
}

/// Why a step is refused, as people read it.
fn sentence(policy: &Policy, account: &AccountId, beyond: &Beyond) -> String {
    let name = policy.display_name(account);
    format!("the ceiling of account {name}: {beyond}")
}
