//! Which accounts a policy speaks of, and what they are in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use domain::{
    id::Principal,
    policy::{Access, Policy},
};
use sandbox::organization::Organization;

use crate::estate::{DEV, SHARED, TEST};

/// The accounts that are played.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Roster {
    /// Where the functions are.
    pub(super) hub: String,
    /// Those that own pipelines.
    pub(super) owners: BTreeSet<String>,
    /// Those that pipelines are shared with.
    pub(super) consumers: BTreeSet<String>,
    /// Whom owners may share with beside accounts, by ARN.
    pub(super) principals: BTreeSet<String>,
    /// The customer managed permissions that owners may give, by ARN.
    pub(super) permissions: BTreeSet<String>,
    /// The organization; none is played without members.
    pub(super) organization: Organization,
    /// The names of accounts for people.
    names: BTreeMap<String, String>,
}

/// A mailbox: who reads it, in which account, of which topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) who: String,
    pub(super) account: String,
    pub(super) topic: &'static str,
}

impl Roster {
    /// The three accounts of the walkthrough, in an organization without RAM sharing.
    pub(super) fn of_walkthrough() -> Self {
        let set = |accounts: &[&str]| accounts.iter().map(ToString::to_string).collect();
        Self {
            owners: set(&[DEV, TEST]),
            consumers: set(&[DEV, SHARED]),
            organization: Organization {
                management_account: SHARED.to_owned(),
                members: set(&[DEV, TEST, SHARED]),
                ..Organization::default()
            },
            names: [(DEV, "dev"), (TEST, "test"), (SHARED, "shared services")]
                .map(|(account, name)| (account.to_owned(), name.to_owned()))
                .into(),
            ..Self::empty(SHARED)
        }
    }

    /// The accounts of somebody's own policy.
    ///
    /// The organization is the one that the policy names, and what an ARN in it
    /// calls the management account is one.
    pub(super) fn of(hub: &str, policy: &Policy) -> Self {
        let mut roster = Self::empty(hub);
        if let Some(organization) = &policy.organization {
            organization.id.clone_into(&mut roster.organization.id);
            roster.organization.ram_sharing = organization.ram_sharing;
            hub.clone_into(&mut roster.organization.management_account);
            let accounts = &policy.accounts;
            let is_external = |it: &domain::policy::Account| it.external && it.id.as_str() == hub;
            if !accounts.iter().any(is_external) {
                roster.organization.members.insert(hub.to_owned());
            }
        }
        roster.add(policy);
        roster
    }

    /// Takes up what a policy names and the roster does not have yet. Nobody leaves it.
    pub(super) fn add(&mut self, policy: &Policy) {
        for account in &policy.accounts {
            let id = account.id.to_string();
            if !account.external && self.has_organization() {
                self.organization.members.insert(id.clone());
            }
            self.names.entry(id).or_insert_with(|| account.name.clone());
        }
        let text = |id: &domain::id::AccountId| id.to_string();
        self.owners.extend(policy.owners().into_iter().map(text));
        let consumers = policy.consumers();
        self.consumers.extend(consumers.into_iter().map(text));
        for rule in &policy.rules {
            for principal in &rule.with {
                self.add_principal(principal);
            }
            if let Access::Permission(arn) = &rule.access {
                self.permissions.insert(arn.as_str().to_owned());
            }
        }
        // A document of a team may name it as either.
        let named = policy.accounts.iter().map(|account| account.id.to_string());
        let idle: Vec<String> = named.filter(|id| !self.has_role(id)).collect();
        self.owners.extend(idle.iter().cloned());
        self.consumers.extend(idle);
    }

    fn add_principal(&mut self, principal: &Principal) {
        let arn = principal.as_str();
        match principal {
            Principal::Account(_) => return,
            Principal::Identity(..) => {}
            Principal::OrganizationalUnit(_) | Principal::Organization(_) => {
                if let Some(account) = arn.split(':').nth(4) {
                    account.clone_into(&mut self.organization.management_account);
                }
            }
        }
        if let Principal::OrganizationalUnit(unit) = principal {
            self.organization.units.entry(unit.clone()).or_default();
        }
        self.principals.insert(arn.to_owned());
    }

    /// The organization as it is played: every member is in every unit that is named.
    pub(super) fn played(&self) -> Organization {
        let mut played = self.organization.clone();
        for accounts in played.units.values_mut() {
            accounts.clone_from(&played.members);
        }
        played
    }

    /// Whether an organization is played.
    pub(super) fn has_organization(&self) -> bool {
        !self.organization.members.is_empty()
    }

    /// All accounts, in order.
    pub(super) fn accounts(&self) -> BTreeSet<&str> {
        let accounts = self.owners.iter().chain(&self.consumers);
        accounts.chain([&self.hub]).map(String::as_str).collect()
    }

    /// The accounts that do not belong to the organization.
    pub(super) fn outside(&self) -> Vec<&str> {
        let accounts = self.accounts().into_iter();
        accounts
            .filter(|it| !self.organization.members.contains(*it))
            .collect()
    }

