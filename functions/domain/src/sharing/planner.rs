//! The planner: policy and observation in, steps with reasons out.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{
    Action, Audience, Flawed, Observed, Offered, OutOfReach, Plan, Problem, Reason, Share,
    ShareName, Step, Waiting,
    lane::{Admitted, Lane, audiences},
    maintain::Room,
    observed::find,
    rest::names_all,
};
use crate::{
    id::Principal,
    policy::{Policy, Rule, RuleName},
    status::AssociationStatus,
};

/// How many resources RAM lets a share hold (RAM User Guide, "Service quotas").
pub const MAX_PIPELINES: usize = 5_000;

/// Plans what makes the shares of one owner account what the policy says.
///
/// `generation` distinguishes shares of one name that are made one after the
/// other, so that RAM does not take the request for the second for a repetition
/// of the first; when the policy was written serves well. The plan depends on
/// nothing but the arguments, not even on the order of their lists.
#[must_use]
pub fn plan(policy: &Policy, generation: i64, observed: &Observed) -> Plan {
    let mut planner = Planner::new(policy, generation, observed);
    let mut rules: Vec<_> = policy.rules_of(&observed.account).collect();
    rules.sort_by_key(|rule| &rule.name);
    for rule in rules {
        planner.plan_rule(rule);
    }
    planner.delete_the_rest();
    planner.finish()
}

pub(super) struct Planner<'a> {
    pub(super) policy: &'a Policy,
    pub(super) generation: i64,
    pub(super) observed: &'a Observed,
    /// What may be in the shares of each rule.
    pub(super) admitted: BTreeMap<&'a RuleName, Admitted<'a>>,
    /// The shares whose tag, name and audience agree, and the rule that each serves.
    pub(super) serving: BTreeMap<&'a str, &'a RuleName>,
    /// These, and others that were dealt with.
    pub(super) dealt_with: BTreeSet<&'a str>,
    pub(super) out_of_reach: Vec<OutOfReach>,
    flawed: Vec<Flawed>,
    narrowing: Vec<Step>,
    granting: Vec<Step>,
    deleting: Vec<Step>,
    offered: Vec<Offered>,
    waiting: Vec<Waiting>,
    pub(super) problems: Vec<Problem>,
    pub(super) unsettled: bool,
}

impl<'a> Planner<'a> {
    fn new(policy: &'a Policy, generation: i64, observed: &'a Observed) -> Self {
        Self {
            policy,
            generation,
            observed,
            admitted: BTreeMap::new(),
            serving: BTreeMap::new(),
            dealt_with: BTreeSet::new(),
            out_of_reach: Vec::new(),
            flawed: Vec::new(),
            narrowing: Vec::new(),
            granting: Vec::new(),
            deleting: Vec::new(),
            offered: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
            unsettled: false,
        }
    }

    /// Access is taken away before any is given.
    fn finish(self) -> Plan {
        let steps = [self.narrowing, self.granting, self.deleting].concat();
        let mut plan = Plan {
            account: self.observed.account.clone(),
            steps,
            offered: self.offered,
            waiting: self.waiting,
            problems: self.problems,
            flawed: self.flawed,
            out_of_reach: self.out_of_reach,
            lookalikes: Vec::new(),
            unsettled: self.unsettled,
        };
        let created = plan.created();
        let lookalikes = self.observed.lookalikes.iter();
        let mut lookalikes: Vec<_> = lookalikes
            .filter(|lookalike| created.contains(lookalike.share.as_str()))
            .cloned()
            .collect();
        lookalikes.sort();
        plan.lookalikes = lookalikes;
        plan
    }

