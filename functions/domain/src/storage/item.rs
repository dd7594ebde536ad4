//! Items of the table, and what is written on which condition.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::Key;

/// How long a lease is the holder's alone: longer than any invocation takes.
pub const LEASE: Duration = Duration::from_mins(15);

/// What an item holds beyond its key; numbers as text.
pub type Values = BTreeMap<String, String>;

/// An item of a known partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The sort key.
    pub sk: String,
    /// Its texts, and its numbers as text.
    pub values: Values,
}

/// Whether something that must be done once is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It is ours to do.
    Taken,
    /// It was done before.
    Done,
    /// Another run is at it, or died at it less than [`LEASE`] ago.
    HeldByOther,
}

/// A record of something that is delivered once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The sort key.
    pub sk: String,
    /// Whether it is done, and not merely leased.
    pub done: bool,
    /// Who took the lease.
    pub holder: String,
    /// What else the item says.
    pub values: Values,
}

/// One write of a transaction, which may hold a hundred, each of another item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Writes an item, over one that may be there.
    Put {
        /// Which.
        key: Key,
        /// Its texts.
        values: Values,
        /// When it expires.
        expires: Option<Timestamp>,
        /// What must hold of the item that is there.
        condition: Condition,
    },
    /// Deletes an item, if it is there.
    Delete {
        /// Which.
        key: Key,
        /// What must hold of the item that is there.
        condition: Condition,
    },
}

/// What must hold of an item for the transaction to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// There is no such item.
    Absent,
    /// This text of it is this.
    Is(&'static str, String),
}
