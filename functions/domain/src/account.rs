//! Accounts as people write them.

use std::fmt;

use serde::Serialize;

use crate::{
    id::AccountId,
    policy::{Policy, quoted, unknown},
};

/// An account by its id, or by its name in the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum AccountRef {
    /// The account itself.
    Id(AccountId),
    /// What it is called.
    Name(String),
}

/// A text that neither is nor names an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownAccount(String);

impl AccountRef {
    /// Reads what somebody wrote, which may be wrong.
    #[must_use]
    pub fn of(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Id)
    }

    /// The account, by the policy in force if there is one.
    pub fn resolve(&self, policy: Option<&Policy>) -> Result<AccountId, UnknownAccount> {
        let name = match self {
            Self::Id(id) => return Ok(id.clone()),
            Self::Name(name) => name,
        };
        let accounts = policy.map_or(&[][..], |policy| &policy.accounts);
        if let Some(account) = accounts.iter().find(|account| account.name == *name) {
            return Ok(account.id.clone());
        }
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            let found = quoted(name);
            let problem = format!("{found} is not an account id, which has twelve digits");
            return Err(UnknownAccount(problem));
        }
        let names = accounts.iter().map(|account| account.name.as_str());
        let otherwise = match policy {
            Some(_) => "name it under accounts in the policy, or write its twelve digits",
            None => "no policy is in force that could name it; write its twelve digits",
        };
        Err(UnknownAccount(unknown("account", name, names, otherwise)))
    }
}

impl From<AccountId> for AccountRef {
    fn from(id: AccountId) -> Self {
        Self::Id(id)
    }
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}