    fn plan_rule(&mut self, rule: &'a Rule) {
        let admitted = self.admit(rule);
        let permission = rule.access.permission(&self.observed.partition);
        if let Some(flaw) = self.observed.flaws.get(&permission) {
            self.flawed.push(Flawed {
                rule: rule.name.clone(),
                permission,
                flaw: flaw.clone(),
            });
        }
        for (audience, principals) in audiences(self.policy, rule) {
            self.plan_audience(rule, &audience, &principals, &admitted);
        }
        self.admitted.insert(&rule.name, admitted);
    }

    fn admit(&mut self, rule: &'a Rule) -> Admitted<'a> {
        let observed = self.observed;
        let mut admitted = Admitted::new();
        let mut waiting = BTreeSet::new();
        for pipeline in observed.matching(rule) {
            if observed.evidence.has_passed(rule, pipeline) {
                admitted.insert(&pipeline.arn, (pipeline, Reason::passed(rule.after)));
            } else {
                waiting.insert(&pipeline.arn);
            }
        }
        self.waiting.extend(waiting.into_iter().map(|arn| Waiting {
            rule: rule.name.clone(),
            pipeline: arn.clone(),
            after: rule.after,
        }));
        admitted
    }

    fn plan_audience(
        &mut self,
        rule: &'a Rule,
        audience: &Audience,
        principals: &[&'a Principal],
        admitted: &Admitted<'a>,
    ) {
        let parts = self.parts(rule, audience, admitted);
        let permission = rule.access.permission(&self.observed.partition);
        let can_be_given = !self.observed.flaws.contains_key(&permission);
        let mut lane = Lane {
            rule,
            permission,
            can_be_given,
            principals,
            audience: audience.clone(),
            unplaced: admitted.clone(),
        };
        let mut open = BTreeMap::new();
        let mut all_open = lane.can_be_given;
        for (part, share) in &parts {
            match self.maintain(&mut lane, share, admitted) {
                Room::Open { held } => {
                    open.insert(*part, held);
                }
                Room::Closed => all_open = false,
                // What takes its place is planned when it is gone.
                Room::Gone => return,
            }
        }
        for (part, held) in open {
            self.fill(&mut lane, part, parts.get(&part).copied(), held);
        }
        // What a closed share will have room for needs no share of its own.
        let mut part = 0;
        while all_open && !lane.unplaced.is_empty() {
            part += 1;
            if !parts.contains_key(&part) {
                self.fill(&mut lane, part, None, 0);
            }
        }
    }

    /// The shares of one audience by part; the oldest of each name stays.
    fn parts(
        &mut self,
        rule: &'a Rule,
        audience: &Audience,
        admitted: &Admitted<'_>,
    ) -> BTreeMap<u32, &'a Share> {
        let mut parts: BTreeMap<u32, &'a Share> = BTreeMap::new();
        let mut duplicates = Vec::new();
        let mut shares: Vec<_> = self.observed.shares.iter().filter(|s| s.live).collect();
        shares.sort_by_key(|share| (share.created, &share.arn));
        for share in shares {
            let Ok(name) = share.name.parse::<ShareName>() else {
                continue;
            };
            let is_ours = share.rule.as_deref() == Some(rule.name.as_str())
                && name.rule == rule.name
                && name.audience == *audience;
            if !is_ours {
                continue;
            }
            self.dealt_with.insert(share.arn.as_str());
            match parts.entry(name.part) {
                Entry::Vacant(vacant) => {
                    vacant.insert(share);
                    self.serving.insert(share.arn.as_str(), &rule.name);
                }
                Entry::Occupied(_) => duplicates.push(share),
            }
        }
        for share in duplicates {
            if !names_all(rule, share) || self.grants_too_much(share, rule, admitted) {
                self.delete(share, Reason::GrantsTooMuch);
            } else if !self.is_needed_until_served(share, rule) {
                self.delete(share, Reason::Duplicate);
            }
        }
        parts
    }

    /// Adds to one part what has no place yet, and the principals once there is something to see.
    fn fill(&mut self, lane: &mut Lane<'a, '_>, part: u32, share: Option<&Share>, held: usize) {
        let name = ShareName {
            rule: lane.rule.name.clone(),
            audience: lane.audience.clone(),
            part,
        };
        let added = lane.take(MAX_PIPELINES.saturating_sub(held));
        if added.is_empty() && held == 0 {
            return;
        }
        let name = name.to_string();
        if share.is_none() {
            // The oldest stays the same while others come in quick succession.
            let pipelines = added.iter().map(|(pipeline, _)| *pipeline);
            let oldest = pipelines.min_by_key(|pipeline| (pipeline.created, &pipeline.arn));
            let create = self.creation(lane, &name, oldest);
            self.grant(&name, None, create, Reason::FirstPipeline);
        }
        let joining = added.into_iter().map(|(pipeline, reason)| {
            let failed = share.is_some_and(|share| share.has_failed(pipeline.arn.as_str()));
            let reason = if failed {
                Reason::AssociationFailed
            } else {
                reason
            };
            (reason, pipeline.arn.clone())
        });
        for (reason, pipelines) in by_reason(joining.collect()) {
            self.grant(&name, share, Action::AddPipelines { pipelines }, reason);
        }
        let missing = lane.principals.iter().filter_map(|principal| {
            let reason = reason_to_add(share, principal)?;
            Some((reason, (*principal).clone()))
        });
        for (reason, principals) in by_reason(missing.collect()) {
            self.grant(&name, share, Action::AddPrincipals { principals }, reason);
        }
        self.offer(lane, &name, share);
    }

    fn offer(&mut self, lane: &Lane<'a, '_>, name: &str, share: Option<&Share>) {
        let Audience::Account(consumer) = &lane.audience else {
            return;
        };
        let is_accepted = |principal: &&Principal| {
            share
                .and_then(|share| find(&share.principals, principal.as_str()))
                .is_some_and(|found| found.status == AssociationStatus::Associated)
        };
        if !lane.principals.iter().all(is_accepted) {
            self.offered.push(Offered {
                share: name.to_owned(),
                rule: lane.rule.name.clone(),
                consumer: consumer.clone(),
            });
        }
    }

    pub(super) fn narrow(&mut self, share: &Share, action: Action, reason: Reason) {
        self.narrowing
            .push(step(&share.name, Some(share), action, reason));
    }

    fn grant(&mut self, name: &str, share: Option<&Share>, action: Action, reason: Reason) {
        self.granting.push(step(name, share, action, reason));
    }

    /// A share whose principals have another goes last, so that they keep access throughout.
    pub(super) fn delete(&mut self, share: &Share, reason: Reason) {
        let step = step(&share.name, Some(share), Action::Delete, reason);
        if reason.hands_over() {
            self.deleting.push(step);
        } else {
            self.narrowing.push(step);
        }
    }
}

fn reason_to_add(share: Option<&Share>, principal: &Principal) -> Option<Reason> {
    let found = share.and_then(|share| find(&share.principals, principal.as_str()));
    match found.map(|association| &association.status) {
        None => Some(Reason::PrincipalNamed),
        Some(AssociationStatus::Disassociated) => Some(Reason::InvitationExpired),
        Some(AssociationStatus::Failed) => Some(Reason::AssociationFailed),
        // It leaves now and can be added once it is gone.
        Some(_) => None,
    }
}

pub(super) fn by_reason<T: Ord>(items: Vec<(Reason, T)>) -> BTreeMap<Reason, Vec<T>> {
    let mut grouped: BTreeMap<Reason, Vec<T>> = BTreeMap::new();
    for (reason, item) in items {
        grouped.entry(reason).or_default().push(item);
    }
    for group in grouped.values_mut() {
        group.sort();
    }
    grouped
}

fn step(name: &str, share: Option<&Share>, action: Action, reason: Reason) -> Step {
    Step {
        share: name.to_owned(),
        arn: share.map(|share| share.arn.clone()),
        action,
        reason,
    }
}
