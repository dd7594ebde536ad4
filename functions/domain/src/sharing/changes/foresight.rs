//! What an account shares once a plan, and those that follow it, are carried out.

use std::collections::BTreeMap;

use super::super::{
    Action, Association, Call, Observed, Offered, Plan, Reason, Share, ShareName, SharePlan,
    planner::plan_inviting,
};
use crate::{id::PipelineArn, policy::Policy, sharing::Step, status::AssociationStatus};

/// A plan leads to no more than a few others: what hands over waits for what
/// takes over, and what was deleted is made again.
const MOST_ROUNDS: usize = 8;

/// A share by its ARN, and what of it: a principal, a pipeline, what it
/// permits, or nothing for the whole share.
type Part = (String, Option<String>);

/// What stands for the permission of a share.
const PERMISSION: &str = "permission";

/// The shares of an account as they will be, and what happened on the way.
pub(super) struct Foresight {
    observed: Observed,
    /// Why something left.
    left: BTreeMap<Part, Reason>,
    /// Why a ceiling refuses what is to come.
    refused: BTreeMap<Part, String>,
    /// The names of the shares that are made.
    pub(super) created: Vec<String>,
    /// The invitations that are sent.
    pub(super) invited: Vec<Offered>,
}

impl Foresight {
    /// Carries out plans in thought until there is nothing to do.
    ///
    /// Everything is taken to be associated but those who must accept, and
    /// nobody to accept meanwhile.
    pub(super) fn of(
        policy: &Policy,
        generation: i64,
        observed: &Observed,
        refused_by: &impl Fn(&Step) -> Option<String>,
    ) -> Self {
        let mut foresight = Self {
            observed: observed.clone(),
            left: BTreeMap::new(),
            refused: BTreeMap::new(),
            created: Vec::new(),
            invited: Vec::new(),
        };
        for _ in 0..MOST_ROUNDS {
            foresight.settle();
            // Who waits for room to be invited will have access by the policy, too.
            let plan = plan_inviting(usize::MAX, policy, generation, &foresight.observed);
            if plan.shares.is_empty() {
                break;
            }
            foresight.carry_out(&plan, refused_by);
        }
        foresight.settle();
        foresight
    }

    /// The shares as they will be.
    pub(super) fn shares(&self) -> &[Share] {
        &self.observed.shares
    }

    /// Why a principal has a pipeline no longer by a share, or not as before.
    pub(super) fn reason(
        &self,
        share: &str,
        principal: &str,
        pipeline: &PipelineArn,
    ) -> Option<Reason> {
        among(&self.left, share, principal, pipeline).copied()
    }

    /// Why a ceiling keeps a pipeline from a principal in a share.
    pub(super) fn refusal(
        &self,
        share: &str,
        principal: &str,
        pipeline: &PipelineArn,
    ) -> Option<&str> {
        among(&self.refused, share, principal, pipeline).map(String::as_str)
    }

    /// What RAM does by itself within seconds.
    fn settle(&mut self) {
        for share in &mut self.observed.shares {
            let waits = must_accept(share);
            for resource in &mut share.resources {
                settled(resource, false);
            }
            for principal in &mut share.principals {
                settled(principal, waits);
            }
        }
    }

    fn carry_out(&mut self, plan: &Plan, refused_by: &impl Fn(&Step) -> Option<String>) {
        let offered = plan.offered.iter().filter(|offered| offered.is_new);
        self.invited.extend(offered.cloned());
        let places: Vec<_> = plan.shares.iter().map(|share| self.place(share)).collect();
        // What is refused ends the steps of its share.
        let mut ended: BTreeMap<usize, String> = BTreeMap::new();
        for (number, step) in plan.in_order() {
            let Some(share) = places
                .get(number)
                .and_then(|place| self.observed.shares.get_mut((*place)?))
            else {
                continue;
            };
            if let Some(refusal) = refused_by(&step) {
                ended.entry(number).or_insert(refusal);
            }
            if let Some(refusal) = ended.get(&number) {
                let parts = coming(&step.call).into_iter();
                let parts = parts.map(|part| ((share.arn.to_string(), part), refusal.clone()));
                self.refused.extend(parts);
            }
            if let Call::Change(action) = &step.call {
                let parts = leaving(action).into_iter();
                let left = parts.map(|part| ((share.arn.to_string(), part), step.reason));
                self.left.extend(left);
                share.apply(action);
            }
        }
    }

    /// Where among the shares the one of a plan is, which is made if there is none.
    fn place(&mut self, planned: &SharePlan) -> Option<usize> {
        if let Some(new) = planned.new_share() {
            let number = self.observed.shares.len();
            let share = self.observed.foreseen(new, number)?;
            self.observed.shares.push(share);
            self.created.push(new.name.clone());
            return self.observed.shares.len().checked_sub(1);
        }
        let mut shares = self.observed.shares.iter();
        shares.position(|share| Some(&share.arn) == planned.arn())
    }
}

/// What is noted of a share for a principal and a pipeline.
fn among<'a, T>(
    noted: &'a BTreeMap<Part, T>,
    share: &str,
    principal: &str,
    pipeline: &PipelineArn,
) -> Option<&'a T> {
    let parts = [
        None,
        Some(principal),
        Some(pipeline.as_str()),
        Some(PERMISSION),
    ];
    let mut parts = parts.into_iter();
    parts.find_map(|part| noted.get(&(share.to_owned(), part.map(str::to_ascii_lowercase))))
}

/// What a step brings into its share.
fn coming(call: &Call) -> Vec<Option<String>> {
    let lower = |text: &str| Some(text.to_ascii_lowercase());
    match call {
        Call::Create(_) | Call::Change(Action::AllowExternal { .. }) => vec![None],
        Call::Change(Action::ReplacePermission { .. }) => vec![lower(PERMISSION)],
        Call::Change(Action::AddPipelines { pipelines }) => {
            pipelines.iter().map(|it| lower(it.as_str())).collect()
        }
        Call::Change(Action::AddPrincipals { principals }) => {
            principals.iter().map(|it| lower(it.as_str())).collect()
        }
        Call::Change(
            Action::RemoveResources { .. } | Action::RemovePrincipals { .. } | Action::Delete,
        ) => Vec::new(),
    }
}

/// Whether the principals of the share have an invitation to accept.
pub(super) fn must_accept(share: &Share) -> bool {
    let name = share.name.parse::<ShareName>();
    name.map_or(true, |name| name.audience.must_accept())
}

fn settled(association: &mut Association, waits: bool) {
    use AssociationStatus::{Associated, Associating, Disassociated, Disassociating};
    match association.status {
        Associating if !waits => association.status = Associated,
        Disassociating => association.status = Disassociated,
        _ => {}
    }
}

/// What a step takes out of its share, or changes of it.
fn leaving(action: &Action) -> Vec<Option<String>> {
    match action {
        Action::ReplacePermission { .. } => vec![Some(PERMISSION.to_owned())],
        Action::Delete => vec![None],
        Action::RemoveResources { resources: names }
        | Action::RemovePrincipals { principals: names } => names
            .iter()
            .map(|it| Some(it.to_ascii_lowercase()))
            .collect(),
        Action::AllowExternal { .. }
        | Action::AddPipelines { .. }
        | Action::AddPrincipals { .. } => Vec::new(),
    }
}
