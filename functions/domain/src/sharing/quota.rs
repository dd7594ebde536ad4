//! RAM's limits: what waits for room, and what comes near.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{Action, Association, Audience, Plan, Share, ShareName, SharePlan, planner::Planner};
use crate::{
    id::{AccountId, Principal, ShareArn},
    policy::RuleName,
    status::AssociationStatus,
};

/// How many invitations an account may have pending outside its organization
/// (RAM User Guide, "Service quotas").
pub const MAX_INVITATIONS: usize = 250;

/// A limit of RAM that lasts until AWS raises it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quota {
    /// Shares of an account in a Region.
    Shares,
    /// Resources in all shares of an account in a Region.
    Resources,
    /// Principals in all shares of an account in a Region.
    Principals,
}

/// A quota of which most is used, once the plan is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaUse {
    /// Which one.
    pub quota: Quota,
    /// How much of it shares of pipeshare's use; others of the account come on top.
    pub used: usize,
}

/// Somebody who is invited when there is room for one more invitation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Uninvited {
    /// The rule.
    pub rule: RuleName,
    /// Who is to be invited.
    pub consumer: AccountId,
}

impl Quota {
    /// What AWS allows without being asked (RAM User Guide, "Service quotas").
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::Shares | Self::Resources | Self::Principals => 25_000,
        }
    }

    /// Whether so much of it is for people to know: four fifths.
    fn is_near(self, used: usize) -> bool {
        used.saturating_mul(5) >= self.limit().saturating_mul(4)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shares => "resource shares",
            Self::Resources => "resource associations",
            Self::Principals => "principal associations",
        })
    }
}

/// An invitation that is planned.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Invitation {
    /// When the same was invited before.
    last: Option<Timestamp>,
    rule: RuleName,
    consumer: AccountId,
    principal: Principal,
    /// Where among the plans of shares it is.
    place: usize,
}

impl Invitation {
    fn key(&self) -> (&RuleName, &str) {
        (&self.rule, self.principal.as_str())
    }
}

impl<'a> Planner<'a> {
    /// Takes out of the plan the invitations that there is no room for.
    ///
    /// Who was never invited comes first, and then whose last invitation is the
    /// oldest; so those who do not accept keep nobody else out for longer than
    /// an invitation lives.
    pub(super) fn postpone_invitations(&mut self) {
        let (pending, unanswered) = self.pending();
        let room = self.invitations.saturating_sub(pending);
        let mut planned = self.planned_invitations();
        if planned.len() <= room {
            return;
        }
        planned.sort();
        let postponed = planned.split_off(room);
        // Where invitations are accepted by machine, there is room within minutes.
        self.is_full = unanswered.saturating_mul(2) > pending;
        for invitation in &postponed {
            self.take_out(invitation);
        }
        let left_out: BTreeSet<_> = postponed.iter().map(Invitation::key).collect();
        self.expired
            .retain(|it| !left_out.contains(&(&it.rule, it.consumer.as_str())));
        self.take_back_offers(postponed.iter().map(|it| it.place).collect());
        let uninvited = postponed.into_iter().map(|it| Uninvited {
            rule: it.rule,
            consumer: it.consumer,
        });
        let uninvited: BTreeSet<_> = uninvited.collect();
        self.uninvited = uninvited.into_iter().collect();
    }

    /// How many invitations await an answer, and how many of these have for long.
    fn pending(&self) -> (usize, usize) {
        let shares = self.observed.shares.iter();
        let inviting = shares.filter(|share| share.live && share.allow_external);
        let pending = inviting
            .flat_map(|share| &share.principals)
            .filter(|principal| is_pending(principal));
        let unanswered = pending.clone().filter(|it| self.observed.is_unanswered(it));
        (pending.count(), unanswered.count())
    }

    fn planned_invitations(&self) -> Vec<Invitation> {
        let shares = self.by_arn();
        let mut planned = Vec::new();
        for (place, plan) in self.shares.iter().enumerate() {
            let Some((rule, consumer)) = consumer_of(plan) else {
                continue;
            };
            let share = plan.arn().and_then(|arn| shares.get(arn));
            let invitation = |principal: &Principal| Invitation {
                last: share.and_then(|share| last_invited(share, principal)),
                rule: rule.clone(),
                consumer: consumer.clone(),
                principal: principal.clone(),
                place,
            };
            planned.extend(invited(plan).map(invitation));
        }
        planned
    }

