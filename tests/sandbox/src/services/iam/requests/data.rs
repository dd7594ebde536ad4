//! The requests of the services that carry messages, items and parameters.

use serde_json::Value;

use super::{Wanted, action};
use crate::{
    readings::Labels,
    services::{dynamodb, kms, lambda, sns, ssm},
    world::{Call, World},
};

/// An ARN in the caller's account and Region, unless the name is one already.
fn own(call: &Call, service: &str, prefix: &str, name: &str) -> String {
    if name.starts_with("arn:") {
        return name.to_owned();
    }
    let (region, account) = (&call.region, &call.caller.account);
    format!("arn:aws:{service}:{region}:{account}:{prefix}{name}")
}

/// Queues are named by URLs that end with account and name.
pub(super) fn sqs(call: &Call) -> Vec<Wanted> {
    let single = call.operation.strip_suffix("Batch");
    let action = format!("sqs:{}", single.unwrap_or(&call.operation));
    let url = call.text("QueueUrl").map(|url| {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let name = parts.next().unwrap_or_default();
        let account = parts.next().unwrap_or(&call.caller.account);
        format!("arn:aws:sqs:{}:{account}:{name}", call.region)
    });
    let named = || {
        call.text("QueueName")
            .map(|name| own(call, "sqs", "", name))
    };
    let source = || call.text("SourceArn").map(str::to_owned);
    let resource = url.or_else(named).or_else(source);
    let resource = resource.unwrap_or_else(|| "*".to_owned());
    vec![Wanted::new(action, resource)]
}

/// Whoever publishes to an encrypted topic must be allowed to use its key.
pub(super) fn sns(world: &World, call: &Call) -> Vec<Wanted> {
    let action = match call.operation.as_str() {
        "PublishBatch" => "sns:Publish".to_owned(),
        _ => action(call),
    };
    let arns = ["TopicArn", "TargetArn", "ResourceArn"];
    let topic = arns.iter().find_map(|member| call.text(member));
    // The ARN of a subscription is its topic's with one more part, and topics are what is asked for.
    let of_subscription = || {
        let arn = call.text("SubscriptionArn")?;
        arn.rsplit_once(':').map(|(topic, _)| topic.to_owned())
    };
    let named = || call.text("Name").map(|name| own(call, "sns", "", name));
    let resource = topic
        .map(str::to_owned)
        .or_else(of_subscription)
        .or_else(named);
    let resource = resource.unwrap_or_else(|| "*".to_owned());
    let key = match action.as_str() {
        "sns:Publish" => sns::key_of(world, &resource),
        _ => None,
    };
    let mut wanted = vec![Wanted::new(action, resource)];
    for action in kms::ACTIONS_OF_SENDERS {
        let through = format!("sns.{}.amazonaws.com", call.region);
        let key = key.iter().map(|key| Wanted::new(action, key));
        wanted.extend(key.map(|it| it.with("kms:ViaService", through.clone())));
    }
    wanted
}

/// Whoever has a secret decrypted must be allowed to use its key, through SSM and for that secret.
///
/// The version or label of a parameter is not part of its ARN.
///
/// Source: Systems Manager user guide, "AWS KMS encryption for AWS Systems
/// Manager Parameter Store `SecureString` parameters".
pub(super) fn ssm(world: &World, call: &Call) -> Vec<Wanted> {
    if call.operation == "DescribeParameters" {
        return vec![Wanted::new(action(call), "*")];
    }
    let mut names = call.texts("Names");
    let single = ["Name", "Path", "ResourceId"];
    names.extend(
        single
            .iter()
            .find_map(|member| call.text(member))
            .map(str::to_owned),
    );
    let arn = |name: &String| {
        // Only the last of an ARN's colons is before a version or label.
        let parts = if name.starts_with("arn:") { 6 } else { 1 };
        let parts = match world.readings.labels {
            Labels::Without => parts,
            Labels::With => parts + 1,
        };
        let name: Vec<&str> = name.split(':').take(parts).collect();
        let name = name.join(":");
        own(call, "ssm", "parameter/", name.trim_start_matches('/'))
    };
    let mut wanted: Vec<Wanted> = names
        .iter()
        .map(|name| Wanted::new(action(call), arn(name)))
        .collect();
    let through = format!("ssm.{}.amazonaws.com", call.region);
    for (parameter, key) in ssm::keys::needed(world, call) {
        let decrypt = Wanted::new("kms:Decrypt", key)
            .with("kms:ViaService", through.clone())
            .with("kms:EncryptionContext:PARAMETER_ARN", parameter);
        wanted.push(decrypt);
    }
    wanted
}

