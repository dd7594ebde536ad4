//! The configuration of a function.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use super::{ResourceKey, invalid};
use crate::{
    services::iam::policy::{Decision, Request, evaluate},
    world::{ApiError, AssumedRole, Caller, World},
};

const MAX_VARIABLES: usize = 4096;

/// Variables that Lambda sets itself.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// What Lambda knows of a function.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct FunctionConfiguration {
    pub(crate) key: ResourceKey,
    /// The name of its role.
    pub(crate) role: String,
    pub(crate) memory: u64,
    pub(crate) timeout: Duration,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) log_format: String,
    pub(crate) log_level: Option<String>,
    pub(super) reserved_concurrency: Option<usize>,
    /// Whether its own messages may invoke it again without end.
    pub(super) may_loop: bool,
    role_arn: String,
}

impl FunctionConfiguration {
    /// Reads the properties of a template's `AWS::Lambda::Function`.
    pub(super) fn read(
        world: &World,
        key: ResourceKey,
        properties: &Value,
    ) -> Result<Self, ApiError> {
        let role_arn = properties["Role"].as_str().unwrap_or_default();
        let logging = &properties["LoggingConfig"];
        let reserved = number(properties, "ReservedConcurrentExecutions", 0..=1000)?;
        Ok(Self {
            role: assumable_role(world, role_arn)?,
            role_arn: role_arn.to_owned(),
            memory: number(properties, "MemorySize", 128..=10_240)?.unwrap_or(128),
            timeout: Duration::from_secs(number(properties, "Timeout", 1..=900)?.unwrap_or(3)),
            variables: variables(&properties["Environment"]["Variables"])?,
            log_format: logging["LogFormat"].as_str().unwrap_or("JSON").to_owned(),
            log_level: logging["ApplicationLogLevel"].as_str().map(str::to_owned),
            reserved_concurrency: reserved.and_then(|count| usize::try_from(count).ok()),
            may_loop: may_loop(properties)?,
            key,
        })
    }

    /// The ARN.
    pub(crate) fn arn(&self) -> String {
        let ResourceKey {
            account,
            region,
            name,
        } = &self.key;
        format!("arn:aws:lambda:{region}:{account}:function:{name}")
    }

    /// The session of its role in which it runs.
    pub(super) fn session(&self) -> Caller {
        let ResourceKey { account, name, .. } = &self.key;
        Caller {
            account: account.clone(),
            role: Some(AssumedRole {
                name: self.role.clone(),
                session: name.clone(),
            }),
        }
    }

    /// What `GetFunction` shows; the sandbox has no code to download.
    pub(super) fn shown_with_concurrency(&self) -> Value {
        let mut shown = json!({ "Configuration": self.shown() });
        if let Some(reserved) = self.reserved_concurrency {
            shown["Concurrency"] = json!({ "ReservedConcurrentExecutions": reserved });
        }
        shown
    }

    /// What `GetFunctionConfiguration` shows; variables may be secrets and are left out.
    pub(super) fn shown(&self) -> Value {
        json!({
            "FunctionName": self.key.name,
            "FunctionArn": self.arn(),
            "Role": self.role_arn,
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Timeout": self.timeout.as_secs(),
            "MemorySize": self.memory,
            "Version": "$LATEST",
            "State": "Active",
            "LastUpdateStatus": "Successful",
        })
    }
}

fn may_loop(properties: &Value) -> Result<bool, ApiError> {
    match properties["RecursiveLoop"].as_str() {
        None | Some("Terminate") => Ok(false),
        Some("Allow") => Ok(true),
        Some(other) => Err(invalid(format!(
            "Value '{other}' at 'recursiveLoop' failed to satisfy constraint: Member must \
             satisfy enum value set: [Allow, Terminate]"
        ))),
    }
}

/// The name of the role, if it exists and trusts Lambda.
fn assumable_role(world: &World, arn: &str) -> Result<String, ApiError> {
    let refused = || invalid("The role defined for the function cannot be assumed by Lambda.");
    let (name, role) = world.iam.role_by_arn(arn).ok_or_else(refused)?;
    let request = Request::of_service("lambda.amazonaws.com", "", "", "sts:AssumeRole", arn);
    match evaluate(&role.trust, &request)? {
        Decision::Allow => Ok(name.to_owned()),
        Decision::Deny | Decision::Silent => Err(refused()),
    }
}

fn variables(variables: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let variables = variables.as_object().into_iter().flatten();
    let variables: BTreeMap<String, String> = variables
        .map(|(name, value)| match value {
            Value::String(text) => (name.clone(), text.clone()),
            other => (name.clone(), other.to_string()),
        })
        .collect();
    if let Some(name) = variables
        .keys()
        .find(|name| RESERVED.contains(&name.as_str()))
    {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {name}"
        )));
    }
    let size: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > MAX_VARIABLES {
        return Err(invalid(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided exceeded the 4KB limit.",
        ));
    }
    Ok(variables)
}

/// A number of a template, which may be written as a text.
pub(super) fn number(
    properties: &Value,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, ApiError> {
    let number = match &properties[name] {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    match number.filter(|number| range.contains(number)) {
        Some(number) => Ok(Some(number)),
        None => Err(invalid(format!(
            "{name} must be a number from {} to {}",
            range.start(),
            range.end()
        ))),
    }
}
