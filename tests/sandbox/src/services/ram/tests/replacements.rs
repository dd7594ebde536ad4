//! Moving shares to another permission, and shares that mirror a policy.

use super::*;

const START: &str = "sagemaker:StartPipelineExecution";
const DESCRIBE: &str = "sagemaker:DescribePipeline";

/// The ARN of a new permission of the owner.
fn made(world: &mut World, name: &str, action: &str) -> String {
    let template = json!({ "Effect": "Allow", "Action": action }).to_string();
    let input = json!({
        "name": name, "resourceType": "sagemaker:Pipeline", "policyTemplate": template,
    });
    let answer = ok(world, OWNER, "CreatePermission", input);
    text(&answer, "/permission/arn")
}

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

fn work_statuses(world: &mut World, id: &str) -> Vec<String> {
    let input = json!({ "workIds": [id] });
    let answer = ok(world, OWNER, "ListReplacePermissionAssociationsWork", input);
    texts(&answer, "replacePermissionAssociationsWorks", "status")
}

#[test]
fn every_share_moves_to_the_default_version_after_a_while() {
    let mut world = organization();
    let own = made(&mut world, "own", START);
    shared(&mut world, READ);
    let input = json!({ "fromPermissionArn": READ, "toPermissionArn": own });
    let answer = ok(&mut world, OWNER, "ReplacePermissionAssociations", input);
    let work = &answer["replacePermissionAssociationsWork"];
    assert_eq!(work["status"], "IN_PROGRESS");
    assert_eq!(work["toPermissionVersion"], "1");
    let id = text(work, "/id");
    assert!(!consumer_may(&world, START));
    pass(&mut world, 2);
    assert_eq!(work_statuses(&mut world, &id), ["COMPLETED"]);
    assert!(consumer_may(&world, START));
    assert!(!consumer_may(&world, DESCRIBE));
    let input = json!({ "status": "FAILED" });
    let answer = ok(
        &mut world,
        OWNER,
        "ListReplacePermissionAssociationsWork",
        input,
    );
    assert_eq!(answer["replacePermissionAssociationsWorks"], json!([]));
}

#[test]
fn only_shares_with_the_version_that_is_named_move() {
    let mut world = organization();
    let own = made(&mut world, "own", DESCRIBE);
    shared(&mut world, &own);
    let template = json!({ "Effect": "Allow", "Action": START }).to_string();
    let input = json!({ "permissionArn": own, "policyTemplate": template });
    ok(&mut world, OWNER, "CreatePermissionVersion", input);
    for (version, moves) in [(2, false), (1, true)] {
        let input = json!({
            "fromPermissionArn": own, "fromPermissionVersion": version, "toPermissionArn": own,
        });
        ok(&mut world, OWNER, "ReplacePermissionAssociations", input);
        pass(&mut world, 2);
        assert_eq!(consumer_may(&world, START), moves);
    }
}

#[test]
fn a_replacement_fails_if_its_target_is_deleted_meanwhile() {
    let mut world = organization();
    let own = made(&mut world, "own", START);
    shared(&mut world, READ);
    let input = json!({ "fromPermissionArn": READ, "toPermissionArn": own });
    let answer = ok(&mut world, OWNER, "ReplacePermissionAssociations", input);
    let id = text(&answer, "/replacePermissionAssociationsWork/id");
    ok(
        &mut world,
        OWNER,
        "DeletePermission",
        json!({ "permissionArn": own }),
    );
    pass(&mut world, 2);
    assert_eq!(work_statuses(&mut world, &id), ["FAILED"]);
    assert!(consumer_may(&world, DESCRIBE));
}

#[test]
fn a_permission_is_replaced_only_by_one_for_the_same_type() {
    let mut world = world();
    let subnet = "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSubnet";
    let input = json!({ "fromPermissionArn": READ, "toPermissionArn": subnet });
    let code = error(&mut world, OWNER, "ReplacePermissionAssociations", input);
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn a_share_that_mirrors_a_policy_grants_but_is_hidden_and_fixed() {
    let mut world = world();
    let share = crate::services::ram::attach_policy(&mut world, TRAIN, &[CONSUMER], &[START]);
    let share = share.unwrap();
    assert!(consumer_may(&world, START));
    let none: [&str; 0] = [];
    assert_eq!(seen(&mut world), none);
    let input = json!({ "resourceArns": [TRAIN] });
    let answer = ok(&mut world, OWNER, "GetResourcePolicies", input);
    assert!(answer["policies"][0].as_str().unwrap().contains(START));
    let input = json!({ "resourceShareArn": share, "principals": [STRANGER] });
    let code = error(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(code, "OperationNotPermittedException");
}

#[test]
fn a_share_that_mirrors_a_policy_becomes_a_standard_one() {
    let mut world = world();
    let share = crate::services::ram::attach_policy(&mut world, TRAIN, &[CONSUMER], &[START]);
    let share = share.unwrap();
    let input = json!({ "resourceShareArn": share });
    let permission = |world: &mut World| {
        let answer = ok(world, OWNER, "ListResourceSharePermissions", input.clone());
        answer["permissions"][0].clone()
    };
    let original = permission(&mut world);
    assert_eq!(original["featureSet"], "CREATED_FROM_POLICY");
    let promote = "PromoteResourceShareCreatedFromPolicy";
    let code = error(&mut world, OWNER, promote, input.clone());
    assert_eq!(code, "UnmatchedPolicyPermissionException");

    let own = json!({ "permissionArn": original["arn"], "name": "own" });
    let operation = "PromotePermissionCreatedFromPolicy";
    let answer = ok(&mut world, OWNER, operation, own.clone());
    assert_eq!(answer["permission"]["featureSet"], "STANDARD");
    let code = error(&mut world, OWNER, operation, own);
    assert_eq!(code, "OperationNotPermittedException");

    ok(&mut world, OWNER, promote, input.clone());
    let code = error(&mut world, OWNER, promote, input.clone());
    assert_eq!(code, "InvalidStateTransitionException");
    pass(&mut world, 2);
    assert_eq!(permission(&mut world)["arn"], answer["permission"]["arn"]);
    assert_eq!(seen(&mut world).len(), 1);
    assert!(consumer_may(&world, START));
    // The original was in no other share.
    let get = json!({ "permissionArn": original["arn"] });
    let code = error(&mut world, OWNER, "GetPermission", get);
    assert_eq!(code, "UnknownResourceException");
    let code = error(&mut world, OWNER, promote, input.clone());
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn no_operation_of_the_service_model_is_missing() {
    let mut world = world();
    for (_, _, operation) in crate::services::ram::ROUTES {
        let answer = ask(&mut world, OWNER, operation, json!({}));
        let code = answer.err().map(|error| error.code);
        assert_ne!(code.as_deref(), Some("NotImplemented"), "{operation}");
    }
}
