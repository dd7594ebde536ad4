//! What the functions may do in the hub, and who may be they.

use std::collections::BTreeMap;

use e2e::{DEV, REGION, SHARED, TEST, functions};
use sandbox::{
    services::iam::{
        identity,
        policy::{Decision, Request, evaluate},
        requests,
    },
    world::World,
};
use serde_json::json;

use super::{Role, SHOW, STRANGER, USERS, call, may, permits, refused, session};
use crate::tour::{Stop, hold};

/// Only the functions that need a role get it, and only in the organization.
pub(super) fn trust(world: &mut World) -> Result<(), Stop> {
    for ((account, role), users) in USERS {
        for function in functions::all() {
            let uses = users.contains(&function);
            let caller = session(SHARED, &format!("pipeshare-{function}-{REGION}"));
            let assumes = |world: &World| {
                trusts(world, account, role, |action, arn| {
                    Request::of_caller(world, &caller, action, arn)
                })
            };
            let what = format!("{role} trusts {function}: {uses}");
            hold(assumes(world) == uses, &what)?;
            let arn = format!("arn:aws:iam::{account}:role/{role}");
            let input = json!({ "RoleArn": arn });
            let of_function = (SHARED, &*format!("pipeshare-{function}-{REGION}"));
            let may_ask = may(world, of_function, "sts:AssumeRole", input);
            let what = format!("{function} may assume {role}: {uses}");
            hold(may_ask == uses, &what)?;
            world.organization_mut().members.remove(SHARED);
            let outside = assumes(world);
            world.organization_mut().members.insert(SHARED.to_owned());
            hold(
                !outside,
                &format!("{role} is not for a hub outside the organization"),
            )?;
        }
    }
    for (account, role) in [
        (TEST, "pipeshare-owner-events-us-east-1"),
        (DEV, "pipeshare-consumer-events-us-east-1"),
    ] {
        let for_account = |source: &str| {
            trusts(world, account, role, |action, arn| {
                let rule = format!("arn:aws:events:{REGION}:{source}:rule/r");
                Request::of_service("events.amazonaws.com", &rule, source, action, arn)
            })
        };
        hold(
            for_account(account),
            &format!("{role} is for its own account's rules"),
        )?;
        hold(
            !for_account(STRANGER),
            &format!("{role} is for no other account's rules"),
        )?;
    }
    Ok(())
}

fn trusts<'a>(
    world: &World,
    account: &str,
    role: &str,
    request: impl Fn(&'a str, &'a str) -> Request<'a>,
) -> bool {
    let found = world.iam().role(account, role);
    found.is_some_and(|found| {
        let request = request("sts:AssumeRole", "*");
        evaluate(&found.trust, &request).is_ok_and(|decision| decision == Decision::Allow)
    })
}

/// Functions use keys for what they are for: the topic's through the topic, the policy's for the policy.
fn keys(world: &mut World, role: Role) -> Result<(), Stop> {
    let grants = identity::granted(world, role.0, role.1);
    let keys: Vec<_> = grants
        .into_iter()
        .filter(|grant| grant.action == "kms:Decrypt")
        .map(|grant| grant.resource)
        .collect();
    hold(!keys.is_empty(), "functions can decrypt the policy")?;
    let parameter = format!("arn:aws:ssm:{REGION}:{SHARED}:parameter/other");
    let through = format!("ssm.{REGION}.amazonaws.com");
    for key in keys {
        let direct = requests::Wanted::new("kms:Decrypt", key);
        let other = direct
            .clone()
            .with("kms:ViaService", through.clone())
            .with("kms:EncryptionContext:PARAMETER_ARN", parameter.clone());
        for request in [direct, other] {
            let may_decrypt = identity::permits(world, &session(role.0, role.1), &request);
            hold(
                !may_decrypt,
                "functions use keys through SNS and SSM alone, and for nothing else",
            )?;
        }
    }
    Ok(())
}

pub(super) fn roles(world: &mut World) -> Result<(), Stop> {
    let queued = functions::queued();
    for function in functions::all() {
        let role = format!("pipeshare-{function}-{REGION}");
        let role = (SHARED, role.as_str());
        keys(world, role)?;
        if !queued.contains(&function) {
            continue;
        }
        for other in queued.iter().filter(|other| **other != function) {
            let queue = format!("https://sqs.{REGION}.amazonaws.com/{SHARED}/pipeshare-{other}");
            refused(world, role, "sqs:SendMessage", json!({ "QueueUrl": queue }))?;
        }
        refused(
            world,
            role,
            "ram:CreateResourceShare",
            json!({ "name": "pipeshare-x" }),
        )?;
        refused(
            world,
            role,
            "ssm:PutParameter",
            json!({ "Name": "/pipeshare/policy" }),
        )?;
        let admin = json!({ "RoleArn": format!("arn:aws:iam::{TEST}:role/admin") });
        refused(world, role, "sts:AssumeRole", admin)?;
        let topic = json!({ "TopicArn": format!("arn:aws:sns:{REGION}:{SHARED}:other") });
        refused(world, role, "sns:Publish", topic)?;
        let table = json!({ "TableName": "other", "Item": { "pk": { "S": "x" } } });
        refused(world, role, "dynamodb:PutItem", table)?;
        let elsewhere = json!({ "TableName": "pipeshare", "Key": { "pk": { "S": "elsewhere" }, "sk": { "S": "1" } } });
        refused(world, role, "dynamodb:GetItem", elsewhere.clone())?;
        refused(world, role, "dynamodb:DeleteItem", elsewhere)?;
        let key = identity::granted(world, role.0, role.1);
        let key = key.into_iter().find(|grant| grant.action == "kms:Decrypt");
        let key = key.map(|grant| grant.resource).unwrap_or_default();
        let direct = requests::Wanted::new("kms:Decrypt", key);
        let may_decrypt = identity::permits(world, &session(role.0, role.1), &direct);
        hold(
            !may_decrypt,
            "functions use the topic's key through the topic alone",
        )?;
        // What consumers were told that they have is the business of one function.
        let shared = json!({ "TableName": "pipeshare", "Item": { "pk": { "S": "shared|1" }, "sk": { "S": "1" } } });
        let may_write = may(world, role, "dynamodb:PutItem", shared);
        let is_its = role.1.starts_with("pipeshare-accept-invitation");
        hold(
            may_write == is_its,
            "accept-invitation alone remembers what consumers have",
        )?;
        // Gates are opened by nobody but the deployment hook, and only it knows its runs.
        for pk in ["gate|hook|222222222222", "run|x"] {
            let item = json!({ "TableName": "pipeshare", "Item": { "pk": { "S": pk }, "sk": { "S": "1" } } });
            refused(world, role, "dynamodb:PutItem", item)?;
        }
    }
    Ok(())
}

