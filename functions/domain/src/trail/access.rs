//! Who may use which pipeline by the shares of an account, before and after steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    id::PermissionArn,
    sharing::{
        Action, Applied, Association, Call, Observed, Reason, Share, ShareName, StepOutcome,
    },
    status::AssociationStatus,
};

/// By what somebody has access: a rule, and whom it names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    /// The name of the rule, as the share's tag has it.
    pub(super) rule: String,
    /// The principal, as RAM lists it.
    pub(super) principal: String,
}

/// On what terms somebody has a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    /// What the share lets its principals do.
    pub(super) permission: PermissionArn,
    /// Whether nobody has accepted yet, so that there is no access so far.
    pub(super) pending: bool,
}

/// The access that shares give: holders, and the ARNs of their pipelines.
pub(super) type Given = BTreeMap<Holder, BTreeMap<String, Terms>>;

/// The managed shares of an account, step by step.
#[derive(Debug, Clone)]
pub(super) struct Shares<'a> {
    observed: &'a Observed,
    /// By ARN, or by name if a step created them.
    by_key: BTreeMap<String, Share>,
    /// Why a pipeline or principal of a rule, or a whole share, was touched last.
    reasons: BTreeMap<(String, String), Reason>,
    /// What was taken away to be given anew: the pipeline is another one.
    pub(super) interrupted: Given,
    /// The rules of which AWS did not say what became of a step.
    pub(super) uncertain: BTreeSet<String>,
}

impl<'a> Shares<'a> {
    /// As they were observed; what has no permission or no rule gives nothing by a rule.
    pub(super) fn observed(observed: &'a Observed) -> Self {
        let giving = observed
            .shares
            .iter()
            .filter(|it| it.live && it.rule.is_some() && !it.permissions.is_empty());
        let by_key = giving.map(|it| (it.arn.to_string(), it.clone()));
        Self {
            observed,
            by_key: by_key.collect(),
            reasons: BTreeMap::new(),
            interrupted: Given::new(),
            uncertain: BTreeSet::new(),
        }
    }

    /// As a step has left them. One that AWS did not answer may have been carried out.
    pub(super) fn apply<E>(&mut self, applied: &Applied<E>, may_be_done: impl Fn(&E) -> bool) {
        let associations = match &applied.outcome {
            StepOutcome::Done(associations) => associations.as_slice(),
            StepOutcome::Failed(error) if may_be_done(error) => {
                let share = self.by_key.get(applied.share());
                self.uncertain.extend(share.and_then(|it| it.rule.clone()));
                &[]
            }
            StepOutcome::Failed(_) | StepOutcome::Skipped => return,
        };
        match &applied.step.call {
            Call::Create(new) => {
                let share = self.observed.foreseen(new, self.by_key.len());
                self.by_key
                    .extend(share.map(|share| (new.name.clone(), share)));
            }
            Call::Change(action) => self.change(applied, action, associations),
        }
    }

    fn change<E>(&mut self, applied: &Applied<E>, action: &Action, answer: &[Association]) {
        let (key, reason) = (applied.share(), applied.step.reason);
        let Some(share) = self.by_key.get_mut(key) else {
            return;
        };
        if reason == Reason::PipelineRecreated
            && let Action::RemoveResources { resources } = action
        {
            add(&mut self.interrupted, share, |it| resources.contains(it));
        }
        share.apply(action);
        refuse(share, answer);
        let rule = share.rule.clone().unwrap_or_default();
        if !reason.hands_over() {
            let why = entities(action)
                .into_iter()
                .map(|it| ((rule.clone(), it), reason));
            self.reasons.extend(why);
        }
        if *action == Action::Delete {
            self.by_key.remove(key);
        }
    }

    /// The access that they give now.
    pub(super) fn given(&self) -> Given {
        let mut given = Given::new();
        for share in self.by_key.values() {
            add(&mut given, share, |_| true);
        }
        given
    }

    /// Why a holder's access to a pipeline has changed, if a step says so.
    pub(super) fn reason(&self, holder: &Holder, pipeline: &str) -> Option<Reason> {
        let of = |entity: &str| {
            let key = (holder.rule.clone(), entity.to_owned());
            self.reasons.get(&key).copied()
        };
        of(pipeline)
            .or_else(|| of(&holder.principal))
            .or_else(|| of(""))
    }
}

impl<E> Applied<E> {
    /// What tells the share of the step from others: its ARN, or its name if it was created.
    fn share(&self) -> &str {
        let arn = self.step.arn.as_ref();
        arn.map_or(self.step.share.as_str(), |arn| arn.as_str())
    }
}

/// Takes out what RAM has refused in its answer.
fn refuse(share: &mut Share, answer: &[Association]) {
    let is_failed = |it: &&Association| it.status == AssociationStatus::Failed;
    let refused: BTreeSet<_> = answer
        .iter()
        .filter(is_failed)
        .map(|it| &it.entity)
        .collect();
    let all = share.resources.iter_mut().chain(&mut share.principals);
    for association in all.filter(|it| it.created.is_none() && refused.contains(&it.entity)) {
        association.status = AssociationStatus::Failed;
    }
}

/// Adds what a share gives of these resources. Where two shares of a rule give
/// the same, what was accepted counts.
fn add(given: &mut Given, share: &Share, is_meant: impl Fn(&String) -> bool) {
    let (Some(rule), Some(permission)) = (&share.rule, share.permissions.first()) else {
        return;
    };
    let name = share.name.parse::<ShareName>();
    let invites = name.is_ok_and(|name| name.audience.must_accept());
    let present = |it: &&Association| it.status.is_present();
    for principal in share.principals.iter().filter(present) {
        let holder = Holder {
            rule: rule.clone(),
            principal: principal.entity.clone(),
        };
        let terms = Terms {
            permission: permission.clone(),
            pending: invites && principal.status == AssociationStatus::Associating,
        };
        let pipelines = given.entry(holder).or_default();
        let resources = share.resources.iter().filter(present);
        for pipeline in resources.map(|it| &it.entity).filter(|it| is_meant(it)) {
            let known = pipelines.entry(pipeline.clone()).or_insert(terms.clone());
            if known.pending && !terms.pending {
                *known = terms.clone();
            }
        }
    }
}

/// What an action is about; an empty name is the whole share.
fn entities(action: &Action) -> Vec<String> {
    match action {
        Action::AddPipelines { pipelines } => pipelines.iter().map(ToString::to_string).collect(),
        Action::AddPrincipals { principals } => {
            principals.iter().map(ToString::to_string).collect()
        }
        Action::RemoveResources { resources: names }
        | Action::RemovePrincipals { principals: names } => names.clone(),
        Action::ReplacePermission { .. } | Action::Delete => vec![String::new()],
        Action::AllowExternal { .. } => Vec::new(),
    }
}
