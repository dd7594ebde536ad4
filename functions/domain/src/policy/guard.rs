//! How much a new version withdraws, before it is in force.

use std::collections::BTreeMap;

use super::{Gate, Limits, NamePatterns, Pattern, Policy, Rule};
use crate::id::{AccountId, Principal};

/// So many grants may be withdrawn at once, whatever share of all they are.
const FEW: usize = 10;

/// What a version withdraws of what the one before it grants.
///
/// A grant is the access that a rule gives a principal to pipelines of an
/// owner. It counts as withdrawn if the new rules do not give all of it: to
/// fewer names, with less access, or behind another gate. What has ended is in
/// neither version.
///
/// ```
/// use domain::policy::{Policy, Withdrawal};
///
/// let text = r#"
/// version: 1
/// accounts: { dev: "111111111111", test: "222222222222" }
/// rules:
///   - { name: readers, owner: test, pipelines: ["a*", "b*"], with: [dev] }
/// "#;
/// let before = Policy::parse(text)?;
/// let narrower = Policy::parse(&text.replace(r#", "b*""#, ""))?;
/// let withdrawal = Withdrawal::between(&before, &narrower);
/// assert_eq!(
///     withdrawal.withdrawn,
///     ["dev loses read on \"b*\" of test, by rule readers"]
/// );
/// assert!(!withdrawal.is_beyond(before.limits), "a few are never held");
/// # Ok::<(), domain::policy::PolicyErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// How many grants there are.
    pub all: usize,
    /// Those that are withdrawn, in words.
    pub withdrawn: Vec<String>,
}

impl Withdrawal {
    /// What the second policy withdraws of the first.
    #[must_use]
    pub fn between(before: &Policy, after: &Policy) -> Self {
        let mut by_owner: BTreeMap<&AccountId, Vec<&Rule>> = BTreeMap::new();
        for rule in &after.rules {
            by_owner.entry(&rule.owner).or_default().push(rule);
        }
        let mut withdrawal = Self {
            all: 0,
            withdrawn: Vec::new(),
        };
        for rule in &before.rules {
            let successors = by_owner.get(&rule.owner).map_or(&[][..], Vec::as_slice);
            for principal in &rule.with {
                withdrawal.all += 1;
                let lost = lost(rule, principal, successors);
                if !lost.is_empty() {
                    let words = words(before, rule, principal, &lost);
                    withdrawal.withdrawn.push(words);
                }
            }
        }
        withdrawal
    }

    /// Whether somebody has to confirm it: it is more than a few, and more than
    /// the limit allows.
    #[must_use]
    pub fn is_beyond(&self, limits: Limits) -> bool {
        let withdrawn = self.withdrawn.len();
        withdrawn > FEW && withdrawn * 100 > self.all * usize::from(limits.withdraw)
    }
}

/// The patterns of a rule that no other rule gives the principal any more.
fn lost<'a>(rule: &'a Rule, principal: &Principal, successors: &[&Rule]) -> Vec<&'a Pattern> {
    let gives = |other: &&&Rule| {
        let is_named = other.with.iter().any(|it| it.includes(principal));
        let is_open = other.after == rule.after || other.after == Gate::Created;
        is_named && is_open && other.access.includes(&rule.access)
    };
    let giving: Vec<_> = successors.iter().filter(gives).collect();
    let parts = rule.pipelines.parts();
    let is_lost = |part: &NamePatterns| !giving.iter().any(|it| it.pipelines.covers(part));
    parts
        .filter_map(|(pattern, part)| is_lost(&part).then_some(pattern))
        .collect()
}

fn words(policy: &Policy, rule: &Rule, principal: &Principal, lost: &[&Pattern]) -> String {
    let who = match principal {
        Principal::Account(account) => policy.display_name(account),
        other => other.as_str(),
    };
    let patterns: Vec<_> = lost.iter().map(|it| format!("\"{it}\"")).collect();
    format!(
        "{who} loses {} on {} of {}, by rule {}",
        rule.access.as_str(),
        patterns.join(", "),
        policy.display_name(&rule.owner),
        rule.name
    )
}
