//! What each role may do and what it may not, asked of the very policies of the templates.

use e2e::{DEV, REGION, SHARED, Scenario, TEST};
use sandbox::{
    http::perform,
    readings::{NewSharePermission, PermissionKeys, PermissionResources, Readings},
    services::{
        iam::{
            self, identity,
            policy::{Decision, Request, evaluate},
            requests,
        },
        kms, sns, sqs,
    },
    world::{AssumedRole, Call, Caller, World},
};
use serde_json::{Value, json};

use crate::tour::{Stop, hold};

const STRANGER: &str = "666666666666";
const READ: &str = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
const ALL_FUNCTIONS: &[&str] = &[
    "share-pipeline",
    "accept-invitation",
    "forward-status",
    "codepipeline-hook",
];
const FUNCTIONS: [&str; 3] = ["share-pipeline", "accept-invitation", "forward-status"];

/// Who asks: a role of an account.
type Role = (&'static str, &'static str);

const OWNER: Role = (TEST, "pipeshare-owner-us-east-1");
const READER: Role = (TEST, "pipeshare-reader-us-east-1");
const WATCHER: Role = (TEST, "pipeshare-watcher-us-east-1");
const CONSUMER: Role = (DEV, "pipeshare-consumer-us-east-1");
const NOTIFIER: Role = (DEV, "pipeshare-notifier-us-east-1");
const PROVER: Role = (DEV, "pipeshare-prover-us-east-1");
const RUNNER: Role = (TEST, "pipeshare-runner-us-east-1");
const HOOK: Role = (SHARED, "pipeshare-codepipeline-hook-us-east-1");

