//! What each role may do and what it may not, asked of the very policies of the templates.

mod accounts;
mod hub;
mod people;
mod shares;

use e2e::{DEV, REGION, SHARED, Scenario, TEST};
use sandbox::{
    http::perform,
    services::iam::{identity, requests},
    world::{AssumedRole, Call, Caller, World},
};
use serde_json::{Value, json};

use crate::tour::{Stop, hold};

const STRANGER: &str = "666666666666";
const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";

/// Who asks: a role of an account.
type Role<'a> = (&'a str, &'a str);

const OWNER: Role = (TEST, "pipeshare-owner-us-east-1");
const READER: Role = (TEST, "pipeshare-reader-us-east-1");
const WATCHER: Role = (TEST, "pipeshare-watcher-us-east-1");
const CONSUMER: Role = (DEV, "pipeshare-consumer-us-east-1");
const NOTIFIER: Role = (DEV, "pipeshare-notifier-us-east-1");
const PROVER: Role = (DEV, "pipeshare-prover-us-east-1");
const RUNNER: Role = (TEST, "pipeshare-runner-us-east-1");
const HOOK: Role = (SHARED, "pipeshare-codepipeline-hook-us-east-1");
const SHOW: Role = (SHARED, "pipeshare-show-access-us-east-1");

/// Which functions each role in an account is for.
const USERS: [(Role, &[&str]); 7] = [
    (READER, &["share-pipeline", "show-access"]),
    (WATCHER, &["forward-status"]),
    (OWNER, &["share-pipeline"]),
    (RUNNER, &["codepipeline-hook"]),
    (CONSUMER, &["accept-invitation"]),
    (NOTIFIER, &["accept-invitation", "forward-status"]),
    (PROVER, &["codepipeline-hook"]),
];

/// Asks every question; changes nothing that anybody would notice.
pub(crate) fn ask(scenario: &Scenario) -> Result<(), Stop> {
    let mut world = scenario.estate.sandbox.world();
    hub::partitions(&mut world)?;
    shares::owner(&mut world)?;
    accounts::consumer(&mut world)?;
    accounts::reader(&mut world)?;
    accounts::watcher(&mut world)?;
    accounts::runner(&mut world)?;
    accounts::hook(&mut world)?;
    hub::trust(&mut world)?;
    hub::roles(&mut world)?;
    hub::show(&mut world)?;
    people::people(&mut world)?;
    people::viewers(&mut world)?;
    people::log_readers(&mut world)?;
    people::senders(&mut world)
}

fn session(account: &str, role: &str) -> Caller {
    Caller {
        account: account.to_owned(),
        role: Some(AssumedRole {
            name: role.to_owned(),
            session: "probe".to_owned(),
        }),
    }
}

fn call(caller: Caller, operation: &str, input: Value) -> Call {
    let (service, operation) = operation.split_once(':').expect("service:Operation");
    Call {
        caller,
        region: REGION.to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

/// What an administrator of the account does.
fn make(world: &mut World, account: &str, operation: &str, input: Value) -> Value {
    let made = perform(
        world,
        &call(Caller::administrator(account), operation, input),
    );
    made.unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Whether the role's own policies let it.
fn may(world: &mut World, (account, role): (&str, &str), operation: &str, input: Value) -> bool {
    permits(world, &call(session(account, role), operation, input))
}

/// Whether the caller's own policies let it.
fn permits(world: &mut World, call: &Call) -> bool {
    let wanted = requests::of(world, call);
    let wanted = wanted.unwrap_or_else(|error| panic!("{}: {error}", call.operation));
    // What only a probe does is no use of a permission.
    let used = world.iam().used.clone();
    let may = wanted
        .iter()
        .all(|it| identity::permits(world, &call.caller, it));
    world.iam_mut().used = used;
    may
}

fn allowed(world: &mut World, role: Role, operation: &str, input: Value) -> Result<(), Stop> {
    let what = format!("{} may call {operation} with {input}", role.1);
    hold(may(world, role, operation, input), &what)
}

fn refused(world: &mut World, role: Role, operation: &str, input: Value) -> Result<(), Stop> {
    let what = format!("{} may not call {operation} with {input}", role.1);
    hold(!may(world, role, operation, input), &what)
}

/// Whether nothing that the call needs of this action is allowed, however AWS may ask for it.
fn refused_throughout(
    world: &mut World,
    role: Role,
    operation: &str,
    input: Value,
) -> Result<(), Stop> {
    let what = format!("{} may do nothing of {operation} with {input}", role.1);
    let call = call(session(role.0, role.1), operation, input);
    let wanted = requests::of(world, &call).unwrap_or_else(|error| panic!("{operation}: {error}"));
    let used = world.iam().used.clone();
    let mut of_action = wanted.iter().filter(|it| it.action == operation);
    let any = of_action.any(|it| identity::permits(world, &call.caller, it));
    world.iam_mut().used = used;
    hold(!any, &what)
}

fn pipeline(account: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{account}:pipeline/probe")
}

fn managed() -> Value {
    json!([{ "key": "pipeshare:managed", "value": "true" }])
}

/// Makes an empty share by hand, and deletes it with `forget`.
fn share(world: &mut World, account: &str, name: &str, tags: &Value) -> String {
    let input = json!({ "name": name, "tags": tags });
    let made = make(world, account, "ram:CreateResourceShare", input);
    let arn = made["resourceShare"]["resourceShareArn"].as_str();
    arn.unwrap_or_default().to_owned()
}

fn forget(world: &mut World, account: &str, share: &str) {
    let input = json!({ "resourceShareArn": share });
    make(world, account, "ram:DeleteResourceShare", input);
}
