//! Where things are in the hub's table: the keys of its items.

use crate::{
    id::{AccountId, ShareArn},
    notification::Grant,
};

/// The partition that lists the accounts with a partition of [`shared`].
pub const CONSUMERS: &str = "shared";

/// The key of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: String,
}

/// That something is remembered about a consumer account.
#[must_use]
pub fn consumer(account: &AccountId) -> Key {
    Key {
        pk: CONSUMERS.to_owned(),
        sk: account.to_string(),
    }
}

/// The partition with what a consumer account has, and with what is to be said about it.
#[must_use]
pub fn shared(consumer: &AccountId) -> String {
    format!("shared|{consumer}")
}

/// What a consumer has by a rule, as it was last announced; what is too long for one item is in parts.
#[must_use]
pub fn held(consumer: &AccountId, grant: &Grant, part: usize) -> Key {
    Key {
        pk: shared(consumer),
        sk: format!("held|{}|{}|{part:04}", grant.rule, grant.owner),
    }
}

/// What is wrong with a share that a consumer can see, as it was last reported.
#[must_use]
pub fn distrusted(consumer: &AccountId, share: &ShareArn) -> Key {
    Key {
        pk: shared(consumer),
        sk: format!("distrusted|{share}"),
    }
}

/// A notification about a consumer that has yet to reach somebody. Those about
/// one thing are in the order in which it changed.
#[must_use]
pub fn unsent(consumer: &AccountId, notification: &str, generation: u64) -> Key {
    Key {
        pk: shared(consumer),
        sk: format!("unsent|{notification}|{generation:020}"),
    }
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

/// What an item of the partition [`shared`] is, by its sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedItem {
    /// See [`held`].
    Held(Grant, usize),
    /// See [`distrusted`].
    Distrusted(ShareArn),
    /// See [`unsent`].
    Unsent,
}

impl SharedItem {
    /// Reads a sort key; none if it is not one of ours.
    #[must_use]
    pub fn parse(sk: &str) -> Option<Self> {
        let (kind, rest) = sk.split_once('|')?;
        match kind {
            "held" => {
                let mut parts = rest.split('|');
                let rule = parts.next()?.parse().ok()?;
                let owner = parts.next()?.parse().ok()?;
                let part = parts.next()?.parse().ok()?;
                Some(Self::Held(Grant { rule, owner }, part))
            }
            "distrusted" => Some(Self::Distrusted(rest.parse().ok()?)),
            "unsent" => Some(Self::Unsent),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_key_says_what_its_item_is() {
        let consumer: AccountId = "111111111111".parse().unwrap();
        let grant = Grant {
            rule: "readers".parse().unwrap(),
            owner: "222222222222".parse().unwrap(),
        };
        let key = held(&consumer, &grant, 12);
        assert_eq!(key.pk, "shared|111111111111");
        assert_eq!(key.sk, "held|readers|222222222222|0012");
        let read = SharedItem::parse(&key.sk);
        assert_eq!(read, Some(SharedItem::Held(grant, 12)));
        let share: ShareArn = "arn:aws:ram:eu-west-1:222222222222:resource-share/s"
            .parse()
            .unwrap();
        let read = SharedItem::parse(&distrusted(&consumer, &share).sk);
        assert_eq!(read, Some(SharedItem::Distrusted(share)));
        assert!(unsent(&consumer, "n", 9).sk < unsent(&consumer, "n", 10).sk);
        for odd in [
            "",
            "held",
            "held|readers",
            "held|a b|222222222222|0",
            "else|x",
        ] {
            assert_eq!(SharedItem::parse(odd), None, "{odd}");
        }
    }
}
