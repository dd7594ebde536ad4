//! What the roles in the accounts may do.

use e2e::{DEV, REGION, SHARED, TEST};
use sandbox::world::World;
use serde_json::{Value, json};

use super::{
    CONSUMER, HOOK, NOTIFIER, OWNER, PROVER, READER, RUNNER, Role, STRANGER, WATCHER, allowed,
    forget, make, managed, may, people::queue_url, pipeline, refused, share,
};
use crate::tour::{Stop, hold};

pub(super) fn consumer(world: &mut World) -> Result<(), Stop> {
    for (owner, name, accepts, answers) in [
        (TEST, "pipeshare-probe", true, true),
        (STRANGER, "pipeshare-probe", false, true),
        (TEST, "golden-images", false, false),
    ] {
        let share = share(world, owner, name, &json!([]));
        let invite = json!({ "resourceShareArn": share, "principals": [DEV] });
        make(world, owner, "ram:AssociateResourceShare", invite);
        world.pass(std::time::Duration::from_secs(2));
        let received = make(world, DEV, "ram:GetResourceShareInvitations", json!({}));
        let of_share = |it: &&Value| it["resourceShareArn"] == json!(share);
        let invitations = received["resourceShareInvitations"].as_array();
        let invitation = invitations.into_iter().flatten().find(of_share);
        let arn = invitation.map(|it| it["resourceShareInvitationArn"].clone());
        let input = json!({ "resourceShareInvitationArn": arn });
        for (operation, may_call) in [
            ("ram:AcceptResourceShareInvitation", accepts),
            ("ram:ListPendingInvitationResources", answers),
            ("ram:RejectResourceShareInvitation", answers),
        ] {
            let what = format!("{operation} of {name} by {owner}: {may_call}");
            hold(
                may(world, CONSUMER, operation, input.clone()) == may_call,
                &what,
            )?;
            // Who tells, or proves access, neither answers nor looks into anything.
            for other in [NOTIFIER, PROVER] {
                refused(world, other, operation, input.clone())?;
            }
        }
        forget(world, owner, &share);
    }
    consumers(world)
}

/// Each of the roles in a consumer account does what it is for, and nothing of what the others are for.
fn consumers(world: &mut World) -> Result<(), Stop> {
    let named = |account: &str| json!({ "PipelineName": pipeline(account) });
    for (role, proves) in [(CONSUMER, true), (PROVER, true), (NOTIFIER, false)] {
        let describe = "sagemaker:DescribePipeline";
        let may_describe = may(world, role, describe, named(TEST));
        let what = format!("{} describes pipelines: {proves}", role.1);
        hold(may_describe == proves, &what)?;
        refused(world, role, describe, named(STRANGER))?;
        refused(world, role, "sagemaker:StartPipelineExecution", named(TEST))?;
    }
    for (role, tells) in [(CONSUMER, false), (PROVER, false), (NOTIFIER, true)] {
        for (account, topic, may_publish) in [
            (DEV, "pipeshare", tells),
            (DEV, "other", false),
            (SHARED, "pipeshare-hub", false),
        ] {
            let topic = format!("arn:aws:sns:{REGION}:{account}:{topic}");
            let publishes = may(world, role, "sns:Publish", json!({ "TopicArn": topic }));
            let what = format!("{} publishes to {topic}: {may_publish}", role.1);
            hold(publishes == may_publish, &what)?;
        }
        for (bus, may_put) in [("pipeshare", tells), ("default", false)] {
            let entry =
                json!({ "EventBusName": bus, "Source": "s", "DetailType": "d", "Detail": "{}" });
            let puts = may(
                world,
                role,
                "events:PutEvents",
                json!({ "Entries": [entry] }),
            );
            let what = format!("{} puts events on {bus}: {may_put}", role.1);
            hold(puts == may_put, &what)?;
        }
    }
    for operation in [
        "ram:GetResourceShareInvitations",
        "ram:GetResourceShares",
        "ram:ListResources",
    ] {
        let input = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
        allowed(world, CONSUMER, operation, input.clone())?;
        refused(world, NOTIFIER, operation, input.clone())?;
        refused(world, PROVER, operation, input)?;
    }
    Ok(())
}

/// Who sees executions searches, and who sees pipelines does not.
pub(super) fn watcher(world: &mut World) -> Result<(), Stop> {
    let search = json!({ "Resource": "PipelineExecution" });
    allowed(world, WATCHER, "sagemaker:Search", search.clone())?;
    for other in [READER, OWNER, RUNNER] {
        refused(world, other, "sagemaker:Search", search.clone())?;
    }
    let run = |account: &str| json!({ "PipelineExecutionArn": format!("{}/execution/abcdefghijkl", pipeline(account)) });
    for operation in ["DescribePipelineExecution", "ListPipelineExecutionSteps"] {
        let operation = format!("sagemaker:{operation}");
        for role in [WATCHER, READER] {
            allowed(world, role, &operation, run(TEST))?;
            refused(world, role, &operation, run(DEV))?;
        }
        refused(world, OWNER, &operation, run(TEST))?;
    }
    for operation in [
        "DescribePipelineDefinitionForExecution",
        "ListPipelineParametersForExecution",
    ] {
        let operation = format!("sagemaker:{operation}");
        allowed(world, WATCHER, &operation, run(TEST))?;
        refused(world, WATCHER, &operation, run(DEV))?;
        for role in [READER, OWNER] {
            refused(world, role, &operation, run(TEST))?;
        }
    }
    let own = json!({ "PipelineName": "probe" });
    for operation in [
        "ListPipelines",
        "ListPipelineExecutions",
        "DescribePipeline",
        "StartPipelineExecution",
    ] {
        refused(
            world,
            WATCHER,
            &format!("sagemaker:{operation}"),
            own.clone(),
        )?;
    }
    ceiling(world, WATCHER)
}

