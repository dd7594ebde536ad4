//! Groups: names for lists of accounts and other principals.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    account::{is_name, is_number},
    checker::{Checker, Fields, Reported, quoted, unknown},
    document::{Data, Key, Node},
    principal::{Context, read_principal},
};
use crate::id::{AccountId, Principal};

/// The groups of a root document; a group that could not be read is nothing.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_name: BTreeMap<String, Option<Vec<Principal>>>,
}

impl Groups {
    /// The members of a group, if there is one of this name.
    pub(super) fn members(&self, name: &str) -> Option<Result<&[Principal], Reported>> {
        let members = self.by_name.get(name)?;
        Some(members.as_deref().ok_or(Reported))
    }

    /// The names of all groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// The accounts of a group, reporting it if it has other members.
    pub(super) fn accounts(
        &self,
        checker: &mut Checker,
        node: &Node,
        name: &str,
    ) -> Option<Result<Vec<AccountId>, Reported>> {
        let members = self.members(name)?;
        checker.remarks_mut().name_group(name);
        let Ok(members) = members else {
            return Some(Err(Reported));
        };
        let mut accounts = Vec::new();
        for member in members {
            if let Principal::Account(account) = member {
                accounts.push(account.clone());
            } else {
                let message = format!(
                    "group {} has {}, and only accounts own pipelines",
                    quoted(name),
                    quoted(member.as_str())
                );
                checker.report(node, message);
                return Some(Err(Reported));
            }
        }
        Some(Ok(accounts))
    }
}

/// Reads the groups of the root; `context` has none yet.
pub(super) fn read_groups(checker: &mut Checker, root: &Fields, context: &Context) -> Groups {
    let node = root.get("groups");
    let entries = node.and_then(|node| checker.entries(node, "the groups by name"));
    let entries = entries.unwrap_or_default();
    let mut lower = BTreeMap::new();
    for (key, _) in &entries {
        check_name(checker, key, context);
        if let Some(other) = lower.insert(key.text.to_ascii_lowercase(), &key.text) {
            let message = format!("{:?} and {other:?} differ in case only", key.text);
            checker.report_at(key.at, message);
        }
    }
    let mut reader = GroupReader {
        entries: entries
            .iter()
            .map(|(key, node)| (key.text.as_str(), *node))
            .collect(),
        open: Vec::new(),
        groups: Groups::default(),
    };
    for (key, _) in &entries {
        reader.read(checker, context, &key.text);
    }
    reader.groups
}

/// A group is called by the side of accounts, so that its name is none of theirs.
fn check_name(checker: &mut Checker, key: &Key, context: &Context) {
    let name = &key.text;
    let problem = if !is_name(name) || is_number(name) {
        "a group's name has letters, digits, '-' and '_', and is no number"
    } else if context.accounts.has(name) {
        "an account has this name already, perhaps in another case"
    } else {
        return;
    };
    checker.report_at(key.at, format!("{}: {problem}", quoted(name)));
}

/// Reads groups that may name other groups.
struct GroupReader<'n> {
    entries: BTreeMap<&'n str, &'n Node>,
    /// The groups that are being read, from the outermost one on.
    open: Vec<String>,
    groups: Groups,
}

impl GroupReader<'_> {
    fn read(&mut self, checker: &mut Checker, context: &Context, name: &str) {
        if self.groups.by_name.contains_key(name) {
            return;
        }
        let Some(node) = self.entries.get(name).copied() else {
            return;
        };
        self.open.push(name.to_owned());
        let members = self.members(checker, context, node);
        self.open.pop();
        self.groups.by_name.insert(name.to_owned(), members);
    }

    fn members(
        &mut self,
        checker: &mut Checker,
        context: &Context,
        node: &Node,
    ) -> Option<Vec<Principal>> {
        let items = checker.list(Some(node), "accounts, ARNs or groups")?;
        let mut written = BTreeSet::new();
        let mut members = BTreeSet::new();
        let mut complete = true;
        for item in items {
            if let Some(text) = item.text()
                && !written.insert(text)
            {
                checker.report(item, format!("{} is in this list already", quoted(text)));
            }
            match self.item(checker, context, item) {
                Some(more) => members.extend(more),
                None => complete = false,
            }
        }
        if items.is_empty() {
            checker.report(node, "a group has at least one member; or remove the group");
        }
        complete.then(|| members.into_iter().collect())
    }

    fn item(
        &mut self,
        checker: &mut Checker,
        context: &Context,
        item: &Node,
    ) -> Option<Vec<Principal>> {
        let name = item.text().filter(|text| self.entries.contains_key(text));
        let Some(name) = name else {
            return read_principal(checker, item, context, &[]).map(|one| vec![one]);
        };
        checker.remarks_mut().name_group(name);
        if let Some(first) = self.open.iter().position(|open| open == name) {
            let mut cycle = self.open[first..].to_vec();
            cycle.push(name.to_owned());
            let message = format!("groups cannot contain each other: {}", cycle.join(" > "));
            checker.report(item, message);
            return None;
        }
        // As deep as groups are many; a document of 8 KB has no more than some hundreds.
        self.read(checker, context, name);
        self.groups.by_name.get(name).cloned().flatten()
    }
}

