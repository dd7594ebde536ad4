use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{services::iam, world::AssumedRole};

const ACCOUNT: &str = "111111111111";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:jobs";

fn caller() -> Caller {
    Caller {
        account: ACCOUNT.to_owned(),
        role: Some(AssumedRole {
            name: "worker".to_owned(),
            session: "me".to_owned(),
        }),
    }
}

/// A world with the role `worker`, which has these properties besides its trust.
fn world(mut properties: Value) -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    properties["AssumeRolePolicyDocument"] = json!({ "Statement": [] });
    iam::create_role(&mut world, ACCOUNT, "worker", &properties).unwrap();
    world
}

fn with_statements(statements: &Value) -> World {
    let document = json!({ "Statement": statements });
    world(json!({ "Policies": [{ "PolicyName": "work", "PolicyDocument": document }] }))
}

fn send() -> Wanted {
    Wanted::new("sqs:SendMessage", QUEUE)
}

fn refusal(world: &mut World, wanted: &Wanted) -> String {
    check(world, &caller(), wanted).unwrap_err().message
}

#[test]
fn an_administrator_may_do_everything_and_a_role_nothing_by_itself() {
    let mut world = with_statements(&json!([]));
    check(&mut world, &Caller::administrator(ACCOUNT), &send()).unwrap();
    assert_eq!(
        refusal(&mut world, &send()),
        "User: arn:aws:sts::111111111111:assumed-role/worker/me is not authorized to perform: \
         sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111111111111:jobs \
         because no identity-based policy allows it"
    );
}

#[test]
fn action_resource_and_conditions_of_one_statement_must_all_fit() {
    let fits = |statement: Value| {
        let mut world = with_statements(&statement);
        permits(
            &mut world,
            &caller(),
            &send().with("aws:RequestedRegion", "eu-west-1"),
        )
    };
    let statement = |action: &str, resource: &str, region: &str| {
        json!({
            "Effect": "Allow", "Action": [action], "Resource": [resource],
            "Condition": { "StringEquals": { "aws:RequestedRegion": region } },
        })
    };
    assert!(fits(statement(
        "SQS:Send*",
        "arn:aws:sqs:*:111111111111:j?bs",
        "eu-west-1"
    )));
    assert!(!fits(statement("sqs:ReceiveMessage", QUEUE, "eu-west-1")));
    assert!(!fits(statement(
        "sqs:SendMessage",
        "arn:aws:sqs:*:*:other",
        "eu-west-1"
    )));
    assert!(!fits(statement("sqs:SendMessage", QUEUE, "us-east-1")));
    assert!(!fits(json!([
        statement("sqs:SendMessage", QUEUE, "us-east-1"),
        statement("sqs:ReceiveMessage", QUEUE, "eu-west-1"),
    ])));
}

#[test]
fn a_variable_stands_for_the_value_of_its_key() {
    let own = "arn:aws:sqs:*:${aws:PrincipalAccount}:*";
    let allow =
        |resource: &str| json!({ "Effect": "Allow", "Action": "sqs:*", "Resource": resource });
    assert!(permits(
        &mut with_statements(&allow(own)),
        &caller(),
        &send()
    ));
    let foreign = Wanted::new("sqs:SendMessage", "arn:aws:sqs:eu-west-1:222222222222:jobs");
    assert!(!permits(
        &mut with_statements(&allow(own)),
        &caller(),
        &foreign
    ));
    let unknown = allow("arn:aws:sqs:*:${aws:SourceAccount}:*");
    assert!(!permits(&mut with_statements(&unknown), &caller(), &send()));
}

#[test]
fn a_denial_wins_and_says_so() {
    let mut world = with_statements(&json!([
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "sqs:*", "Resource": "*" },
    ]));
    assert!(refusal(&mut world, &send()).ends_with("an explicit deny in an identity-based policy"));
}

#[test]
fn policies_that_a_role_names_count_as_its_own() {
    let arn = "arn:aws:iam::111111111111:policy/team/sending";
    let mut world = world(json!({ "ManagedPolicyArns": [arn] }));
    assert_eq!(
        check(&mut world, &caller(), &send()).unwrap_err().status,
        501
    );

    let allow = json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*" });
    let policy = json!({ "PolicyDocument": { "Statement": allow } });
    iam::create_managed_policy(&mut world, ACCOUNT, "sending", &policy).unwrap();
    check(&mut world, &caller(), &send()).unwrap();
}

#[test]
fn a_boundary_takes_away_and_gives_nothing() {
    let allow = |action: &str| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    let bounded = |inside: &str, boundary: Value| {
        let arn = "arn:aws:iam::111111111111:policy/boundary";
        let document = json!({ "Statement": allow(inside) });
        let mut world = world(json!({
            "PermissionsBoundary": arn,
            "Policies": [{ "PolicyName": "work", "PolicyDocument": document }],
        }));
        let policy = json!({ "PolicyDocument": { "Statement": boundary } });
        iam::create_managed_policy(&mut world, ACCOUNT, "boundary", &policy).unwrap();
        permits(&mut world, &caller(), &send())
    };
    assert!(bounded("sqs:*", allow("*")));
    assert!(!bounded("sqs:*", allow("sns:*")));
    assert!(!bounded("sns:*", allow("*")));
    let deny = json!({ "Effect": "Deny", "Action": "sqs:*", "Resource": "*" });
    assert!(!bounded("sqs:*", json!([allow("*"), deny])));
}

#[test]
fn what_was_used_is_told_apart_from_what_was_granted() {
    let other = "arn:aws:sqs:eu-west-1:111111111111:other";
    let mut world = with_statements(&json!([
        {
            "Sid": "Send", "Effect": "Allow",
            "Action": ["sqs:SendMessage", "sqs:PurgeQueue"], "Resource": [QUEUE, other],
        },
    ]));
    check(&mut world, &caller(), &send()).unwrap();

    let granted = granted(&world, ACCOUNT, "worker");
    assert_eq!(granted.len(), 4);
    let unused: Vec<_> = granted.difference(&world.iam.used).collect();
    assert_eq!(unused.len(), 3);
    let used = world.iam.used.first().unwrap();
    assert_eq!(
        (used.statement.as_str(), used.resource.as_str()),
        ("Send", QUEUE)
    );
}
