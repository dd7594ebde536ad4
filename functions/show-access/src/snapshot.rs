//! What was seen, as the pages show it.

use domain::{
    execution::{Details, Execution},
    id::{AccountId, PipelineArn, Principal},
    overview::{AccessState, PipelineAccess},
    policy::{Policy, Rule, RuleName},
    status::ExecutionStatus,
    text::flat,
};
use jiff::{SignedDuration, Timestamp};

/// The longest name of a principal, in characters.
const LONGEST_PRINCIPAL: usize = 300;

/// All that one page shows.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// The time at AWS, if it said so.
    pub(crate) now: Option<Timestamp>,
    pub(crate) policy: Policy,
    /// The rows of the page, by owner and name.
    pub(crate) rows: Vec<Row>,
    /// How many rows there are on all pages.
    pub(crate) total: usize,
    /// The page, counted from 1, and how many there are.
    pub(crate) page: usize,
    pub(crate) pages: usize,
    /// What somebody has to look into, most important first.
    pub(crate) problems: Vec<Problem>,
    /// What is invited and has yet to accept; on the page that shows it.
    pub(crate) invitations: Vec<Invitation>,
    /// The documents of the policy; on the page that shows them.
    pub(crate) documents: Vec<Document>,
    /// What the table says of the accounts; on the page that shows it.
    pub(crate) accounts: Vec<AccountNote>,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) owner: AccountId,
    pub(crate) access: PipelineAccess,
    /// Its last runs, if the page shows them.
    pub(crate) runs: Option<Result<Vec<Run>, String>>,
    /// The newest of them that failed, with what is known of it.
    pub(crate) failure: Option<Failure>,
}

impl Row {
    pub(crate) fn arn(&self) -> &PipelineArn {
        &self.access.pipeline.arn
    }

    /// The runs that are known, newest first.
    pub(crate) fn known_runs(&self) -> &[Run] {
        match &self.runs {
            Some(Ok(runs)) => runs,
            _ => &[],
        }
    }

    /// The runs that have not ended.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Run> {
        let runs = self.known_runs().iter();
        runs.filter(|run| !run.execution.status.is_terminal())
    }
}

/// A run of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) execution: Execution,
    /// When anything about it changed last, if it has ended: about when it ended.
    pub(crate) ended: Option<Timestamp>,
}

impl Run {
    /// How long it took, or has taken until now.
    pub(crate) fn duration(&self, now: Option<Timestamp>) -> Option<SignedDuration> {
        let is_over = self.execution.status.is_terminal();
        let end = if is_over { self.ended } else { now };
        let lasted = end?.duration_since(self.execution.started?);
        (!lasted.is_negative()).then_some(lasted)
    }

    /// Whether it ended, and not every step succeeded.
    pub(crate) fn has_failed(&self) -> bool {
        matches!(
            self.execution.status,
            ExecutionStatus::Failed | ExecutionStatus::CompletedWithFailures
        )
    }
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) execution: Execution,
    pub(crate) details: Details,
}

/// Something that somebody has to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The account that it is about; none for the policy.
    pub(crate) account: Option<AccountId>,
    /// What it is; others may have written part of it.
    pub(crate) what: String,
}

/// Somebody who has yet to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invitation {
    pub(crate) owner: AccountId,
    pub(crate) principal: String,
    pub(crate) rule: RuleName,
    /// How many pipelines wait for it.
    pub(crate) pipelines: usize,
    pub(crate) state: AccessState,
}

/// A document of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    /// The team; none for the root.
    pub(crate) team: Option<String>,
    /// The version in force.
    pub(crate) in_force: Option<i64>,
    pub(crate) written: Option<Timestamp>,
    /// The newest version, if it is not that one.
    pub(crate) newest: Option<i64>,
    /// What is to be said of either.
    pub(crate) note: Option<String>,
}

/// What the table says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountNote {
    pub(crate) account: AccountId,
    /// Until when its executions were examined.
    pub(crate) examined: Option<Timestamp>,
    /// How many alerts about it were sent today.
    pub(crate) alerts: usize,
}

impl Snapshot {
    /// The rule of an entry of this owner.
    pub(crate) fn rule(&self, name: &RuleName, owner: &AccountId) -> Option<&Rule> {
        self.policy.rule(name.as_str(), owner)
    }

    /// What people call an account: its name with its id, or the id.
    pub(crate) fn account(&self, id: &AccountId) -> String {
        match self.policy.account(id) {
            Some(account) => format!("{} ({id})", account.name),
            None => id.to_string(),
        }
    }

    /// What people call a principal, shortly.
    pub(crate) fn principal(&self, text: &str) -> String {
        let name = |id: &AccountId| self.policy.display_name(id).to_owned();
        let shown = match text.parse() {
            Ok(Principal::Account(id)) => name(&id),
            Ok(Principal::Identity(id, arn)) => {
                let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
                format!("{resource} of {}", name(&id))
            }
            Ok(Principal::OrganizationalUnit(arn) | Principal::Organization(arn)) => {
                let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
                resource.to_owned()
            }
            Err(_) => text.to_owned(),
        };
        flat(&shown, LONGEST_PRINCIPAL)
    }
}
