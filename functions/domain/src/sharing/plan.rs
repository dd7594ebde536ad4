//! What a plan says: steps with reasons, and what is left to wait for.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Action, Flaw, Lookalike, Reason, Step};
use crate::{
    id::{AccountId, PermissionArn, PipelineArn, ShareArn},
    policy::{Gate, RuleName},
    status::AssociationStatus,
};

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
    /// Rules that want to give a permission which no share can have.
    pub flawed: Vec<Flawed>,
    /// Shares of ours that somebody gave a name under which they cannot be changed.
    pub out_of_reach: Vec<OutOfReach>,
    /// Other shares under the names of shares that are made.
    pub lookalikes: Vec<Lookalike>,
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
            steps: Vec::new(),
            offered: Vec::new(),
            waiting: Vec::new(),
            problems: Vec::new(),
            flawed: Vec::new(),
            out_of_reach: Vec::new(),
            lookalikes: Vec::new(),
            unsettled: false,
        }
    }

    /// The names of the shares that are to be made.
    #[must_use]
    pub fn created(&self) -> BTreeSet<&str> {
        let mut steps = BTreeSet::new();
        for step in &self.steps {
            if matches!(step.action, Action::Create { .. }) {
                steps.insert(step.share.as_str());
            }
        }
        steps
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
