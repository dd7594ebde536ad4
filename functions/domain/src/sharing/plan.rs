//! What a plan says: what to do with each share, and what is left to wait for.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Action, Association, Call, Flaw, Lookalike, NewShare, QuotaUse, Reason, Step, Uninvited,
};
use crate::{
    id::{AccountId, PermissionArn, PipelineArn, ShareArn},
    notification::Expired,
    policy::{Gate, RuleName},
    status::AssociationStatus,
    storage::Key,
};

/// Everything to do in one owner account, and what is left to wait for.
///
/// Whoever applies it, by an [`Application`](super::Application), has nothing to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The account.
    pub account: AccountId,
    /// The items to write before anything is given: the account, if a share is
    /// made in it, and the pipelines that `SageMaker` has just said have succeeded.
    pub remember: Vec<Key>,
    /// What to do with each share.
    pub shares: Vec<SharePlan>,
    /// The shares that await acceptance once the steps are done.
    pub offered: Vec<Offered>,
    /// The items to delete in the end: those about pipelines that are gone, and
    /// the account, if nothing is shared there and no rule names it.
    pub forget: Vec<Key>,
    /// The invitations that ended without being accepted, and are made again.
    pub expired: Vec<Expired>,
    /// The pipelines that have not passed a rule's gate.
    pub waiting: Vec<Waiting>,
    /// What RAM refused to associate or suspended, or does not come to an end with.
    pub problems: Vec<Problem>,
    /// Principals that somebody else let into shares of ours.
    pub let_in: Vec<LetIn>,
    /// Who is invited when there is room for more invitations.
    pub uninvited: Vec<Uninvited>,
    /// Whether that lasts, since those who were invited do not accept.
    pub is_full: bool,
    /// The quotas of RAM that are nearly used up.
    pub quotas: Vec<QuotaUse>,
    /// Rules that want to give a permission which no share can have.
    pub flawed: Vec<Flawed>,
    /// Shares of ours that somebody gave a name under which they cannot be changed.
    pub out_of_reach: Vec<OutOfReach>,
    /// Other shares under the names of shares that are made.
    pub lookalikes: Vec<Lookalike>,
    /// Whether something is under way that settles by itself within minutes.
    pub unsettled: bool,
}

/// What to do with one share, in three passes over all shares of the account:
/// access is taken away before any is given, and what hands over goes last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharePlan {
    /// The rule in force that the share serves or, by its tag, should serve.
    pub rule: Option<RuleName>,
    /// Which share.
    pub target: Target,
    /// What must leave it or bounds it, or that it goes at once.
    pub narrow: Vec<Due>,
    /// What comes into it.
    pub grant: Vec<Due>,
    /// Why it goes once others of its rule give what it gave, if it does.
    pub hand_over: Option<Reason>,
}

/// The share that a [`SharePlan`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// It is created before anything is given by it.
    New(NewShare),
    /// It exists.
    Existing {
        /// Its name.
        name: String,
        /// Its ARN.
        arn: ShareArn,
    },
}

/// An action that is due, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

impl SharePlan {
    /// Nothing to do yet.
    pub(super) fn new(rule: Option<RuleName>, target: Target) -> Self {
        Self {
            rule,
            target,
            narrow: Vec::new(),
            grant: Vec::new(),
            hand_over: None,
        }
    }

