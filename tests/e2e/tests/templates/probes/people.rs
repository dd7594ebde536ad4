//! What people may do, and what services may send.

use e2e::{DEV, NOTIFICATION_LOG, REGION, SHARED, TEST, functions};
use sandbox::{
    services::{
        iam::{self, identity, policy::Request, requests::Wanted},
        kms, sns, sqs,
    },
    world::{Caller, World},
};
use serde_json::{Value, json};

use super::{Role, STRANGER, allowed, make, may, pipeline, refused, session};
use crate::tour::{Stop, hold};

/// The policies for people do what their names say with what is shared, and nothing else.
pub(super) fn people(world: &mut World) -> Result<(), Stop> {
    let arn = |name: &str| format!("arn:aws:iam::{DEV}:policy/pipeshare-{name}-{REGION}");
    for (name, policies) in [
        ("scientist", vec![arn("reader")]),
        ("engineer", vec![arn("reader"), arn("operator")]),
    ] {
        make_somebody(world, (DEV, name), &policies)?;
    }
    let (scientist, engineer) = ((DEV, "scientist"), (DEV, "engineer"));
    let outcome = ask_people(world, scientist, engineer);
    for (account, name) in [scientist, engineer] {
        iam::delete_role(world, account, name);
    }
    outcome
}

/// Somebody with these managed policies.
fn make_somebody(
    world: &mut World,
    (account, name): Role,
    policies: &[String],
) -> Result<(), Stop> {
    let properties = json!({
        "AssumeRolePolicyDocument": { "Statement": [] },
        "ManagedPolicyArns": policies,
    });
    iam::create_role(world, account, name, &properties).map_err(|error| Stop(error.to_string()))
}

/// Who may see the page invokes this one function, and nothing else.
pub(super) fn viewers(world: &mut World) -> Result<(), Stop> {
    let name = "viewer";
    let policy = format!("arn:aws:iam::{SHARED}:policy/pipeshare-dashboard-viewer-{REGION}");
    make_somebody(world, (SHARED, name), &[policy])?;
    let outcome = functions::all().into_iter().try_for_each(|function| {
        let input = json!({ "FunctionName": format!("pipeshare-{function}") });
        let may_invoke = may(world, (SHARED, name), "lambda:Invoke", input);
        let is_page = function == "show-access";
        let what = format!("who may see the page may invoke {function}: {is_page}");
        hold(may_invoke == is_page, &what)
    });
    iam::delete_role(world, SHARED, name);
    outcome
}

/// Who may read the log of notifications opens its dashboard and asks this log, and no other.
pub(super) fn log_readers(world: &mut World) -> Result<(), Stop> {
    let name = "log-reader";
    let policy = format!("arn:aws:iam::{DEV}:policy/pipeshare-log-reader-{REGION}");
    make_somebody(world, (DEV, name), &[policy])?;
    let outcome = ask_log_reader(world, &session(DEV, name));
    iam::delete_role(world, DEV, name);
    outcome
}

fn ask_log_reader(world: &mut World, caller: &Caller) -> Result<(), Stop> {
    let log = |name: &str| format!("arn:aws:logs:{REGION}:{DEV}:log-group:{name}:*");
    let dashboard = |name: &str| format!("arn:aws:cloudwatch::{DEV}:dashboard/{name}");
    let own = (log(NOTIFICATION_LOG), log("/aws/lambda/other"));
    let page = format!("pipeshare-consumer-{REGION}");
    let pages = (dashboard(&page), dashboard("other"));
    let everything = ("*".to_owned(), String::new());
    for (actions, (resource, other)) in [
        (&["cloudwatch:GetDashboard"][..], pages),
        (
            &[
                "logs:FilterLogEvents",
                "logs:GetLogRecord",
                "logs:GetQueryResults",
                "logs:StartQuery",
            ],
            own.clone(),
        ),
        (
            &[
                "cloudwatch:ListDashboards",
                "logs:DescribeLogGroups",
                "logs:DescribeQueryDefinitions",
                "logs:StopQuery",
            ],
            everything,
        ),
    ] {
        for action in actions {
            let mut may =
                |resource: &str| identity::permits(world, caller, &Wanted::new(*action, resource));
            let what = format!("who reads the log may call {action} on {resource}");
            hold(may(&resource), &what)?;
            let what = format!("who reads the log may not call {action} on {other}");
            hold(other.is_empty() || !may(&other), &what)?;
        }
    }
    for action in ["logs:DeleteLogGroup", "logs:PutLogEvents"] {
        let may = identity::permits(world, caller, &Wanted::new(action, &own.0));
        hold(!may, &format!("who reads the log may not call {action}"))?;
    }
    Ok(())
}

