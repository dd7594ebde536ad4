//! What went wrong at AWS, as an [`Error`] of the domain.

use std::error::Error as StdError;

use aws_sdk_ram::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use domain::{
    error::{Failed, echoes_signature, is_of_another_time},
    id::AccountId,
};

pub use domain::error::{Class, Error};

use crate::clients::Session;

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
        Error::new(
            failed.class(),
            (self.name, operation),
            self.account(),
            code,
            &message,
        )
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
        let called = (service, operation);
        Error::new(class, called, self.account(), error.code(), &message(error))
    }

    /// The account that the calls are made in, if it is not the function's own.
    fn account(&self) -> Option<AccountId> {
        self.session.as_ref().map(|it| it.account().clone())
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
        (_, Some(code), _) if echoes_signature(code) => {
            // AWS explains a wrong signature by quoting the request that was
            // signed, session token included.
            let message = error.message().unwrap_or_default();
            let why = if is_of_another_time(message) {
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
