//! What a warm function remembers: when it last reconciled an account.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use domain::id::AccountId;
use jiff::Timestamp;
use runtime::lambda::Record;

/// When each account was last reconciled, as a whole and to the end.
///
/// RAM rings in an account for each invitation that it receives, so strangers
/// cause events as often as they like. A reconciliation sees all that happened before; an event sent
/// before it needs none of its own.
///
/// ASSUMED: by the time that an event of RAM has come through two buses into
/// the queue, RAM's lists show what it is about. Where they do not, offers and
/// the schedule lead to another reconciliation.
#[derive(Debug, Default)]
pub(crate) struct Coverage(Mutex<BTreeMap<AccountId, Timestamp>>);

impl Coverage {
    /// Notes a reconciliation that began after this time, if it is known.
    pub(crate) fn looked(&self, account: &AccountId, began: Option<Timestamp>) {
        let Some(began) = began else { return };
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = requests.entry(account.clone()).or_insert(began);
        *last = began.max(*last);
    }

    /// Whether the account was reconciled after this record was sent.
    pub(crate) fn covers(&self, account: &AccountId, record: &Record) -> bool {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = requests.get(account).copied();
        record.sent.is_some_and(|sent| Some(sent) <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_needs_no_look_if_there_was_one_since_it_was_sent() {
        let time = |second: i64| Timestamp::from_second(1_800_000_000 + second).ok();
        let account = |id: &str| id.parse::<AccountId>().unwrap();
        let (dev, other) = (account("111111111111"), account("222222222222"));
        let record = |sent| Record {
            id: Some("m".to_owned()),
            body: String::new(),
            attempts: 0,
            sent,
            received: None,
        };
        let coverage = Coverage::default();
        assert!(!coverage.covers(&dev, &record(time(0))));
        coverage.looked(&dev, time(10));
        coverage.looked(&dev, time(5));
        coverage.looked(&other, None);
        assert!(coverage.covers(&dev, &record(time(10))));
        assert!(!coverage.covers(&dev, &record(time(11))));
        assert!(!coverage.covers(&dev, &record(None)));
        assert!(!coverage.covers(&other, &record(time(0))));
    }
}
