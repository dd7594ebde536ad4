//! Who should have access to a pipeline, and who has it.

use std::fmt;

use serde::Serialize;

use super::{Failure, FailureKind, Request};
use crate::{
    id::{PipelineArn, Principal, ShareArn},
    policy::{Gate, Policy, Rule, RuleName},
    sharing::{Association, Pipeline, ShareName, is_older},
    status::AssociationStatus,
    text::{LONGEST, quoted},
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
    /// What the rule waits for.
    pub gate: Gate,
    /// The principal.
    pub principal: Principal,
    /// The share that is to give it access.
    pub share: Option<ShareArn>,
    /// How far it is.
    pub access: GrantState,
}

/// How far the access of one principal is; of several shares, the farthest counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum GrantState {
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
            GrantState::NotShared if self.gate == Gate::Succeeded => write!(
                f,
                "{principal}: not shared by rule {rule} yet, which asks for a run that has succeeded"
            ),
            GrantState::NotShared => write!(f, "{principal}: not shared by rule {rule} yet"),
            GrantState::Refused(why) => {
                let why = quoted(why, LONGEST);
                write!(f, "{principal}: RAM refuses it in rule {rule}: {why}")
            }
            GrantState::Invited => {
                write!(f, "{principal}: has not accepted the share of rule {rule}")
            }
            GrantState::Unproved(why) => {
                write!(
                    f,
                    "{principal}: cannot describe the pipeline by rule {rule}: {why}"
                )
            }
            GrantState::Granted => write!(f, "{principal}: has access by rule {rule}"),
        }
    }
}

/// The rules about this pipeline.
pub fn covering<'a>(
    policy: &'a Policy,
    pipeline: &'a PipelineArn,
) -> impl Iterator<Item = &'a Rule> {
    policy.rules.iter().filter(|rule| rule.covers(pipeline))
}

/// The policy by which a request shares a pipeline; none if it is not to be shared.
///
/// A request to share what no rule names is a mistake, and one to report
/// before the pipeline has run for hours.
pub fn policy_for<'a>(
    request: &Request,
    policy: Option<&'a Policy>,
    pipeline: &PipelineArn,
) -> Result<Option<&'a Policy>, Failure> {
    let mistake = |message| Err(Failure::new(FailureKind::ConfigurationError, message));
    match policy {
        _ if !request.share => Ok(None),
        None => mistake("no policy is in force, so nothing can be shared".to_owned()),
        Some(policy) if covering(policy, pipeline).next().is_none() => mistake(format!(
            "no rule of the policy in force shares {pipeline}; name it in a rule, or write \"share\": false"
        )),
        shared => Ok(shared),
    }
}

/// What each principal of the rules about this pipeline can do with it.
#[must_use]
pub fn grants(policy: &Policy, pipeline: &Pipeline, shares: &[Shared]) -> Vec<Grant> {
    // What is left of a deleted pipeline of the same name gives access to nothing.
    let shares: Vec<_> = shares
        .iter()
        .filter(|shared| !is_older(&shared.pipeline, pipeline))
        .collect();
    covering(policy, &pipeline.arn)
        .flat_map(|rule| {
            rule.with
                .iter()
                .map(|principal| grant(rule, principal, &shares))
        })
        .collect()
}

fn grant(rule: &Rule, principal: &Principal, shares: &[&Shared]) -> Grant {
    let serves = |shared: &&&Shared| {
        let name = shared.name.parse::<ShareName>();
        name.is_ok_and(|name| name.rule == rule.name)
    };
    let best = shares
        .iter()
        .filter(serves)
        .map(|shared| (access(shared, principal), &shared.share))
        .max();
    let (access, share) = match best {
        Some((access, share)) if access != GrantState::NotShared => (access, Some(share.clone())),
        _ => (GrantState::NotShared, None),
    };
    Grant {
        rule: rule.name.clone(),
        gate: rule.after,
        principal: principal.clone(),
        share,
        access,
    }
}

fn access(shared: &Shared, principal: &Principal) -> GrantState {
    let of = |association: &&Association| association.entity == principal.as_str();
    let principals = shared.principals.iter().filter(of);
    // A principal that was invited again has an old association beside the new one.
    let both = principals.map(|found| step(&shared.pipeline).min(step(found)));
    both.max().unwrap_or(GrantState::NotShared)
}

fn step(association: &Association) -> GrantState {
    match &association.status {
        AssociationStatus::Associated => GrantState::Granted,
        AssociationStatus::Associating | AssociationStatus::Restoring => GrantState::Invited,
        AssociationStatus::Failed => {
            let message = association.message.as_deref();
            GrantState::Refused(message.unwrap_or("no reason given").to_owned())
        }
        _ => GrantState::NotShared,
    }
}
