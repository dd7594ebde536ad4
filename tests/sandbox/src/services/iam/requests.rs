//! What an API call has to be allowed: actions, resources and condition keys.
//!
//! Source: the Service Authorization Reference of each service. An operation
//! is one request for most of them; RAM asks for each principal, each resource
//! and the bare share by itself, and batches ask for each item.

mod dynamodb;
mod events;
mod iam;
mod ram;
pub mod s3;
mod sagemaker;
mod sns;
mod sqs;
mod ssm;
mod sts;

use crate::{
    services::{arn::Arn, lambda},
    world::{ApiError, Call, World},
};

/// One thing that the caller must be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The action, for instance `ram:CreateResourceShare`.
    pub action: String,
    /// The ARN of the resource, or `*` if the action has none.
    pub resource: String,
    /// Condition keys and their values; a key may have several.
    pub context: Vec<(String, String)>,
}

impl Wanted {
    /// An action on a resource, without condition keys of its own.
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        let account = Arn::parse(&resource).map(|arn| arn.account.to_owned());
        let mut wanted = Self {
            action: action.into(),
            resource,
            context: Vec::new(),
        };
        if let Some(account) = account.filter(|account| !account.is_empty()) {
            wanted = wanted.with("aws:ResourceAccount", account);
        }
        wanted
    }

    /// The same with one more value of a condition key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context.push((key.to_owned(), value.into()));
        self
    }
}

/// What the caller of this operation must be allowed; nothing if everybody may call it.
pub fn of(world: &World, call: &Call) -> Result<Vec<Wanted>, ApiError> {
    let mut wanted = match call.service.as_str() {
        // Jobs are no resources: whoever may answer one may answer all of the account.
        "codepipeline" => vec![Wanted::new(action(call), "*")],
        "dynamodb" => dynamodb::requests(world, call),
        "events" => events::requests(call),
        "iam" => iam::requests(world, call),
        "lambda" => function(call),
        "logs" => logs(call),
        "ram" => ram::requests(world, call),
        "s3" => s3::requests(world, call),
        "sagemaker" => sagemaker::requests(world, call),
        "sns" => sns::requests(world, call),
        "sqs" => sqs::requests(call),
        "ssm" => ssm::requests(world, call),
        "sts" => sts::requests(call),
        _ => return Err(ApiError::not_implemented(call)),
    };
    for request in &mut wanted {
        let region = ("aws:RequestedRegion".to_owned(), call.region.clone());
        request.context.push(region);
    }
    Ok(wanted)
}

/// The action that is called like the operation.
fn action(call: &Call) -> String {
    format!("{}:{}", call.service, call.operation)
}

/// An ARN in the caller's account and Region, unless the name is one already.
fn own(call: &Call, service: &str, prefix: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let (region, account) = (&call.region, &call.caller.account);
    format!("arn:aws:{service}:{region}:{account}:{prefix}{name}")
}

/// Reading and changing log groups; lists and resource policies have no resource.
fn logs(call: &Call) -> Vec<Wanted> {
    let group = call
        .text("logGroupName")
        .or_else(|| call.text("logGroupIdentifier"));
    let resource = group.map_or_else(
        || "*".to_owned(),
        |name| {
            let arn = own(call, "logs", "log-group:", name.trim_end_matches(":*"));
            format!("{arn}:*")
        },
    );
    vec![Wanted::new(action(call), resource)]
}

/// The action for a call of a function is not named after the operation.
fn function(call: &Call) -> Vec<Wanted> {
    let arn = lambda::resource(call);
    vec![Wanted::new(
        lambda::action(call),
        arn.unwrap_or_else(|| "*".to_owned()),
    )]
}

#[cfg(test)]
mod tests;
