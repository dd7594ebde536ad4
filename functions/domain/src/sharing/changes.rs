//! Who gains, loses or changes access by what a plan, and those that follow it, would do.
//!
//! Plans are made of shares, and people think of access: a share that takes
//! over from another, is split or is renamed changes nothing for anybody. So
//! the plan is carried out in thought, and the access before is compared with
//! the access after.

mod foresight;
pub(super) mod holdings;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Observed, Offered, Reason, Step};
use crate::policy::{Policy, Rule, RuleName, Until};
use foresight::Foresight;
use holdings::{Access, Holding, Index, Sharing};

/// What the policies before and after say, and what there is to compare them on.
#[derive(Debug, Clone, Copy)]
pub struct Comparison<'a> {
    /// The policy in force, which only says why there were rules that are gone.
    pub before: &'a Policy,
    /// The policy that is planned.
    pub after: &'a Policy,
    /// As in [`plan`](super::plan).
    pub generation: i64,
    /// The account as it is.
    pub observed: &'a Observed,
}

/// What becomes of access to the pipelines of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The changes, each for one principal and all pipelines that it concerns alike.
    pub changes: Vec<Change>,
    /// How many they are.
    pub counts: Counts,
    /// The names of the shares to create.
    pub shares: Vec<String>,
    /// The invitations to come.
    pub invitations: Vec<Offered>,
    /// How many invitations the account has pending then, if nobody accepts meanwhile.
    pub pending_invitations: usize,
}

/// Changes, counted in pipelines of principals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Who had no access, and gets some.
    pub grants: usize,
    /// Who has another access than before.
    pub changes: usize,
    /// Who has no access any more.
    pub withdrawals: usize,
    /// What the account's ceiling refuses, which is none of the others.
    pub refused: usize,
}

/// What becomes of the access of one principal to some pipelines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Which way it goes.
    pub change: Kind,
    /// The account id or ARN, as RAM has it.
    pub principal: String,
    /// What the policy calls it, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The names of the pipelines.
    pub pipelines: Vec<String>,
    /// What the principal may do now.
    pub before: Vec<Held>,
    /// What it may do then.
    pub after: Vec<Held>,
    /// The rules by which it may do that; or those that had allowed it, if nothing is left.
    pub rules: Vec<RuleNote>,
    /// Why access is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why the account's ceiling refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<String>,
}

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// There was no access.
    Gain,
    /// There is another access.
    Change,
    /// There is none any more.
    Loss,
}

/// One kind of access that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Held {
    /// `read`, `execute` or the ARN of a permission.
    pub access: String,
    /// Whether the principal has yet to accept an invitation to it.
    pub pending: bool,
}

/// What a rule says of itself to whoever reads a plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RuleNote {
    /// The rule.
    pub name: RuleName,
    /// Why there is such a rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// Compares the access to an account's pipelines before and after what the policy leads to.
///
/// `refused_by` says why the account's ceiling refuses a step, if it does.
#[must_use]
pub fn changes(
    comparison: Comparison<'_>,
    refused_by: impl Fn(&Step) -> Option<String>,
) -> Changes {
    let Comparison {
        after,
        generation,
        observed,
        ..
    } = comparison;
    let foresight = Foresight::of(after, generation, observed, &refused_by);
    let index = Index::of(observed);
    let before = index.sharing(&observed.shares);
    let then = index.sharing(foresight.shares());
    let principals: BTreeSet<&str> = [&before, &then]
        .into_iter()
        .flat_map(Sharing::principals)
        .collect();
    let mut changes = Vec::new();
    for principal in principals {
        let compared = Compared {
            comparison,
            foresight: &foresight,
            index: &index,
            before: before.of(principal),
            then: then.of(principal),
        };
        changes.extend(compared.changes(principal));
    }
    changes.sort();
    Changes {
        counts: Counts::of(&changes),
        changes,
        pending_invitations: then.pending(),
        shares: foresight.created,
        invitations: foresight.invited,
    }
}

/// What one principal may do before and after.
struct Compared<'a, 'i> {
    comparison: Comparison<'a>,
    foresight: &'i Foresight,
    index: &'i Index<'a>,
    before: BTreeMap<usize, Vec<Holding<'i>>>,
    then: BTreeMap<usize, Vec<Holding<'i>>>,
}

