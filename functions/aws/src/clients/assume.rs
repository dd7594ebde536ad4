//! Sessions of roles in other accounts, from STS.

use std::time::SystemTime;

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::{
    Client,
    error::SdkError,
    operation::assume_role::{AssumeRoleError, builders::AssumeRoleFluentBuilder},
};
use domain::id::AccountId;

/// Assumes one role, each time that it is asked to; the cache of identities asks seldom.
///
/// The SDK's own provider brings its whole chain of defaults with it.
#[derive(Debug)]
pub(super) struct AssumedRole {
    account: AccountId,
    request: AssumeRoleFluentBuilder,
}

impl AssumedRole {
    /// The role of this ARN, in this account, by the credentials of the client.
    pub(super) fn new(sts: &Client, account: &AccountId, role_arn: String, session: &str) -> Self {
        Self {
            account: account.clone(),
            request: sts
                .assume_role()
                .role_arn(role_arn)
                .role_session_name(session),
        }
    }

    async fn assume(&self) -> provider::Result {
        let answer = self.request.clone().send().await.map_err(refused)?;
        let lack = || CredentialsError::unhandled("STS answered without credentials");
        let session = answer.credentials.ok_or_else(lack)?;
        let expires =
            SystemTime::try_from(session.expiration).map_err(CredentialsError::unhandled)?;
        let credentials = Credentials::builder()
            .access_key_id(session.access_key_id)
            .secret_access_key(session.secret_access_key)
            .session_token(session.session_token)
            .expiry(expires)
            .account_id(self.account.as_str())
            .provider_name("pipeshare");
        Ok(credentials.build())
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

/// The error of STS, which [`crate::error`] finds again among the causes of a failed call.
fn refused(error: SdkError<AssumeRoleError>) -> CredentialsError {
    CredentialsError::provider_error(error)
}
