//! The names of shares, which say whom they serve.

use std::{fmt, str::FromStr};

use crate::{
    id::{AccountId, Principal},
    policy::{Policy, RuleName},
};

/// What the name of every share begins with.
pub const PREFIX: &str = "pipeshare-";

/// Whom a share serves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// All principals of the rule that need no invitation.
    Members,
    /// The one account that must accept.
    Account(AccountId),
}

impl Audience {
    /// The audience of a rule that a principal belongs to.
    pub(crate) fn of(policy: &Policy, principal: &Principal) -> Self {
        match principal.account() {
            Some(account) if policy.must_accept(principal) => Self::Account(account.clone()),
            _ => Self::Members,
        }
    }

    /// Whether who is served has an invitation to accept.
    pub(crate) fn must_accept(&self) -> bool {
        matches!(self, Self::Account(_))
    }
}

/// The name of a share: `pipeshare-RULE`, `pipeshare-RULE.ACCOUNT`, and
/// `….2` and so on when one share is full.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShareName {
    /// The rule that the share serves.
    pub rule: RuleName,
    /// Whom it serves.
    pub audience: Audience,
    /// Which one of the shares that this audience needs, counted from 1.
    pub part: u32,
}

impl fmt::Display for ShareName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.rule)?;
        if let Audience::Account(account) = &self.audience {
            write!(f, ".{account}")?;
        }
        if self.part > 1 {
            write!(f, ".{}", self.part)?;
        }
        Ok(())
    }
}

/// A name that pipeshare does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name is not one that pipeshare gives")]
pub struct UnknownName;

impl FromStr for ShareName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let rest = text.strip_prefix(PREFIX).ok_or(UnknownName)?;
        let mut parts = rest.split('.');
        let rule = parts.next().ok_or(UnknownName)?;
        let rule = rule.parse().map_err(|_| UnknownName)?;
        let mut next = parts.next();
        let audience = match next.and_then(|text| text.parse().ok()) {
            Some(account) => {
                next = parts.next();
                Audience::Account(account)
            }
            None => Audience::Members,
        };
        let part = next.map_or(Ok(1), |text| text.parse().map_err(|_| UnknownName))?;
        let name = Self {
            rule,
            audience,
            part,
        };
        // Only what would be written the same way: no `.1`, no `.02`, nothing behind.
        (parts.next().is_none() && name.to_string() == text)
            .then_some(name)
            .ok_or(UnknownName)
    }
}

/// The rule that a share of this name serves, if the name is one that pipeshare gives.
pub(crate) fn rule_of(share: &str) -> Option<RuleName> {
    let name: ShareName = share.parse().ok()?;
    Some(name.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_rule_account_and_part() {
        for text in [
            "pipeshare-readers",
            "pipeshare-readers.2",
            "pipeshare-readers.111111111111",
            "pipeshare-readers.111111111111.17",
        ] {
            let name: ShareName = text.parse().unwrap();
            assert_eq!(name.to_string(), text);
            assert_eq!(name.rule.as_str(), "readers");
        }
        let name: ShareName = "pipeshare-readers.111111111111.17".parse().unwrap();
        assert_eq!(
            name.audience,
            Audience::Account("111111111111".parse().unwrap())
        );
        assert_eq!(name.part, 17);
    }

    #[test]
    fn other_names_are_not_ours() {
        for text in [
            "",
            "readers",
            "pipeshare-",
            "pipeshare-readers.1",
            "pipeshare-readers.02",
            "pipeshare-readers.x",
            "pipeshare-readers.111111111111.2.3",
            "pipeshare-readers.2.111111111111",
            "Pipeshare-readers",
        ] {
            assert_eq!(text.parse::<ShareName>(), Err(UnknownName), "{text}");
        }
    }
}