/// Roles by their ARNs, with the path that they have or are to have.
pub(super) fn iam(world: &World, call: &Call) -> Vec<Wanted> {
    let account = &call.caller.account;
    let name = call.text("RoleName").unwrap_or_default();
    let path = call.text("PathPrefix").or(call.text("Path")).unwrap_or("/");
    let resource = world.iam.role(account, name).map_or_else(
        || format!("arn:aws:iam::{account}:role{path}{name}"),
        |role| role.arn.clone(),
    );
    let mut wanted = Wanted::new(action(call), resource);
    for tag in call.input["Tags"].as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) {
            wanted = wanted
                .with(&format!("aws:RequestTag/{key}"), value)
                .with("aws:TagKeys", key);
        }
    }
    vec![wanted]
}

pub(super) fn sts(call: &Call) -> Vec<Wanted> {
    // STS tells everybody who they are.
    if call.operation == "GetCallerIdentity" {
        return Vec::new();
    }
    let mut wanted = Wanted::new(action(call), call.text("RoleArn").unwrap_or("*"));
    for (key, member) in [
        ("sts:ExternalId", "ExternalId"),
        ("sts:RoleSessionName", "RoleSessionName"),
    ] {
        if let Some(value) = call.text(member) {
            wanted = wanted.with(key, value);
        }
    }
    vec![wanted]
}

/// Jobs are no resources: whoever may answer one may answer all of the account.
pub(super) fn codepipeline(call: &Call) -> Vec<Wanted> {
    vec![Wanted::new(action(call), "*")]
}

/// The action for a call of a function is not named after the operation.
pub(super) fn lambda(call: &Call) -> Vec<Wanted> {
    let arn = lambda::resource(call);
    vec![Wanted::new(
        lambda::action(call),
        arn.unwrap_or_else(|| "*".to_owned()),
    )]
}

/// Events are put entry by entry; rules are known by their bus and name.
pub(super) fn events(call: &Call) -> Vec<Wanted> {
    if call.operation == "PutEvents" {
        let entries = call.input["Entries"].as_array();
        return entries
            .into_iter()
            .flatten()
            .map(|entry| put_event(call, entry))
            .collect();
    }
    let bus = call.text("EventBusName").unwrap_or("default");
    let rule = call.text("Rule").or(call.text("Name"));
    let resource = match (rule, call.operation.as_str()) {
        (_, "ListRules" | "ListEventBuses" | "TestEventPattern" | "ListRuleNamesByTarget") => {
            "*".to_owned()
        }
        (Some(bus), operation) if operation.ends_with("EventBus") => {
            own(call, "events", "event-bus/", bus)
        }
        (Some(rule), _) if bus == "default" => own(call, "events", "rule/", rule),
        (Some(rule), _) => {
            let bus = bus.rsplit('/').next().unwrap_or_default();
            own(call, "events", "rule/", &format!("{bus}/{rule}"))
        }
        (None, _) => match call.text("ResourceARN") {
            Some(arn) => arn.to_owned(),
            None => own(call, "events", "event-bus/", bus),
        },
    };
    vec![Wanted::new(action(call), resource)]
}

fn put_event(call: &Call, entry: &Value) -> Wanted {
    let bus = entry["EventBusName"].as_str().unwrap_or("default");
    let mut wanted = Wanted::new(action(call), own(call, "events", "event-bus/", bus));
    for (key, member) in [
        ("events:source", "Source"),
        ("events:detail-type", "DetailType"),
    ] {
        if let Some(value) = entry[member].as_str() {
            wanted = wanted.with(key, value);
        }
    }
    wanted
}

/// Tables by their ARN, with the partition keys of the items that are asked for.
pub(super) fn dynamodb(world: &World, call: &Call) -> Vec<Wanted> {
    let accesses = dynamodb::accesses(world, call);
    let wanted = accesses.into_iter().map(|access| {
        let action = format!("dynamodb:{}", access.action);
        let table = own(call, "dynamodb", "table/", &access.table);
        let wanted = Wanted::new(action, table);
        let keys = access.leading_keys.into_iter();
        keys.fold(wanted, |wanted, key| {
            wanted.with("dynamodb:LeadingKeys", key)
        })
    });
    wanted.collect()
}
