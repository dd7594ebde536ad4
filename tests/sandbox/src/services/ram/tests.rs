//! RAM as its callers see it.

mod access;
mod customer;
mod entities;
mod invitations;
mod limits;
mod lists;
mod notices;
mod permissions;
mod replacements;
mod sharing;
mod tags;
mod tokens;

use serde_json::{Value, json};

use crate::{
    services::sagemaker,
    world::{ApiError, AssumedRole, Call, Caller, World, pass},
};

const OWNER: &str = "111111111111";
const CONSUMER: &str = "222222222222";
const STRANGER: &str = "333333333333";
const REGION: &str = "eu-west-1";
const TRAIN: &str = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/train";
const SCORE: &str = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/score";
const MISSING: &str = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/missing";
const FOREIGN: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/train";
const SUBNET: &str = "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-1";
const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
const EXECUTE: &str = "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution";

/// A world in which the owner has the pipelines `train` and `score`.
fn world() -> World {
    let mut world = World::new("2026-03-01T12:00:00Z".parse().unwrap());
    for pipeline in ["train", "score"] {
        let definition = json!({
            "Version": "2020-12-01",
            "Steps": [{ "Name": "Work", "Type": "Training", "Arguments": {} }],
        });
        let input = json!({
            "PipelineName": pipeline,
            "ClientRequestToken": format!("token-of-the-pipeline-{pipeline:-<32}"),
            "RoleArn": "arn:aws:iam::111111111111:role/pipelines",
            "PipelineDefinition": definition.to_string(),
        });
        let call = Call {
            service: "sagemaker".to_owned(),
            ..call(OWNER, "CreatePipeline", input)
        };
        sagemaker::call(&mut world, &call).unwrap();
    }
    world
}

/// The same world, where owner and consumer share within their organization.
fn organization() -> World {
    let mut world = world();
    world.organization.ram_sharing = true;
    world.organization.members = [OWNER.to_owned(), CONSUMER.to_owned()].into();
    world
}

fn call(account: &str, operation: &str, input: Value) -> Call {
    Call {
        caller: Caller::administrator(account),
        region: REGION.to_owned(),
        service: "ram".to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

fn ask(world: &mut World, account: &str, operation: &str, input: Value) -> Result<Value, ApiError> {
    super::call(world, &call(account, operation, input))
}

fn ok(world: &mut World, account: &str, operation: &str, input: Value) -> Value {
    ask(world, account, operation, input).unwrap()
}

/// The code of the error that the call must end in.
fn error(world: &mut World, account: &str, operation: &str, input: Value) -> String {
    ask(world, account, operation, input).unwrap_err().code
}

fn hours(count: u64) -> u64 {
    count * 3600
}

/// Creates a share and gives everything time to settle that can.
fn create(world: &mut World, input: Value) -> String {
    let answer = ok(world, OWNER, "CreateResourceShare", input);
    pass(world, 10);
    text(&answer, "/resourceShare/resourceShareArn")
}

/// A share of `train` with the consumer, who has not accepted yet.
fn offered(world: &mut World) -> String {
    create(
        world,
        json!({ "name": "offer", "resourceArns": [TRAIN], "principals": [CONSUMER] }),
    )
}

/// The invitation to a share.
fn invitation(world: &mut World, share: &str) -> Value {
    let input = json!({ "resourceShareArns": [share] });
    let answer = ok(world, CONSUMER, "GetResourceShareInvitations", input);
    answer["resourceShareInvitations"][0].clone()
}

/// Accepts the invitation to a share and waits until the share can be seen.
fn accept(world: &mut World, share: &str) {
    let invitation = text(&invitation(world, share), "/resourceShareInvitationArn");
    let input = json!({ "resourceShareInvitationArn": invitation });
    ok(world, CONSUMER, "AcceptResourceShareInvitation", input);
    pass(world, 10);
}

/// A share of `train` with the consumer, who has accepted.
fn accepted(world: &mut World) -> String {
    let share = offered(world);
    accept(world, &share);
    share
}

fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

/// One member of every item of a list, in the order of the list.
fn texts(answer: &Value, list: &str, member: &str) -> Vec<String> {
    let items = answer[list].as_array().unwrap();
    items
        .iter()
        .map(|item| text(item, &format!("/{member}")))
        .collect()
}

/// The statuses of the associations of a share by entity.
fn statuses(world: &mut World, share: &str) -> Value {
    let mut statuses = json!({});
    for kind in ["PRINCIPAL", "RESOURCE"] {
        let input = json!({ "associationType": kind, "resourceShareArns": [share] });
        let answer = ok(world, OWNER, "GetResourceShareAssociations", input);
        for each in answer["resourceShareAssociations"].as_array().unwrap() {
            statuses[text(each, "/associatedEntity")] = each["status"].clone();
        }
    }
    statuses
}

/// The names of the shares that others share with the consumer.
fn seen(world: &mut World) -> Vec<String> {
    let input = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    let answer = ok(world, CONSUMER, "GetResourceShares", input);
    texts(&answer, "resourceShares", "name")
}

fn role(account: &str, name: &str) -> Caller {
    let session = "session".to_owned();
    let name = name.to_owned();
    Caller {
        account: account.to_owned(),
        role: Some(AssumedRole { name, session }),
    }
}

fn may(world: &World, caller: &Caller, action: &str, pipeline: &str) -> bool {
    super::grants(world, caller, action, pipeline)
}

fn may_describe(world: &World, account: &str) -> bool {
    let caller = Caller::administrator(account);
    may(world, &caller, "sagemaker:DescribePipeline", TRAIN)
}