/// Who only looks changes nothing, in the hub or elsewhere.
pub(super) fn show(world: &mut World) -> Result<(), Stop> {
    let policy = "/pipeshare/policy";
    let topic = format!("arn:aws:sns:{REGION}:{SHARED}:pipeshare-hub");
    let queue = format!("https://sqs.{REGION}.amazonaws.com/{SHARED}/pipeshare-share-pipeline");
    let entry = json!({ "EventBusName": "pipeshare-hub", "Source": "s", "DetailType": "d", "Detail": "{}" });
    for (operation, input) in [
        ("ram:CreateResourceShare", json!({ "name": "pipeshare-x" })),
        ("ssm:PutParameter", json!({ "Name": policy })),
        (
            "ssm:LabelParameterVersion",
            json!({ "Name": policy, "Labels": ["in-force"] }),
        ),
        ("ssm:GetParameter", json!({ "Name": "/other" })),
        ("sns:Publish", json!({ "TopicArn": topic })),
        ("sqs:SendMessage", json!({ "QueueUrl": queue })),
        ("events:PutEvents", json!({ "Entries": [entry] })),
    ] {
        refused(world, SHOW, operation, input)?;
    }
    Ok(())
}

/// Each function puts, deletes and lists what it needs in the partitions of the
/// table, and in those of others nothing.
pub(super) fn partitions(world: &mut World) -> Result<(), Stop> {
    const OWNERS: &str = "owners";
    const MARKS: &str = "watermark";
    const TOLD: &str = "told|hub";
    const ALERTS: &str = "told|troubles|222222222222";
    const CONSUMERS: &str = "shared";
    const SHARED_WITH: &str = "shared|111111111111";
    const SUCCEEDED: &str = "gate|succeeded|222222222222";
    const HOOKED: &str = "gate|hook|222222222222";
    const RUNS: &str = "run|x";
    const ALL: [&str; 13] = [
        OWNERS,
        MARKS,
        TOLD,
        ALERTS,
        CONSUMERS,
        SHARED_WITH,
        SUCCEEDED,
        HOOKED,
        RUNS,
        // What begins in the same way is not the same.
        "owners|x",
        "gate|other|222222222222",
        "gate",
        "tolds",
    ];
    // The function, and where it puts, gets, updates, deletes and lists.
    let table: [(&str, [&[&str]; 5]); 5] = [
        (
            "share-pipeline",
            [
                &[OWNERS, TOLD, ALERTS, SUCCEEDED],
                &[TOLD, ALERTS],
                &[TOLD, ALERTS],
                &[OWNERS, SUCCEEDED, HOOKED],
                &[OWNERS, SUCCEEDED, HOOKED],
            ],
        ),
        (
            "accept-invitation",
            [
                &[TOLD, ALERTS, CONSUMERS, SHARED_WITH],
                &[TOLD, ALERTS],
                &[TOLD, ALERTS],
                &[CONSUMERS, SHARED_WITH],
                &[CONSUMERS, SHARED_WITH],
            ],
        ),
        (
            "forward-status",
            [
                &[TOLD, ALERTS, MARKS],
                &[TOLD, ALERTS],
                &[TOLD, ALERTS],
                &[MARKS],
                &[MARKS, TOLD, ALERTS],
            ],
        ),
        (
            "codepipeline-hook",
            [&[HOOKED, RUNS], &[], &[], &[], &[RUNS]],
        ),
        (
            "show-access",
            [&[], &[ALERTS], &[], &[], &[MARKS, SUCCEEDED, HOOKED]],
        ),
    ];
    let table = BTreeMap::from(table);
    for function in functions::all() {
        let rights = table.get(function).copied().unwrap_or_default();
        let role = format!("pipeshare-{function}-{REGION}");
        let operations = ["PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query"];
        for (operation, partitions) in operations.into_iter().zip(rights) {
            for pk in ALL {
                let key = json!({ "pk": { "S": pk }, "sk": { "S": "1" } });
                let input = match operation {
                    "PutItem" => json!({ "TableName": "pipeshare", "Item": key }),
                    "Query" => json!({
                        "TableName": "pipeshare",
                        "KeyConditionExpression": "pk = :pk",
                        "ExpressionAttributeValues": { ":pk": { "S": pk } },
                    }),
                    _ => json!({ "TableName": "pipeshare", "Key": key }),
                };
                let may_it = partitions.contains(&pk);
                let what = format!("{function} may call {operation} in {pk}: {may_it}");
                let call = call(
                    session(SHARED, &role),
                    &format!("dynamodb:{operation}"),
                    input,
                );
                hold(permits(world, &call) == may_it, &what)?;
            }
        }
    }
    Ok(())
}
