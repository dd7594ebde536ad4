//! Who may use which pipeline by the shares of an account, before and after steps.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    id::PermissionArn,
    sharing::{
        Action, Applied, Association, Audience, Call, NewShare, Observed, Reason, Share, ShareName,
        StepOutcome,
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
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    /// By ARN, or by name if a step created them.
    by_key: BTreeMap<String, Contents>,
    /// Why a pipeline or principal of a rule, or a whole share, was touched last.
    reasons: BTreeMap<(String, String), Reason>,
    /// What was taken away to be given anew: the pipeline is another one.
    pub(super) interrupted: Given,
    /// The rules of which AWS did not say what became of a step.
    pub(super) uncertain: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Contents {
    rule: String,
    /// Whether its principal has to accept.
    invites: bool,
    permission: PermissionArn,
    resources: BTreeSet<String>,
    /// Whether each has yet to accept.
    principals: BTreeMap<String, bool>,
}

impl Contents {
    fn of(share: &Share) -> Option<Self> {
        let invites = invites(&share.name);
        let present = |list: &[Association]| -> Vec<Association> {
            let present = list.iter().filter(|it| it.status.is_present());
            present.cloned().collect()
        };
        let is_pending = |it: &Association| invites && it.status == AssociationStatus::Associating;
        let principals = present(&share.principals).into_iter();
        let resources = present(&share.resources).into_iter();
        Some(Self {
            rule: share.rule.clone()?,
            invites,
            permission: share.permissions.first()?.clone(),
            resources: resources.map(|it| it.entity).collect(),
            principals: principals
                .map(|it| (it.entity.clone(), is_pending(&it)))
                .collect(),
        })
    }

    fn new(new: &NewShare) -> Self {
        Self {
            rule: new.rule.to_string(),
            invites: invites(&new.name),
            permission: new.permission.clone(),
            resources: BTreeSet::new(),
            principals: BTreeMap::new(),
        }
    }

    fn change(&mut self, action: &Action, refused: &BTreeSet<&str>) {
        let taken = |entity: &String| !refused.contains(entity.as_str());
        match action {
            Action::ReplacePermission { permission } => self.permission = permission.clone(),
            Action::AddPipelines { pipelines } => {
                let added = pipelines.iter().map(ToString::to_string);
                self.resources.extend(added.filter(taken));
            }
            Action::RemoveResources { resources } => {
                self.resources.retain(|it| !resources.contains(it));
            }
            Action::AddPrincipals { principals } => {
                let added = principals.iter().map(ToString::to_string);
                let added = added.filter(taken).map(|it| (it, self.invites));
                self.principals.extend(added);
            }
            Action::RemovePrincipals { principals } => {
                self.principals.retain(|it, _| !principals.contains(it));
            }
            Action::AllowExternal { .. } | Action::Delete => {}
        }
    }
}

/// Whether a share of this name is for one account that has to accept.
fn invites(name: &str) -> bool {
    let name: Result<ShareName, _> = name.parse();
    name.is_ok_and(|name| matches!(name.audience, Audience::Account(_)))
}

impl Shares {
    /// As they were observed.
    pub(super) fn observed(observed: &Observed) -> Self {
        let live = observed.shares.iter().filter(|share| share.live);
        let shares = live.filter_map(|it| Some((it.arn.to_string(), Contents::of(it)?)));
        Self {
            by_key: shares.collect(),
            ..Self::default()
        }
    }

    /// As a step has left them. One that AWS did not answer may have been carried out.
    pub(super) fn apply<E>(&mut self, applied: &Applied<E>, may_be_done: impl Fn(&E) -> bool) {
        let associations = match &applied.outcome {
            StepOutcome::Done(associations) => associations.as_slice(),
            StepOutcome::Failed(error) if may_be_done(error) => {
                let share = self.by_key.get(applied.share());
                self.uncertain.extend(share.map(|it| it.rule.clone()));
                &[]
            }
            StepOutcome::Failed(_) | StepOutcome::Skipped => return,
        };
        match &applied.step.call {
            Call::Create(new) => {
                self.by_key.insert(new.name.clone(), Contents::new(new));
            }
            Call::Change(action) => self.change(applied, action, associations),
        }
    }

    fn change<E>(&mut self, applied: &Applied<E>, action: &Action, answer: &[Association]) {
        let (key, reason) = (applied.share(), applied.step.reason);
        let Some(share) = self.by_key.get_mut(key) else {
            return;
        };
        let rule = share.rule.clone();
        if reason == Reason::PipelineRecreated
            && let Action::RemoveResources { resources } = action
        {
            add(&mut self.interrupted, share, |it| resources.contains(it));
        }
        let failed = answer
            .iter()
            .filter(|it| it.status == AssociationStatus::Failed);
        share.change(action, &failed.map(|it| it.entity.as_str()).collect());
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

/// Adds what a share gives of these resources. Where two shares of a rule give
/// the same, what was accepted counts.
fn add(given: &mut Given, share: &Contents, is_meant: impl Fn(&String) -> bool) {
    for (principal, pending) in &share.principals {
        let holder = Holder {
            rule: share.rule.clone(),
            principal: principal.clone(),
        };
        let pipelines = given.entry(holder).or_default();
        for pipeline in share.resources.iter().filter(|it| is_meant(it)) {
            let terms = Terms {
                permission: share.permission.clone(),
                pending: *pending,
            };
            let known = pipelines.entry(pipeline.clone()).or_insert(terms.clone());
            if known.pending && !terms.pending {
                *known = terms;
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
