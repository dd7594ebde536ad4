//! Accounts with the project's own templates, in any number and size.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use sandbox::{
    Call, World,
    cloudformation::{self, Stack},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Outcome;

/// The account with the hub.
pub(crate) const HUB: &str = "333333333333";
/// The Region of everything.
pub(crate) const REGION: &str = "us-east-1";

/// A pipeline of two steps, the second after the first.
const DEFINITION: &str = r#"{"Version":"2020-12-01","Steps":[
    {"Name":"Prepare","Type":"Processing","Arguments":{}},
    {"Name":"Train","Type":"Training","DependsOn":["Prepare"],"Arguments":{}}]}"#;

/// How much there is.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Size {
    /// Of each owner.
    pub(crate) pipelines: usize,
    /// Each is for every owner, all pipelines and every consumer.
    pub(crate) rules: usize,
    pub(crate) owners: usize,
    pub(crate) consumers: usize,
    /// Whether RAM shares with the consumers without invitations.
    pub(crate) members: bool,
}

impl Size {
    /// One of each, and so many pipelines.
    pub(crate) fn of_one(pipelines: usize) -> Self {
        Self {
            pipelines,
            rules: 1,
            owners: 1,
            consumers: 1,
            members: false,
        }
    }

    fn owner_ids(self) -> Vec<String> {
        (0..self.owners).map(owner).collect()
    }

    fn consumer_ids(self) -> Vec<String> {
        (0..self.consumers).map(consumer).collect()
    }

    /// The policy with this gate; it has at most 8,192 bytes.
    fn policy(self, after: &str, organization: &str) -> Outcome<String> {
        let mut text = "version: 1\n".to_owned();
        if self.members {
            writeln!(
                text,
                "organization: {{ id: {organization}, ramSharing: true }}"
            )?;
        }
        let numbered = |letter: char, ids: Vec<String>| -> Vec<(String, String)> {
            let ids = ids.into_iter().enumerate();
            ids.map(|(number, id)| (format!("{letter}{number}"), id))
                .collect()
        };
        let owners = numbered('o', self.owner_ids());
        let consumers = numbered('c', self.consumer_ids());
        let accounts = owners.iter().chain(&consumers);
        let accounts: Vec<_> = accounts
            .map(|(name, id)| format!("{name}: \"{id}\""))
            .collect();
        writeln!(text, "accounts: {{{}}}", accounts.join(", "))?;
        let list = |of: &[(String, String)]| {
            let names: Vec<_> = of.iter().map(|(name, _)| name.as_str()).collect();
            names.join(",")
        };
        writeln!(
            text,
            "groups: {{owners: [{}], readers: [{}]}}\nrules:",
            list(&owners),
            list(&consumers)
        )?;
        for rule in 0..self.rules {
            writeln!(
                text,
                "- {{name: r{rule}, owners: [owners], pipelines: [\"*\"], with: [readers], after: {after}, notify: [Failed]}}"
            )?;
        }
        let length = text.len();
        if length > 8_192 {
            return Err(
                format!("this policy has {length} bytes, and at most 8,192 are possible").into(),
            );
        }
        Ok(text)
    }
}

/// The n-th owner account.
pub(crate) fn owner(number: usize) -> String {
    format!("2{:011}", number + 1)
}

/// The n-th consumer account.
pub(crate) fn consumer(number: usize) -> String {
    format!("1{:011}", number + 1)
}

