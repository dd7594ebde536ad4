//! What comes into the shares of a rule.

use std::collections::BTreeMap;

use super::{
    Action, Audience, Due, Offered, Pipeline, Reason, Share, ShareName, SharePlan, Target,
    group::ShareGroup,
    observed::find,
    planner::{MAX_PIPELINES, Planner, by_reason},
};
use crate::{id::Principal, notification::Expired, policy::Rule, status::AssociationStatus};

impl<'a> Planner<'a> {
    /// Adds to one part what has no place yet, and the principals once there is something to see.
    pub(super) fn fill(
        &mut self,
        group: &mut ShareGroup<'a, '_>,
        part: u32,
        share: Option<&'a Share>,
        held: usize,
    ) {
        let added = group.take(MAX_PIPELINES.saturating_sub(held));
        if added.is_empty() && held == 0 {
            self.delete_if_unused(group.rule, share);
            return;
        }
        let missing = group.principals.iter().filter_map(|principal| {
            let reason = reason_to_add(share, principal)?;
            Some((reason, (*principal).clone()))
        });
        let missing = by_reason(missing.collect());
        self.note_expired(group, share, &missing);

        let target = self.target(group, part, share, &added);
        self.offer(group, target, share, !missing.is_empty());
        let joining = added.into_iter().map(|(pipeline, reason)| {
            let failed = share.is_some_and(|share| share.has_failed(pipeline.arn.as_str()));
            let reason = if failed {
                Reason::AssociationFailed
            } else {
                reason
            };
            (reason, pipeline.arn.clone())
        });
        let joining = by_reason(joining.collect()).into_iter();
        let joining = joining.map(|(reason, pipelines)| Due {
            action: Action::AddPipelines { pipelines },
            reason,
        });
        let invited = missing.into_iter().map(|(reason, principals)| Due {
            action: Action::AddPrincipals { principals },
            reason,
        });
        let due = joining.chain(invited);
        self.shares[target].grant.extend(due);
    }

    /// A share in which nothing is stays for a while.
    fn delete_if_unused(&mut self, rule: &'a Rule, share: Option<&'a Share>) {
        let Some(share) = share else {
            return;
        };
        let holds_nothing = !share.resources.iter().any(|it| it.status.is_present());
        if holds_nothing && self.observed.has_served_its_time(share) {
            self.delete(Some(rule), share, Reason::Unused);
        }
    }

    /// Where the plan of this part is, which is created if there is no share.
    fn target(
        &mut self,
        group: &ShareGroup<'a, '_>,
        part: u32,
        share: Option<&'a Share>,
        added: &[(&'a Pipeline, Reason)],
    ) -> usize {
        if let Some(share) = share {
            return self.place_of(Some(group.rule), share);
        }
        let name = ShareName {
            rule: group.rule.name.clone(),
            audience: group.audience.clone(),
            part,
        };
        // The oldest stays the same while others come in quick succession.
        let pipelines = added.iter().map(|(pipeline, _)| *pipeline);
        let oldest = pipelines.min_by_key(|pipeline| (pipeline.created, &pipeline.arn));
        let new = self.creation(group, &name.to_string(), oldest);
        let rule = group.rule.name.clone();
        self.shares
            .push(SharePlan::new(Some(rule), Target::New(new)));
        self.shares.len().saturating_sub(1)
    }

    fn offer(
        &mut self,
        group: &ShareGroup<'a, '_>,
        target: usize,
        share: Option<&Share>,
        is_new: bool,
    ) {
        let Audience::Account(consumer) = &group.audience else {
            return;
        };
        let is_accepted = |principal: &&Principal| {
            share
                .and_then(|share| find(&share.principals, principal.as_str()))
                .is_some_and(|found| found.status == AssociationStatus::Associated)
        };
        if !group.principals.iter().all(is_accepted) {
            let target = &self.shares[target];
            self.offered.push(Offered {
                share: target.name().to_owned(),
                arn: target.arn().cloned(),
                rule: group.rule.name.clone(),
                consumer: consumer.clone(),
                is_new,
            });
        }
    }

    /// Whoever needs no invitation had none that could end.
    fn note_expired(
        &mut self,
        group: &ShareGroup<'a, '_>,
        share: Option<&Share>,
        missing: &BTreeMap<Reason, Vec<Principal>>,
    ) {
        let again = missing.get(&Reason::InvitationExpired);
        if matches!(group.audience, Audience::Members) {
            return;
        }
        let expired = again.into_iter().flatten().map(|principal| {
            let invitations = share.into_iter().flat_map(|share| &share.principals);
            let invitations = invitations.filter(|it| it.entity == principal.as_str());
            Expired {
                rule: group.rule.name.clone(),
                consumer: principal.to_string(),
                invited: invitations.filter_map(|it| it.created).max(),
            }
        });
        self.expired.extend(expired);
    }
}

fn reason_to_add(share: Option<&Share>, principal: &Principal) -> Option<Reason> {
    let found = share.and_then(|share| find(&share.principals, principal.as_str()));
    match found.map(|association| &association.status) {
        None => Some(Reason::PrincipalNamed),
        Some(AssociationStatus::Disassociated) => Some(Reason::InvitationExpired),
        Some(AssociationStatus::Failed) => Some(Reason::AssociationFailed),
        // It leaves now and can be added once it is gone.
        Some(_) => None,
    }
}
