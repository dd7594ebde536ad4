//! Where notifications go.

use std::fmt;

use crate::id::AccountId;

/// Where a notification goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// The hub's topic, for people.
    Hub,
    /// The bus of a consumer account, for machines.
    Bus(AccountId),
    /// The topic of a consumer account, for people.
    Topic(AccountId),
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hub => write!(f, "hub"),
            Self::Bus(account) => write!(f, "{account}/bus"),
            Self::Topic(account) => write!(f, "{account}/topic"),
        }
    }
}
