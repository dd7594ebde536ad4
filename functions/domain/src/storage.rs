//! The keys of the items that the functions remember.

use crate::id::AccountId;

/// The key of an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition.
    pub pk: String,
    /// The item in its partition.
    pub sk: String,
}

/// What strangers sent to an account on a day such as `2026-01-05`.
#[must_use]
pub fn strangers(receiver: &AccountId, day: &str) -> Key {
    Key {
        pk: format!("told|strangers|{receiver}"),
        sk: day.to_owned(),
    }
}

/// How many refusals of what an owner sent to an account were told on a day.
#[must_use]
pub fn refusals(receiver: &AccountId, owner: &AccountId, day: &str) -> Key {
    Key {
        pk: format!("told|refusals|{receiver}"),
        sk: format!("{owner}|{day}"),
    }
}
