//! The planner: policy and observation in, steps with reasons out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    Action, Association, Audience, Observed, Pipeline, Reason, Share, ShareName, Step,
    lane::{Admitted, Lane, audiences},
    observed::{find, is_older},
};
use crate::{
    id::{AccountId, PermissionArn, PipelineArn, Principal},
    policy::{Access, Gate, Policy, Rule, RuleName},
    status::AssociationStatus,
};

/// How many resources RAM lets a share hold (RAM User Guide, "Service quotas").
pub const MAX_PIPELINES: usize = 5_000;

/// What to do in one owner account, and what is left to wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// The account.
    pub account: AccountId,
    /// What to do, in this order; the steps of one share depend on each other.
    pub steps: Vec<Step>,
    /// The shares that await acceptance once the steps are done.
    pub offered: Vec<Offered>,
    /// The pipelines that have not passed a rule's gate.
    pub waiting: Vec<Waiting>,
    /// What RAM refused to associate or suspended.
    pub problems: Vec<Problem>,
    /// Whether something is under way that settles by itself within minutes.
    pub unsettled: bool,
}

/// A share that awaits acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// The name of the share.
    pub share: String,
    /// The rule that it serves.
    pub rule: RuleName,
    /// Who must accept.
    pub consumer: AccountId,
}

/// A pipeline that has not passed a rule's gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The rule.
    pub rule: RuleName,
    /// The pipeline.
    pub pipeline: PipelineArn,
    /// What it waits for.
    pub after: Gate,
}

/// An association that is not what it should be, and that no step can mend for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The name of the share.
    pub share: String,
    /// The resource or principal.
    pub entity: String,
    /// The association's status.
    pub status: AssociationStatus,
    /// What RAM says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Plan {
    /// A plan that changes nothing.
    #[must_use]
    pub fn nothing(account: AccountId) -> Self {
        Self {
            account,
            steps: Vec::new(),
            offered: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
            unsettled: false,
        }
    }

    /// Whether the account has to be looked at again soon, without waiting for the sweep.
    ///
    /// A failed association is tried again by the sweep alone: it may fail for ever.
    #[must_use]
    pub fn wants_another_look(&self) -> bool {
        let is_news = |step: &Step| step.reason != Reason::AssociationFailed;
        self.unsettled || self.steps.iter().any(is_news)
    }
}

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

/// Whether a share can take more.
enum Room {
    /// It can, beside the resources that it holds then.
    Open { held: usize },
    /// Not before something has left that cannot leave yet.
    Closed,
    /// It is deleted.
    Gone,
}

struct Planner<'a> {
    policy: &'a Policy,
    generation: i64,
    observed: &'a Observed,
    /// What may be in the shares of each rule.
    admitted: BTreeMap<&'a RuleName, Admitted<'a>>,
    /// The shares that a rule keeps or has already dealt with.
    dealt_with: BTreeSet<&'a str>,
    narrowing: Vec<Step>,
    granting: Vec<Step>,
    deleting: Vec<Step>,
    offered: Vec<Offered>,
    waiting: Vec<Waiting>,
    problems: Vec<Problem>,
    unsettled: bool,
}

