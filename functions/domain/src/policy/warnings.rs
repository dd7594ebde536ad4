//! What is right in the documents, and probably not meant.

use std::collections::BTreeSet;

use super::{
    Policy, PolicyError, PolicyErrors, Rule, Until,
    account::ReadAccounts,
    checker::{Checker, Fields, quoted},
    document::{Key, Node, entries},
};
use crate::id::AccountId;

/// A valid policy, and what in it is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedPolicy {
    /// What the documents say.
    pub policy: Policy,
    /// What to look at again, each with its place.
    pub warnings: PolicyErrors,
}

/// What was seen while documents were read.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// The names of the groups that something names.
    groups: BTreeSet<String>,
    /// The accounts that something names, by name or id or as that of a principal.
    accounts: BTreeSet<AccountId>,
    /// What to look at again, and from when on, if not at once.
    warnings: Vec<(PolicyError, Option<Until>)>,
}

impl Remarks {
    /// Notes that something names a group.
    pub(super) fn name_group(&mut self, name: &str) {
        self.groups.insert(name.to_owned());
    }

    /// Notes that something names an account.
    pub(super) fn name_account(&mut self, id: &AccountId) {
        self.accounts.insert(id.clone());
    }

    /// Notes something to look at again.
    pub(super) fn warn(&mut self, warning: PolicyError, from: Option<Until>) {
        self.warnings.push((warning, from));
    }

    /// What holds at a time; without one, nothing has ended.
    pub(super) fn at(self, now: Option<jiff::Timestamp>) -> PolicyErrors {
        let is_over = |end: &Until| now.is_some_and(|now| end.is_over(now));
        let warnings = self.warnings.into_iter();
        let warnings = warnings.filter(|(_, from)| from.as_ref().is_none_or(is_over));
        PolicyErrors::of(warnings.map(|(warning, _)| warning).collect())
    }
}

/// Notes which of a rule's fields leave nothing of it.
///
/// One that shares with its owner alone, or that `never` or the bounds of a team
/// leave nothing of, is a mistake, and found elsewhere.
pub(super) fn warn_of_rule(checker: &mut Checker, node: &Node, fields: &Fields, rule: &Rule) {
    let Rule { name, until, .. } = rule;
    if let Some(except) = fields.get("except")
        && rule.pipelines.is_empty()
    {
        let message = format!(
            "rule {name} grants nothing, since \"except\" covers all of its pipelines; \
             except less, or remove the rule"
        );
        checker.warn_at(except.at, message, None);
    }
    if let Some(until) = until {
        let message = format!(
            "rule {name} grants nothing since {}; remove it, or write a later \"until\" than {until}",
            until.end()
        );
        let at = fields.get("until").map_or(node.at, |it| it.at);
        checker.warn_at(at, message, Some(until.clone()));
    }
}

/// Notes the names in the root that nothing else names.
///
/// The documents of teams use groups, too: where one is not `complete`, nobody
/// knows which. Whatever accounts they name is within the bounds in the root.
pub(super) fn warn_of_unused(
    checker: &mut Checker,
    root: &Fields,
    accounts: &ReadAccounts,
    is_complete: bool,
) {
    let remarks = checker.remarks();
    let accounts = entries(root.get("accounts")).iter().filter(|(key, _)| {
        let id = accounts.id(&key.text);
        id.is_some_and(|id| !remarks.accounts.contains(id))
    });
    let groups = entries(root.get("groups"))
        .iter()
        .filter(|(key, _)| is_complete && !remarks.groups.contains(&key.text));
    let warning = |what: &str, (key, _): &(Key, Node)| {
        let name = quoted(&key.text);
        key.at
            .error(format!("nothing names {what} {name}; remove it, or use it"))
    };
    let accounts = accounts.map(|it| warning("account", it));
    let groups = groups.map(|it| warning("group", it));
    let warnings: Vec<_> = accounts.chain(groups).collect();
    for warning in warnings {
        checker.remarks_mut().warn(warning, None);
    }
}