    fn take_out(&mut self, invitation: &Invitation) {
        let Some(plan) = self.shares.get_mut(invitation.place) else {
            return;
        };
        plan.grant.retain_mut(|due| {
            let Action::AddPrincipals { principals } = &mut due.action else {
                return true;
            };
            principals.retain(|it| *it != invitation.principal);
            !principals.is_empty()
        });
    }

    /// Nobody is to accept what nobody is invited to, and a share for nobody is not made.
    fn take_back_offers(&mut self, places: BTreeSet<usize>) {
        let shares = self.by_arn();
        let plans = places.into_iter();
        let plans = plans.filter_map(|place| Some((place, self.shares.get(place)?)));
        let is_offered = |plan: &SharePlan| {
            let share = plan.arn().and_then(|arn| shares.get(arn));
            let is_pending = share.is_some_and(|share| share.principals.iter().any(is_pending));
            is_pending || invited(plan).next().is_some()
        };
        let left: Vec<_> = plans.filter(|(_, plan)| !is_offered(plan)).collect();
        let unmade = left.iter().filter(|(_, plan)| plan.arn().is_none());
        let unmade: BTreeSet<_> = unmade.map(|(place, _)| *place).collect();
        let left: BTreeSet<_> = left
            .into_iter()
            .map(|(_, plan)| (plan.name().to_owned(), plan.arn().cloned()))
            .collect();
        self.offered
            .retain(|it| !left.contains(&(it.share.clone(), it.arn.clone())));
        self.unmade = unmade;
    }

    /// The shares as they were seen, by their ARNs.
    fn by_arn(&self) -> BTreeMap<&'a ShareArn, &'a Share> {
        let shares = self.observed.shares.iter();
        shares.map(|share| (&share.arn, share)).collect()
    }

    /// The quotas of which most is used once the plan is carried out.
    pub(super) fn quotas(&self, plan: &Plan) -> Vec<QuotaUse> {
        let present = |list: &[Association]| {
            let present = list.iter().filter(|it| it.status.is_present());
            present.count()
        };
        let live = || self.observed.shares.iter().filter(|share| share.live);
        let planned = || plan.shares.iter().map(SharePlan::added);
        let shares = live().map(|_| 1_usize);
        let resources = live().map(|share| present(&share.resources));
        let principals = live().map(|share| present(&share.principals));
        let used = [
            (Quota::Shares, shares.chain(plan.created().map(|_| 1)).sum()),
            (
                Quota::Resources,
                resources.chain(planned().map(|added| added.0)).sum(),
            ),
            (
                Quota::Principals,
                principals.chain(planned().map(|added| added.1)).sum(),
            ),
        ];
        let used = used.into_iter();
        let used = used.map(|(quota, used)| QuotaUse { quota, used });
        used.filter(|it| it.quota.is_near(it.used)).collect()
    }
}

impl SharePlan {
    /// How many pipelines and principals it adds.
    fn added(&self) -> (usize, usize) {
        let (mut pipelines, mut principals) = (0_usize, 0_usize);
        for due in &self.grant {
            match &due.action {
                Action::AddPipelines { pipelines: added } => {
                    pipelines = pipelines.saturating_add(added.len());
                }
                Action::AddPrincipals { principals: added } => {
                    principals = principals.saturating_add(added.len());
                }
                _ => {}
            }
        }
        (pipelines, principals)
    }
}

/// The rule and the account that a plan invites, if it is about such a share.
fn consumer_of(plan: &SharePlan) -> Option<(RuleName, AccountId)> {
    let name: ShareName = plan.name().parse().ok()?;
    match name.audience {
        Audience::Account(account) => Some((name.rule, account)),
        Audience::Members => None,
    }
}

fn invited(plan: &SharePlan) -> impl Iterator<Item = &Principal> {
    let actions = plan.grant.iter().map(|due| &due.action);
    actions
        .filter_map(|action| match action {
            Action::AddPrincipals { principals } => Some(principals),
            _ => None,
        })
        .flatten()
}

fn last_invited(share: &Share, principal: &Principal) -> Option<Timestamp> {
    let of = share.principals.iter();
    let of = of.filter(|it| it.entity == principal.as_str());
    of.filter_map(|it| it.created).max()
}

fn is_pending(association: &Association) -> bool {
    association.status == AssociationStatus::Associating
}
