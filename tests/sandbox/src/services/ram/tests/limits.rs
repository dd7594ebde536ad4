use super::*;

#[test]
fn a_call_takes_a_hundred_resources_and_no_more() {
    let mut world = world();
    let arns =
        |count: usize| -> Vec<String> { (0..count).map(|n| format!("{TRAIN}-{n}")).collect() };
    let input = json!({ "name": "s", "resourceArns": arns(101) });
    let code = error(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(code, "ResourceShareLimitExceededException");
    create(
        &mut world,
        json!({ "name": "s", "resourceArns": arns(100) }),
    );
}

#[test]
fn quotas_count_only_what_is_new() {
    let mut world = organization();
    world.ram.quotas.resources_per_share = 2;
    world.ram.quotas.principals_per_share = 1;
    world.ram.quotas.shares = 1;
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN, SCORE], "principals": [CONSUMER] }),
    );
    let add = |resources: Value, principals: Value| json!({ "resourceShareArn": share, "resourceArns": resources, "principals": principals });
    ok(
        &mut world,
        OWNER,
        "AssociateResourceShare",
        add(json!([TRAIN]), json!([CONSUMER])),
    );
    for input in [
        add(json!([MISSING]), json!([])),
        add(json!([]), json!([STRANGER])),
    ] {
        let code = error(&mut world, OWNER, "AssociateResourceShare", input);
        assert_eq!(code, "ResourceShareLimitExceededException");
    }
    let code = error(
        &mut world,
        OWNER,
        "CreateResourceShare",
        json!({ "name": "t" }),
    );
    assert_eq!(code, "ResourceShareLimitExceededException");
}

#[test]
fn pending_invitations_are_limited_until_they_are_answered() {
    let mut world = world();
    world.ram.quotas.pending_invitations = 1;
    let share = offered(&mut world);
    let second = json!({ "name": "t", "principals": [CONSUMER] });
    let code = error(&mut world, OWNER, "CreateResourceShare", second.clone());
    assert_eq!(code, "ResourceShareLimitExceededException");
    accept(&mut world, &share);
    create(&mut world, second);
}
