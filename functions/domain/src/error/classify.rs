//! What becomes of a call that failed, by the one table of error codes.
//!
//! Codes are those of the service models, those of each service's page of
//! common errors, and those that people report of the services in public. RAM's
//! meanings are from its user guide and from what Terraform and the landing zone
//! accelerator had to learn. `functions/errors.md` shows the same table.

mod table;

use super::Class;
use table::TABLE;

/// What an error code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The same call fails until a person changes something.
    Permanent,
    /// Something that was begun has not finished.
    Pending,
    /// AWS could not serve the call just now.
    Transient,
    /// The session was refused: a cached one is replaced, a new one is for
    /// people to look into.
    Session,
    /// What the caller wanted to know, and no failure; where it is one, for people.
    Answer,
}

/// A row of the table: what some codes mean where they come from here.
#[derive(Debug)]
pub(super) struct Row {
    /// The service, or `*` for every one.
    service: &'static str,
    /// The operations; none for all.
    operations: &'static [&'static str],
    codes: &'static [&'static str],
    /// What the message says, too, in lower case.
    says: &'static [&'static str],
    meaning: Meaning,
    /// What a person can do about it, where the code alone does not say.
    advice: Option<&'static str>,
}

impl Row {
    fn is_about(&self, service: &str, operation: &str, code: &str) -> bool {
        (self.service == "*" || self.service == service)
            && (self.operations.is_empty() || self.operations.contains(&operation))
            && self.codes.contains(&code)
    }

    fn matches(&self, service: &str, operation: &str, code: &str, message: &str) -> bool {
        self.is_about(service, operation, code) && self.says.iter().all(|it| message.contains(it))
    }
}

/// A failed call, as far as its class depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    /// The service, as IAM's actions name it.
    pub service: &'a str,
    /// The operation.
    pub operation: &'a str,
    /// The error code, if AWS gave one.
    pub code: Option<&'a str>,
    /// The status of the HTTP response, if there was one.
    pub status: Option<u16>,
    /// What AWS said.
    pub message: &'a str,
    /// Whether it was made with a session that is no older than the invocation.
    pub new_session: bool,
}

impl Failed<'_> {
    /// The first row that is about it; of two for one code, the more special comes first.
    fn row(&self) -> Option<&'static Row> {
        let code = self.code?;
        let message = self.message.to_ascii_lowercase();
        let mut rows = TABLE.iter();
        rows.find(|row| row.matches(self.service, self.operation, code, &message))
    }

    /// What to do about it. A code that the table does not know is classified
    /// by its status, like an answer without a code.
    #[must_use]
    pub fn class(&self) -> Class {
        match self.row().map(|row| row.meaning) {
            None => of_status(self.status),
            Some(Meaning::Permanent | Meaning::Answer) => Class::Permanent,
            Some(Meaning::Pending) => Class::Pending,
            Some(Meaning::Session) if self.new_session => Class::Permanent,
            Some(Meaning::Session | Meaning::Transient) => Class::Transient,
        }
    }

    /// What a person can do about it.
    pub(super) fn advice(&self) -> Option<&'static str> {
        self.row()?.advice
    }

    /// Whether AWS refuses whatever is asked for in the account, here.
    pub(super) fn is_of_account(&self) -> bool {
        self.advice()
            .is_some_and(|advice| table::OF_ACCOUNT.contains(&advice))
    }

    /// Whether AWS refused the session, and not what was asked for with it.
    #[must_use]
    pub fn refuses_session(&self) -> bool {
        let row = self.row();
        row.is_some_and(|row| row.meaning == Meaning::Session)
    }
}

/// What AWS says by the status alone: it refuses what is asked for, or it
/// cannot serve it now.
///
/// Nothing is lost if that is wrong. What is tried again in vain ends in the
/// dead-letter queue, with an alarm; what is given up too early is reported, and
/// the next scheduled reconciliation reads the account once more.
fn of_status(status: Option<u16>) -> Class {
    match status {
        Some(408 | 429 | 500..) => Class::Transient,
        _ => Class::Permanent,
    }
}

/// Whether AWS refused the call for want of a permission.
pub(super) fn is_access_denied(code: &str) -> bool {
    table::ACCESS_DENIED.contains(&code)
}

/// Whether AWS may explain this error by quoting the signed request.
#[must_use]
pub fn echoes_signature(code: &str) -> bool {
    table::SIGNATURE.contains(&code)
}

/// Whether AWS refused a signature for its time alone.
#[must_use]
pub fn is_of_another_time(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    table::OTHER_TIME.iter().any(|it| message.contains(it))
}

#[cfg(test)]
mod tests;
