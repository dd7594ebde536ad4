//! What was done and why, as data: the answer to a command and the log line.

mod count;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::AccountId,
    policy::{Limits, Policy, PolicyErrors, Withdrawal},
    sharing::{Flawed, Lookalike, Offered, OutOfReach, Problem, Waiting},
    trigger::Ignored,
};
use runtime::reconcile::Stopped;
use serde::Serialize;

use crate::{
    account::Served,
    ceiling::CeilingReport,
    promote::Promotion,
    route::{Scope, Task},
};
pub(crate) use count::count;
use step::StepReport;

/// How many waiting pipelines are named; the rest is counted.
const NAMED_WAITING: usize = 20;

/// One run of the function.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// The version of the policy that the run went by.
    policy_version: Option<i64>,
    /// Whether that version was put in force by this run.
    promoted: bool,
    /// Why a newer version was not put in force, or the one in force is not gone by.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_refused: Option<String>,
    /// The teams whose documents were put in force by this run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    documents_promoted: Vec<String>,
    /// Why newer documents of teams were not put in force, by team.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    documents_refused: BTreeMap<String, String>,
    /// What the documents of a plan would do, which changed nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanReport>,
    /// The accounts that were reconciled.
    accounts: Vec<AccountReport>,
    /// Accounts that a record named and that no rule names as an owner.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    not_an_owner: BTreeSet<AccountId>,
    /// Records that were no events or commands, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Ignored>,
    /// Why no account was reconciled.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

/// What documents would do to the policy in force.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanReport {
    /// What is wrong with the documents; nothing is planned then.
    #[serde(skip_serializing_if = "Option::is_none")]
    mistakes: Option<String>,
    /// How many grants there are in force.
    grants: usize,
    /// Those that would be withdrawn.
    withdrawn: Vec<String>,
    /// Whether that has to be confirmed.
    needs_confirmation: bool,
}

impl PlanReport {
    pub(crate) fn refused(errors: &PolicyErrors) -> Self {
        Self {
            mistakes: Some(errors.to_string()),
            grants: 0,
            withdrawn: Vec::new(),
            needs_confirmation: false,
        }
    }

    pub(crate) fn of(withdrawal: &Withdrawal, limits: Limits) -> Self {
        Self {
            mistakes: None,
            grants: withdrawal.all,
            withdrawn: withdrawal.withdrawn.clone(),
            needs_confirmation: withdrawal.is_beyond(limits),
        }
    }
}

impl Report {
    /// What a plan found before any account was read.
    pub(crate) fn of_plan(plan: PlanReport) -> Self {
        Self {
            plan: Some(plan),
            ..Self::default()
        }
    }

    /// What became of the policy.
    pub(crate) fn of_policy(promotion: &Promotion) -> Self {
        let in_force = promotion.in_force.as_ref().ok();
        Self {
            policy_version: in_force.map(|in_force| in_force.version),
            promoted: promotion.promoted,
            policy_refused: promotion.refused.clone(),
            documents_promoted: promotion.documents.promoted.clone(),
            documents_refused: promotion.documents.refused_by_team(),
            ..Self::default()
        }
    }

    /// Nothing was reconciled.
    pub(crate) fn stopped(self, why: &Stopped) -> Self {
        Self {
            stopped: Some(why.to_string()),
            ..self
        }
    }

    /// What the records asked for, and what was done in the accounts.
    pub(crate) fn of_accounts(
        self,
        policy: &Policy,
        partition: &str,
        tasks: &[Result<Task, Ignored>],
        served: &[Served],
    ) -> Self {
        let ignored = tasks.iter().filter_map(|task| task.as_ref().err());
        let named = tasks.iter().flatten().filter_map(|task| match &task.scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        });
        let is_served = |account: &&AccountId| served.iter().any(|it| it.account() == *account);
        let accounts = served
            .iter()
            .map(|served| AccountReport::of(policy, partition, served));
        Self {
            accounts: accounts.collect(),
            not_an_owner: named.filter(|it| !is_served(it)).cloned().collect(),
            ignored: ignored.cloned().collect(),
            ..self
        }
    }
}

/// What was done in one account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountReport {
    account: AccountId,
    dry_run: bool,
    steps: Vec<StepReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offered: Vec<Offered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
    waiting_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flawed: Vec<Flawed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    out_of_reach: Vec<OutOfReach>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lookalikes: Vec<Lookalike>,
    unsettled: bool,
    /// What a dry run found out about the account's ceiling.
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<CeilingReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl AccountReport {
    fn of(policy: &Policy, partition: &str, served: &Served) -> Self {
        let account = served.account();
        let reconciled = &served.reconciled;
        let plan = &reconciled.plan;
        let foreseen = served.ceiling.as_ref().filter(|_| served.dry_run);
        Self {
            account: account.clone(),
            dry_run: served.dry_run,
            steps: StepReport::all_of(policy, served),
            offered: plan.offered.clone(),
            waiting: plan.waiting.iter().take(NAMED_WAITING).cloned().collect(),
            waiting_count: plan.waiting.len(),
            problems: reconciled.problems(),
            flawed: plan.flawed.clone(),
            out_of_reach: plan.out_of_reach.clone(),
            lookalikes: plan.lookalikes.clone(),
            unsettled: plan.unsettled,
            ceiling: foreseen.map(|ceiling| CeilingReport::of(policy, account, partition, ceiling)),
            error: reconciled.errors.last().map(ToString::to_string),
        }
    }
}
