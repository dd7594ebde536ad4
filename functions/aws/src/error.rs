//! What went wrong at AWS, and whether trying again can help.

mod classify;

use std::error::Error as StdError;

use aws_sdk_ram::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use domain::{id::AccountId, notification::Trouble, text::flat};

/// How much of what AWS says is kept: it repeats names and values that others chose.
const LONGEST_MESSAGE: usize = 2_000;

use self::classify::Failed;
use crate::clients::Session;

/// What to do about a failure; of several, the greatest decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The same call fails until a person changes something.
    Permanent,
    /// Something that was begun has not finished; look again in a minute.
    NotYet,
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

    /// Whether something of the hub itself refuses, until a person changes it:
    /// the policy, the table, the topic, a bus or a queue.
    #[must_use]
    pub fn is_of_hub(&self) -> bool {
        self.class == Class::Permanent && self.account.is_none()
    }

    /// The failure as something that people can mend, if it is that.
    ///
    /// What may pass by itself is told as well if there is something to do
    /// about it, since it may also stay.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let code = self.code().unwrap_or("failure");
        let is_theirs = match self.class {
            Class::Permanent => true,
            Class::NotYet => self.advice().is_some(),
            Class::Transient => false,
        };
        let kind = if self.failed().is_of_account() {
            // Every service says it in its own way, and once is enough.
            "no session in the account is accepted".to_owned()
        } else {
            format!("{}:{} {code}", self.service, self.operation)
        };
        is_theirs.then(|| Trouble {
            kind,
            text: self.to_string(),
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
        // What a repetition mends needs nobody's advice.
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

/// Which service, in which account; what an adapter knows of all its failures.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    name: &'static str,
    session: Option<Session>,
}

impl Service {
    /// A service, by the session of another account or by the function's own role.
    pub(crate) fn new(name: &'static str, session: Option<Session>) -> Self {
        Self { name, session }
    }

    /// Makes the [`Error`] of a failed call to `operation`.
    ///
    /// A session that AWS has refused is not used again.
    pub(crate) fn failed<E>(
        &self,
        operation: &'static str,
    ) -> impl Fn(SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        move |error| {
            if let Some(refusal) = hidden_assume_role_error(&error) {
                // It was made with the function's own session, which is not new.
                return self.explain("sts", "AssumeRole", refusal, false);
            }
            let is_new = self.session.as_ref().is_some_and(Session::is_new);
            self.explain(self.name, operation, &error, is_new)
        }
    }

    /// The error of an operation that answered, but refused a part under HTTP 200.
    pub(crate) fn refused(
        &self,
        operation: &'static str,
        code: Option<&str>,
        message: impl Into<String>,
    ) -> Error {
        let message = message.into();
        let failed = Failed {
            service: self.name,
            operation,
            code,
            status: None,
            message: &message,
            new_session: true,
        };
        self.error(failed.class(), self.name, operation, code, &message)
    }

    /// The error of an answer that lacks what AWS documents.
    pub(crate) fn odd_answer(&self, operation: &'static str, lack: &str) -> Error {
        self.refused(operation, None, format!("the answer has {lack}"))
    }

    fn explain<E>(
        &self,
        service: &'static str,
        operation: &'static str,
        error: &SdkError<E, HttpResponse>,
        new_session: bool,
    ) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let failed = Failed {
            service,
            operation,
            code: error.code(),
            status: error.raw_response().map(|answer| answer.status().as_u16()),
            message: error.message().unwrap_or_default(),
            new_session,
        };
        if failed.refuses_session()
            && service == self.name
            && let Some(session) = &self.session
        {
            session.forget();
        }
        let class = if is_silence(error) {
            Class::Transient
        } else {
            failed.class()
        };
        let message = message(error);
        self.error(class, service, operation, error.code(), &message)
    }

    fn error(
        &self,
        class: Class,
        service: &'static str,
        operation: &'static str,
        code: Option<&str>,
        message: &str,
    ) -> Error {
        Error {
            service,
            operation,
            account: self.session.as_ref().map(|it| it.account().clone()),
            code: code.map(str::to_owned),
            message: flat(message, LONGEST_MESSAGE),
            class,
        }
    }
}

/// Whether AWS has said nothing, or not all of it; the fault of no request.
fn is_silence<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout() || failure.is_io(),
        // An answer that was cut off.
        SdkError::ResponseError(answer) => answer.raw().status().is_success(),
        _ => false,
    }
}

/// The refusal of the role that a call needed, somewhere among its causes.
///
/// Credentials are fetched inside the call that needs them first, and the SDK
/// reports their failure as that call's failure to connect.
fn hidden_assume_role_error<'a>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a SdkError<AssumeRoleError, HttpResponse>> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}

fn message<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    match (error, error.code(), error.message()) {
        (SdkError::TimeoutError(_), ..) => "no answer in time".to_owned(),
        (_, Some(code), _) if classify::echoes_signature(code) => {
            // AWS explains a wrong signature by quoting the request that was
            // signed, session token included.
            let message = error.message().unwrap_or_default();
            let why = if classify::is_of_another_time(message) {
                ": it is not of this time"
            } else {
                ""
            };
            format!("the signature was not accepted{why}")
        }
        (_, _, Some(message)) => message.to_owned(),
        (SdkError::ServiceError(_), Some(_), None) => "no message".to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests;
