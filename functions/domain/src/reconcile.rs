//! What becomes of the records that had accounts reconciled.

use crate::{
    error::{Class, Error},
    id::AccountId,
};

/// What came of reconciling an account, as far as it decides on records.
#[derive(Debug, Clone)]
pub struct AccountOutcome<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The failure that decides, if anything failed.
    pub failure: Option<&'a Error>,
    /// Whether the account changes by itself or because of this run, so that
    /// another reconciliation in a few seconds can see what became of it.
    pub should_requeue: bool,
}

/// What becomes of a record.
#[derive(Debug, Clone)]
pub enum FollowUp {
    /// It is done.
    Done,
    /// It is delivered again.
    Retry(Error),
    /// It is done, and these accounts are reconciled once more, soon.
    Requeue(Vec<AccountId>),
}

/// What becomes of a record, given what came of the accounts that it is about.
///
/// A transient failure is retried. Of a scheduled reconciliation, only the
/// accounts that failed are repeated: the next one comes by itself.
#[must_use]
pub fn follow_up(accounts: &[AccountOutcome<'_>], is_scheduled: bool) -> FollowUp {
    let is_transient = |it: &AccountOutcome<'_>| {
        it.failure
            .is_some_and(|error| error.class() == Class::Transient)
    };
    let failed = accounts.iter().find(|it| is_transient(it));
    if let Some(error) = failed.and_then(|it| it.failure).filter(|_| !is_scheduled) {
        return FollowUp::Retry(error.clone());
    }
    let unfinished: Vec<_> = accounts
        .iter()
        .filter(|it| it.should_requeue || is_transient(it))
        .map(|it| it.account.clone())
        .collect();
    if unfinished.is_empty() {
        FollowUp::Done
    } else {
        FollowUp::Requeue(unfinished)
    }
}

/// The failure that decides among several: one that a repetition may cure,
/// before one that needs people.
#[must_use]
pub fn worst<'a>(failures: impl IntoIterator<Item = &'a Error>) -> Option<&'a Error> {
    failures.into_iter().max_by_key(|error| error.class())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: Class) -> Error {
        Error::new(class, ("ram", "GetResourceShares"), None, None, "because")
    }

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn found<'a>(
        account: &'a AccountId,
        failure: Option<&'a Error>,
        should_requeue: bool,
    ) -> AccountOutcome<'a> {
        AccountOutcome {
            account,
            failure,
            should_requeue,
        }
    }

    #[test]
    fn a_transient_failure_is_retried_and_a_permanent_one_is_not() {
        let test = account("222222222222");
        let (transient, permanent) = (error(Class::Transient), error(Class::Permanent));
        let retry = follow_up(&[found(&test, Some(&transient), true)], false);
        assert!(matches!(retry, FollowUp::Retry(_)));
        let done = follow_up(&[found(&test, Some(&permanent), false)], false);
        assert!(matches!(done, FollowUp::Done));
    }

    #[test]
    fn of_a_scheduled_reconciliation_only_what_failed_or_settles_is_repeated() {
        let (dev, test, prod) = (
            account("111111111111"),
            account("222222222222"),
            account("444444444444"),
        );
        let (transient, permanent) = (error(Class::Transient), error(Class::Permanent));
        let accounts = [
            found(&dev, Some(&transient), false),
            found(&test, Some(&permanent), false),
            found(&prod, None, true),
        ];
        let FollowUp::Requeue(again) = follow_up(&accounts, true) else {
            panic!("something is to be repeated");
        };
        assert_eq!(again, [dev.clone(), prod.clone()]);
    }

    #[test]
    fn of_several_failures_the_one_that_may_pass_decides() {
        let failures = [
            error(Class::Permanent),
            error(Class::Transient),
            error(Class::Pending),
        ];
        assert_eq!(worst(&failures).map(Error::class), Some(Class::Transient));
        assert!(worst([]).is_none());
    }
}
