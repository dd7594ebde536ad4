use super::*;

fn attached(world: &mut World, share: &str) -> Vec<String> {
    let input = json!({ "resourceShareArn": share });
    let answer = ok(world, OWNER, "ListResourceSharePermissions", input);
    texts(&answer, "permissions", "name")
}

fn attach(
    world: &mut World,
    share: &str,
    permission: &str,
    replace: bool,
) -> Result<Value, ApiError> {
    let input =
        json!({ "resourceShareArn": share, "permissionArn": permission, "replace": replace });
    ask(world, OWNER, "AssociateResourceSharePermission", input)
}

#[test]
fn the_first_resource_of_a_type_brings_the_default_permission() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "s" }));
    assert!(attached(&mut world, &share).is_empty());
    let input = json!({ "resourceShareArn": share, "resourceArns": [TRAIN] });
    ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(
        attached(&mut world, &share),
        ["AWSRAMDefaultPermissionSageMakerPipeline"]
    );
}

#[test]
fn a_permission_that_was_named_stays_when_resources_arrive() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "permissionArns": [EXECUTE], "resourceArns": [TRAIN, SUBNET] }),
    );
    assert_eq!(
        attached(&mut world, &share),
        [
            "AWSRAMDefaultPermissionSubnet",
            "AWSRAMPermissionSageMakerPipelineAllowExecution"
        ]
    );
}

#[test]
fn a_share_has_one_permission_for_each_type() {
    let mut world = world();
    let input = json!({ "name": "s", "permissionArns": [READ, EXECUTE] });
    let code = error(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn a_permission_is_replaced_only_on_request_and_at_once() {
    let mut world = organization();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN], "principals": [CONSUMER] }),
    );
    let start = "sagemaker:StartPipelineExecution";
    let consumer = Caller::administrator(CONSUMER);
    let refused = attach(&mut world, &share, EXECUTE, false).unwrap_err();
    assert_eq!(refused.code, "InvalidParameterException");
    assert!(!may(&world, &consumer, start, TRAIN));
    attach(&mut world, &share, EXECUTE, true).unwrap();
    assert!(may(&world, &consumer, start, TRAIN));
    assert_eq!(
        attached(&mut world, &share),
        ["AWSRAMPermissionSageMakerPipelineAllowExecution"]
    );
}

#[test]
fn a_permission_can_come_before_the_resources_and_go_after_them() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "s" }));
    attach(&mut world, &share, EXECUTE, false).unwrap();
    let add = json!({ "resourceShareArn": share, "resourceArns": [TRAIN] });
    ok(&mut world, OWNER, "AssociateResourceShare", add.clone());
    pass(&mut world, 2);
    let operation = "DisassociateResourceSharePermission";
    let remove = json!({ "resourceShareArn": share, "permissionArn": EXECUTE });
    assert_eq!(
        error(&mut world, OWNER, operation, remove.clone()),
        "InvalidStateTransitionException"
    );
    ok(&mut world, OWNER, "DisassociateResourceShare", add);
    pass(&mut world, 2);
    ok(&mut world, OWNER, operation, remove.clone());
    assert!(attached(&mut world, &share).is_empty());
    assert_eq!(
        error(&mut world, OWNER, operation, remove),
        "UnknownResourceException"
    );
}

#[test]
fn only_permissions_that_exist_can_be_used() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "s" }));
    for (arn, code) in [
        ("read", "MalformedArnException"),
        (
            "arn:aws:iam::aws:policy/ReadOnlyAccess",
            "MalformedArnException",
        ),
        (
            "arn:aws:ram::aws:permission/None",
            "UnknownResourceException",
        ),
    ] {
        assert_eq!(
            attach(&mut world, &share, arn, true).unwrap_err().code,
            code
        );
        let input = json!({ "name": "s", "permissionArns": [arn] });
        assert_eq!(error(&mut world, OWNER, "CreateResourceShare", input), code);
        assert_eq!(
            error(
                &mut world,
                OWNER,
                "GetPermission",
                json!({ "permissionArn": arn })
            ),
            code
        );
    }
    let input = json!({ "resourceShareArn": share, "permissionArn": READ, "permissionVersion": 2 });
    let code = error(&mut world, OWNER, "AssociateResourceSharePermission", input);
    assert_eq!(code, "UnknownResourceException");
}

#[test]
fn the_consumer_sees_the_permission_and_a_stranger_does_not() {
    let mut world = world();
    let share = accepted(&mut world);
    let input = json!({ "resourceShareArn": share });
    let answer = ok(
        &mut world,
        CONSUMER,
        "ListResourceSharePermissions",
        input.clone(),
    );
    assert_eq!(answer["permissions"][0]["arn"], READ);
    assert_eq!(answer["permissions"][0]["status"], "ASSOCIATED");
    let code = error(&mut world, STRANGER, "ListResourceSharePermissions", input);
    assert_eq!(code, "UnknownResourceException");
}

#[test]
fn permissions_are_listed_by_type_in_any_case() {
    let mut world = world();
    let input = json!({ "resourceType": "SAGEMAKER:PIPELINE" });
    let answer = ok(&mut world, OWNER, "ListPermissions", input);
    assert_eq!(texts(&answer, "permissions", "arn"), [READ, EXECUTE]);
    let defaults: Vec<&Value> = answer["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|permission| &permission["isResourceTypeDefault"])
        .collect();
    assert_eq!(defaults, [true, false]);
    let input = json!({ "permissionType": "CUSTOMER_MANAGED" });
    let answer = ok(&mut world, OWNER, "ListPermissions", input);
    assert_eq!(answer["permissions"], json!([]));
}

#[test]
fn a_permission_tells_its_actions() {
    let mut world = world();
    let answer = ok(
        &mut world,
        OWNER,
        "GetPermission",
        json!({ "permissionArn": READ }),
    );
    assert_eq!(answer["permission"]["resourceType"], "sagemaker:Pipeline");
    let document: Value = serde_json::from_str(&text(&answer, "/permission/permission")).unwrap();
    assert_eq!(document["Effect"], "Allow");
    assert_eq!(document["Action"].as_array().unwrap().len(), 7);
}
