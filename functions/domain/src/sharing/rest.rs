//! The shares that carry our tags and serve no part of their rule.

use std::collections::BTreeSet;

use super::{
    Association, OutOfReach, Reason, Share, ShareName, group::Admitted, name::PREFIX,
    planner::Planner,
};
use crate::{
    id::{PermissionArn, PipelineArn},
    policy::{Access, Rule},
    status::AssociationStatus,
};

impl<'a> Planner<'a> {
    /// Deletes what carries our tags and serves no rule.
    ///
    /// What grants no more than a rule in force waits until the rule's own
    /// shares have taken over. Whatever it is, its name or its tag, nothing
    /// comes into it, and what it holds proves nothing.
    pub(super) fn delete_the_rest(&mut self) {
        let mut rest: Vec<_> = self
            .observed
            .shares
            .iter()
            .filter(|share| share.live && !self.dealt_with.contains(share.arn.as_str()))
            .collect();
        rest.sort_by_key(|share| &share.arn);
        for share in rest {
            if !share.name.starts_with(PREFIX) {
                self.out_of_reach.push(OutOfReach {
                    share: share.name.clone(),
                    arn: share.arn.clone(),
                });
                continue;
            }
            let reason = self.reason_to_delete(share);
            let successor = match reason {
                Reason::RuleGone | Reason::RuleEnded => self.successor(share),
                reason if reason.hands_over() => self.rule_of(share),
                _ => None,
            };
            if successor.is_none_or(|rule| !self.stays_until_served(share, rule)) {
                self.delete(self.rule_of(share), share, reason);
            }
        }
    }

    fn reason_to_delete(&self, share: &Share) -> Reason {
        let Some(rule) = self.rule_of(share) else {
            if self.has_ended(share) {
                return Reason::RuleEnded;
            }
            return Reason::RuleGone;
        };
        if !names_all(rule, share) {
            return Reason::ConsumerGone;
        }
        let admitted = self.admitted.get(&rule.name);
        if admitted.is_none_or(|admitted| self.grants_too_much(share, rule, admitted)) {
            return Reason::GrantsTooMuch;
        }
        match share.name.parse::<ShareName>() {
            Ok(name) if name.rule == rule.name => Reason::Moved,
            _ => Reason::Renamed,
        }
    }

    fn rule_of(&self, share: &Share) -> Option<&'a Rule> {
        let mut rules = self.policy.rules_of(&self.observed.account);
        rules.find(|rule| share.rule.as_deref() == Some(rule.name.as_str()))
    }

    /// Whether the share is one of a rule that has ended.
    fn has_ended(&self, share: &Share) -> bool {
        let name = share.rule.as_deref();
        let mut ended = self.policy.ended.iter();
        ended.any(|rule| rule.owner == self.observed.account && name == Some(rule.name.as_str()))
    }

    /// The rule in force that gives everything that a share of no rule gives:
    /// the same rule under another name, as a rule.
    fn successor(&self, share: &Share) -> Option<&'a Rule> {
        let mut rules = self.policy.rules_of(&self.observed.account);
        rules.find(|rule| {
            let admitted = self.admitted.get(&rule.name);
            names_all(rule, share)
                && admitted.is_some_and(|admitted| !self.grants_too_much(share, rule, admitted))
        })
    }

    /// Whether the share lets its principals do anything that the rule does not allow.
    ///
    /// A permission that nobody can give takes none away: what is there stays
    /// as it is until people have fixed the rule.
    pub(super) fn grants_too_much(
        &self,
        share: &Share,
        rule: &Rule,
        admitted: &Admitted<'_>,
    ) -> bool {
        let partition = &self.observed.partition;
        let wanted = rule.access.permission(partition);
        let is_flawed = self.observed.flaws.contains_key(&wanted);
        let is_allowed = |permission: &PermissionArn| {
            is_flawed
                || *permission == wanted
                // Who may run a pipeline may also read it.
                || rule.access == Access::Execute
                    && *permission == Access::Read.permission(partition)
        };
        let is_admitted = |resource: &Association| {
            let arn = resource.entity.parse::<PipelineArn>();
            !resource.status.is_present() || arn.is_ok_and(|arn| admitted.contains_key(&arn))
        };
        !(share.permissions.iter().all(is_allowed) && share.resources.iter().all(is_admitted))
    }

    /// Whether the share stays until the rule's own shares give what it gives.
    ///
    /// Consumers accept these within seconds, and nothing reports that to the owner:
    /// it is looked at again soon, as long as they may have been accepted by machine.
    pub(super) fn stays_until_served(&mut self, share: &Share, rule: &Rule) -> bool {
        let stays = self.is_needed_until_served(share, rule);
        self.unsettled |= stays && self.is_being_served(share, rule);
        stays
    }

    /// Whether something of a share comes into the rule's own, for no longer than it takes.
    fn is_being_served(&self, share: &Share, rule: &Rule) -> bool {
        let all = |share: &'a Share| share.principals.iter().chain(&share.resources);
        let held = share.principals.iter().chain(&share.resources);
        let held: BTreeSet<_> = held.map(|it| it.entity.to_ascii_lowercase()).collect();
        let comes = |it: &Association| {
            it.status == AssociationStatus::Associating
                && !self.observed.is_slow(it)
                && held.contains(&it.entity.to_ascii_lowercase())
        };
        let own = self.serving_shares(rule);
        let mut own = own.filter(|own| own.arn != share.arn);
        own.any(|own| all(own).any(comes))
    }

    /// The shares that serve the rule.
    fn serving_shares(&self, rule: &Rule) -> impl Iterator<Item = &'a Share> {
        let shares = self.observed.shares.iter();
        shares.filter(|own| self.serving.get(own.arn.as_str()) == Some(&&rule.name))
    }

    /// Whether somebody would lose access if the share went before the rule's
    /// own shares give it.
    fn is_needed_until_served(&self, share: &Share, rule: &Rule) -> bool {
        let associated = |all: &[Association]| -> BTreeSet<String> {
            let all = all.iter().filter(|it| is_associated(it));
            all.map(|it| it.entity.to_ascii_lowercase()).collect()
        };
        let own: Vec<_> = self
            .serving_shares(rule)
            .filter(|own| own.arn != share.arn)
            .map(|own| (associated(&own.principals), associated(&own.resources)))
            .collect();
        let resources = associated(&share.resources);
        associated(&share.principals).iter().any(|principal| {
            let given = own.iter().filter(|own| own.0.contains(principal));
            let given: BTreeSet<_> = given.flat_map(|own| &own.1).collect();
            resources.iter().any(|resource| !given.contains(resource))
        })
    }
}

fn is_associated(association: &Association) -> bool {
    association.status == AssociationStatus::Associated
}

/// Whether the rule names everybody whom the share is for.
pub(super) fn names_all(rule: &Rule, share: &Share) -> bool {
    let is_named = |principal: &Association| {
        !principal.status.is_present() || rule.with.iter().any(|p| p.as_str() == principal.entity)
    };
    share.principals.iter().all(is_named)
}
