//! A call, who makes it, and what is remembered of it.

use jiff::Timestamp;
use serde_json::Value;

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Caller {
    /// The account that the caller belongs to.
    pub account: String,
    /// The assumed role, if the caller is not the account's administrator.
    pub role: Option<AssumedRole>,
}

impl Caller {
    /// The administrator of an account.
    #[must_use]
    pub fn administrator(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            role: None,
        }
    }

    /// The ARN of the caller as IAM and CloudTrail print it.
    #[must_use]
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.role {
            Some(role) => format!(
                "arn:aws:sts::{account}:assumed-role/{}/{}",
                role.name, role.session
            ),
            None => format!("arn:aws:iam::{account}:user/administrator"),
        }
    }
}

/// A session of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AssumedRole {
    /// The name of the role.
    pub name: String,
    /// The name of the session.
    pub session: String,
}

/// One API call, independent of the protocol that carried it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The Region of the credential scope.
    pub region: String,
    /// The signing name of the service, for instance `ram`.
    pub service: String,
    /// The operation, for instance `CreateResourceShare`.
    pub operation: String,
    /// The members of the input shape.
    pub input: Value,
}

impl Call {
    /// A call that an account's administrator makes, as for what a template says.
    #[must_use]
    pub fn by_administrator(
        account: &str,
        region: &str,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Self {
        Self {
            caller: Caller::administrator(account),
            region: region.to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
        }
    }

    /// A text member of the input; none if it is absent, null or not a text.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// The texts of a list member of the input; empty if it is absent.
    #[must_use]
    pub fn texts(&self, member: &str) -> Vec<String> {
        let items = self.input.get(member).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }
}

/// What the sandbox remembers of an API call.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    /// When it was made.
    pub time: Timestamp,
    /// Who made it.
    pub caller: Caller,
    /// The Region of its credential scope.
    pub region: String,
    /// The signing name of the service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The members of the input shape, without the values of parameters.
    pub input: Value,
    /// The code of the error that it was answered with.
    pub error: Option<String>,
}