    /// The name of the share.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.target {
            Target::New(new) => &new.name,
            Target::Existing { name, .. } => name,
        }
    }

    /// The share itself, if it is to be created.
    #[must_use]
    pub fn new_share(&self) -> Option<&NewShare> {
        match &self.target {
            Target::New(new) => Some(new),
            Target::Existing { .. } => None,
        }
    }

    /// Its ARN, if it exists.
    #[must_use]
    pub fn arn(&self) -> Option<&ShareArn> {
        match &self.target {
            Target::New(_) => None,
            Target::Existing { arn, .. } => Some(arn),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let nothing = self.narrow.is_empty() && self.grant.is_empty() && self.hand_over.is_none();
        nothing && self.new_share().is_none()
    }

    fn step(&self, call: Call, reason: Reason) -> Step {
        Step {
            share: self.name().to_owned(),
            arn: self.arn().cloned(),
            call,
            reason,
        }
    }

    fn steps_of(&self, due: &[Due]) -> Vec<Step> {
        let change = |due: &Due| self.step(Call::Change(due.action.clone()), due.reason);
        due.iter().map(change).collect()
    }

    fn narrowing(&self) -> Vec<Step> {
        self.steps_of(&self.narrow)
    }

    fn granting(&self) -> Vec<Step> {
        let create = |new: &NewShare| self.step(Call::Create(new.clone()), Reason::FirstPipeline);
        let mut steps: Vec<_> = self.new_share().map(create).into_iter().collect();
        steps.extend(self.steps_of(&self.grant));
        steps
    }

    fn handing_over(&self) -> Vec<Step> {
        let delete = |reason| self.step(Call::Change(Action::Delete), reason);
        self.hand_over.map(delete).into_iter().collect()
    }
}

/// A share that awaits acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// The name of the share.
    pub share: String,
    /// Its ARN; none while it has yet to be created.
    #[serde(skip)]
    pub arn: Option<ShareArn>,
    /// The rule that it serves.
    pub rule: RuleName,
    /// Who must accept.
    pub consumer: AccountId,
    /// Whether the plan invites the consumer, who has no such offer yet.
    #[serde(skip)]
    pub is_new: bool,
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

/// An association that is not what it should be, and that no step can fix for good.
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
    /// Since when it is on its way, if that is longer than RAM takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A principal that its rule does not name, in a share that was not made for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LetIn {
    /// The name of the share.
    pub share: String,
    /// The rule that it serves.
    pub rule: RuleName,
    /// Who was let in.
    pub principal: String,
}

impl Problem {
    /// The problem of an association in the share of this name.
    pub(super) fn of(share: &str, association: &Association) -> Self {
        Self {
            share: share.to_owned(),
            entity: association.entity.clone(),
            status: association.status.clone(),
            message: association.message.clone(),
            since: None,
        }
    }
}

/// A rule that wants to give a permission which no share can have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flawed {
    /// The rule.
    pub rule: RuleName,
    /// The permission.
    pub permission: PermissionArn,
    /// What is wrong with it.
    #[serde(flatten)]
    pub flaw: Flaw,
}

/// A share with our tags under a name that is not one of ours.
///
/// The role of the owner account changes and deletes shares only if tag and
/// name are pipeshare's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutOfReach {
    /// Its name.
    pub share: String,
    /// Its ARN.
    pub arn: ShareArn,
}

impl Plan {
    /// A plan that changes nothing.
    #[must_use]
    pub fn nothing(account: AccountId) -> Self {
        Self {
            account,
            remember: Vec::new(),
            shares: Vec::new(),
            offered: Vec::new(),
            forget: Vec::new(),
            expired: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
            let_in: Vec::new(),
            uninvited: Vec::new(),
            is_full: false,
            quotas: Vec::new(),
            flawed: Vec::new(),
            out_of_reach: Vec::new(),
            lookalikes: Vec::new(),
            unsettled: false,
        }
    }

    /// All steps in the order in which they are taken.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let steps = self.in_order().into_iter();
        steps.map(|(_, step)| step).collect()
    }

    /// The steps in order, each with the share of [`Plan::shares`] that it is about.
    pub(super) fn in_order(&self) -> Vec<(usize, Step)> {
        let passes = [
            SharePlan::narrowing,
            SharePlan::granting,
            SharePlan::handing_over,
        ];
        let mut steps = Vec::new();
        for pass in passes {
            for (number, share) in self.shares.iter().enumerate() {
                steps.extend(pass(share).into_iter().map(|step| (number, step)));
            }
        }
        steps
    }

    /// The shares that are to be made.
    pub fn created(&self) -> impl Iterator<Item = &NewShare> {
        self.shares.iter().filter_map(SharePlan::new_share)
    }
}