impl Compared<'_, '_> {
    /// The changes, of which those that differ in the pipeline alone are one.
    fn changes(&self, principal: &str) -> Vec<Change> {
        let pipelines: BTreeSet<_> = self.before.keys().chain(self.then.keys()).collect();
        let mut alike: BTreeMap<Change, Vec<String>> = BTreeMap::new();
        for pipeline in pipelines {
            if let Some(change) = self.change(principal, *pipeline) {
                let name = self.index.name(*pipeline).to_owned();
                alike.entry(change).or_default().push(name);
            }
        }
        let alike = alike.into_iter();
        alike
            .map(|(change, pipelines)| Change {
                pipelines,
                ..change
            })
            .collect()
    }

    /// What becomes of the access to one pipeline, without its name.
    fn change(&self, principal: &str, pipeline: usize) -> Option<Change> {
        let of = |all: &BTreeMap<usize, Vec<Holding<'_>>>| {
            let holdings = all.get(&pipeline).map(Vec::as_slice);
            Access::of(holdings.unwrap_or_default())
        };
        let (before, after) = (of(&self.before), of(&self.then));
        let change = match (before.held.is_empty(), after.held.is_empty()) {
            (true, false) => Kind::Gain,
            (false, true) => Kind::Loss,
            _ if before.held == after.held => return None,
            _ => Kind::Change,
        };
        let rules = if change == Kind::Loss {
            &before.rules
        } else {
            &after.rules
        };
        let rules = rules.iter().filter_map(|name| self.note(name)).collect();
        let lost = before.givers.iter();
        let reason = lost.filter_map(|share| {
            self.foresight
                .reason(share, principal, self.index.arn(pipeline))
        });
        Some(Change {
            change,
            principal: principal.to_owned(),
            name: self.name(principal),
            pipelines: Vec::new(),
            rules,
            reason: reason.min().filter(|_| change != Kind::Gain),
            refused_by: self.refused_by(principal, pipeline, &after),
            before: before.held,
            after: after.held,
        })
    }

    /// Why nothing comes of it; what another share gives, too, is not refused.
    fn refused_by(&self, principal: &str, pipeline: usize, after: &Access) -> Option<String> {
        let arn = self.index.arn(pipeline);
        let givers = after.givers.iter();
        let refusals = givers.map(|share| self.foresight.refusal(share, principal, arn));
        let refusals = refusals.collect::<Option<Vec<_>>>()?;
        refusals.into_iter().min().map(str::to_owned)
    }

    fn note(&self, name: &str) -> Option<RuleNote> {
        let Comparison {
            before,
            after,
            observed,
            ..
        } = self.comparison;
        let policies = [after, before].into_iter();
        let mut rules = policies.flat_map(|policy| policy.rules.iter().chain(&policy.ended));
        let known = rules.find(|rule| rule.name.as_str() == name && rule.owner == observed.account);
        match known {
            Some(rule) => Some(RuleNote::of(rule)),
            // Whoever administers the account can write anything into the tag.
            None => Some(RuleNote {
                name: name.parse().ok()?,
                why: None,
                until: None,
            }),
        }
    }

    fn name(&self, principal: &str) -> Option<String> {
        let Comparison { before, after, .. } = self.comparison;
        let name = after.name_of_principal(principal);
        name.or(before.name_of_principal(principal))
            .map(str::to_owned)
    }
}

impl RuleNote {
    fn of(rule: &Rule) -> Self {
        Self {
            name: rule.name.clone(),
            why: rule.why.clone(),
            until: rule.until.as_ref().map(Until::to_string),
        }
    }
}

impl Counts {
    fn of(changes: &[Change]) -> Self {
        let mut counts = Self::default();
        for change in changes {
            let counted = match change.change {
                _ if change.refused_by.is_some() => &mut counts.refused,
                Kind::Gain => &mut counts.grants,
                Kind::Change => &mut counts.changes,
                Kind::Loss => &mut counts.withdrawals,
            };
            *counted = counted.saturating_add(change.pipelines.len());
        }
        counts
    }
}