/// Whom a list of accounts, ARNs and groups names.
#[derive(Debug)]
pub(super) struct Named {
    /// The principals, each once, in the order of the list.
    pub(super) principals: Vec<Principal>,
    /// Those among them that are written out, each with its place in the list.
    pub(super) written: Vec<(Principal, usize)>,
    complete: bool,
}

impl Named {
    /// The principals; nothing if an item of the list is wrong.
    pub(super) fn all(self) -> Option<Vec<Principal>> {
        self.complete.then_some(self.principals)
    }
}

/// Reads a list of principals, in which a group stands for its members.
pub(super) fn read_named(
    checker: &mut Checker,
    items: &[Node],
    context: &Context,
    owners: &[AccountId],
) -> Named {
    let mut named = Named {
        principals: Vec::new(),
        written: Vec::new(),
        complete: true,
    };
    let mut groups = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (number, item) in items.iter().enumerate() {
        let members = item.text().and_then(|text| {
            let members = context.groups.members(text)?;
            Some((text, members.ok().map(<[_]>::to_vec)))
        });
        let more = match members {
            Some((name, members)) => {
                checker.remarks_mut().name_group(name);
                if !groups.insert(name) {
                    checker.report(item, format!("{} is in this list already", quoted(name)));
                }
                members
            }
            None => read_principal(checker, item, context, owners).map(|principal| {
                named.written.push((principal.clone(), number));
                vec![principal]
            }),
        };
        named.complete &= more.is_some();
        for principal in more.unwrap_or_default() {
            if seen.insert(principal.clone()) {
                named.principals.push(principal);
            }
        }
    }
    named
}

/// Reads the owner of a rule, or its owners; nothing if one is wrong.
pub(super) fn read_owners(
    checker: &mut Checker,
    fields: &Fields,
    context: &Context,
) -> Option<Vec<AccountId>> {
    match (fields.get("owner"), fields.get("owners")) {
        (Some(node), None) => read_owner(checker, node, context),
        (None, Some(node)) => {
            let items = checker.list(Some(node), "accounts or groups")?;
            if items.is_empty() {
                checker.report(node, "no owner at all; name an account, or remove the rule");
                return None;
            }
            // Collected before the wrong ones are dropped, so that each is reported.
            let read: Vec<_> = items
                .iter()
                .map(|item| read_owner(checker, item, context))
                .collect();
            let read: Option<Vec<_>> = read.into_iter().collect();
            let owners: BTreeSet<_> = read?.into_iter().flatten().collect();
            Some(owners.into_iter().collect())
        }
        (Some(_), Some(node)) => {
            checker.report(node, "a rule has \"owner\" or \"owners\", not both");
            None
        }
        (None, None) => {
            checker.required(fields, "owner");
            None
        }
    }
}

fn read_owner(checker: &mut Checker, node: &Node, context: &Context) -> Option<Vec<AccountId>> {
    if let Data::List(_) = node.data {
        checker.report(
            node,
            "an owner is one account or group; write several as \"owners\"",
        );
        return None;
    }
    let text = checker.text(node, "the name or id of an account")?;
    if text.starts_with("arn:") {
        checker.report(
            node,
            "an owner is an account; write its name or its twelve digits",
        );
        return None;
    }
    if let Some(accounts) = context.groups.accounts(checker, node, text) {
        return accounts.ok();
    }
    let account = context.resolve(checker, node, text)?;
    Some(vec![account])
}

impl Context<'_> {
    /// The account that a text names or is, reporting it if it is neither.
    pub(super) fn resolve(
        &self,
        checker: &mut Checker,
        node: &Node,
        text: &str,
    ) -> Option<AccountId> {
        let account = self.accounts.resolve(checker, node, text, self.groups)?;
        checker.remarks_mut().name_account(&account);
        Some(account)
    }
}

/// What to say of a text that is neither an account nor a group.
pub(super) fn unknown_name(text: &str, accounts: &[&str], groups: &Groups) -> String {
    let names = accounts.iter().copied().chain(groups.names());
    let otherwise = "name it under accounts, or write its twelve digits";
    unknown("account", text, names, otherwise)
}
