//! What went wrong at AWS, and whether trying again can help.

mod classify;

use crate::{id::AccountId, notification::Alert, text::flat};

pub use classify::{Failed, echoes_signature, is_of_another_time};

/// How much of what AWS says is kept: it repeats names and values that others chose.
const LONGEST_MESSAGE: usize = 2_000;

/// What to do about a failure; of several, the greatest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The same call fails until a person changes something.
    Permanent,
    /// Something that was begun has not finished; reconcile again in a minute.
    Pending,
    /// AWS could not serve the call just now; the same call may succeed.
    Transient,
}

/// A failed call, with what AWS said about it.
///
/// It holds no request, response or credentials, so that its `Debug` form,
/// which the Lambda runtime logs, is as safe as its message.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{service}:{operation}{} failed: {}{message}{}",
    account.as_ref().map(|account| format!(" in {account}")).unwrap_or_default(),
    code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default(),
    self.advice().map(|advice| format!(" ({advice})")).unwrap_or_default()
)]
pub struct Error {
    service: &'static str,
    operation: &'static str,
    account: Option<AccountId>,
    code: Option<String>,
    message: String,
    class: Class,
}

impl Error {
    /// A failure of this class of an operation of a service; `account` is where
    /// the call was made, if not in the hub.
    #[must_use]
    pub fn new(
        class: Class,
        (service, operation): (&'static str, &'static str),
        account: Option<AccountId>,
        code: Option<&str>,
        message: &str,
    ) -> Self {
        Self {
            service,
            operation,
            account,
            code: code.map(str::to_owned),
            message: flat(message, LONGEST_MESSAGE),
            class,
        }
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The error code that AWS gave, for instance `UnknownResourceException`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Whether AWS gave this error code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code() == Some(code)
    }

    /// Whether AWS refused the call for want of a permission.
    #[must_use]
    pub fn is_access_denied(&self) -> bool {
        self.code().is_some_and(classify::is_access_denied)
    }

    /// Whether the hub gets no session in the account: as a rule, it is not onboarded.
    #[must_use]
    pub fn is_without_session(&self) -> bool {
        self.operation == "AssumeRole" && self.is_access_denied()
    }

    /// Whether something of the hub itself refuses, until a person changes it:
    /// the policy, the table, the topic, a bus or a queue.
    #[must_use]
    pub fn is_of_hub(&self) -> bool {
        self.class == Class::Permanent && self.account.is_none()
    }

    /// The failure as something that people can fix, if it is that.
    ///
    /// What may pass by itself is reported as well if there is something to do
    /// about it, since it may also stay.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        let code = self.code().unwrap_or("failure");
        let is_theirs = match self.class {
            Class::Permanent => true,
            Class::Pending => self.advice().is_some(),
            Class::Transient => false,
        };
        let kind = if self.failed().is_of_account() {
            // Every service says it in its own way, and once is enough.
            "no session in the account is accepted".to_owned()
        } else {
            format!("{}:{} {code}", self.service, self.operation)
        };
        is_theirs.then(|| Alert {
            kind,
            text: self.to_string(),
            rule: None,
        })
    }

    /// What AWS said about it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The account that the call was made in, if it was not the function's own.
    #[must_use]
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// What a person can do about it, where the code alone does not say.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        // What a repetition fixes needs nobody's advice.
        let needs_it = self.class != Class::Transient;
        needs_it.then(|| self.failed().advice()).flatten()
    }

    /// The failed call, after its class is known.
    fn failed(&self) -> Failed<'_> {
        Failed {
            service: self.service,
            operation: self.operation,
            code: self.code(),
            status: None,
            message: &self.message,
            new_session: true,
        }
    }
}
