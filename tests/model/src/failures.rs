//! Calls that fail.

use std::collections::VecDeque;

use domain::{
    error::{Error, Failed},
    id::AccountId,
};

use crate::Account;

/// What AWS answers to a call that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The operation.
    pub operation: &'static str,
    /// The code of the error, for instance `ThrottlingException`.
    pub code: String,
    /// Whether the call was carried out all the same.
    pub is_carried_out: bool,
}

impl Failure {
    /// The same as the functions see it, of a service in an account or in the hub.
    #[must_use]
    pub fn error(&self, service: &'static str, account: Option<&AccountId>) -> Error {
        let failed = Failed {
            service,
            operation: self.operation,
            code: Some(&self.code),
            status: None,
            message: "asked to",
            new_session: true,
        };
        let called = (service, self.operation);
        Error::new(
            failed.class(),
            called,
            account.cloned(),
            Some(&self.code),
            "asked to",
        )
    }
}

/// The failures that are yet to come.
#[derive(Debug, Clone, Default)]
pub struct Failures(VecDeque<Planned>);

#[derive(Debug, Clone)]
struct Planned {
    /// How many calls of the operation succeed before.
    spared: usize,
    failure: Failure,
}

impl Failures {
    /// Has the next call of the operation fail with this code.
    pub fn next(&mut self, operation: &'static str, code: &str) {
        self.later(operation, code, 0);
    }

    /// Has a call of the operation fail with this code after so many that do not.
    pub fn later(&mut self, operation: &'static str, code: &str, spared: usize) {
        let failure = Failure {
            operation,
            code: code.to_owned(),
            is_carried_out: false,
        };
        self.0.push_back(Planned { spared, failure });
    }

    /// Has the next call of the operation be carried out and fail nevertheless.
    pub fn after_the_next(&mut self, operation: &'static str, code: &str) {
        self.next(operation, code);
        if let Some(last) = self.0.back_mut() {
            last.failure.is_carried_out = true;
        }
    }

    /// Has each of so many calls of the operation fail with this code.
    pub fn all(&mut self, operation: &'static str, code: &str, times: usize) {
        for _ in 0..times {
            self.next(operation, code);
        }
    }

    /// The failure of this call, if it is to fail.
    pub fn take(&mut self, operation: &str) -> Option<Failure> {
        let mut planned = self.0.iter_mut().enumerate();
        let (first, planned) = planned.find(|(_, it)| it.failure.operation == operation)?;
        if planned.spared > 0 {
            planned.spared -= 1;
            return None;
        }
        self.0.remove(first).map(|planned| planned.failure)
    }
}

impl Account {
    /// Notes a call that only reads, which may fail.
    pub(crate) fn called(&mut self, operation: &'static str) -> Result<(), Failure> {
        self.calls.push(operation);
        self.failures.take(operation).map_or(Ok(()), Err)
    }

    /// Makes a call that changes something, unless it fails before.
    pub(crate) fn call<T>(
        &mut self,
        operation: &'static str,
        change: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.calls.push(operation);
        match self.failures.take(operation) {
            None => change(self),
            Some(failure) if failure.is_carried_out => {
                change(self)?;
                Err(failure)
            }
            Some(failure) => Err(failure),
        }
    }
}
