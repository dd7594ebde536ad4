//! What was seen in an owner account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Action, Evidence, Flaw, NewShare, ShareName};
use crate::{
    id::{AccountId, PermissionArn, PipelineArn, Principal, Region, ShareArn},
    policy::Rule,
    status::AssociationStatus,
};

/// A pipeline that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its ARN.
    pub arn: PipelineArn,
    /// When it was created. Deleted and created again, it is another pipeline.
    pub created: Timestamp,
    /// When a run of it began last, as far as a list said so; none if it never ran.
    pub last_run: Option<Timestamp>,
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
    /// When it came to its status.
    pub updated: Option<Timestamp>,
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
    /// When it was changed last.
    pub updated: Option<Timestamp>,
    /// Whether it is there; a deleted share stays visible for two hours.
    pub live: bool,
    /// Whether principals outside the organization may be added.
    pub allow_external: bool,
    /// The managed permissions for pipelines that are in force.
    pub permissions: Vec<PermissionArn>,
    /// Whether one of them has a newer default version than the share.
    pub outdated: bool,
    /// What is shared.
    pub resources: Vec<Association>,
    /// With whom.
    pub principals: Vec<Association>,
}

/// A share under a name of pipeshare's that does not carry its tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lookalike {
    /// Its name.
    pub share: String,
    /// Its ARN.
    pub arn: ShareArn,
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
    /// The time at AWS, if it said so.
    pub at: Option<Timestamp>,
    /// The pipelines.
    pub pipelines: Vec<Pipeline>,
    /// The shares that pipeshare made.
    pub shares: Vec<Share>,
    /// Other shares under the names that shares to be made are to have.
    pub lookalikes: Vec<Lookalike>,
    /// What was proved about the pipelines.
    pub evidence: Evidence,
    /// Whether the evidence was read before the pipelines were listed, so that what it
    /// says of none of these is over.
    pub evidence_first: bool,
    /// The pipelines about which `SageMaker` has just said what no item says yet.
    pub proved: Vec<Pipeline>,
    /// What is wrong with permissions that rules want to give.
    pub flaws: BTreeMap<PermissionArn, Flaw>,
}

impl Observed {
    /// Notes that `SageMaker` has just said of these pipelines that an execution of them succeeded.
    pub fn prove(&mut self, succeeded: Vec<Pipeline>) {
        for pipeline in &succeeded {
            self.evidence.note_success(pipeline);
        }
        self.proved.extend(succeeded);
    }

    /// The pipelines that the account itself owns here and that the rule names.
    pub(super) fn matching<'a>(&'a self, rule: &'a Rule) -> impl Iterator<Item = &'a Pipeline> {
        self.pipelines.iter().filter(|pipeline| {
            *pipeline.arn.region() == self.region
                && pipeline.arn.owner().account() == Some(&self.account)
                && rule.pipelines.matches(pipeline.arn.name())
        })
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

impl Observed {
    /// A share that is to be made here, under an ARN that no share of AWS has.
    pub(crate) fn foreseen(&self, new: &NewShare, number: usize) -> Option<Share> {
        let Self {
            account,
            region,
            partition,
            ..
        } = self;
        let arn =
            format!("arn:{partition}:ram:{region}:{account}:resource-share/foreseen-{number}");
        Some(Share::new(new, arn.parse().ok()?, Timestamp::MAX))
    }
}

impl Association {
    /// Which of several with one entity counts: the greatest, since RAM keeps
    /// those that ended beside the one that is there.
    pub(crate) fn rank(&self) -> (bool, Option<Timestamp>) {
        (self.status.is_present(), self.created)
    }
}

impl Share {
    /// A share that is made now, empty.
    #[must_use]
    pub fn new(new: &NewShare, arn: ShareArn, created: Timestamp) -> Self {
        Self {
            arn,
            name: new.name.clone(),
            rule: Some(new.rule.to_string()),
            created,
            updated: None,
            live: true,
            allow_external: new.allow_external,
            permissions: vec![new.permission.clone()],
            outdated: false,
            resources: Vec::new(),
            principals: Vec::new(),
        }
    }

    /// What the share is called, if its tag names the same rule as its name.
    pub(crate) fn served(&self) -> Option<ShareName> {
        let name: ShareName = self.name.parse().ok()?;
        (self.rule.as_deref() == Some(name.rule.as_str())).then_some(name)
    }

    /// Changes it as RAM would; what comes in is not settled yet.
    pub(crate) fn apply(&mut self, action: &Action) {
        match action {
            Action::ReplacePermission { permission } => {
                self.permissions = vec![permission.clone()];
                self.outdated = false;
            }
            Action::AllowExternal { allow } => self.allow_external = *allow,
            Action::AddPipelines { pipelines } => {
                let pipelines = pipelines.iter().map(PipelineArn::as_str);
                self.resources.extend(pipelines.map(begun));
            }
            Action::AddPrincipals { principals } => {
                let principals = principals.iter().map(Principal::as_str);
                self.principals.extend(principals.map(begun));
            }
            Action::RemoveResources { resources } => end(&mut self.resources, resources),
            Action::RemovePrincipals { principals } => end(&mut self.principals, principals),
            Action::Delete => self.live = false,
        }
    }

    /// Whether anything is under way; RAM then removes nothing.
    pub(super) fn is_associating(&self) -> bool {
        let mut all = self.resources.iter().chain(&self.principals);
        all.any(|association| association.status == AssociationStatus::Associating)
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
        .max_by_key(|association| association.rank())
}

/// An association that is being made.
fn begun(entity: &str) -> Association {
    Association {
        entity: entity.to_owned(),
        status: AssociationStatus::Associating,
        message: None,
        created: None,
        updated: None,
    }
}

fn end(associations: &mut [Association], entities: &[String]) {
    let ended = associations.iter_mut();
    for association in ended.filter(|it| entities.contains(&it.entity)) {
        association.status = AssociationStatus::Disassociated;
    }
}
