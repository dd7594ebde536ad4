//! What the function answers, and what the program prints of it as JSON.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::{input::InputError, report::counted};

/// The version of the JSON that is printed: the first number changes with
/// anything that a reader has to know of.
pub(crate) const FORMAT_VERSION: &str = "1.0";

/// One part of a plan.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    plan: Option<Found>,
    #[serde(default)]
    pub(super) accounts: Vec<Owner>,
    pub(super) next: Option<String>,
    #[serde(default)]
    pub(super) ignored: Vec<Ignored>,
    pub(super) stopped: Option<String>,
}

impl Answer {
    /// What was found, unless the question was not understood, or the answer is none.
    pub(super) fn found(&self) -> Option<Found> {
        let is_whole = self.ignored.is_empty() && self.stopped.is_none();
        self.plan.clone().filter(|_| is_whole)
    }
}

/// Why a question is none.
#[derive(Debug, Deserialize)]
pub(crate) struct Ignored {
    text: String,
}

impl Ignored {
    /// Why there is no answer.
    pub(crate) fn all(ignored: &[Self], stopped: Option<&str>) -> InputError {
        let texts = ignored.iter().map(|it| it.text.as_str()).chain(stopped);
        let texts: Vec<_> = texts.collect();
        InputError(match texts.as_slice() {
            [] => {
                "the function does not know the question; deploy the hub of this release".to_owned()
            }
            texts => texts.join("; "),
        })
    }
}

/// What was found before any account was read.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    #[serde(skip_serializing)]
    pub(super) mistakes: Option<String>,
    grants: usize,
    withdrawn: Vec<String>,
    #[serde(skip_serializing)]
    needs_confirmation: bool,
    #[serde(skip_serializing)]
    pub(super) in_force: Option<i64>,
}

/// One owner account.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) account: String,
    pub(super) name: Option<String>,
    pub(super) access: Option<Access>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    pub(super) steps_left_out: Option<usize>,
    #[serde(default)]
    pub(super) waiting: Vec<Waiting>,
    #[serde(default)]
    pub(super) waiting_count: usize,
    pub(super) ceiling: Option<Ceiling>,
    pub(super) error: Option<String>,
    pub(super) not_onboarded: Option<String>,
}

/// Whose access changes.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Access {
    pub(super) changes: Vec<AccessChange>,
    pub(super) counts: Counts,
    pub(super) shares: Vec<String>,
    pub(super) invitations: Vec<Invitation>,
    pub(super) pending_invitations: usize,
}

/// How many changes there are, in pipelines of principals.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
pub(super) struct Counts {
    pub(super) grants: usize,
    pub(super) changes: usize,
    pub(super) withdrawals: usize,
    pub(super) refused: usize,
}

/// What becomes of the access of one principal to some pipelines.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccessChange {
    pub(super) change: Kind,
    pub(super) principal: String,
    pub(super) name: Option<String>,
    pub(super) pipelines: Vec<String>,
    pub(super) before: Vec<Held>,
    pub(super) after: Vec<Held>,
    pub(super) rules: Vec<Rule>,
    pub(super) reason: Option<String>,
    pub(super) refused_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Gain,
    Change,
    Loss,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Held {
    pub(super) access: String,
    pub(super) pending: bool,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) why: Option<String>,
    pub(super) until: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Invitation {
    pub(super) share: String,
    pub(super) rule: String,
    pub(super) consumer: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) text: String,
    pub(super) refused_by: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Waiting {
    pub(super) rule: String,
    pub(super) pipeline: String,
    pub(super) after: String,
}

/// What the account's ceiling refuses, or why nobody knows.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ceiling {
    #[serde(default)]
    pub(super) refused_rules: Vec<RefusedRule>,
    pub(super) unknown: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct RefusedRule {
    pub(super) rule: String,
    pub(super) wholly: bool,
    pub(super) reasons: Vec<String>,
}

/// The whole plan, as it is printed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Planned {
    format_version: &'static str,
    pub(super) counts: Counts,
    pub(super) needs_confirmation: bool,
    in_force: Found,
    pub(super) accounts: Vec<Owner>,
}

impl Planned {
    pub(super) fn of(found: &Found, accounts: Vec<Owner>) -> Self {
        let mut counts = Counts::default();
        for access in accounts.iter().filter_map(|it| it.access.as_ref()) {
            counts.grants += access.counts.grants;
            counts.changes += access.counts.changes;
            counts.withdrawals += access.counts.withdrawals;
            counts.refused += access.counts.refused;
        }
        Self {
            format_version: FORMAT_VERSION,
            counts,
            needs_confirmation: found.needs_confirmation,
            in_force: found.clone(),
            accounts,
        }
    }

    /// The accounts that could not be planned; one that is yet to be onboarded is no failure.
    pub(super) fn unplanned(&self) -> Vec<&str> {
        let failed = |account: &&Owner| account.error.is_some() && account.not_onboarded.is_none();
        let failed = self.accounts.iter().filter(failed);
        failed.map(|account| account.account.as_str()).collect()
    }

    /// The plan in one line.
    pub(super) fn summary(&self) -> String {
        let Counts {
            grants,
            changes,
            withdrawals,
            refused,
        } = self.counts;
        let mut line = format!(
            "Plan: {}, {}, {}",
            counted(grants, "grant"),
            counted(changes, "change"),
            counted(withdrawals, "withdrawal")
        );
        if refused > 0 {
            let _ = write!(line, ", {refused} refused by a ceiling");
        }
        if self.needs_confirmation {
            line += "; needs confirmation";
        }
        line
    }
}

/// One object, for machines.
pub(crate) fn pretty(value: &impl Serialize) -> String {
    // Nothing in it can fail to be JSON: no map has keys other than text.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
