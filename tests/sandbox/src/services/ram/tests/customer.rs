//! Customer managed permissions.

use super::*;

const START: &str = "sagemaker:StartPipelineExecution";
const DESCRIBE: &str = "sagemaker:DescribePipeline";

fn template(actions: &[&str]) -> String {
    json!({ "Effect": "Allow", "Action": actions }).to_string()
}

fn make(world: &mut World, name: &str, policy: &str) -> Result<Value, ApiError> {
    let input = json!({
        "name": name, "resourceType": "sagemaker:Pipeline", "policyTemplate": policy,
    });
    ask(world, OWNER, "CreatePermission", input)
}

/// The ARN of a new permission to describe pipelines.
fn made(world: &mut World, name: &str) -> String {
    let answer = make(world, name, &template(&[DESCRIBE])).unwrap();
    text(&answer, "/permission/arn")
}

fn add_version(world: &mut World, arn: &str, actions: &[&str]) -> Value {
    let input = json!({ "permissionArn": arn, "policyTemplate": template(actions) });
    ok(world, OWNER, "CreatePermissionVersion", input)
}

fn versions(world: &mut World, arn: &str) -> Vec<String> {
    let input = json!({ "permissionArn": arn });
    let answer = ok(world, OWNER, "ListPermissionVersions", input);
    answer["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| format!("{} {}", text(each, "/version"), text(each, "/status")))
        .collect()
}

/// A share of `train` with the consumer of the same organization.
fn shared(world: &mut World, permission: &str) -> String {
    create(
        world,
        json!({
            "name": "s", "permissionArns": [permission],
            "resourceArns": [TRAIN], "principals": [CONSUMER],
        }),
    )
}

fn consumer_may(world: &World, action: &str) -> bool {
    may(world, &Caller::administrator(CONSUMER), action, TRAIN)
}

#[test]
fn a_new_permission_is_the_owners_own_in_its_region() {
    let mut world = world();
    let answer = make(&mut world, "Own_1.-", &template(&[DESCRIBE])).unwrap();
    let permission = &answer["permission"];
    let arn = "arn:aws:ram:eu-west-1:111111111111:permission/Own_1.-";
    assert_eq!(permission["arn"], arn);
    assert_eq!(permission["version"], "1");
    assert_eq!(permission["status"], "ATTACHABLE");
    assert_eq!(permission["permissionType"], "CUSTOMER_MANAGED");
    let get = json!({ "permissionArn": arn });
    let code = error(&mut world, STRANGER, "GetPermission", get.clone());
    assert_eq!(code, "UnknownResourceException");
    let elsewhere = Call {
        region: "us-east-1".to_owned(),
        ..call(OWNER, "GetPermission", get)
    };
    let code = crate::services::ram::call(&mut world, &elsewhere)
        .unwrap_err()
        .code;
    assert_eq!(code, "UnknownResourceException");
}

#[test]
fn lists_tell_permissions_of_customers_from_those_of_aws() {
    let mut world = world();
    let arn = made(&mut world, "own");
    let list = |world: &mut World, account: &str, kind: &str| {
        let input = json!({ "permissionType": kind, "resourceType": "sagemaker:pipeline" });
        let answer = ok(world, account, "ListPermissions", input);
        texts(&answer, "permissions", "arn")
    };
    assert_eq!(list(&mut world, OWNER, "CUSTOMER_MANAGED"), [arn.as_str()]);
    assert_eq!(list(&mut world, OWNER, "AWS_MANAGED"), [READ, EXECUTE]);
    assert_eq!(
        list(&mut world, OWNER, "ALL"),
        [READ, EXECUTE, arn.as_str()]
    );
    assert_eq!(list(&mut world, CONSUMER, "ALL"), [READ, EXECUTE]);
}

#[test]
fn names_and_types_have_rules() {
    let mut world = world();
    made(&mut world, "taken");
    for name in ["", "with space", &"n".repeat(37)] {
        let code = make(&mut world, name, &template(&[DESCRIBE]))
            .unwrap_err()
            .code;
        assert_eq!(code, "InvalidParameterException", "{name}");
    }
    let taken = make(&mut world, "taken", &template(&[DESCRIBE])).unwrap_err();
    assert_eq!(
        (taken.code.as_str(), taken.status),
        ("PermissionAlreadyExistsException", 409)
    );
    let input = json!({
        "name": "p", "resourceType": "SageMaker:Pipeline", "policyTemplate": template(&[DESCRIBE]),
    });
    let code = error(&mut world, OWNER, "CreatePermission", input);
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn a_template_is_one_statement_that_allows_what_the_type_has() {
    let mut world = world();
    let malformed = "MalformedPolicyTemplateException";
    let invalid = "InvalidPolicyException";
    let condition =
        |condition: Value| json!({ "Effect": "Allow", "Action": DESCRIBE, "Condition": condition });
    for (policy, code) in [
        (json!("text"), malformed),
        (
            json!({ "Statement": [{ "Effect": "Allow", "Action": DESCRIBE }] }),
            malformed,
        ),
        (json!({ "Effect": "Deny", "Action": DESCRIBE }), malformed),
        (json!({ "Effect": "Allow", "Action": [] }), malformed),
        (
            json!({ "Effect": "Allow", "Action": DESCRIBE, "Resource": "*" }),
            malformed,
        ),
        (
            json!({ "Effect": "Allow", "Action": DESCRIBE, "Principal": "*" }),
            malformed,
        ),
        (
            json!({ "Effect": "Allow", "Action": "sagemaker:DeletePipeline" }),
            invalid,
        ),
        (
            json!({ "Effect": "Allow", "Action": "sagemaker:*" }),
            invalid,
        ),
        (
            condition(json!({ "StringNotEquals": { "aws:PrincipalArn": "x" } })),
            invalid,
        ),
        (
            condition(json!({ "StringEquals": { "aws:principalorgid": "o-1" } })),
            invalid,
        ),
        (
            condition(json!({ "ArnLike": { "aws:SourceArn": "x" } })),
            invalid,
        ),
        (
            condition(json!({ "StringEquals": { "aws:PrincipalTag/aws:x": "x" } })),
            invalid,
        ),
        (
            condition(json!({
                "ArnLike": { "aws:PrincipalArn": "x" }, "StringLike": { "aws:PrincipalArn": "x" },
            })),
            invalid,
        ),
        (
            condition(json!({ "StringEquals": { "aws:SourceIp": "x" } })),
            "NotImplemented",
        ),
        (
            condition(json!({ "BinaryEquals": { "aws:PrincipalArn": "x" } })),
            "NotImplemented",
        ),
    ] {
        let refused = make(&mut world, "p", &policy.to_string()).unwrap_err();
        assert_eq!(refused.code, code, "{policy}");
    }
    make(&mut world, "p", &template(&["SAGEMAKER:describepipeline"])).unwrap();
}

#[test]
fn quotas_limit_permissions_and_versions() {
    let mut world = world();
    world.ram.quotas.permissions_per_type = 1;
    let arn = made(&mut world, "first");
    let code = make(&mut world, "second", &template(&[DESCRIBE]))
        .unwrap_err()
        .code;
    assert_eq!(code, "PermissionLimitExceededException");
    for _ in 2..=5 {
        add_version(&mut world, &arn, &[DESCRIBE]);
    }
    let input = json!({ "permissionArn": arn, "policyTemplate": template(&[DESCRIBE]) });
    let code = error(&mut world, OWNER, "CreatePermissionVersion", input.clone());
    assert_eq!(code, "PermissionVersionsLimitExceededException");
    let delete = json!({ "permissionArn": arn, "permissionVersion": 1 });
    ok(&mut world, OWNER, "DeletePermissionVersion", delete);
    let answer = ok(&mut world, OWNER, "CreatePermissionVersion", input);
    assert_eq!(answer["permission"]["version"], "6");
}

#[test]
fn a_share_grants_what_the_version_that_it_has_allows() {
    let mut world = organization();
    let arn = made(&mut world, "own");
    let share = shared(&mut world, &arn);
    assert!(consumer_may(&world, DESCRIBE));
    assert!(!consumer_may(&world, START));
    let second = add_version(&mut world, &arn, &[START]);
    assert_eq!(second["permission"]["version"], "2");
    assert!(
        second["permission"]["permission"]
            .as_str()
            .unwrap()
            .contains(START)
    );
    assert!(!consumer_may(&world, START));
    let input = json!({ "resourceShareArn": share });
    let listed = ok(&mut world, CONSUMER, "ListResourceSharePermissions", input);
    assert_eq!(listed["permissions"][0]["version"], "1");
    assert_eq!(listed["permissions"][0]["defaultVersion"], false);

    let update = |version: u64| json!({ "resourceShareArn": share, "permissionArn": arn, "replace": true, "permissionVersion": version });
    let operation = "AssociateResourceSharePermission";
    for (version, code) in [
        (1, "InvalidParameterException"),
        (3, "UnknownResourceException"),
    ] {
        assert_eq!(error(&mut world, OWNER, operation, update(version)), code);
    }
    ok(&mut world, OWNER, operation, update(2));
    assert!(consumer_may(&world, START));
    assert!(!consumer_may(&world, DESCRIBE));
}

#[test]
fn a_condition_limits_who_in_the_account_is_meant() {
    let mut world = organization();
    let policy = json!({
        "Effect": "Allow", "Action": DESCRIBE,
        "Condition": { "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/reader" } },
    });
    let answer = make(&mut world, "own", &policy.to_string()).unwrap();
    let arn = text(&answer, "/permission/arn");
    shared(&mut world, &arn);
    assert!(may(&world, &role(CONSUMER, "reader"), DESCRIBE, TRAIN));
    assert!(!may(&world, &role(CONSUMER, "other"), DESCRIBE, TRAIN));
    let input = json!({ "resourceArns": [TRAIN] });
    let answer = ok(&mut world, OWNER, "GetResourcePolicies", input);
    let document: Value = serde_json::from_str(answer["policies"][0].as_str().unwrap()).unwrap();
    assert_eq!(document["Statement"][0]["Condition"], policy["Condition"]);
}

#[test]
fn only_the_default_version_is_attachable_and_it_can_be_set() {
    let mut world = world();
    let arn = made(&mut world, "own");
    add_version(&mut world, &arn, &[START]);
    assert_eq!(
        versions(&mut world, &arn),
        ["1 UNATTACHABLE", "2 ATTACHABLE"]
    );
    let set = |version: u64| json!({ "permissionArn": arn, "permissionVersion": version });
    ok(&mut world, OWNER, "SetDefaultPermissionVersion", set(1));
    assert_eq!(
        versions(&mut world, &arn),
        ["1 ATTACHABLE", "2 UNATTACHABLE"]
    );
    let code = error(&mut world, OWNER, "SetDefaultPermissionVersion", set(3));
    assert_eq!(code, "UnknownResourceException");
    let get = json!({ "permissionArn": arn, "permissionVersion": 2 });
    let answer = ok(&mut world, OWNER, "GetPermission", get);
    assert_eq!(text(&answer, "/permission/permission"), template(&[START]));
}

#[test]
fn what_a_share_uses_cannot_be_deleted() {
    let mut world = organization();
    let arn = made(&mut world, "own");
    let share = shared(&mut world, &arn);
    add_version(&mut world, &arn, &[START]);
    // A DELETE has its members in the query, as texts.
    let version = |number: &str| json!({ "permissionArn": arn, "permissionVersion": number });
    for number in ["1", "2"] {
        let code = error(
            &mut world,
            OWNER,
            "DeletePermissionVersion",
            version(number),
        );
        assert_eq!(code, "OperationNotPermittedException", "{number}");
    }
    let all = json!({ "permissionArn": arn });
    let code = error(&mut world, OWNER, "DeletePermission", all.clone());
    assert_eq!(code, "OperationNotPermittedException");

    ok(
        &mut world,
        OWNER,
        "DeleteResourceShare",
        json!({ "resourceShareArn": share }),
    );
    ok(&mut world, OWNER, "DeletePermissionVersion", version("1"));
    assert_eq!(versions(&mut world, &arn), ["1 DELETED", "2 ATTACHABLE"]);
    let answer = ok(&mut world, OWNER, "DeletePermission", all.clone());
    assert_eq!(answer["permissionStatus"], "DELETING");
    let code = error(&mut world, OWNER, "GetPermission", all);
    assert_eq!(code, "UnknownResourceException");
    let own = json!({ "permissionType": "CUSTOMER_MANAGED" });
    let listed = ok(&mut world, OWNER, "ListPermissions", own.clone());
    assert_eq!(texts(&listed, "permissions", "status"), ["DELETED"]);
    pass(&mut world, hours(2));
    let listed = ok(&mut world, OWNER, "ListPermissions", own);
    assert_eq!(listed["permissions"], json!([]));
    made(&mut world, "own");
}

#[test]
fn permissions_of_aws_cannot_be_changed() {
    let mut world = world();
    for (operation, code) in [
        ("CreatePermissionVersion", "InvalidParameterException"),
        ("SetDefaultPermissionVersion", "InvalidParameterException"),
        ("DeletePermission", "OperationNotPermittedException"),
        ("DeletePermissionVersion", "OperationNotPermittedException"),
    ] {
        let input = json!({
            "permissionArn": READ, "permissionVersion": 1, "policyTemplate": template(&[START]),
        });
        assert_eq!(
            error(&mut world, OWNER, operation, input),
            code,
            "{operation}"
        );
    }
}

#[test]
fn a_repeated_call_with_a_token_makes_one_version() {
    let mut world = world();
    let arn = made(&mut world, "own");
    let input = json!({
        "permissionArn": arn, "policyTemplate": template(&[START]), "clientToken": "t",
    });
    let first = ok(&mut world, OWNER, "CreatePermissionVersion", input.clone());
    let second = ok(&mut world, OWNER, "CreatePermissionVersion", input);
    assert_eq!(first, second);
    assert_eq!(versions(&mut world, &arn).len(), 2);
}

#[test]
fn permissions_have_tags() {
    let mut world = world();
    let arn = made(&mut world, "own");
    let tags = json!([{ "key": "a", "value": "1" }]);
    ok(
        &mut world,
        OWNER,
        "TagResource",
        json!({ "resourceArn": arn, "tags": tags }),
    );
    let get = json!({ "permissionArn": arn });
    let answer = ok(&mut world, OWNER, "GetPermission", get.clone());
    assert_eq!(answer["permission"]["tags"], tags);
    ok(
        &mut world,
        OWNER,
        "UntagResource",
        json!({ "resourceArn": arn, "tagKeys": ["a"] }),
    );
    let answer = ok(&mut world, OWNER, "GetPermission", get);
    assert_eq!(answer["permission"]["tags"], json!([]));
    let code = error(
        &mut world,
        OWNER,
        "TagResource",
        json!({ "resourceArn": READ, "tags": [] }),
    );
    assert_eq!(code, "UnknownResourceException");
}

#[test]
fn associations_tell_which_share_uses_which_version() {
    let mut world = organization();
    let arn = made(&mut world, "own");
    let old = shared(&mut world, &arn);
    add_version(&mut world, &arn, &[START]);
    let new = create(&mut world, json!({ "name": "t", "permissionArns": [arn] }));
    let list = |world: &mut World, filter: Value| {
        let mut input = json!({ "permissionArn": arn });
        for (key, value) in filter.as_object().unwrap() {
            input[key] = value.clone();
        }
        let answer = ok(world, OWNER, "ListPermissionAssociations", input);
        let mut shares = texts(&answer, "permissions", "resourceShareArn");
        shares.sort();
        shares
    };
    let mut both = [old.clone(), new.clone()];
    both.sort();
    let none: [&str; 0] = [];
    assert_eq!(list(&mut world, json!({})), both);
    assert_eq!(
        list(&mut world, json!({ "permissionVersion": 1 })),
        [old.as_str()]
    );
    assert_eq!(list(&mut world, json!({ "defaultVersion": true })), [new]);
    assert_eq!(
        list(&mut world, json!({ "resourceType": "sagemaker:Pipeline" })),
        [old]
    );
    assert_eq!(
        list(&mut world, json!({ "featureSet": "CREATED_FROM_POLICY" })),
        none
    );
    assert_eq!(
        list(&mut world, json!({ "associationStatus": "FAILED" })),
        none
    );
}

#[test]
fn no_share_has_sources() {
    let mut world = world();
    let input = json!({ "name": "s", "sources": [OWNER] });
    let code = error(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(code, "InvalidParameterException");
    let share = create(&mut world, json!({ "name": "s" }));
    let input = json!({ "resourceShareArns": [share] });
    let answer = ok(&mut world, OWNER, "ListSourceAssociations", input.clone());
    assert_eq!(answer["sourceAssociations"], json!([]));
    let code = error(&mut world, STRANGER, "ListSourceAssociations", input);
    assert_eq!(code, "UnknownResourceException");
}
