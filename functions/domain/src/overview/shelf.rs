//! A share, with what is in it where it can be found.

use std::collections::BTreeMap;

use super::{AccessState, Level};
use crate::{
    id::PipelineArn,
    policy::RuleName,
    sharing::{Association, Observed, Pipeline, Share, is_older},
    status::AssociationStatus,
};

/// A share that is there.
pub(super) struct Shelf<'a> {
    rule: Option<RuleName>,
    /// What it gives; none if it has no permission for pipelines.
    pub(super) level: Option<Level>,
    resources: BTreeMap<PipelineArn, &'a Association>,
    principals: BTreeMap<&'a str, &'a Association>,
}

/// The shares that are there, each with what is in it.
pub(super) fn shelves(observed: &Observed) -> Vec<Shelf<'_>> {
    let live = observed.shares.iter().filter(|share| share.live);
    live.map(|share| Shelf::of(share, &observed.partition))
        .collect()
}

impl<'a> Shelf<'a> {
    fn of(share: &'a Share, partition: &str) -> Self {
        let levels = share.permissions.iter();
        let levels = levels.map(|permission| Level::of(permission, partition));
        let mut shelf = Self {
            rule: share.served().map(|it| it.rule),
            level: levels.max(),
            resources: BTreeMap::new(),
            principals: BTreeMap::new(),
        };
        for resource in &share.resources {
            if let Ok(arn) = resource.entity.parse() {
                keep_newest(&mut shelf.resources, arn, resource);
            }
        }
        for principal in &share.principals {
            keep_newest(&mut shelf.principals, &principal.entity, principal);
        }
        shelf
    }

    /// Whether tag and name say that it is one of the rule's.
    pub(super) fn serves(&self, rule: &RuleName) -> bool {
        self.rule.as_ref() == Some(rule)
    }

    /// All principals that it knows of.
    pub(super) fn principals(&self) -> impl Iterator<Item = &'a str> {
        self.principals.keys().copied()
    }

    /// How far a principal's access by this share is; none if one of both is not in it.
    pub(super) fn join(
        &self,
        pipeline: &Pipeline,
        principal: &str,
        must_accept: bool,
    ) -> Option<AccessState> {
        let resource = self.resources.get(&pipeline.arn)?;
        let principal = self.principals.get(principal)?;
        if is_older(resource, pipeline) {
            return None;
        }
        let failed = [resource, principal].into_iter().find(|it| is_failed(it));
        if let Some(failed) = failed {
            let message = failed.message.clone();
            return Some(AccessState::Failed { message });
        }
        match (&resource.status, &principal.status) {
            (AssociationStatus::Associated, AssociationStatus::Associated) => {
                Some(AccessState::Held {
                    since: resource.created.max(principal.created),
                })
            }
            (resource, AssociationStatus::Associating) if must_accept && resource.is_present() => {
                Some(AccessState::Invited {
                    invited: principal.created,
                })
            }
            (one, other) if one.is_present() && other.is_present() => Some(AccessState::Settling),
            _ => None,
        }
    }
}

fn is_failed(association: &Association) -> bool {
    use AssociationStatus::{Failed, Suspended, Suspending};
    matches!(association.status, Failed | Suspended | Suspending)
}

/// Keeps the one that counts.
fn keep_newest<'a, K: Ord>(
    associations: &mut BTreeMap<K, &'a Association>,
    key: K,
    found: &'a Association,
) {
    let kept = associations.entry(key).or_insert(found);
    if found.rank() > kept.rank() {
        *kept = found;
    }
}
