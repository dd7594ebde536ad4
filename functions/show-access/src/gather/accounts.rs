//! Reads one owner account.

use std::collections::BTreeMap;

use domain::{
    id::AccountId,
    overview::{self, PipelineAccess},
    policy::{InForce, Place},
    sharing::{self, Observed, Plan},
    text::{flat, quoted},
};
use runtime::{
    Error,
    ports::{PolicyStore, Table},
    reconcile::remembered_gates,
};
use tokio::time::timeout;

use super::{Gatherer, LONGEST};
use crate::{ports::Owners, snapshot::Problem};

/// What was seen in an account.
pub(crate) struct Account {
    pub(crate) pipelines: Vec<PipelineAccess>,
    pub(crate) problems: Vec<Problem>,
}

impl<H: PolicyStore + Table, A: Owners> Gatherer<'_, H, A> {
    /// Reads an account; none if that takes too long.
    pub(crate) async fn account(
        &self,
        in_force: &InForce,
        owner: &AccountId,
    ) -> (AccountId, Option<Result<Account, Error>>) {
        let reading = timeout(self.time / 2, self.read_account(in_force, owner));
        (owner.clone(), reading.await.ok())
    }

    async fn read_account(&self, in_force: &InForce, owner: &AccountId) -> Result<Account, Error> {
        let policy = &in_force.policy;
        let (evidence, pipelines, shares, ceiling) = futures::join!(
            remembered_gates(self.hub, policy, owner),
            self.accounts.pipelines(owner),
            self.accounts.shares(owner),
            self.accounts.ceiling(owner),
        );
        let Place { region, partition } = self.hub.place().clone();
        let observed = Observed {
            account: owner.clone(),
            region,
            partition,
            at: self.hub.time(),
            pipelines: pipelines?,
            shares: shares?,
            lookalikes: Vec::new(),
            evidence: evidence?,
            evidence_first: false,
            // What no item says yet counts as not proved: to ask would cost a call for each.
            proved: Vec::new(),
            flaws: BTreeMap::new(),
        };
        let plan = sharing::plan(policy, in_force.generation(), &observed);
        let mut problems = problems(&plan);
        if let Err(error) = &ceiling {
            let what = format!("Its ceiling cannot be read: {error}");
            problems.push(problem(owner, &what));
        }
        Ok(Account {
            pipelines: overview::of_account(policy, &observed, ceiling.as_ref().ok()),
            problems,
        })
    }
}

/// What of an account no reconciliation can fix.
fn problems(plan: &Plan) -> Vec<Problem> {
    let refused = plan.problems.iter().map(|it| {
        let share = quoted(&it.share, 100);
        let why = match (&it.since, &it.message) {
            (Some(since), _) => format!("since {since}"),
            (None, Some(message)) => message.clone(),
            (None, None) => "no reason given".to_owned(),
        };
        format!("Share {share}: {} is {}: {why}", it.entity, it.status)
    });
    let let_in = plan.let_in.iter().map(|it| {
        let (share, principal) = (quoted(&it.share, 100), quoted(&it.principal, 100));
        format!("Share {share}: somebody let {principal} in, which the rule does not name")
    });
    let flawed = plan.flawed.iter();
    let flawed = flawed.map(|it| {
        format!(
            "Rule {}: the permission {} {}",
            it.rule, it.permission, it.flaw
        )
    });
    let out_of_reach = plan.out_of_reach.iter().map(|it| {
        let share = quoted(&it.share, 100);
        format!("Share {share} has pipeshare's tags and none of its names, so it cannot be changed")
    });
    let all = refused.chain(let_in).chain(flawed).chain(out_of_reach);
    all.map(|what| problem(&plan.account, &what)).collect()
}

fn problem(account: &AccountId, what: &str) -> Problem {
    Problem {
        account: Some(account.clone()),
        what: flat(what, LONGEST),
    }
}
