//! Who is told what about an execution, and whether they have been told.

mod ledger;
mod notice;
mod recipients;

pub use ledger::{Change, Decision, Seen, Told, decide};
pub use notice::{
    Execution, FailedStep, Fate, Notice, PolicyTrouble, SharedPipelines, StrangersOfDay, Trouble,
    excess_notice, execution_notice, policy_refused_notice, policy_trouble_notice, problem_notice,
    refusal_notice, shared_notice, strangers_notice,
};
pub use recipients::{Recipients, Withheld, name_accounts, recipients};

use crate::{
    id::ExecutionArn,
    policy::{Policy, Rule},
    status::ExecutionStatus,
};

/// The source of every event that pipeshare sends.
pub const SOURCE: &str = "pipeshare";

/// The detail type of an event about an execution.
pub const EXECUTION_DETAIL_TYPE: &str = "Pipeline Execution Status";

/// The detail type of an event about pipelines that an account can use now.
pub const SHARED_DETAIL_TYPE: &str = "Pipelines Shared";

/// The detail type of an event about a share that is not trusted.
pub const REFUSAL_DETAIL_TYPE: &str = "Share Refused";

/// The detail type of an event about what only people can mend.
pub const PROBLEM_DETAIL_TYPE: &str = "Problem";

/// The rules that want news of this execution, whomever they name.
#[must_use]
pub fn wanting_rules<'a>(
    policy: &'a Policy,
    execution: &'a ExecutionArn,
    status: &'a ExecutionStatus,
) -> Vec<&'a Rule> {
    policy
        .rules_of(execution.account())
        .filter(|rule| rule.pipelines.matches(execution.pipeline_name()))
        .filter(|rule| wants(rule, status))
        .collect()
}

/// A status that AWS added later goes to everyone who wants news at all.
fn wants(rule: &Rule, status: &ExecutionStatus) -> bool {
    match status {
        ExecutionStatus::Other(_) => !rule.notify.is_empty(),
        known => rule.notify.contains(known),
    }
}
