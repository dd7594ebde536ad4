//! Many pipelines that are created at once, in many accounts.

use std::{cell::RefCell, collections::BTreeSet, rc::Rc, sync::Arc, time::Duration};

use demo::estate::{self, DEV, Plan, SHARED};
use jiff::Timestamp;
use sandbox::{
    World,
    in_process::InProcess,
    services::{lambda::Invocation, ram},
    world::{Caller, RecordedCall},
};
use serde_json::json;

use crate::{
    functions::{Counts, open},
    people::{People, act, pipeline_arn},
    run::{dead_letters, on_virtual_time},
    wire::Latency,
};

/// How many invocations of a function run at once, as the templates have it.
const CONCURRENCY: usize = 5;

/// Until everything that was begun is at rest, a schedule among it.
const REST: Duration = Duration::from_mins(20);

/// What came of a burst.
#[derive(Debug)]
pub struct Burst {
    /// How many batches share-pipeline was given.
    pub batches: usize,
    /// How often it read an owner account.
    pub reconciliations: usize,
    /// How often it may have: once for each account that a batch is about.
    pub at_most: usize,
    /// What failed, invocations as a whole or records of theirs.
    pub failures: Vec<String>,
    /// How many messages are in dead-letter queues in the end.
    pub dead_letters: usize,
    /// How many of the pipelines the consumer may read in the end.
    pub shared: usize,
    /// When the last share was changed, after the burst.
    pub took: Duration,
}

/// Lets so many owner accounts create so many pipelines each, all at the same time, which
/// a rule shares with one consumer.
#[must_use]
pub fn burst(owners: usize, pipelines: usize) -> Burst {
    // Accounts of a plan live as long as the program.
    let owners: Vec<&'static str> = (1..=owners)
        .map(|number| &*format!("2{number:011}").leak())
        .collect();
    on_virtual_time(async {
        let latency = Arc::new(Latency::new(1, 50));
        let counts = Rc::new(RefCell::new(Counts::default()));
        let sandbox = InProcess::new(world(&owners), CONCURRENCY, |wire| {
            open(wire.clone(), latency, counts, None)
        });
        sandbox.run_for(REST, |_| {}).await;
        let began = sandbox.world().now();
        let finished = sandbox.world().lambda().finished.len();
        let called = sandbox.world().calls().len();
        create_pipelines(&mut sandbox.world(), &owners, pipelines);
        sandbox.run_for(REST, |_| {}).await;
        let world = sandbox.world();
        let invocations = &world.lambda().finished[finished..];
        let calls = &world.calls()[called..];
        Burst {
            dead_letters: dead_letters(&world),
            shared: shared(&world, &owners, pipelines),
            ..Burst::of(invocations, calls, &owners, began)
        }
    })
}

impl Burst {
    fn of(
        invocations: &[Invocation],
        calls: &[RecordedCall],
        owners: &[&str],
        began: Timestamp,
    ) -> Self {
        let is_batch = |it: &&Invocation| it.function == "pipeshare-share-pipeline";
        let batches: Vec<_> = invocations.iter().filter(is_batch).collect();
        let reads = calls.iter().filter(|it| is_reading(it)).count();
        let changes = calls
            .iter()
            .filter(|it| it.operation.ends_with("ResourceShare"));
        let last = changes.map(|it| it.time).max().unwrap_or(began);
        Self {
            batches: batches.len(),
            reconciliations: reads,
            at_most: batches.iter().map(|it| accounts(it, owners)).sum(),
            failures: invocations.iter().filter_map(failure).collect(),
            dead_letters: 0,
            shared: 0,
            took: last.duration_since(began).unsigned_abs(),
        }
    }
}

/// The accounts, with a policy that nothing was done for yet.
fn world(owners: &[&'static str]) -> World {
    let plan = Plan {
        owners: owners.to_vec(),
        consumers: vec![DEV],
        members: owners.iter().copied().chain([DEV, SHARED]).collect(),
        ram_sharing: true,
        ..Plan::default()
    };
    let mut world = estate::world(&plan).unwrap_or_else(|error| panic!("{error}"));
    let account = |(number, id): (usize, &&str)| format!("  o{number}: \"{id}\"\n");
    let accounts: String = owners.iter().enumerate().map(account).collect();
    let names: Vec<_> = (0..owners.len())
        .map(|number| format!("o{number}"))
        .collect();
    let policy = format!(
        "version: 1
organization: {{ id: {}, ramSharing: true }}
accounts:
  dev: \"{DEV}\"
{accounts}groups: {{ owners: [{}] }}
rules:
- {{ name: readers, owners: [owners], pipelines: ['*'], with: [dev], after: created }}
",
        world.organization().id,
        names.join(", ")
    );
    let input = json!({
        "Name": estate::POLICY_PARAMETER, "Value": policy,
        "Type": "String", "Tier": "Advanced", "Overwrite": true,
    });
    act(&mut world, SHARED, "ssm:PutParameter", input).expect("the policy is written");
    world
}

/// Half of them by one account after the other, so that a batch is about one, and the
/// other half in turns, so that it is about many.
fn create_pipelines(world: &mut World, owners: &[&str], pipelines: usize) {
    let mut people = People::default();
    let mut create = |owner: &str, number: usize| {
        people.create_in(world, owner, &format!("pipeline-{number}"));
    };
    let half = pipelines / 2;
    for owner in owners {
        for number in 0..half {
            create(owner, number);
        }
    }
    for number in half..pipelines {
        for owner in owners {
            create(owner, number);
        }
    }
}

/// Whether an owner account was read as it is at the beginning of each reconciliation.
fn is_reading(call: &RecordedCall) -> bool {
    let is_rest = ["NextToken", "CreatedAfter"]
        .iter()
        .any(|member| !call.input[*member].is_null());
    call.operation == "ListPipelines" && !is_rest
}

/// How many accounts a batch is about.
fn accounts(batch: &Invocation, owners: &[&str]) -> usize {
    let records = batch.payload["Records"].as_array();
    let bodies = records.into_iter().flatten();
    let bodies: Vec<_> = bodies
        .filter_map(|record| record["body"].as_str())
        .collect();
    let is_named = |owner: &&&str| bodies.iter().any(|body| body.contains(**owner));
    let named: BTreeSet<_> = owners.iter().filter(is_named).collect();
    named.len()
}

fn failure(invocation: &Invocation) -> Option<String> {
    let function = &invocation.function;
    match &invocation.outcome {
        Err(error) => Some(format!("{function}: {error}")),
        Ok(answer) => {
            let failed = answer["batchItemFailures"].as_array();
            let failed = failed.filter(|failed| !failed.is_empty())?;
            Some(format!("{function}: {} records", failed.len()))
        }
    }
}

fn shared(world: &World, owners: &[&str], pipelines: usize) -> usize {
    let dev = Caller::administrator(DEV);
    let is_shared = |owner: &str, number: usize| {
        let arn = pipeline_arn(owner, &format!("pipeline-{number}"));
        ram::grants(world, &dev, "sagemaker:DescribePipeline", &arn)
    };
    let of_each = owners
        .iter()
        .map(|owner| (0..pipelines).filter(|it| is_shared(owner, *it)).count());
    of_each.sum()
}