    /// What an account is, as in `owner and consumer`; none if the policy does not name it.
    pub(super) fn role(&self, account: &str) -> Option<String> {
        let roles = [
            ("hub", self.hub == account),
            ("owner", self.owners.contains(account)),
            ("consumer", self.consumers.contains(account)),
        ];
        let roles = roles.iter().filter(|(_, is)| *is).map(|(role, _)| *role);
        let roles: Vec<&str> = roles.collect();
        (!roles.is_empty()).then(|| roles.join(" and "))
    }

    fn has_role(&self, account: &str) -> bool {
        self.owners.contains(account) || self.consumers.contains(account)
    }

    /// The name of an account, or its id.
    pub(super) fn name<'a>(&'a self, account: &'a str) -> &'a str {
        self.names.get(account).map_or(account, String::as_str)
    }

    /// The topics with a queue to read.
    pub(super) fn mailboxes(&self) -> Vec<Mailbox> {
        let consumers = self.consumers.iter().map(|account| Mailbox {
            who: self.name(account).to_owned(),
            account: account.clone(),
            topic: "pipeshare",
        });
        let hub = Mailbox {
            who: "the hub".to_owned(),
            account: self.hub.clone(),
            topic: "pipeshare-hub",
        };
        consumers.chain([hub]).collect()
    }

    /// A line for each account, and what is played of an organization.
    pub(super) fn text(&self) -> String {
        let accounts = self.accounts();
        let names = accounts.iter().map(|account| self.name(account).len());
        let width = names.max().unwrap_or_default();
        let mut text = String::new();
        for account in accounts {
            let (name, role) = (self.name(account), self.role(account).unwrap_or_default());
            let _ = writeln!(text, "    {name:<width$}  {account}  {role}");
        }
        if self.has_organization() {
            text += &self.organization_text();
        }
        text
    }

    fn organization_text(&self) -> String {
        let Organization {
            id,
            members,
            ram_sharing,
            units,
            ..
        } = &self.organization;
        let sharing = if *ram_sharing { "on" } else { "off" };
        let mut text = format!(
            "\nThe organization {id} is played with RAM sharing {sharing} and {} of them",
            members.len()
        );
        if !units.is_empty() {
            text += ", each in every unit that the policy names";
        }
        text + ".\n"
    }

    fn empty(hub: &str) -> Self {
        Self {
            hub: hub.to_owned(),
            owners: BTreeSet::new(),
            consumers: BTreeSet::new(),
            principals: BTreeSet::new(),
            permissions: BTreeSet::new(),
            organization: Organization::default(),
            names: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUB: &str = "999999999999";

    fn roster(policy: &str) -> Roster {
        Roster::of(HUB, &Policy::parse(policy).unwrap())
    }

    #[test]
    fn accounts_are_what_the_rules_make_of_them() {
        let roster = roster(
            "version: 1\n\
             accounts: { lab: '444444444444', prod: '555555555555', idle: '666666666666' }\n\
             rules:\n\
             - { name: a, owner: lab, pipelines: ['*'], with: [prod, '777777777777'] }\n\
             - { name: b, owner: prod, pipelines: ['*'], with: ['arn:aws:iam::888888888888:role/x'] }\n",
        );
        let expected = [
            ("444444444444", "owner"),
            ("555555555555", "owner and consumer"),
            ("666666666666", "owner and consumer"),
            ("777777777777", "consumer"),
            ("888888888888", "consumer"),
            (HUB, "hub"),
        ];
        for (account, role) in expected {
            assert_eq!(roster.role(account).as_deref(), Some(role), "{account}");
        }
        assert_eq!(roster.accounts().len(), expected.len());
        assert_eq!(roster.outside().len(), expected.len(), "none is played");
        assert_eq!(roster.name("444444444444"), "lab");
        assert!(
            roster
                .text()
                .contains("    lab           444444444444  owner\n")
        );
        assert!(
            roster
                .principals
                .contains("arn:aws:iam::888888888888:role/x")
        );
        let read: Vec<_> = roster.mailboxes().into_iter().map(|it| it.who).collect();
        let all = ["prod", "idle", "777777777777", "888888888888", "the hub"];
        assert_eq!(read, all);
    }

    #[test]
    fn an_organization_is_played_with_the_accounts_that_are_not_external() {
        let unit = "arn:aws:organizations::444444444444:ou/o-example1234/ou-ab12-cdef3456";
        let mut roster = roster(&format!(
            "version: 1\n\
             organization: {{ id: o-example1234, ramSharing: true }}\n\
             accounts: {{ lab: '444444444444', friend: {{ id: '555555555555', external: true }} }}\n\
             rules:\n\
             - {{ name: a, owner: lab, pipelines: ['*'], with: ['{unit}', friend] }}\n"
        ));
        let played = roster.played();
        assert_eq!(played.id, "o-example1234");
        assert_eq!(played.management_account, "444444444444");
        assert!(played.ram_sharing);
        assert_eq!(played.units[unit], played.members);
        assert_eq!(roster.outside(), ["555555555555"]);
        let later = "version: 1\naccounts: { new: '666666666666' }\nrules: []\n";
        roster.add(&Policy::parse(later).unwrap());
        assert!(roster.organization.members.contains("666666666666"));
        assert!(
            roster
                .text()
                .contains("with RAM sharing on and 3 of them, each in every unit")
        );
    }
}