/// A role reads the ceiling, no other parameter, and writes none.
fn ceiling(world: &mut World, role: Role) -> Result<(), Stop> {
    let named = |name: &str| json!({ "Name": name });
    let (ceiling, other) = (named("/pipeshare/ceiling"), named("/pipeshare/other"));
    allowed(world, role, "ssm:GetParameter", ceiling.clone())?;
    refused(world, role, "ssm:GetParameter", other)?;
    refused(world, role, "ssm:PutParameter", ceiling)
}

pub(super) fn reader(world: &mut World) -> Result<(), Stop> {
    let own = json!({ "PipelineName": "probe" });
    allowed(
        world,
        READER,
        "sagemaker:ListPipelineExecutions",
        own.clone(),
    )?;
    refused(world, READER, "sagemaker:StartPipelineExecution", own)?;
    let run =
        json!({ "PipelineExecutionArn": format!("{}/execution/abcdefghijkl", pipeline(TEST)) });
    for operation in ["StopPipelineExecution", "RetryPipelineExecution"] {
        let operation = format!("sagemaker:{operation}");
        refused(world, READER, &operation, run.clone())?;
    }
    let shares = json!({ "resourceOwner": "SELF", "associationType": "RESOURCE" });
    for operation in ["GetResourceShares", "GetResourceShareAssociations"] {
        let operation = format!("ram:{operation}");
        allowed(world, READER, &operation, shares.clone())?;
    }
    for operation in ["GetResourceShareInvitations", "ListResources"] {
        refused(world, READER, &format!("ram:{operation}"), shares.clone())?;
    }
    let foreign = json!({ "PipelineName": pipeline(DEV) });
    refused(world, READER, "sagemaker:ListPipelineExecutions", foreign)?;
    ceiling(world, READER)?;
    let written = json!({ "Name": "/pipeshare/ceiling" });
    refused(world, OWNER, "ssm:PutParameter", written)
}

pub(super) fn runner(world: &mut World) -> Result<(), Stop> {
    let own = json!({ "PipelineName": "probe" });
    let foreign = json!({ "PipelineName": pipeline(DEV) });
    for operation in ["StartPipelineExecution", "DescribePipeline"] {
        let operation = format!("sagemaker:{operation}");
        allowed(world, RUNNER, &operation, own.clone())?;
        refused(world, RUNNER, &operation, foreign.clone())?;
    }
    for operation in ["UpdatePipeline", "DeletePipeline"] {
        refused(
            world,
            RUNNER,
            &format!("sagemaker:{operation}"),
            own.clone(),
        )?;
    }
    let run =
        json!({ "PipelineExecutionArn": format!("{}/execution/abcdefghijkl", pipeline(TEST)) });
    refused(world, RUNNER, "sagemaker:StopPipelineExecution", run)?;
    refused(
        world,
        RUNNER,
        "ram:CreateResourceShare",
        json!({ "name": "pipeshare-x", "tags": managed() }),
    )
}

/// The hook opens gates and asks for sharing; it shares nothing itself.
pub(super) fn hook(world: &mut World) -> Result<(), Stop> {
    let item = |table: &str, key: &str| json!({ "TableName": table, "Item": { "pk": { "S": key }, "sk": { "S": "1" } } });
    let put = "dynamodb:PutItem";
    for own in ["gate|hook|222222222222", "run|x"] {
        allowed(world, HOOK, put, item("pipeshare", own))?;
        refused(world, HOOK, put, item("other", own))?;
    }
    for others in [
        "gate|succeeded|222222222222",
        "gate|r|p",
        "told|x",
        "owners",
    ] {
        refused(world, HOOK, put, item("pipeshare", others))?;
    }
    let partition = |pk: &str| {
        json!({
            "TableName": "pipeshare",
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": { ":pk": { "S": pk } },
        })
    };
    allowed(world, HOOK, "dynamodb:Query", partition("run|x"))?;
    refused(
        world,
        HOOK,
        "dynamodb:Query",
        partition("gate|hook|222222222222"),
    )?;
    for (queue, may_send) in [("share-pipeline", true), ("accept-invitation", false)] {
        let url = queue_url(SHARED, queue);
        let may_send_it = may(world, HOOK, "sqs:SendMessage", json!({ "QueueUrl": url }));
        let what = format!("the hook may send to {queue}: {may_send}");
        hold(may_send_it == may_send, &what)?;
    }
    refused(
        world,
        HOOK,
        "ssm:PutParameter",
        json!({ "Name": "/pipeshare/policy" }),
    )
}
