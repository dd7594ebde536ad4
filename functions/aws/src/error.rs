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
        self.is("AccessDeniedException") || self.is("AccessDenied")
    }

    /// Whether the session is dead, for instance because its role was deleted
    /// and made again; a new one may live.
    #[must_use]
    pub fn is_dead_session(&self) -> bool {
        classify::is_dead_session(self.code().unwrap_or_default())
    }

    /// The failure as something that only people can mend, if it is that.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        let code = self.code().unwrap_or("failure");
        (self.class == Class::Permanent).then(|| Trouble {
            kind: format!("{}:{} {code}", self.service, self.operation),
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
        classify::advice(
            self.operation,
            self.code().unwrap_or_default(),
            &self.message,
        )
    }
}

/// Which service, in which account; what an adapter knows of all its failures.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    name: &'static str,
    account: Option<AccountId>,
}

impl Service {
    pub(crate) fn new(name: &'static str, account: Option<AccountId>) -> Self {
        Self { name, account }
    }

    /// Makes the [`Error`] of a failed call to `operation`.
    pub(crate) fn failed<E>(
        &self,
        operation: &'static str,
    ) -> impl Fn(SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        move |error| match hidden_assume_role_error(&error) {
            Some(refusal) => self.explain("sts", "AssumeRole", refusal),
            None => self.explain(self.name, operation, &error),
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
        Error {
            service: self.name,
            operation,
            account: self.account.clone(),
            code: code.map(str::to_owned),
            class: classify::class(operation, code, None, &message),
            message: flat(&message, LONGEST_MESSAGE),
        }
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
    ) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let code = error.code().map(str::to_owned);
        let message = message(error);
        let class = match error {
            SdkError::TimeoutError(_) => Class::Transient,
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
                Class::Transient
            }
            _ => {
                let status = error.raw_response().map(|answer| answer.status().as_u16());
                classify::class(operation, code.as_deref(), status, &message)
            }
        };
        Error {
            service,
            operation,
            account: self.account.clone(),
            code,
            message: flat(&message, LONGEST_MESSAGE),
            class,
        }
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
            "the signature was not accepted".to_owned()
        }
        (_, _, Some(message)) => message.to_owned(),
        (SdkError::ServiceError(_), Some(_), None) => "no message".to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests;
