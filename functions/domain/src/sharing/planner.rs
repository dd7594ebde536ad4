//! The planner: policy and observation in, steps with reasons out.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{
    Action, Audience, Due, Flawed, LetIn, Lookalike, Observed, Offered, OutOfReach, Plan, Problem,
    Reason, Share, ShareName, SharePlan, Target, Uninvited, Waiting,
    group::{Admitted, ShareGroup, audiences},
    maintain::ShareSpace,
    quota::MAX_INVITATIONS,
    rest::names_all,
};
use crate::{
    id::Principal,
    notification::Expired,
    policy::{Policy, Rule, RuleName},
    storage::{self, Key},
};

/// How many resources RAM lets a share hold (RAM User Guide, "Service quotas").
pub const MAX_PIPELINES: usize = 5_000;

/// Plans what makes the shares of one owner account what the policy says.
///
/// `generation` distinguishes shares of one name that are made one after the
/// other, so that RAM does not take the request for the second for a repetition
/// of the first; when the policy was written serves well. The plan depends on
/// nothing but the arguments, not even on the order of their lists.
///
/// ```
/// use domain::{
///     policy::Policy,
///     sharing::{Evidence, Observed, Pipeline, plan},
/// };
///
/// let policy = Policy::parse(
///     r#"
/// version: 1
/// accounts: { dev: "111111111111", test: "222222222222" }
/// rules:
///   - { name: readers, owner: test, pipelines: ["*"], with: [dev], after: created }
/// "#,
/// )?;
/// let observed = Observed {
///     account: "222222222222".parse()?,
///     region: "eu-west-1".parse()?,
///     partition: "aws".to_owned(),
///     at: Some("2026-01-05T10:00:00Z".parse()?),
///     pipelines: vec![Pipeline {
///         arn: "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn".parse()?,
///         created: "2026-01-05T09:00:00Z".parse()?,
///         last_run: None,
///     }],
///     shares: Vec::new(),
///     lookalikes: Vec::new(),
///     evidence: Evidence::default(),
///     evidence_first: true,
///     proved: Vec::new(),
///     flaws: Default::default(),
/// };
/// let plan = plan(&policy, 1, &observed);
/// let steps: Vec<_> = plan.steps().iter().map(ToString::to_string).collect();
/// assert_eq!(
///     steps,
///     [
///         "create share pipeshare-readers.111111111111 with \
///          AWSRAMDefaultPermissionSageMakerPipeline: the rule has a pipeline to share",
///         "add churn to share pipeshare-readers.111111111111: the pipeline exists",
///         "share pipeshare-readers.111111111111 with 111111111111: the rule names the principal",
///     ]
/// );
/// assert_eq!(plan.offered[0].consumer.as_str(), "111111111111");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn plan(policy: &Policy, generation: i64, observed: &Observed) -> Plan {
    plan_inviting(MAX_INVITATIONS, policy, generation, observed)
}

/// The same with another limit to pending invitations.
pub(super) fn plan_inviting(
    invitations: usize,
    policy: &Policy,
    generation: i64,
    observed: &Observed,
) -> Plan {
    let mut planner = Planner::new(invitations, policy, generation, observed);
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
    /// The shares that go at once, while others take their places.
    pub(super) replaced: BTreeSet<&'a str>,
    pub(super) let_in: Vec<LetIn>,
    /// How many invitations may be pending.
    pub(super) invitations: usize,
    pub(super) uninvited: Vec<Uninvited>,
    pub(super) is_full: bool,
    /// The plans of shares that are not made after all.
    pub(super) unmade: BTreeSet<usize>,
    pub(super) out_of_reach: Vec<OutOfReach>,
    flawed: Vec<Flawed>,
    pub(super) shares: Vec<SharePlan>,
    /// Where among these the shares are that exist, by their ARNs.
    places: BTreeMap<&'a str, usize>,
    pub(super) offered: Vec<Offered>,
    pub(super) expired: Vec<Expired>,
    waiting: Vec<Waiting>,
    pub(super) problems: Vec<Problem>,
    pub(super) unsettled: bool,
}

impl<'a> Planner<'a> {
    fn new(
        invitations: usize,
        policy: &'a Policy,
        generation: i64,
        observed: &'a Observed,
    ) -> Self {
        Self {
            policy,
            generation,
            observed,
            admitted: BTreeMap::new(),
            serving: BTreeMap::new(),
            dealt_with: BTreeSet::new(),
            replaced: BTreeSet::new(),
            let_in: Vec::new(),
            invitations,
            uninvited: Vec::new(),
            is_full: false,
            unmade: BTreeSet::new(),
            out_of_reach: Vec::new(),
            flawed: Vec::new(),
            shares: Vec::new(),
            places: BTreeMap::new(),
            offered: Vec::new(),
            expired: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
            unsettled: false,
        }
    }

