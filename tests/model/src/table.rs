//! The hub's table.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use domain::storage::{Condition, Delivery, Item, Key, LEASE, Lease, Values, Write};
use jiff::Timestamp;

/// Items by partition and sort key, as `DynamoDB` keeps them.
///
/// Nothing expires by itself; what an item says of it is in `expires`.
#[derive(Debug, Default)]
pub struct Table(RefCell<BTreeMap<(String, String), Values>>);

impl Table {
    /// The values of an item; none if there is no such item.
    #[must_use]
    pub fn get(&self, pk: &str, sk: &str) -> Option<Values> {
        self.0.borrow().get(&key(pk, sk)).cloned()
    }

    /// Whether there is such an item.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.get(&key.pk, &key.sk).is_some()
    }

    /// Writes an item, over one that may be there.
    pub fn put(&self, pk: &str, sk: &str, values: &Values, expires: Option<Timestamp>) {
        let mut values = values.clone();
        values.extend(expires.map(|time| ("expires".to_owned(), time.as_second().to_string())));
        self.0.borrow_mut().insert(key(pk, sk), values);
    }

    /// Writes an item unless it is there; whether it was written.
    pub fn put_if_absent(
        &self,
        pk: &str,
        sk: &str,
        values: &Values,
        expires: Option<Timestamp>,
    ) -> bool {
        let is_absent = self.get(pk, sk).is_none();
        if is_absent {
            self.put(pk, sk, values, expires);
        }
        is_absent
    }

    /// All items of a partition, by sort key.
    #[must_use]
    pub fn list(&self, pk: &str) -> Vec<Item> {
        let items = self.0.borrow();
        let items = items.iter().filter(|((partition, _), _)| partition == pk);
        let items = items.map(|((_, sk), values)| Item {
            sk: sk.clone(),
            values: values.clone(),
        });
        items.collect()
    }

    /// The sort keys of a partition.
    #[must_use]
    pub fn keys(&self, pk: &str) -> Vec<String> {
        self.list(pk).into_iter().map(|item| item.sk).collect()
    }

    /// Deletes an item, if it is there.
    pub fn delete(&self, pk: &str, sk: &str) {
        self.0.borrow_mut().remove(&key(pk, sk));
    }

    /// Makes all writes or none; whether they were made.
    pub fn write_all(&self, writes: Vec<Write>) -> bool {
        if !writes.iter().all(|write| self.allows(write)) {
            return false;
        }
        for write in writes {
            match write {
                Write::Put {
                    key,
                    values,
                    expires,
                    ..
                } => self.put(&key.pk, &key.sk, &values, expires),
                Write::Delete { key, .. } => self.delete(&key.pk, &key.sk),
            }
        }
        true
    }

    fn allows(&self, write: &Write) -> bool {
        let (Write::Put { key, condition, .. } | Write::Delete { key, condition }) = write;
        let item = self.get(&key.pk, &key.sk);
        match condition {
            Condition::Any => true,
            Condition::Absent => item.is_none(),
            Condition::Is(name, value) => item.is_some_and(|item| item.get(*name) == Some(value)),
        }
    }

    /// What was delivered, or is being delivered, in a partition.
    #[must_use]
    pub fn history(&self, pk: &str) -> Vec<Delivery> {
        let deliveries = self.list(pk).into_iter().map(|mut item| Delivery {
            sk: item.sk,
            done: is_done(&item.values),
            holder: item.values.remove("holder").unwrap_or_default(),
            values: item.values,
        });
        deliveries.collect()
    }

    /// Asks for the right to do something that must be done once.
    pub fn lease(
        &self,
        (pk, sk): (&str, &str),
        holder: &str,
        now: Timestamp,
        keep: Duration,
        mut values: Values,
    ) -> Lease {
        if let Some(there) = self.get(pk, sk) {
            if is_done(&there) {
                return Lease::Done;
            }
            let since = there.get("since").and_then(|since| since.parse().ok());
            let age = now.as_second().saturating_sub(since.unwrap_or_default());
            let is_abandoned = age > LEASE.as_secs().cast_signed();
            if there.get("holder").is_none_or(|it| it != holder) && !is_abandoned {
                return Lease::HeldByOther;
            }
        }
        let second = now.as_second();
        let expires = second.saturating_add_unsigned(keep.as_secs());
        values.extend(
            [
                ("state", "leased".to_owned()),
                ("holder", holder.to_owned()),
                ("since", second.to_string()),
                ("expires", expires.to_string()),
            ]
            .map(|(name, text)| (name.to_owned(), text)),
        );
        self.put(pk, sk, &values, None);
        Lease::Taken
    }

    /// Marks what was leased as done; whether the lease was still the holder's.
    pub fn done(&self, pk: &str, sk: &str, holder: &str) -> bool {
        self.change(pk, sk, holder, ("state", "done"))
    }

    /// Gives a lease back that came to nothing; whether it was still the holder's.
    pub fn release(&self, pk: &str, sk: &str, holder: &str) -> bool {
        self.change(pk, sk, holder, ("since", "0"))
    }

    fn change(&self, pk: &str, sk: &str, holder: &str, (name, text): (&str, &str)) -> bool {
        let mut items = self.0.borrow_mut();
        let Some(item) = items.get_mut(&key(pk, sk)) else {
            return false;
        };
        if item.get("holder").is_none_or(|it| it != holder) {
            return false;
        }
        item.insert(name.to_owned(), text.to_owned());
        true
    }
}

fn key(pk: &str, sk: &str) -> (String, String) {
    (pk.to_owned(), sk.to_owned())
}

fn is_done(values: &Values) -> bool {
    values.get("state").is_some_and(|state| state == "done")
}