fn ask_people(world: &mut World, scientist: Role, engineer: Role) -> Result<(), Stop> {
    let named = |account: &str| json!({ "PipelineName": pipeline(account) });
    let run = |account: &str| json!({ "PipelineExecutionArn": format!("{}/execution/abcdefghijkl", pipeline(account)) });
    let look = [
        "DescribePipelineExecution",
        "DescribePipelineDefinitionForExecution",
        "ListPipelineExecutionSteps",
        "ListPipelineParametersForExecution",
    ];
    let operate = ["StopPipelineExecution", "RetryPipelineExecution"];
    let of_pipeline =
        ["DescribePipeline", "ListPipelineExecutions"].map(|it| (it, named as fn(&str) -> Value));
    let of_run = look.map(|it| (it, run as fn(&str) -> Value));
    for (operation, input) in of_pipeline.into_iter().chain(of_run) {
        let operation = format!("sagemaker:{operation}");
        allowed(world, scientist, &operation, input(TEST))?;
        allowed(world, engineer, &operation, input(TEST))?;
        refused(world, scientist, &operation, input(STRANGER))?;
    }
    let of_run = operate.map(|it| (it, run as fn(&str) -> Value));
    let start = [("StartPipelineExecution", named as fn(&str) -> Value)];
    for (operation, input) in start.into_iter().chain(of_run) {
        let operation = format!("sagemaker:{operation}");
        refused(world, scientist, &operation, input(TEST))?;
        allowed(world, engineer, &operation, input(TEST))?;
        refused(world, engineer, &operation, input(STRANGER))?;
    }
    for operation in [
        "ram:GetResourceShareInvitations",
        "ram:GetResourceShares",
        "ram:ListResources",
    ] {
        allowed(
            world,
            scientist,
            operation,
            json!({ "resourceOwner": "OTHER-ACCOUNTS" }),
        )?;
    }
    refused(world, engineer, "sagemaker:DeletePipeline", named(TEST))
}

/// Queues take events of their own rules alone, and the topic takes alarms.
pub(super) fn senders(world: &mut World) -> Result<(), Stop> {
    let rule = |account: &str, name: &str| format!("arn:aws:events:{REGION}:{account}:rule/{name}");
    let queues = [
        (SHARED, "undelivered", vec!["pipeshare-policy"]),
        (TEST, "owner-undelivered", vec!["pipeshare-owner-events"]),
        (
            DEV,
            "consumer-undelivered",
            vec![
                "pipeshare-consumer-events",
                "pipeshare/pipeshare-consumer-log",
            ],
        ),
    ];
    let of_functions = functions::queued().into_iter();
    let of_functions = of_functions.map(|it| (SHARED, it, vec!["pipeshare-schedule"]));
    for (account, name, own) in queues.into_iter().chain(of_functions) {
        let queue = format!("arn:aws:sqs:{REGION}:{account}:pipeshare-{name}");
        let stranger = sqs::deliver(world, &queue, &rule(account, "other"), "probe");
        hold(
            stranger.is_err(),
            &format!("{name} takes nothing from other rules"),
        )?;
        for own in own {
            let taken = sqs::deliver(world, &queue, &rule(account, own), "probe").is_ok();
            hold(taken, &format!("{name} takes what {own} sends"))?;
        }
        make(
            world,
            account,
            "sqs:PurgeQueue",
            json!({ "QueueUrl": queue_url(account, name) }),
        );
    }
    let topic = format!("arn:aws:sns:{REGION}:{SHARED}:pipeshare-hub");
    let alarm = |name: &str| format!("arn:aws:cloudwatch:{REGION}:{SHARED}:alarm:{name}");
    let taken = sns::deliver(world, &topic, &alarm("pipeshare-errors"), "an alarm");
    hold(taken.is_ok(), "the hub's topic takes the alarms of the hub")?;
    let other = sns::deliver(world, &topic, &alarm("other"), "an alarm");
    hold(other.is_err(), "the hub's topic takes no other alarms")?;
    topic_key(world, &topic)
}

/// CloudWatch uses the topic's key for the alarms of the hub alone, whatever topic they are
/// for, and EventBridge for rules of the hub's account alone.
fn topic_key(world: &mut World, topic: &str) -> Result<(), Stop> {
    let key = sns::key_of(world, topic).ok_or_else(|| Stop("the topic has a key".to_owned()))?;
    let alarm =
        |account: &str, name: &str| format!("arn:aws:cloudwatch:{REGION}:{account}:alarm:{name}");
    let rule = |account: &str| {
        format!("arn:aws:events:{REGION}:{account}:rule/pipeshare-hub/pipeshare-chat")
    };
    let own = alarm(SHARED, "pipeshare-errors");
    for (service, source, account, uses) in [
        ("cloudwatch", own.clone(), SHARED, true),
        (
            "cloudwatch",
            alarm(STRANGER, "pipeshare-errors"),
            STRANGER,
            false,
        ),
        ("cloudwatch", alarm(SHARED, "other"), SHARED, false),
        ("events", rule(SHARED), SHARED, true),
        ("events", rule(STRANGER), STRANGER, false),
        ("s3", own, SHARED, false),
    ] {
        for action in ["kms:Decrypt", "kms:GenerateDataKey"] {
            let service = format!("{service}.amazonaws.com");
            let request = Request::of_service(&service, &source, account, action, &key);
            let permitted = kms::permits(world, &request);
            let permitted = permitted.map_err(|error| Stop(error.to_string()))?;
            let what = format!("{service} may call {action} for {source}: {uses}");
            hold(permitted == uses, &what)?;
        }
    }
    Ok(())
}

pub(super) fn queue_url(account: &str, name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{account}/pipeshare-{name}")
}