/// Which functions each role in an account is for.
const USERS: [(Role, &[&str]); 7] = [
    (READER, &["share-pipeline"]),
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
    partitions(&mut world)?;
    owner(&mut world)?;
    consumer(&mut world)?;
    reader(&mut world)?;
    watcher(&mut world)?;
    runner(&mut world)?;
    hook(&mut world)?;
    trust(&mut world)?;
    functions(&mut world)?;
    people(&mut world)?;
    senders(&mut world)
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
    let used = world.iam.used.clone();
    let may = wanted
        .iter()
        .all(|it| identity::permits(world, &call.caller, it));
    world.iam.used = used;
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
    let used = world.iam.used.clone();
    let mut of_action = wanted.iter().filter(|it| it.action == operation);
    let any = of_action.any(|it| identity::permits(world, &call.caller, it));
    world.iam.used = used;
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

fn owner(world: &mut World) -> Result<(), Stop> {
    let ours = share(world, TEST, "pipeshare-probe", &managed());
    let untagged = share(world, TEST, "pipeshare-untagged", &json!([]));
    let named_otherwise = share(world, TEST, "probe", &managed());
    let outcome = changes(world, &ours, &[&untagged, &named_otherwise])
        .and_then(|()| withdrawal(world, &ours, &untagged, &named_otherwise))
        .and_then(|()| creation(world));
    for share in [&ours, &untagged, &named_otherwise] {
        forget(world, TEST, share);
    }
    outcome
}

/// What may come into shares of ours, and that nothing happens to those of others.
fn changes(world: &mut World, ours: &str, others: &[&String]) -> Result<(), Stop> {
    let add = "ram:AssociateResourceShare";
    let with = |share: &str, member: &str, value: &str| json!({ "resourceShareArn": share, member: [value] });
    allowed(world, OWNER, add, with(ours, "principals", DEV))?;
    refused(world, OWNER, add, with(ours, "principals", STRANGER))?;
    allowed(
        world,
        OWNER,
        add,
        with(ours, "resourceArns", &pipeline(TEST)),
    )?;
    for resource in [
        format!("arn:aws:ec2:{REGION}:{TEST}:subnet/subnet-1"),
        format!("arn:aws:sagemaker:{REGION}:{TEST}:model-package-group/g"),
        format!("arn:aws:sagemaker:eu-west-1:{TEST}:pipeline/probe"),
        pipeline(DEV),
    ] {
        refused(world, OWNER, add, with(ours, "resourceArns", &resource))?;
    }
    let permission = |share: &str, arn: &str| json!({ "resourceShareArn": share, "permissionArn": arn, "replace": true });
    let replace = "ram:AssociateResourceSharePermission";
    allowed(world, OWNER, replace, permission(ours, READ))?;
    let foreign = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet";
    let custom = format!("arn:aws:ram:{REGION}:{TEST}:permission/pipeshare-custom");
    allowed(world, OWNER, replace, permission(ours, &custom))?;
    let own = format!("arn:aws:ram:{REGION}:{TEST}:permission/everything");
    let readings = world.readings;
    for permission in [foreign, &own].map(|arn| permission(ours, arn)) {
        if readings.permission_keys != PermissionKeys::ByResource {
            refused_throughout(world, OWNER, replace, permission)?;
        } else if bounds_permissions(&readings) {
            refused(world, OWNER, replace, permission)?;
        }
    }
    for other in others {
        let bare = json!({ "resourceShareArn": other });
        refused_throughout(world, OWNER, add, with(other, "principals", DEV))?;
        let pipeline = with(other, "resourceArns", &pipeline(TEST));
        refused_throughout(world, OWNER, add, pipeline)?;
        refused_throughout(world, OWNER, add, bare.clone())?;
        refused_throughout(world, OWNER, "ram:UpdateResourceShare", bare)?;
    }
    // A share that is being created has no tags yet, so the name alone tells whose it is.
    let named_otherwise = others.last().map_or("", |share| share.as_str());
    let tagging = json!({ "resourceShareArn": named_otherwise, "tags": managed() });
    refused_throughout(world, OWNER, "ram:TagResource", tagging)?;
    if bounds_shares(&readings) {
        refused(world, OWNER, replace, permission(named_otherwise, READ))?;
        refused(world, OWNER, replace, permission(named_otherwise, &custom))?;
    }
    Ok(())
}

/// Whether a policy can bound which permissions are given, by what AWS asks about.
fn bounds_permissions(readings: &Readings) -> bool {
    readings.permission_keys != PermissionKeys::ByResource
        || readings.permission_resources != PermissionResources::Share
}

/// Whether it can bound which permissions a share is created with.
fn bounds_new_shares(readings: &Readings) -> bool {
    bounds_permissions(readings) && readings.new_share_permission == NewSharePermission::Asked
}

/// Whether it can bound the shares that are given another permission.
fn bounds_shares(readings: &Readings) -> bool {
    readings.permission_resources != PermissionResources::Permission
        || readings.permission_keys == PermissionKeys::All
}

/// That access is taken out of shares with our tag and a name of ours, and out of no others.
fn withdrawal(
    world: &mut World,
    ours: &str,
    untagged: &str,
    named_otherwise: &str,
) -> Result<(), Stop> {
    let remove = "ram:DisassociateResourceShare";
    let delete = "ram:DeleteResourceShare";
    let principal = |share: &str| json!({ "resourceShareArn": share, "principals": [DEV] });
    let bare = |share: &str| json!({ "resourceShareArn": share });
    for other in [untagged, named_otherwise] {
        refused_throughout(world, OWNER, remove, principal(other))?;
        refused_throughout(world, OWNER, delete, bare(other))?;
    }
    allowed(world, OWNER, remove, principal(ours))?;
    allowed(world, OWNER, delete, bare(ours))
}

fn creation(world: &mut World) -> Result<(), Stop> {
    let create = "ram:CreateResourceShare";
    let new = |more: Value| {
        let mut input =
            json!({ "name": "pipeshare-new", "permissionArns": [READ], "tags": managed() });
        for (member, value) in more.as_object().into_iter().flatten() {
            input[member] = value.clone();
        }
        input
    };
    allowed(world, OWNER, create, new(json!({})))?;
    for more in [
        json!({ "tags": [] }),
        json!({ "tags": [{ "key": "pipeshare:managed", "value": "false" }] }),
        json!({ "tags": [
            { "key": "pipeshare:managed", "value": "true" },
            { "key": "owner", "value": "somebody-else" },
        ]}),
        json!({ "principals": [STRANGER] }),
        json!({ "resourceArns": [format!("arn:aws:ec2:{REGION}:{TEST}:subnet/subnet-1")] }),
    ] {
        refused(world, OWNER, create, new(more))?;
    }
    let own = format!("arn:aws:ram:{REGION}:{TEST}:permission/everything");
    for permission in [
        "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet",
        &own,
    ] {
        if bounds_new_shares(&world.readings) {
            let more = json!({ "permissionArns": [permission] });
            refused(world, OWNER, create, new(more))?;
        }
    }
    let tag = |tags: Value| {
        let share = format!("arn:aws:ram:{REGION}:{TEST}:resource-share/any");
        json!({ "resourceShareArn": share, "tags": tags })
    };
    for tags in [
        json!([{ "key": "cost", "value": "1" }]),
        json!([{ "key": "pipeshare:rule", "value": "r" }]),
    ] {
        refused(world, OWNER, "ram:TagResource", tag(tags))?;
    }
    refused(
        world,
        OWNER,
        "sagemaker:StartPipelineExecution",
        json!({ "PipelineName": "probe" }),
    )
}

fn consumer(world: &mut World) -> Result<(), Stop> {
    for (owner, name, accepts, answers) in [
        (TEST, "pipeshare-probe", true, true),
        (STRANGER, "pipeshare-probe", false, true),
        (TEST, "golden-images", false, false),
    ] {
        let share = share(world, owner, name, &json!([]));
        let invite = json!({ "resourceShareArn": share, "principals": [DEV] });
        make(world, owner, "ram:AssociateResourceShare", invite);
        world.now += std::time::Duration::from_secs(2);
        world.run_due();
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
fn watcher(world: &mut World) -> Result<(), Stop> {
    let search = json!({ "Resource": "PipelineExecution" });
    allowed(world, WATCHER, "sagemaker:Search", search.clone())?;
    for other in [READER, OWNER, RUNNER] {
        refused(world, other, "sagemaker:Search", search.clone())?;
    }
    let run = |account: &str| json!({ "PipelineExecutionArn": format!("{}/execution/abcdefghijkl", pipeline(account)) });
    for operation in ["DescribePipelineExecution", "ListPipelineExecutionSteps"] {
        let operation = format!("sagemaker:{operation}");
        allowed(world, WATCHER, &operation, run(TEST))?;
        refused(world, WATCHER, &operation, run(DEV))?;
        refused(world, READER, &operation, run(TEST))?;
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

fn reader(world: &mut World) -> Result<(), Stop> {
    let own = json!({ "PipelineName": "probe" });
    allowed(
        world,
        READER,
        "sagemaker:ListPipelineExecutions",
        own.clone(),
    )?;
    refused(world, READER, "sagemaker:StartPipelineExecution", own)?;
    let foreign = json!({ "PipelineName": pipeline(DEV) });
    refused(world, READER, "sagemaker:ListPipelineExecutions", foreign)?;
    ceiling(world, READER)?;
    let written = json!({ "Name": "/pipeshare/ceiling" });
    refused(world, OWNER, "ssm:PutParameter", written)
}

fn runner(world: &mut World) -> Result<(), Stop> {
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
fn hook(world: &mut World) -> Result<(), Stop> {
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

/// Only the functions that need a role get it, and only in the organization.
fn trust(world: &mut World) -> Result<(), Stop> {
    for ((account, role), users) in USERS {
        for function in ALL_FUNCTIONS {
            let uses = users.contains(function);
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
            world.organization.members.remove(SHARED);
            let outside = assumes(world);
            world.organization.members.insert(SHARED.to_owned());
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
    let found = world.iam.role(account, role);
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

fn functions(world: &mut World) -> Result<(), Stop> {
    const HUB: [Role; 3] = [
        (SHARED, "pipeshare-share-pipeline-us-east-1"),
        (SHARED, "pipeshare-accept-invitation-us-east-1"),
        (SHARED, "pipeshare-forward-status-us-east-1"),
    ];
    keys(world, (SHARED, "pipeshare-codepipeline-hook-us-east-1"))?;
    for (function, role) in FUNCTIONS.into_iter().zip(HUB) {
        keys(world, role)?;
        for other in FUNCTIONS.into_iter().filter(|other| *other != function) {
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

/// Each function puts, deletes and lists what it needs in the partitions of the
/// table, and in those of others nothing.
fn partitions(world: &mut World) -> Result<(), Stop> {
    const OWNERS: &str = "owners";
    const MARKS: &str = "watermark";
    const TOLD: &str = "told|hub";
    const CONSUMERS: &str = "shared";
    const SHARED_WITH: &str = "shared|111111111111";
    const SUCCEEDED: &str = "gate|succeeded|222222222222";
    const HOOKED: &str = "gate|hook|222222222222";
    const RUNS: &str = "run|x";
    const ALL: [&str; 12] = [
        OWNERS,
        MARKS,
        TOLD,
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
    let table: [(&str, [&[&str]; 5]); 4] = [
        (
            "share-pipeline",
            [
                &[OWNERS, TOLD, SUCCEEDED],
                &[TOLD],
                &[TOLD],
                &[OWNERS, SUCCEEDED, HOOKED],
                &[OWNERS, SUCCEEDED, HOOKED],
            ],
        ),
        (
            "accept-invitation",
            [
                &[TOLD, CONSUMERS, SHARED_WITH],
                &[TOLD],
                &[TOLD],
                &[CONSUMERS, SHARED_WITH],
                &[CONSUMERS, SHARED_WITH],
            ],
        ),
        (
            "forward-status",
            [&[TOLD, MARKS], &[TOLD], &[TOLD], &[MARKS], &[MARKS, TOLD]],
        ),
        (
            "codepipeline-hook",
            [&[HOOKED, RUNS], &[], &[], &[], &[RUNS]],
        ),
    ];
    for (function, rights) in table {
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

/// The policies for people do what their names say with what is shared, and nothing else.
fn people(world: &mut World) -> Result<(), Stop> {
    let arn = |name: &str| format!("arn:aws:iam::{DEV}:policy/pipeshare-{name}-{REGION}");
    for (name, policies) in [
        ("scientist", vec![arn("reader")]),
        ("engineer", vec![arn("reader"), arn("operator")]),
    ] {
        let properties = json!({
            "AssumeRolePolicyDocument": { "Statement": [] },
            "ManagedPolicyArns": policies,
        });
        iam::create_role(world, DEV, name, &properties).map_err(|error| Stop(error.to_string()))?;
    }
    let (scientist, engineer) = ((DEV, "scientist"), (DEV, "engineer"));
    let outcome = ask_people(world, scientist, engineer);
    for (account, name) in [scientist, engineer] {
        iam::delete_role(world, account, name);
    }
    outcome
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
fn senders(world: &mut World) -> Result<(), Stop> {
    let rule = |account: &str, name: &str| format!("arn:aws:events:{REGION}:{account}:rule/{name}");
    let queues = [
        (SHARED, "undelivered", rule(SHARED, "pipeshare-policy")),
        (
            TEST,
            "owner-undelivered",
            rule(TEST, "pipeshare-owner-events"),
        ),
        (
            DEV,
            "consumer-undelivered",
            rule(DEV, "pipeshare-consumer-events"),
        ),
    ];
    let of_functions = FUNCTIONS.map(|it| (SHARED, it, rule(SHARED, "pipeshare-sweep")));
    for (account, name, own) in queues.into_iter().chain(of_functions) {
        let queue = format!("arn:aws:sqs:{REGION}:{account}:pipeshare-{name}");
        let stranger = sqs::deliver(world, &queue, &rule(account, "other"), "probe");
        hold(
            stranger.is_err(),
            &format!("{name} takes nothing from other rules"),
        )?;
        let taken = sqs::deliver(world, &queue, &own, "probe").is_ok();
        hold(taken, &format!("{name} takes what its rules send"))?;
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

/// CloudWatch uses the topic's key for the alarms of the hub alone, whatever topic they are for.
fn topic_key(world: &mut World, topic: &str) -> Result<(), Stop> {
    let key = sns::key_of(world, topic).ok_or_else(|| Stop("the topic has a key".to_owned()))?;
    let alarm =
        |account: &str, name: &str| format!("arn:aws:cloudwatch:{REGION}:{account}:alarm:{name}");
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
        ("events", own, SHARED, false),
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

fn queue_url(account: &str, name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{account}/pipeshare-{name}")
}
