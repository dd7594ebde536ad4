//! Says what an account's ceiling refuses: beforehand in a dry run, and otherwise once IAM has.
//!
//! IAM alone judges. The ceiling only explains, so that a step is never left
//! out because of what somebody wrote into a parameter.

use domain::{
    ceiling::Ceiling,
    id::AccountId,
    policy::{About, Policy, RuleName},
    sharing::Step,
};
use runtime::Error;
use serde::Serialize;

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
    #[serde(flatten)]
    about: About,
}

impl CeilingReport {
    /// What a ceiling refuses of the rules of an account.
    pub(crate) fn of(
        policy: &Policy,
        account: &AccountId,
        partition: &str,
        ceiling: &Result<Ceiling, Error>,
    ) -> Self {
        let ceiling = match ceiling {
            Ok(ceiling) => ceiling,
            Err(error) => return Self::Unknown(error.to_string()),
        };
        let rules = policy.rules_of(account).filter_map(|rule| {
            let beyond = ceiling.beyond(rule, partition);
            let reasons: Vec<_> = beyond.reasons.iter().map(ToString::to_string).collect();
            (!reasons.is_empty()).then(|| RefusedRule {
                rule: rule.name.clone(),
                wholly: beyond.wholly,
                reasons,
                about: rule.about(),
            })
        });
        Self::RefusedRules(rules.collect())
    }
}

/// Why the ceiling of an account refuses a step, as people read it.
pub(crate) fn refusal(
    policy: &Policy,
    account: &AccountId,
    ceiling: &Ceiling,
    step: &Step,
) -> Option<String> {
    let beyond = ceiling.refuses(step)?;
    let name = policy.display_name(account);
    let parameter = beyond.parameter();
    Some(format!(
        "the ceiling of account {name}: {beyond}; if it is meant, deploy the template owner-account there \
         with another {parameter}"
    ))
}
