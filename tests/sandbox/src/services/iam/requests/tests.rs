use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    services::{dynamodb as tables, ram as shares, sagemaker as pipelines},
    world::Caller,
};

const OWNER: &str = "222222222222";
const PIPELINE: &str = "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn";

fn asked(service: &str, operation: &str, input: Value) -> Call {
    Call {
        caller: Caller::administrator(OWNER),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let pipeline = json!({
        "PipelineName": "churn",
        "RoleArn": "arn:aws:iam::222222222222:role/pipelines",
        "PipelineDefinition": r#"{"Version":"2020-12-01","Steps":[]}"#,
        "ClientRequestToken": "0123456789012345678901234567890123",
        "Tags": [{ "Key": "team", "Value": "ml" }],
    });
    pipelines::call(&mut world, &asked("sagemaker", "CreatePipeline", pipeline)).unwrap();
    world
}

fn wanted(service: &str, operation: &str, input: Value) -> Vec<Wanted> {
    of(&world(), &asked(service, operation, input)).unwrap()
}

fn actions_and_resources(service: &str, operation: &str, input: Value) -> Vec<String> {
    let wanted = wanted(service, operation, input);
    let texts = wanted
        .iter()
        .map(|it| format!("{} {}", it.action, it.resource));
    texts.collect()
}

/// The values of a condition key in each of the requests.
fn values(wanted: &[Wanted], key: &str) -> Vec<Vec<String>> {
    let of_one = |it: &Wanted| {
        let values = it.context.iter().filter(|(name, _)| name == key);
        values.map(|(_, value)| value.clone()).collect()
    };
    wanted.iter().map(of_one).collect()
}

#[test]
fn a_role_is_asked_for_with_its_path_also_before_it_is_made() {
    let create = json!({ "RoleName": "me", "Path": "/team/" });
    let texts = actions_and_resources("iam", "CreateRole", create);
    assert_eq!(
        texts,
        ["iam:CreateRole arn:aws:iam::222222222222:role/team/me"]
    );
    let texts = actions_and_resources("iam", "ListRoles", json!({ "PathPrefix": "/team/" }));
    assert_eq!(
        texts,
        ["iam:ListRoles arn:aws:iam::222222222222:role/team/"]
    );
}

#[test]
fn every_principal_every_resource_and_the_bare_share_are_asked_for_by_themselves() {
    let mut world = world();
    let create = json!({ "name": "team-x", "tags": [{ "key": "k", "value": "v" }] });
    let share = shares::call(&mut world, &asked("ram", "CreateResourceShare", create)).unwrap();
    let arn = share["resourceShare"]["resourceShareArn"].clone();

    let input = json!({
        "resourceShareArn": arn,
        "principals": ["111111111111", "333333333333"],
        "resourceArns": [PIPELINE],
    });
    let wanted = of(&world, &asked("ram", "AssociateResourceShare", input)).unwrap();
    let of_share: Vec<Wanted> = wanted
        .into_iter()
        .filter(|it| it.action == "ram:AssociateResourceShare")
        .collect();
    assert!(of_share.iter().all(|it| it.resource == arn));
    assert_eq!(
        values(&of_share, "ram:Principal"),
        [vec!["111111111111"], vec!["333333333333"], vec![], vec![]]
    );
    assert_eq!(
        values(&of_share, "ram:RequestedResourceType"),
        [vec![], vec![], vec!["sagemaker:Pipeline"], vec![]]
    );
    assert_eq!(values(&of_share, "ram:ResourceArn")[2], [PIPELINE]);
    for key in [
        "ram:ResourceShareName",
        "aws:ResourceTag/k",
        "ram:AllowsExternalPrincipals",
    ] {
        assert!(
            values(&of_share, key)
                .iter()
                .all(|values| values.len() == 1),
            "{key}"
        );
    }
}

#[test]
fn a_new_share_needs_its_tags_its_permission_and_the_policies_of_its_pipelines() {
    let permission = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline";
    let input = json!({
        "name": "team-x",
        "resourceArns": [PIPELINE],
        "permissionArns": [permission],
        "tags": [{ "key": "k", "value": "v" }],
    });
    let wanted = wanted("ram", "CreateResourceShare", input);
    let mut actions: Vec<&str> = wanted.iter().map(|it| it.action.as_str()).collect();
    actions.dedup();
    assert_eq!(
        actions,
        [
            "ram:CreateResourceShare",
            "ram:TagResource",
            "ram:AssociateResourceSharePermission",
            "sagemaker:GetResourcePolicy",
            "sagemaker:PutResourcePolicy",
        ]
    );
    // Unless told not to, RAM admits everybody.
    assert_eq!(
        values(&wanted, "ram:RequestedAllowsExternalPrincipals")[0],
        ["true"]
    );
    assert_eq!(
        values(&wanted, "ram:PermissionArn").concat(),
        [permission, permission]
    );
    assert_eq!(values(&wanted, "aws:RequestTag/k")[0], ["v"]);
}

#[test]
fn pipelines_are_known_by_their_arn_whether_named_or_not() {
    for input in [
        json!({ "PipelineName": "churn" }),
        json!({ "PipelineName": PIPELINE }),
    ] {
        let wanted = wanted("sagemaker", "DescribePipeline", input);
        assert_eq!(wanted[0].resource, PIPELINE);
        assert_eq!(values(&wanted, "aws:ResourceTag/team"), [["ml"]]);
    }
    let execution = format!("{PIPELINE}/execution/abcdefghijkl");
    let input = json!({ "PipelineExecutionArn": execution });
    let stop = actions_and_resources("sagemaker", "StopPipelineExecution", input);
    assert_eq!(
        stop,
        [format!("sagemaker:StopPipelineExecution {execution}")]
    );
    let list = actions_and_resources("sagemaker", "ListPipelines", json!({}));
    assert_eq!(list, ["sagemaker:ListPipelines *"]);
}

#[test]
fn whoever_makes_a_pipeline_passes_its_role() {
    let role = "arn:aws:iam::222222222222:role/pipelines";
    let input = json!({ "PipelineName": "new", "RoleArn": role });
    let wanted = wanted("sagemaker", "CreatePipeline", input);
    assert_eq!(
        (wanted[1].action.as_str(), wanted[1].resource.as_str()),
        ("iam:PassRole", role)
    );
    assert_eq!(
        values(&wanted, "iam:PassedToService")[1],
        ["sagemaker.amazonaws.com"]
    );
}

#[test]
fn operations_on_items_tell_the_partitions_that_they_touch() {
    let mut world = world();
    let table = json!({
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
    });
    tables::create_table(&mut world, OWNER, "eu-west-1", "t", &table).unwrap();
    let keys = |operation: &str, mut input: Value| {
        if operation != "TransactWriteItems" {
            input["TableName"] = json!("t");
        }
        let wanted = of(&world, &asked("dynamodb", operation, input)).unwrap();
        let keys = values(&wanted, "dynamodb:LeadingKeys").concat();
        let actions: Vec<String> = wanted.into_iter().map(|it| it.action).collect();
        (actions.join(" "), keys)
    };
    let item = json!({ "pk": { "S": "gate|r" }, "sk": { "S": "1" } });
    let one = |action: &str| (format!("dynamodb:{action}"), vec!["gate|r".to_owned()]);
    assert_eq!(keys("PutItem", json!({ "Item": item })), one("PutItem"));
    assert_eq!(keys("GetItem", json!({ "Key": item })), one("GetItem"));
    assert_eq!(
        keys("UpdateItem", json!({ "Key": item })),
        one("UpdateItem")
    );
    let query = json!({
        "KeyConditionExpression": "begins_with(sk, :s) AND #p = :p",
        "ExpressionAttributeNames": { "#p": "pk" },
        "ExpressionAttributeValues": { ":p": { "S": "gate|r" }, ":s": { "S": "1" } },
    });
    assert_eq!(keys("Query", query), one("Query"));
    assert_eq!(keys("Scan", json!({})).1, Vec::<String>::new());
    let transaction = json!({ "TransactItems": [
        { "Put": { "TableName": "t", "Item": item } },
        { "ConditionCheck": { "TableName": "t", "Key": item } },
    ]});
    let (actions, touched) = keys("TransactWriteItems", transaction);
    assert_eq!(actions, "dynamodb:PutItem dynamodb:ConditionCheckItem");
    assert_eq!(touched, ["gate|r", "gate|r"]);
}

#[test]
fn actions_are_named_as_iam_names_them() {
    let queue = "https://sqs.eu-west-1.amazonaws.com/222222222222/jobs";
    for (service, operation, input, expected) in [
        (
            "sqs",
            "SendMessageBatch",
            json!({ "QueueUrl": queue }),
            "sqs:SendMessage arn:aws:sqs:eu-west-1:222222222222:jobs",
        ),
        (
            "sns",
            "PublishBatch",
            json!({ "TopicArn": "arn:aws:sns:eu-west-1:222222222222:t" }),
            "sns:Publish arn:aws:sns:eu-west-1:222222222222:t",
        ),
        (
            "lambda",
            "Invoke",
            json!({ "FunctionName": "f" }),
            "lambda:InvokeFunction arn:aws:lambda:eu-west-1:222222222222:function:f",
        ),
        (
            "ssm",
            "GetParameter",
            json!({ "Name": "/team/policy:in-force" }),
            "ssm:GetParameter arn:aws:ssm:eu-west-1:222222222222:parameter/team/policy",
        ),
        (
            "ssm",
            "GetParameter",
            json!({ "Name": "arn:aws:ssm:eu-west-1:222222222222:parameter/p:3" }),
            "ssm:GetParameter arn:aws:ssm:eu-west-1:222222222222:parameter/p",
        ),
        (
            "events",
            "PutEvents",
            json!({ "Entries": [{ "EventBusName": "hub" }] }),
            "events:PutEvents arn:aws:events:eu-west-1:222222222222:event-bus/hub",
        ),
        (
            "events",
            "DescribeRule",
            json!({ "Name": "r", "EventBusName": "hub" }),
            "events:DescribeRule arn:aws:events:eu-west-1:222222222222:rule/hub/r",
        ),
    ] {
        assert_eq!(actions_and_resources(service, operation, input), [expected]);
    }
    assert!(wanted("sts", "GetCallerIdentity", json!({})).is_empty());
}
