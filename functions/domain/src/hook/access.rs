//! Who should have access to a pipeline, and who has it.

use std::fmt;

use serde::Serialize;

use crate::{
    id::{PipelineArn, PipelineOwner, Principal, ShareArn},
    policy::{Gate, Policy, Rule, RuleName},
    sharing::{Association, ShareName},
    status::AssociationStatus,
};

/// A share that holds the pipeline, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The share.
    pub share: ShareArn,
    /// Its name, which says which rule it serves.
    pub name: String,
    /// What joins it to the pipeline.
    pub pipeline: Association,
    /// What joins it to its principals.
    pub principals: Vec<Association>,
}

/// What a principal of a rule can do with the pipeline by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The rule.
    pub rule: RuleName,
    /// The principal.
    pub principal: Principal,
    /// The share that is to give it access.
    pub share: Option<ShareArn>,
    /// How far it is.
    pub access: Access,
}

/// How far the access of one principal is; of several shares, the farthest counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// No share holds the pipeline for it.
    NotShared,
    /// RAM refuses the pipeline or the principal.
    Refused(String),
    /// RAM is at it, or it has an invitation and has not accepted.
    Invited,
    /// RAM says that it has access, but it could not describe the pipeline.
    Unproved(String),
    /// It has access.
    Granted,
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (principal, rule) = (self.principal.as_str(), &self.rule);
        match &self.access {
            Access::NotShared => write!(f, "{principal}: not shared by rule {rule} yet"),
            Access::Refused(why) => write!(f, "{principal}: RAM refuses it in rule {rule}: {why}"),
            Access::Invited => {
                write!(f, "{principal}: has not accepted the share of rule {rule}")
            }
            Access::Unproved(why) => {
                write!(
                    f,
                    "{principal}: cannot describe the pipeline by rule {rule}: {why}"
                )
            }
            Access::Granted => write!(f, "{principal}: has access by rule {rule}"),
        }
    }
}

/// The rules about this pipeline.
pub fn covering<'a>(
    policy: &'a Policy,
    pipeline: &'a PipelineArn,
) -> impl Iterator<Item = &'a Rule> {
    policy.rules.iter().filter(|rule| {
        *pipeline.owner() == PipelineOwner::Account(rule.owner.clone())
            && rule.pipelines.matches(pipeline.name())
    })
}

/// Whether a rule about this pipeline waits for a run that succeeded.
#[must_use]
pub fn wait_for_gates(policy: &Policy, pipeline: &PipelineArn) -> bool {
    covering(policy, pipeline).any(|rule| rule.after == Gate::Succeeded)
}

/// What each principal of the rules about this pipeline can do with it.
///
/// Rules that wait for a run are left out until one `has_succeeded`.
#[must_use]
pub fn grants(
    policy: &Policy,
    pipeline: &PipelineArn,
    has_succeeded: bool,
    shares: &[Shared],
) -> Vec<Grant> {
    let is_open = |rule: &&Rule| has_succeeded || rule.after != Gate::Succeeded;
    covering(policy, pipeline)
        .filter(is_open)
        .flat_map(|rule| {
            rule.with
                .iter()
                .map(|principal| grant(rule, principal, shares))
        })
        .collect()
}

fn grant(rule: &Rule, principal: &Principal, shares: &[Shared]) -> Grant {
    let serves = |shared: &&Shared| {
        let name = shared.name.parse::<ShareName>();
        name.is_ok_and(|name| name.rule == rule.name)
    };
    let best = shares
        .iter()
        .filter(serves)
        .map(|shared| (access(shared, principal), &shared.share))
        .max();
    let (access, share) = match best {
        Some((access, share)) if access != Access::NotShared => (access, Some(share.clone())),
        _ => (Access::NotShared, None),
    };
    Grant {
        rule: rule.name.clone(),
        principal: principal.clone(),
        share,
        access,
    }
}

fn access(shared: &Shared, principal: &Principal) -> Access {
    let of = |association: &&Association| association.entity == principal.as_str();
    let principals = shared.principals.iter().filter(of);
    // A principal that was invited again has an old association beside the new one.
    let both = principals.map(|found| step(&shared.pipeline).min(step(found)));
    both.max().unwrap_or(Access::NotShared)
}

fn step(association: &Association) -> Access {
    match &association.status {
        AssociationStatus::Associated => Access::Granted,
        AssociationStatus::Associating | AssociationStatus::Restoring => Access::Invited,
        AssociationStatus::Failed => {
            let message = association.message.as_deref();
            Access::Refused(message.unwrap_or("no reason given").to_owned())
        }
        _ => Access::NotShared,
    }
}
