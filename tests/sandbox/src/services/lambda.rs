//! Lambda: functions, their queues, and the invocations that the driver runs.
//!
//! What is decided here is who runs when and what an outcome means for the
//! messages of a batch. The processes belong to the driver.

mod asynchronous;
mod configuration;
mod invocations;
mod lineage;
mod mappings;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};

use self::{
    asynchronous::InvokeConfiguration,
    invocations::{Running, Waiting},
    mappings::Mapping,
};
pub use self::{
    asynchronous::{Event, Task, create_event_invoke_config, invoke_asynchronously, run},
    invocations::{FunctionError, Invocation, invoke},
    mappings::create_event_source_mapping,
};
pub(crate) use self::{
    asynchronous::{pending, restore},
    configuration::FunctionConfiguration,
    invocations::{Start, finish, in_flight, start_due},
    names::{action, resource},
};
use super::sts;
use crate::{
    services::key::ResourceKey,
    world::{ApiError, Call, World},
};

/// All functions, mappings and invocations.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The invocations that have ended, in the order of their ends.
    #[serde(skip)]
    pub finished: Vec<Invocation>,
    /// Tells the driver that there may be something to start.
    #[serde(skip)]
    pub(crate) changed: Arc<Notify>,
    /// How many invocations were not made since they belonged to a recursive
    /// loop: Lambda's metric `RecursiveInvocationsDropped`.
    pub recursive_invocations_dropped: u64,
    #[serde(with = "crate::state::pairs")]
    functions: BTreeMap<ResourceKey, FunctionConfiguration>,
    #[serde(with = "crate::state::pairs")]
    invoke_configurations: BTreeMap<ResourceKey, InvokeConfiguration>,
    mappings: Vec<Mapping>,
    #[serde(skip)]
    waiting: VecDeque<Waiting>,
    #[serde(skip)]
    running: BTreeMap<String, Running>,
    #[serde(skip)]
    environments: BTreeMap<String, Arc<Notify>>,
    #[serde(skip)]
    killed: BTreeSet<String>,
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "ListFunctions" => Ok(list(world, call)),
        "GetFunctionConfiguration" => Ok(find(world, &names::own(call)?)?.shown()),
        "GetFunction" => Ok(find(world, &names::own(call)?)?.shown_with_concurrency()),
        "ListEventSourceMappings" => mappings::list(world, call),
        // Whether it exists is told at once; the outcome comes when it has run.
        "Invoke" => {
            check_supported(call)?;
            find(world, &names::own(call)?).map(|_| Value::Null)
        },
    }
}

fn list(world: &World, call: &Call) -> Value {
    let functions = world.lambda.functions.values();
    let functions: Vec<Value> = functions
        .filter(|function| function.key.is_own(call))
        .map(FunctionConfiguration::shown)
        .collect();
    json!({ "Functions": functions })
}

/// Makes a function, as a template's `AWS::Lambda::Function` with these properties would.
pub fn create_function(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let key = ResourceKey::new(account, region, name);
    if world.lambda.functions.contains_key(&key) {
        let message = format!("Function already exist: {name}");
        return Err(ApiError::with_status(
            409,
            "ResourceConflictException",
            message,
        ));
    }
    let function = FunctionConfiguration::read(world, key.clone(), properties)?;
    world.lambda.functions.insert(key, function);
    Ok(())
}

/// Asks for an invocation of the first function of this name in any account and Region.
pub(crate) fn invoke_by_name(
    world: &mut World,
    name: &str,
    payload: Value,
) -> Result<oneshot::Receiver<Invocation>, ApiError> {
    let mut keys = world.lambda.functions.keys();
    let key = keys.find(|key| key.name == name).cloned();
    let ResourceKey {
        account,
        region,
        name,
    } = key.ok_or_else(|| not_found(name))?;
    invoke(world, &account, &region, &name, payload)
}

/// Opens an execution environment.
///
/// Returns the access key id of its credentials, and what is notified when
/// the environment shall be killed.
pub(crate) fn open_environment(
    world: &mut World,
    function: &FunctionConfiguration,
) -> (String, Arc<Notify>) {
    let ResourceKey { account, name, .. } = &function.key;
    let access_key = sts::session(world, account, &function.role, name);
    let kill = Arc::new(Notify::new());
    let environments = &mut world.lambda.environments;
    environments.insert(access_key.clone(), Arc::clone(&kill));
    (access_key, kill)
}

/// Kills the environment that has these credentials; false if there is none.
pub(crate) fn kill(world: &mut World, access_key: &str) -> bool {
    let Some(kill) = world.lambda.environments.get(access_key) else {
        return false;
    };
    kill.notify_one();
    world.lambda.killed.insert(access_key.to_owned());
    true
}

/// Kills all environments.
pub(crate) fn kill_all(world: &mut World) {
    for kill in world.lambda.environments.values() {
        kill.notify_one();
    }
}

/// Whether the environment with these credentials was killed.
///
/// Its process may not know yet; what it asks for from now on does not happen.
pub(crate) fn is_killed(world: &World, access_key: &str) -> bool {
    world.lambda.killed.contains(access_key)
}

/// Refuses what would be ignored: a wrong success.
fn check_supported(call: &Call) -> Result<(), ApiError> {
    let absent = ["ClientContext", "DurableExecutionName", "TenantId"];
    let is_absent = |member: &&str| call.text(member).is_none();
    match call.text("LogType") {
        None | Some("None") if absent.iter().all(is_absent) => Ok(()),
        None | Some("None" | "Tail") => Err(ApiError::with_status(
            501,
            "NotImplemented",
            "The sandbox has no log results, client contexts, durable executions or tenants",
        )),
        Some(other) => {
            let message = format!("Value '{other}' at 'logType' is not a log type.");
            Err(invalid(message))
        }
    }
}

fn find<'a>(world: &'a World, key: &ResourceKey) -> Result<&'a FunctionConfiguration, ApiError> {
    let ResourceKey {
        account,
        region,
        name,
    } = key;
    let function = world.lambda.functions.get(key);
    function.ok_or_else(|| {
        not_found(&format!(
            "arn:aws:lambda:{region}:{account}:function:{name}"
        ))
    })
}

fn not_found(function: &str) -> ApiError {
    let message = format!("Function not found: {function}");
    ApiError::with_status(404, "ResourceNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

#[cfg(test)]
pub(crate) mod tests;