    fn finish(mut self) -> Plan {
        self.postpone_invitations();
        let mut places = 0..;
        self.shares.retain(|share| {
            let is_unmade = places
                .next()
                .is_some_and(|place| self.unmade.contains(&place));
            !share.is_empty() && !is_unmade
        });
        let mut plan = Plan {
            account: self.observed.account.clone(),
            remember: Vec::new(),
            shares: std::mem::take(&mut self.shares),
            offered: std::mem::take(&mut self.offered),
            forget: Vec::new(),
            expired: std::mem::take(&mut self.expired),
            waiting: std::mem::take(&mut self.waiting),
            problems: std::mem::take(&mut self.problems),
            let_in: std::mem::take(&mut self.let_in),
            uninvited: std::mem::take(&mut self.uninvited),
            is_full: self.is_full,
            quotas: Vec::new(),
            flawed: std::mem::take(&mut self.flawed),
            out_of_reach: std::mem::take(&mut self.out_of_reach),
            lookalikes: Vec::new(),
            unsettled: self.unsettled,
        };
        plan.lookalikes = self.lookalikes(&plan);
        plan.quotas = self.quotas(&plan);
        plan.remember = self.remember(&plan);
        plan.forget = self.forget(&plan);
        plan
    }

    /// What has a name that a share is made under.
    fn lookalikes(&self, plan: &Plan) -> Vec<Lookalike> {
        let created: BTreeSet<_> = plan.created().map(|new| new.name.as_str()).collect();
        let lookalikes = self.observed.lookalikes.iter();
        let mut lookalikes: Vec<_> = lookalikes
            .filter(|lookalike| created.contains(lookalike.share.as_str()))
            .cloned()
            .collect();
        lookalikes.sort();
        lookalikes
    }

    /// The account is on record before the first share is made in it, so that
    /// the share is found and deleted even if no policy names the account any more.
    fn remember(&self, plan: &Plan) -> Vec<Key> {
        let creates = plan.created().next().is_some();
        let account = creates.then(|| storage::owner_account(&plan.account));
        let proved = self.observed.proved.iter();
        let mut proved: Vec<_> = proved
            .map(|pipeline| storage::succeeded_gate(&pipeline.arn, pipeline.created))
            .collect();
        proved.sort();
        account.into_iter().chain(proved).collect()
    }

    /// An account that shares nothing is forgotten, but never one that the
    /// policy names: another run may be sharing there just now.
    fn forget(&self, plan: &Plan) -> Vec<Key> {
        let Observed {
            account,
            shares,
            pipelines,
            evidence,
            evidence_first,
            ..
        } = self.observed;
        let shares_nothing = !shares.iter().any(|share| share.live) && plan.shares.is_empty();
        let is_over = shares_nothing && !self.policy.owners().contains(account);
        let account_item = is_over.then(|| storage::owner_account(account));
        let gone = evidence_first.then(|| evidence.of_gone(account, pipelines));
        let gone = gone.into_iter().flatten();
        account_item.into_iter().chain(gone).collect()
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
        let mut parts = self.parts(rule, audience, admitted);
        self.retire_a_part(rule, &mut parts, admitted);
        let permission = rule.access.permission(&self.observed.partition);
        let can_be_given = !self.observed.flaws.contains_key(&permission);
        let mut group = ShareGroup {
            rule,
            permission,
            can_be_given,
            principals,
            audience: audience.clone(),
            unplaced: admitted.clone(),
        };
        let mut open = BTreeMap::new();
        let mut all_open = group.can_be_given;
        for (part, share) in &parts {
            match self.maintain(&mut group, share, admitted) {
                ShareSpace::Open { held } => {
                    open.insert(*part, (Some(*share), held));
                }
                ShareSpace::Closed => all_open = false,
                ShareSpace::Gone if group.can_be_given => {
                    open.insert(*part, (None, 0));
                }
                ShareSpace::Gone => {}
            }
        }
        for (part, (share, held)) in open {
            self.fill(&mut group, part, share, held);
        }
        // What a closed share will have room for needs no share of its own.
        let mut part = 0;
        while all_open && !group.unplaced.is_empty() {
            part += 1;
            if !parts.contains_key(&part) {
                self.fill(&mut group, part, None, 0);
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
                self.delete(Some(rule), share, Reason::GrantsTooMuch);
            } else if !self.stays_until_served(share, rule) {
                self.delete(Some(rule), share, Reason::Duplicate);
            }
        }
        parts
    }

    /// Where among the plans that of a share is which exists.
    pub(super) fn place_of(&mut self, rule: Option<&Rule>, share: &'a Share) -> usize {
        let next = self.shares.len();
        let place = *self.places.entry(share.arn.as_str()).or_insert(next);
        if place == next {
            let target = Target::Existing {
                name: share.name.clone(),
                arn: share.arn.clone(),
            };
            let rule = rule.map(|rule| rule.name.clone());
            self.shares.push(SharePlan::new(rule, target));
        }
        place
    }

    /// The plan of a share that exists.
    pub(super) fn plan_of(&mut self, rule: Option<&Rule>, share: &'a Share) -> &mut SharePlan {
        let place = self.place_of(rule, share);
        &mut self.shares[place]
    }

    pub(super) fn narrow(&mut self, rule: &Rule, share: &'a Share, action: Action, reason: Reason) {
        let plan = self.plan_of(Some(rule), share);
        plan.narrow.push(Due { action, reason });
    }

    /// A share whose principals have another goes last, so that they keep access throughout.
    pub(super) fn delete(&mut self, rule: Option<&Rule>, share: &'a Share, reason: Reason) {
        let plan = self.plan_of(rule, share);
        if reason.hands_over() {
            plan.hand_over = Some(reason);
        } else {
            let action = Action::Delete;
            plan.narrow.push(Due { action, reason });
        }
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
