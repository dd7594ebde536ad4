//! What was done and why, as data: the answer to a command and the log line.

mod count;
mod step;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::AccountId,
    policy::{InForce, Limits, Policy, PolicyErrors, Withdrawal},
    sharing::{
        Changes, Explanation, Flawed, LetIn, Lookalike, Offered, OutOfReach, Problem, Uninvited,
        Waiting,
    },
    trigger::Ignored,
};
use runtime::{Error, reconcile::Stopped};
use serde::Serialize;

use crate::{
    account::{Served, Turn},
    ceiling::CeilingReport,
    promote::Promotion,
    route::{Scope, Task},
};
pub(crate) use count::count;
use step::StepReport;

/// How many waiting pipelines and accounts are named; the rest is counted.
const NAMED_WAITING: usize = 20;

/// What to do about an account without a session.
const NOT_ONBOARDED: &str = "not onboarded: deploy infra/owner-account";

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
    /// The account to ask for with `from`: it and those behind it are not planned yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<AccountId>,
    /// Why somebody has access, or has not.
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    /// The accounts that were reconciled.
    accounts: Vec<AccountReport>,
    /// Accounts for which the time was not enough; they follow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    out_of_time: Vec<AccountId>,
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
    /// Tells the documents in force from all others, so that answers in parts
    /// are known to be about the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    in_force: Option<i64>,
}

impl PlanReport {
    pub(crate) fn refused(errors: &PolicyErrors) -> Self {
        Self {
            mistakes: Some(errors.to_string()),
            grants: 0,
            withdrawn: Vec::new(),
            needs_confirmation: false,
            in_force: None,
        }
    }

    pub(crate) fn of(withdrawal: &Withdrawal, limits: Limits, in_force: Option<&InForce>) -> Self {
        Self {
            in_force: in_force.map(InForce::generation),
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

    /// The answer to a question about access.
    pub(crate) fn of_explanation(version: Option<i64>, explanation: Explanation) -> Self {
        Self {
            policy_version: version,
            explanation: Some(explanation),
            ..Self::default()
        }
    }

    /// A question that is none.
    pub(crate) fn of_ignored(ignored: Ignored) -> Self {
        Self {
            ignored: vec![ignored],
            ..Self::default()
        }
    }

    /// What the accounts come to that were planned, and where to go on.
    pub(crate) fn with_plans(self, accounts: Vec<AccountReport>, next: Option<AccountId>) -> Self {
        Self {
            next,
            accounts,
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
        let (whole, unfinished): (Vec<_>, Vec<_>) =
            served.iter().partition(|it| it.turn == Turn::Whole);
        let accounts = whole.into_iter();
        let accounts = accounts.map(|served| AccountReport::of(policy, partition, served));
        let accounts = accounts.collect();
        let out_of_time = unfinished.into_iter().map(|it| it.account().clone());
        Self {
            accounts,
            out_of_time: out_of_time.collect(),
            ..self.of_tasks(tasks, served)
        }
    }

    /// What the records asked for.
    pub(crate) fn of_tasks(self, tasks: &[Result<Task, Ignored>], served: &[Served]) -> Self {
        let ignored = tasks.iter().filter_map(|task| task.as_ref().err());
        let named = tasks.iter().flatten().filter_map(|task| match &task.scope {
            Scope::Account(account) => Some(account),
            Scope::Everything => None,
        });
        let is_served = |account: &&AccountId| served.iter().any(|it| it.account() == *account);
        Self {
            not_an_owner: named.filter(|it| !is_served(it)).cloned().collect(),
            ignored: ignored.cloned().collect(),
            ..self
        }
    }
}

/// What was done in one account.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountReport {
    account: AccountId,
    /// What the policy calls it, in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    dry_run: bool,
    /// Who gains, loses or changes access by a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<Changes>,
    steps: Vec<StepReport>,
    /// How many steps there are that would make the answer too large.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps_left_out: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    offered: Vec<Offered>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
    waiting_count: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uninvited: Vec<Uninvited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uninvited_count: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    let_in: Vec<LetIn>,
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
    /// What to do about an account in which the hub gets no session.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_onboarded: Option<&'static str>,
}

impl AccountReport {
    /// What a plan comes to in an account.
    pub(crate) fn planned(
        policy: &Policy,
        partition: &str,
        served: &Served,
        access: Option<Changes>,
    ) -> Self {
        let name = policy.account(served.account());
        Self {
            name: name.map(|account| account.name.clone()),
            access,
            ..Self::of(policy, partition, served)
        }
    }

    /// How much of an answer it takes.
    pub(crate) fn size(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |text| text.len())
    }

    /// The account.
    pub(crate) fn account(&self) -> &AccountId {
        &self.account
    }

    /// What is said instead of a plan that no answer can hold.
    pub(crate) fn too_large(self) -> Self {
        let size = self.size();
        let error = format!("its plan has {size} bytes, more than an answer can hold");
        Self {
            access: None,
            waiting: Vec::new(),
            problems: Vec::new(),
            error: Some(error),
            ..self
        }
    }

    /// The same without its steps, whose number is left.
    pub(crate) fn without_steps(self) -> Self {
        Self {
            steps_left_out: Some(self.steps.len()),
            steps: Vec::new(),
            ..self
        }
    }

    fn of(policy: &Policy, partition: &str, served: &Served) -> Self {
        let account = served.account();
        let reconciled = &served.reconciled;
        let plan = &reconciled.plan;
        let foreseen = served.ceiling.as_ref().filter(|_| served.dry_run);
        Self {
            account: account.clone(),
            name: None,
            dry_run: served.dry_run,
            access: None,
            steps_left_out: None,
            steps: StepReport::all_of(policy, served),
            offered: plan.offered.clone(),
            waiting: named(&plan.waiting),
            waiting_count: plan.waiting.len(),
            uninvited: named(&plan.uninvited),
            uninvited_count: Some(plan.uninvited.len()).filter(|count| *count > 0),
            problems: reconciled.problems(),
            let_in: plan.let_in.clone(),
            flawed: plan.flawed.clone(),
            out_of_reach: plan.out_of_reach.clone(),
            lookalikes: plan.lookalikes.clone(),
            unsettled: plan.unsettled,
            ceiling: foreseen.map(|ceiling| CeilingReport::of(policy, account, partition, ceiling)),
            error: reconciled.errors.last().map(ToString::to_string),
            not_onboarded: reconciled
                .errors
                .iter()
                .any(Error::is_without_session)
                .then_some(NOT_ONBOARDED),
        }
    }
}

/// The first of what waits.
fn named<T: Clone>(waiting: &[T]) -> Vec<T> {
    waiting.iter().take(NAMED_WAITING).cloned().collect()
}