impl<'a> Planner<'a> {
    fn new(policy: &'a Policy, generation: i64, observed: &'a Observed) -> Self {
        Self {
            policy,
            generation,
            observed,
            admitted: BTreeMap::new(),
            dealt_with: BTreeSet::new(),
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
        Plan {
            account: self.observed.account.clone(),
            steps,
            offered: self.offered,
            waiting: self.waiting,
            problems: self.problems,
            unsettled: self.unsettled,
        }
    }

    fn plan_rule(&mut self, rule: &'a Rule) {
        let admitted = self.admit(rule);
        for (audience, principals) in audiences(self.policy, rule) {
            self.plan_audience(rule, &audience, &principals, &admitted);
        }
        self.admitted.insert(&rule.name, admitted);
    }

    fn admit(&mut self, rule: &'a Rule) -> Admitted<'a> {
        let observed = self.observed;
        let mut admitted = Admitted::new();
        let mut waiting = BTreeSet::new();
        let joined = observed.joined(rule);
        for pipeline in observed.matching(rule) {
            if joined.contains(&pipeline.arn) {
                admitted.insert(&pipeline.arn, (pipeline, Reason::AlreadyInRule));
            } else if has_passed(rule, pipeline, observed) {
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
        let mut lane = Lane {
            rule,
            permission: rule.access.permission(&self.observed.partition),
            principals,
            audience: audience.clone(),
            unplaced: admitted.clone(),
        };
        let mut open = BTreeMap::new();
        let mut all_open = true;
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
        rule: &Rule,
        audience: &Audience,
        admitted: &Admitted<'_>,
    ) -> BTreeMap<u32, &'a Share> {
        let mut parts: BTreeMap<u32, &'a Share> = BTreeMap::new();
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
            if let std::collections::btree_map::Entry::Vacant(vacant) = parts.entry(name.part) {
                vacant.insert(share);
            } else {
                let reason = if self.grants_too_much(share, rule, admitted) {
                    Reason::GrantsTooMuch
                } else {
                    Reason::Duplicate
                };
                self.delete(share, reason);
            }
        }
        parts
    }

    /// Takes from a share what does not belong there, and says what may be added then.
    ///
    /// Nothing is widened while something is inside that should not be.
    fn maintain(
        &mut self,
        lane: &mut Lane<'a, '_>,
        share: &'a Share,
        admitted: &Admitted<'a>,
    ) -> Room {
        let mut leaving = Vec::new();
        let mut held = 0;
        for resource in &share.resources {
            let wanted = resource.entity.parse().ok();
            if wanted.is_some_and(|arn: PipelineArn| admitted.contains_key(&arn)) {
                self.note_problem(share, resource);
            }
            if !resource.status.is_present() {
                continue;
            }
            match self.reason_to_leave(resource, admitted) {
                Some(reason) => leaving.push((reason, resource.entity.clone())),
                None => lane.place(&resource.entity),
            }
            held += 1;
        }
        let mut unwanted = Vec::new();
        for principal in &share.principals {
            if lane.wants(&principal.entity) {
                self.note_problem(share, principal);
            } else if principal.status.is_present() {
                unwanted.push(principal.entity.clone());
            }
        }
        self.unsettled |= lane.is_settling(share);

        let must_leave = !leaving.is_empty() || !unwanted.is_empty();
        let is_blocked = must_leave && share.is_associating();
        // RAM allows one permission for each type of resource, so that of
        // pipelines is right if it is there at all.
        let is_wrong = !share.permissions.contains(&lane.permission) || share.outdated;
        let is_narrower = lane.rule.access == Access::Read;
        if is_wrong && is_narrower {
            self.replace_permission(share, lane);
        }
        if is_blocked {
            return self.wait_or_delete(lane, share, &leaving, &unwanted);
        }
        held -= leaving.len();
        self.remove(share, leaving, unwanted);
        if is_wrong && !is_narrower {
            self.replace_permission(share, lane);
        }
        let allow = lane.allows_external();
        if share.allow_external != allow {
            let action = Action::AllowExternal { allow };
            self.narrow(share, action, Reason::ExternalFlagChanged);
        }
        Room::Open { held }
    }

    /// RAM itself never brings a share to a newer version of its permission
    /// (RAM User Guide, "Managed permissions versions").
    fn replace_permission(&mut self, share: &Share, lane: &Lane<'a, '_>) {
        let permission = lane.permission.clone();
        let reason = if share.permissions.contains(&permission) {
            Reason::PermissionOutdated
        } else {
            Reason::AccessChanged
        };
        self.narrow(share, Action::ReplacePermission { permission }, reason);
    }

    /// What to do with a share that RAM lets nothing out of for now.
    ///
    /// An invitation may be pending for twelve hours. If it offers too much,
    /// the share goes at once: nobody has access by it yet.
    fn wait_or_delete(
        &mut self,
        lane: &mut Lane<'a, '_>,
        share: &'a Share,
        leaving: &[(Reason, String)],
        unwanted: &[String],
    ) -> Room {
        let offers_too_much = !unwanted.is_empty()
            || leaving
                .iter()
                .any(|(reason, _)| *reason == Reason::NotInRule);
        if offers_too_much && lane.allows_external() && share.is_pending() {
            self.delete(share, Reason::PendingInvitation);
            self.unsettled = true;
            return Room::Gone;
        }
        for (_, resource) in leaving {
            lane.place(resource);
        }
        Room::Closed
    }

    fn reason_to_leave(&self, resource: &Association, admitted: &Admitted<'_>) -> Option<Reason> {
        let arn: PipelineArn = match resource.entity.parse() {
            Ok(arn) => arn,
            Err(_) => return Some(Reason::NotInRule),
        };
        if let Some((pipeline, _)) = admitted.get(&arn) {
            return is_older(resource, pipeline).then_some(Reason::PipelineRecreated);
        }
        let pipelines = &self.observed.pipelines;
        match pipelines.iter().find(|pipeline| pipeline.arn == arn) {
            None => Some(Reason::PipelineGone),
            Some(pipeline) if is_older(resource, pipeline) => Some(Reason::PipelineRecreated),
            Some(_) => Some(Reason::NotInRule),
        }
    }

    fn remove(&mut self, share: &Share, leaving: Vec<(Reason, String)>, unwanted: Vec<String>) {
        if !unwanted.is_empty() {
            let principals = unwanted;
            let action = Action::RemovePrincipals { principals };
            self.narrow(share, action, Reason::PrincipalNotNamed);
        }
        for (reason, resources) in by_reason(leaving) {
            self.narrow(share, Action::RemoveResources { resources }, reason);
        }
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

    /// Makes a share for these pipelines.
    ///
    /// RAM answers a token that it remembers with the share that it made then.
    /// So two runs that see the same use the same, and a run that sees that
    /// share deleted, or under another name, another one. What RAM has
    /// forgotten is told apart by the pipelines, which are others then.
    fn creation(&self, lane: &Lane<'a, '_>, name: &str, oldest: Option<&Pipeline>) -> Action {
        let rule = lane.rule.name.as_str();
        let is_lost = |share: &&Share| {
            let of_rule = share
                .name
                .parse::<ShareName>()
                .is_ok_and(|name| name.rule == lane.rule.name);
            !share.live && share.name == name || !of_rule && share.rule.as_deref() == Some(rule)
        };
        let lost = self.observed.shares.iter().filter(is_lost);
        let predecessor = lost.max_by_key(|share| (share.created, &share.arn));
        let oldest = oldest.map(|pipeline| format!("{} {}", pipeline.arn, pipeline.created));
        let allow_external = lane.allows_external();
        let parameters = [
            name,
            lane.permission.as_str(),
            if allow_external {
                "external"
            } else {
                "members"
            },
            rule,
            &self.generation.to_string(),
            predecessor.map_or("", |share| share.arn.as_str()),
            &oldest.unwrap_or_default(),
        ];
        Action::Create {
            rule: lane.rule.name.clone(),
            permission: lane.permission.clone(),
            allow_external,
            client_token: token(&parameters),
        }
    }

    /// Deletes what carries our tags and serves no rule.
    fn delete_the_rest(&mut self) {
        let mut rest: Vec<_> = self
            .observed
            .shares
            .iter()
            .filter(|share| share.live && !self.dealt_with.contains(share.arn.as_str()))
            .collect();
        rest.sort_by_key(|share| &share.arn);
        for share in rest {
            let reason = self.reason_to_delete(share);
            if reason != Reason::Moved || !self.is_needed_still(share) {
                self.delete(share, reason);
            }
        }
    }

    fn reason_to_delete(&self, share: &Share) -> Reason {
        let Some(rule) = self.rule_of(share) else {
            return Reason::RuleGone;
        };
        let is_named = |principal: &Association| {
            !principal.status.is_present()
                || rule.with.iter().any(|p| p.as_str() == principal.entity)
        };
        if !share.principals.iter().all(is_named) {
            return Reason::ConsumerGone;
        }
        let admitted = self.admitted.get(&rule.name);
        if admitted.is_none_or(|admitted| self.grants_too_much(share, rule, admitted)) {
            return Reason::GrantsTooMuch;
        }
        match share.name.parse::<ShareName>() {
            Ok(name) if name.rule == rule.name => Reason::Moved,
            _ => Reason::Renamed,
        }
    }

    fn rule_of(&self, share: &Share) -> Option<&'a Rule> {
        let mut rules = self.policy.rules_of(&self.observed.account);
        rules.find(|rule| share.rule.as_deref() == Some(rule.name.as_str()))
    }

    /// Whether the share lets its principals do anything that its rule does not allow.
    fn grants_too_much(&self, share: &Share, rule: &Rule, admitted: &Admitted<'_>) -> bool {
        let partition = &self.observed.partition;
        let wanted = rule.access.permission(partition);
        let is_allowed = |permission: &PermissionArn| {
            *permission == wanted
                // Who may run a pipeline may also read it.
                || rule.access == Access::Execute
                    && *permission == Access::Read.permission(partition)
        };
        let is_admitted = |resource: &Association| {
            let arn = resource.entity.parse::<PipelineArn>();
            !resource.status.is_present() || arn.is_ok_and(|arn| admitted.contains_key(&arn))
        };
        !(share.permissions.iter().all(is_allowed) && share.resources.iter().all(is_admitted))
    }

    /// Whether somebody would lose access if the share went before its successor is in force.
    fn is_needed_still(&self, share: &Share) -> bool {
        let is_served = |principal: &Association| {
            let others =
                self.observed.shares.iter().filter(|other| {
                    other.live && other.arn != share.arn && other.rule == share.rule
                });
            let mut others = others.filter_map(|other| find(&other.principals, &principal.entity));
            others.any(|found| found.status == AssociationStatus::Associated)
        };
        let mut present = share.principals.iter().filter(|p| p.status.is_present());
        !present.all(is_served)
    }

    fn note_problem(&mut self, share: &Share, association: &Association) {
        use AssociationStatus::{Failed, Suspended, Suspending};
        if matches!(association.status, Failed | Suspended | Suspending) {
            self.problems.push(Problem {
                share: share.name.clone(),
                entity: association.entity.clone(),
                status: association.status.clone(),
                message: association.message.clone(),
            });
        }
    }

    fn narrow(&mut self, share: &Share, action: Action, reason: Reason) {
        self.narrowing
            .push(step(&share.name, Some(share), action, reason));
    }

    fn grant(&mut self, name: &str, share: Option<&Share>, action: Action, reason: Reason) {
        self.granting.push(step(name, share, action, reason));
    }

    /// A share whose principals have another goes last, so that they keep access throughout.
    fn delete(&mut self, share: &Share, reason: Reason) {
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

fn has_passed(rule: &Rule, pipeline: &Pipeline, observed: &Observed) -> bool {
    let evidence = &observed.evidence;
    match rule.after {
        Gate::Created => true,
        Gate::Succeeded => evidence.succeeded.contains(&pipeline.arn),
        Gate::Hook => evidence
            .hooked
            .contains(&(rule.name.clone(), pipeline.arn.clone())),
    }
}

fn by_reason<T: Ord>(items: Vec<(Reason, T)>) -> BTreeMap<Reason, Vec<T>> {
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

/// A token that is the same for the same parameters, as RAM demands of a repeated request.
fn token(parameters: &[&str]) -> String {
    use std::fmt::Write;

    let digest = Sha256::digest(parameters.join("\n"));
    digest.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}
