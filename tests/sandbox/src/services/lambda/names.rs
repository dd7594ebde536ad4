//! How requests name functions.
//!
//! Source: the API reference, "Name formats": a name, an ARN, or the part of
//! an ARN that begins with the account, each with a qualifier or without.

use super::{ResourceKey, not_found};
use crate::{
    services::{denials, validation::invalid},
    world::{ApiError, Call},
};

/// The one version that the sandbox has of a function.
const LATEST: &str = "$LATEST";

/// A function as a request names it; it need not exist.
#[derive(Debug)]
struct Name {
    key: ResourceKey,
    qualifier: Option<String>,
}

impl Name {
    /// Reads a name; the account and the Region are those of whoever leaves them out.
    fn parse(account: &str, region: &str, text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (account, region, rest) = match parts.as_slice() {
            [
                "arn",
                "aws",
                "lambda",
                region,
                account,
                "function",
                rest @ ..,
            ] => (*account, *region, rest),
            [account, "function", rest @ ..] if is_account(account) => (*account, region, rest),
            rest => (account, region, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] if !qualifier.is_empty() => (*name, Some(*qualifier)),
            _ => return None,
        };
        let is_name = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
        (!name.is_empty() && name.bytes().all(is_name)).then(|| Self {
            key: ResourceKey::new(account, region, name),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The function that a call is about, and whose version it says in either of two ways.
    fn of(call: &Call) -> Result<Self, ApiError> {
        let text = call.text("FunctionName").unwrap_or_default();
        let name = Self::parse(&call.caller.account, &call.region, text);
        let name = name.ok_or_else(|| unreadable(text))?;
        match (&name.qualifier, call.text("Qualifier")) {
            (Some(qualifier), Some(other)) if qualifier != other => Err(super::invalid(
                "The derived qualifier from the function name does not match the specified qualifier.",
            )),
            (None, Some(qualifier)) => Ok(Self {
                qualifier: Some(qualifier.to_owned()),
                ..name
            }),
            _ => Ok(name),
        }
    }

    fn arn(&self) -> String {
        let ResourceKey {
            account,
            region,
            name,
        } = &self.key;
        let arn = format!("arn:aws:lambda:{region}:{account}:function:{name}");
        match &self.qualifier {
            Some(qualifier) => format!("{arn}:{qualifier}"),
            None => arn,
        }
    }

    /// The function, if the version is the one there is.
    fn latest(self) -> Result<ResourceKey, ApiError> {
        match &self.qualifier {
            Some(qualifier) if qualifier != LATEST => Err(not_found(&self.arn())),
            _ => Ok(self.key),
        }
    }
}

/// The function that a resource of this account and Region names.
pub(super) fn key(account: &str, region: &str, text: &str) -> Result<ResourceKey, ApiError> {
    let name = Name::parse(account, region, text);
    name.ok_or_else(|| unreadable(text))?.latest()
}

/// The function that a call is about, which must be the caller's own and of the endpoint's Region.
///
/// No function has a policy of its own here, so nobody else may use it, nor learn whether it exists.
pub(super) fn own(call: &Call) -> Result<ResourceKey, ApiError> {
    let name = Name::of(call)?;
    let action = action(call);
    let ResourceKey {
        account, region, ..
    } = &name.key;
    if *region != call.region {
        let message = format!(
            "Functions from '{region}' are not reachable in this region ('{}')",
            call.region
        );
        let code = "ResourceNotFoundException";
        return Err(ApiError::with_status(404, code, message));
    }
    if *account != call.caller.account {
        let who = call.caller.arn();
        return Err(denials::without_policy(
            "lambda",
            &who,
            &action,
            &name.arn(),
        ));
    }
    name.latest()
}

/// What policies call the operation of a call.
pub(crate) fn action(call: &Call) -> String {
    match call.operation.as_str() {
        "Invoke" => "lambda:InvokeFunction".to_owned(),
        operation => format!("lambda:{operation}"),
    }
}

/// The ARN that policies know the function of a call by; none if its name cannot be read.
pub(crate) fn resource(call: &Call) -> Option<String> {
    Name::of(call).ok().map(|name| name.arn())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn unreadable(text: &str) -> ApiError {
    let message = format!(
        "1 validation error detected: Value '{text}' at 'functionName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: \
         (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{{2}}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{{1}}:)?\
         (\\d{{12}}:)?(function:)?([a-zA-Z0-9-_\\.]+)(:(\\$LATEST(\\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
    );
    invalid(message)
}
