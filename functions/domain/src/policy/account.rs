//! Reads the organization and the names of its accounts.

use std::collections::BTreeMap;

use super::{
    Account, Organization,
    checker::{Checker, Fields, quoted},
    document::{Data, Key, Node},
    group::{Groups, unknown_name},
};
use crate::id::AccountId;

/// What the document says about the organization.
pub(super) struct ReadOrganization {
    pub(super) known: Option<Organization>,
    /// Whether it says something that could not be read, so that nobody knows.
    pub(super) unclear: bool,
}

/// Reads the organization, if there is one.
pub(super) fn read_organization(checker: &mut Checker, policy: &Fields) -> ReadOrganization {
    let node = policy.get("organization");
    let known = node.and_then(|node| organization(checker, node));
    ReadOrganization {
        unclear: node.is_some() && known.is_none(),
        known,
    }
}

fn organization(checker: &mut Checker, node: &Node) -> Option<Organization> {
    let fields = checker.fields(node, "an organization", &["id", "ramSharing"])?;
    let id = checker
        .required(&fields, "id")
        .and_then(|node| organization_id(checker, node));
    let ram_sharing = checker
        .required(&fields, "ramSharing")
        .and_then(|node| checker.boolean(node));
    Some(Organization {
        id: id?,
        ram_sharing: ram_sharing?,
    })
}

fn organization_id(checker: &mut Checker, node: &Node) -> Option<String> {
    let text = checker.text(node, "an organization id")?;
    let is_id = text.strip_prefix("o-").is_some_and(|id| {
        (10..=32).contains(&id.len())
            && id
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    });
    if !is_id {
        let found = quoted(text);
        checker.report(
            node,
            format!("{found} is not an organization id like o-example1234"),
        );
        return None;
    }
    Some(text.to_owned())
}

/// The accounts that the document names.
pub(super) struct ReadAccounts {
    /// An account that has a name but could not be read is nothing.
    by_name: BTreeMap<String, Option<Account>>,
    /// Whether names may be missing, since their mapping could not be read.
    incomplete: bool,
}

impl ReadAccounts {
    /// The accounts in the order of their names.
    pub(super) fn into_list(self) -> Vec<Account> {
        self.by_name.into_values().flatten().collect()
    }

    /// The account of this name, as far as it could be read.
    pub(super) fn id(&self, name: &str) -> Option<&AccountId> {
        let account = self.by_name.get(name)?.as_ref()?;
        Some(&account.id)
    }

    /// Whether an account has this name, in whatever case.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut names = self.by_name.keys();
        names.any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether the document says that the account lies outside the organization.
    pub(super) fn is_external(&self, id: &AccountId) -> bool {
        let mut listed = self.by_name.values().flatten();
        listed.any(|account| account.id == *id && account.external)
    }

    /// The account that a text names or is, reporting it if it is neither.
    pub(super) fn resolve(
        &self,
        checker: &mut Checker,
        node: &Node,
        text: &str,
        groups: &Groups,
    ) -> Option<AccountId> {
        if let Ok(id) = text.parse() {
            return Some(id);
        }
        if let Some(account) = self.by_name.get(text) {
            return account.as_ref().map(|account| account.id.clone());
        }
        if is_number(text) {
            checker.report(node, not_an_id(text));
        } else if !self.incomplete {
            let names: Vec<_> = self.by_name.keys().map(String::as_str).collect();
            checker.report(node, unknown_name(text, &names, groups));
        }
        None
    }
}

/// Reads the names of accounts.
pub(super) fn read_accounts(checker: &mut Checker, policy: &Fields) -> ReadAccounts {
    let node = policy.get("accounts");
    let entries = node.and_then(|node| checker.entries(node, "the accounts by name"));
    let incomplete = node.is_some() && entries.is_none();
    let mut accounts = ReadAccounts {
        by_name: BTreeMap::new(),
        incomplete,
    };
    let mut uses = Uses::default();
    for (key, node) in entries.unwrap_or_default() {
        let account = check_name(checker, key)
            .and(read_account(checker, node))
            .map(|(id, external)| Account {
                name: key.text.clone(),
                id,
                external,
            });
        uses.note(checker, key, account.as_ref());
        accounts.by_name.insert(key.text.clone(), account);
    }
    accounts
}

/// What is taken already: names without regard to case, and ids.
#[derive(Default)]
struct Uses {
    names: BTreeMap<String, String>,
    ids: BTreeMap<AccountId, String>,
}

impl Uses {
    fn note(&mut self, checker: &mut Checker, key: &Key, account: Option<&Account>) {
        let name = &key.text;
        if let Some(other) = self.names.insert(name.to_ascii_lowercase(), name.clone()) {
            let message = format!("{name:?} and {other:?} differ in case only");
            checker.report_at(key.at, message);
        }
        if let Some(account) = account
            && let Some(other) = self.ids.insert(account.id.clone(), name.clone())
        {
            let message = format!("{name:?} is the same account as {other:?}: {}", account.id);
            checker.report_at(key.at, message);
        }
    }
}

fn check_name(checker: &mut Checker, key: &Key) -> Option<()> {
    let name = &key.text;
    let problem = if !is_name(name) {
        "an account's name has letters, digits, '-' and '_' only"
    } else if is_number(name) {
        "an account's name is not a number; write NAME: \"ID\""
    } else {
        return Some(());
    };
    checker.report_at(key.at, format!("{}: {problem}", quoted(name)));
    None
}

/// Reads an account's id, and whether it is external.
fn read_account(checker: &mut Checker, node: &Node) -> Option<(AccountId, bool)> {
    if !matches!(node.data, Data::Mapping(_)) {
        return Some((read_id(checker, node)?, false));
    }
    let fields = checker.fields(node, "an account", &["id", "external"])?;
    let id = checker
        .required(&fields, "id")
        .and_then(|node| read_id(checker, node));
    let external = match fields.get("external") {
        None => Some(false),
        Some(node) => checker.boolean(node),
    };
    Some((id?, external?))
}

fn read_id(checker: &mut Checker, node: &Node) -> Option<AccountId> {
    let text = checker.text(node, "the twelve digits of an account")?;
    let id = text.parse().ok();
    if id.is_none() {
        checker.report(node, not_an_id(text));
    }
    id
}

fn not_an_id(text: &str) -> String {
    format!(
        "{} is not an account id, which has twelve digits",
        quoted(text)
    )
}

/// Whether accounts, groups and teams may have such a name.
pub(super) fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.chars().all(plain)
}

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
