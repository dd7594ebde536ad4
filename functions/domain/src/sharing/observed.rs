//! What was seen in an owner account.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    id::{AccountId, PermissionArn, PipelineArn, Region, ShareArn},
    policy::{Gate, Policy, Rule, RuleName},
    status::AssociationStatus,
};

/// A pipeline that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its ARN.
    pub arn: PipelineArn,
    /// When it was created. Deleted and created again, it is another pipeline.
    pub created: Timestamp,
}

/// What joins a share to a resource or a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The resource's ARN, or the principal.
    pub entity: String,
    /// How far it is.
    pub status: AssociationStatus,
    /// Why it failed, if it did.
    pub message: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A share that carries the tag [`TAG_MANAGED`](super::TAG_MANAGED).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its ARN.
    pub arn: ShareArn,
    /// Its name, which RAM lets anyone in the account change.
    pub name: String,
    /// The value of the tag [`TAG_RULE`](super::TAG_RULE).
    pub rule: Option<String>,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it is there; a deleted share stays visible for two hours.
    pub live: bool,
    /// Whether principals outside the organization may be added.
    pub allow_external: bool,
    /// The managed permissions in force.
    pub permissions: Vec<PermissionArn>,
    /// Whether one of them has a newer default version than the share.
    pub outdated: bool,
    /// What is shared.
    pub resources: Vec<Association>,
    /// With whom.
    pub principals: Vec<Association>,
}

/// What was proved about pipelines that wait to join a rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Pipelines with an execution that `SageMaker` reports as succeeded.
    pub succeeded: BTreeSet<PipelineArn>,
    /// Pipelines that the deployment hook let join a rule.
    pub hooked: BTreeSet<(RuleName, PipelineArn)>,
}

/// What has to be proved before a plan can be complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Has one of the pipeline's executions succeeded since its creation?
    pub succeeded: Vec<Pipeline>,
    /// Has the hook let this pipeline join this rule?
    pub hooked: Vec<(RuleName, Pipeline)>,
}

/// Everything seen in one owner account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
    /// The partition, for instance `aws`.
    pub partition: String,
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// The shares that pipeshare made.
    pub shares: Vec<Share>,
    /// What was proved about the pipelines.
    pub evidence: Evidence,
}

impl Observed {
    /// The pipelines that the account itself owns here and that the rule names.
    pub(super) fn matching<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a Pipeline> {
        self.pipelines.iter().filter(|pipeline| {
            *pipeline.arn.region() == self.region
                && pipeline.arn.owner().account() == Some(&self.account)
                && rule.pipelines.matches(pipeline.arn.name())
        })
    }

    /// The pipelines that the rule's shares already hold: these, and not namesakes before them.
    pub(super) fn joined(&self, rule: &Rule) -> BTreeSet<PipelineArn> {
        let created: BTreeMap<_, _> = self.matching(rule).map(|p| (&p.arn, p)).collect();
        self.shares
            .iter()
            .filter(|share| share.live && share.rule.as_deref() == Some(rule.name.as_str()))
            .flat_map(|share| &share.resources)
            .filter(|resource| resource.status.is_present())
            .filter_map(|resource| Some((resource, resource.entity.parse().ok()?)))
            .filter(|(resource, arn)| {
                let pipeline = created.get(arn);
                pipeline.is_some_and(|pipeline| !is_older(resource, pipeline))
            })
            .map(|(_, arn)| arn)
            .collect()
    }
}

/// Whether the association was made for an earlier pipeline of the same name.
///
/// RAM grants access by a policy on the resource. ASSUMED: the policy goes
/// with the deleted pipeline while the association lingers, and an association
/// that is made again has a new time.
pub(crate) fn is_older(association: &Association, pipeline: &Pipeline) -> bool {
    association
        .created
        .is_some_and(|created| created < pipeline.created)
}

/// What has to be asked of `SageMaker` and of the hook's gates before planning.
#[must_use]
pub fn questions(policy: &Policy, observed: &Observed) -> Questions {
    let mut questions = Questions::default();
    let mut asked = BTreeSet::new();
    for rule in policy.rules_of(&observed.account) {
        let joined = observed.joined(rule);
        for pipeline in observed.matching(rule) {
            if joined.contains(&pipeline.arn) {
                continue;
            }
            match rule.after {
                Gate::Created => {}
                Gate::Succeeded => {
                    if asked.insert(&pipeline.arn) {
                        questions.succeeded.push(pipeline.clone());
                    }
                }
                Gate::Hook => questions.hooked.push((rule.name.clone(), pipeline.clone())),
            }
        }
    }
    questions
}

impl Share {
    /// Whether anything is under way; RAM then removes nothing.
    pub(super) fn is_associating(&self) -> bool {
        let mut all = self.resources.iter().chain(&self.principals);
        all.any(|association| association.status == AssociationStatus::Associating)
    }

    /// Whether somebody has yet to accept.
    pub(super) fn is_pending(&self) -> bool {
        let mut principals = self.principals.iter();
        principals.any(|principal| principal.status == AssociationStatus::Associating)
    }

    /// Whether RAM has failed to share the resource.
    pub(super) fn has_failed(&self, entity: &str) -> bool {
        find(&self.resources, entity).is_some_and(|found| found.status == AssociationStatus::Failed)
    }
}

/// The present association of an entity, or else the newest that is on record.
pub(super) fn find<'a>(associations: &'a [Association], entity: &str) -> Option<&'a Association> {
    associations
        .iter()
        .filter(|association| association.entity.eq_ignore_ascii_case(entity))
        .max_by_key(|association| (association.status.is_present(), association.created))
}
