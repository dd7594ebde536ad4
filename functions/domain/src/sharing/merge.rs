//! Parts of a rule's shares that have become needless.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Reason, Share,
    group::Admitted,
    planner::{MAX_PIPELINES, Planner},
    rest::names_all,
};
use crate::policy::Rule;

/// How many pipelines a part has at most after parts were merged.
const MERGED: usize = 4_500;

impl<'a> Planner<'a> {
    /// The last part goes once the others have room for all, and give all: it is
    /// filled no more, and its pipelines have no place but in the others.
    ///
    /// These have room to spare then, so that one more pipeline makes no new part.
    pub(super) fn retire_a_part(
        &mut self,
        rule: &'a Rule,
        parts: &mut BTreeMap<u32, &'a Share>,
        admitted: &Admitted<'_>,
    ) {
        let Some((part, share)) = parts.pop_last() else {
            return;
        };
        let (mut held, mut room) = (BTreeSet::new(), 0_usize);
        for other in parts.values() {
            let there = other.resources.iter().filter(|it| it.status.is_present());
            let there: BTreeSet<_> = there.map(|it| it.entity.as_str()).collect();
            room = room.saturating_add(MAX_PIPELINES.saturating_sub(there.len()));
            held.extend(there);
        }
        let missing = admitted.keys().filter(|arn| !held.contains(arn.as_str()));
        let is_needless = !parts.is_empty()
            && missing.count() <= room
            && admitted.len() <= parts.len().saturating_mul(MERGED);
        // What has to leave it leaves it first.
        let may_go = names_all(rule, share) && !self.grants_too_much(share, rule, admitted);
        if !is_needless || !may_go {
            parts.insert(part, share);
        } else if !self.stays_until_served(share, rule) {
            self.delete(Some(rule), share, Reason::Merged);
        }
    }
}