/// A world of this size with its policy written, in which nothing has run yet.
///
/// Pipelines are there before anybody listens, as where the hub is deployed last.
pub(crate) fn world(size: Size, after: &str) -> Outcome<World> {
    let (owners, consumers) = (size.owner_ids(), size.consumer_ids());
    let mut world = World::builder()
        .start("2026-01-05T09:01:00Z".parse()?)
        .organization(HUB, owners.iter().chain(&consumers))
        .ram_sharing(size.members)
        .build();
    for owner in &owners {
        for number in 0..size.pipelines {
            create_pipeline(&mut world, owner, &format!("pipeline-{number}"))?;
        }
    }
    let organization = world.organization().id.clone();
    let common = [("HubAccountId", HUB), ("OrganizationId", &organization)];
    let hub = [
        ("OrganizationId", organization.as_str()),
        ("CreatePolicyParameter", "false"),
    ];
    deploy(&mut world, HUB, "hub", &hub)?;
    let everybody = consumers.join(",");
    for owner in &owners {
        let parameters = [common[0], common[1], ("AllowedPrincipals", &everybody)];
        deploy(&mut world, owner, "owner-account", &parameters)?;
    }
    let sharers = owners.join(",");
    for consumer in &consumers {
        let parameters = [common[0], common[1], ("AllowedOwners", &sharers)];
        deploy(&mut world, consumer, "consumer-account", &parameters)?;
    }
    let policy = json!({
        "Name": "/pipeshare/policy", "Value": size.policy(after, &organization)?,
        "Type": "String", "Tier": "Advanced", "Overwrite": true,
    });
    call(&mut world, HUB, "ssm", "PutParameter", policy)?;
    Ok(world)
}

/// Creates a pipeline, as somebody of the account does.
pub(crate) fn create_pipeline(world: &mut World, account: &str, name: &str) -> Outcome<Value> {
    let input = json!({
        "PipelineName": name,
        "PipelineDefinition": DEFINITION,
        "ClientRequestToken": format!("create-{name:->40}"),
        "RoleArn": format!("arn:aws:iam::{account}:role/pipeline"),
    });
    call(world, account, "sagemaker", "CreatePipeline", input)
}

/// Starts a pipeline, once with each number.
pub(crate) fn start_pipeline(
    world: &mut World,
    account: &str,
    name: &str,
    run: usize,
) -> Outcome<Value> {
    let input = json!({
        "PipelineName": name,
        "ClientRequestToken": format!("start-{run}-{name:->40}"),
    });
    call(world, account, "sagemaker", "StartPipelineExecution", input)
}

/// Has consumers tell the hub what RAM reports to them, or not.
pub(crate) fn report_changes(world: &mut World, size: Size, is_wanted: bool) -> Outcome<()> {
    let operation = if is_wanted {
        "EnableRule"
    } else {
        "DisableRule"
    };
    for consumer in size.consumer_ids() {
        let rule = json!({ "Name": "pipeshare-consumer-events" });
        call(world, &consumer, "events", operation, rule)?;
    }
    Ok(())
}

/// Takes everything out of the hub's queues.
pub(crate) fn purge(world: &mut World) -> Outcome<()> {
    let queues = call(world, HUB, "sqs", "ListQueues", json!({}))?;
    for queue in queues["QueueUrls"].as_array().into_iter().flatten() {
        call(
            world,
            HUB,
            "sqs",
            "PurgeQueue",
            json!({ "QueueUrl": queue }),
        )?;
    }
    Ok(())
}

/// A call by the administrator of an account.
fn call(
    world: &mut World,
    account: &str,
    service: &str,
    operation: &str,
    input: Value,
) -> Outcome<Value> {
    let call = Call::by_administrator(account, REGION, service, operation, input);
    let answer = world.call(&call);
    answer.map_err(|error| format!("{operation} in {account}: {error}").into())
}

fn deploy(
    world: &mut World,
    account: &str,
    folder: &str,
    parameters: &[(&str, &str)],
) -> Outcome<()> {
    let file = format!("infra/{folder}/template.yaml");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let template = fs::read_to_string(root.join(&file))?;
    let parameters = parameters.iter();
    let parameters: BTreeMap<_, _> = parameters
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    cloudformation::deploy(
        world,
        &Stack {
            account,
            region: REGION,
            name: "pipeshare",
            file: &file,
            template: &template,
            parameters,
        },
    )?;
    Ok(())
}
