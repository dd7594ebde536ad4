//! What a warm function remembers: up to when it has looked at an account.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use domain::id::AccountId;
use jiff::Timestamp;
use runtime::lambda::Record;

/// When each account was looked at last, as a whole and to the end.
///
/// RAM rings in an account for each invitation that it receives, so strangers
/// ring as often as they like. A look sees all that happened before; what rang
/// before it needs no look of its own.
///
/// ASSUMED: by the time that an event of RAM has come through two buses into
/// the queue, RAM's lists show what it is about. Where they do not, offers and
/// the schedule lead to another look.
#[derive(Debug, Default)]
pub(crate) struct Bells(Mutex<BTreeMap<AccountId, Timestamp>>);

impl Bells {
    /// Notes a look that began after this time, if it is known.
    pub(crate) fn looked(&self, account: &AccountId, began: Option<Timestamp>) {
        let Some(began) = began else { return };
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = looks.entry(account.clone()).or_insert(began);
        *last = began.max(*last);
    }

    /// Whether the account was looked at after this record was sent.
    pub(crate) fn covers(&self, account: &AccountId, record: &Record) -> bool {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = looks.get(account).copied();
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
        let bells = Bells::default();
        assert!(!bells.covers(&dev, &record(time(0))));
        bells.looked(&dev, time(10));
        bells.looked(&dev, time(5));
        bells.looked(&other, None);
        assert!(bells.covers(&dev, &record(time(10))));
        assert!(!bells.covers(&dev, &record(time(11))));
        assert!(!bells.covers(&dev, &record(None)));
        assert!(!bells.covers(&other, &record(time(0))));
    }
}
