use super::*;

#[test]
fn tags_can_be_changed_and_searched() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "tags": [{ "key": "a", "value": "1" }] }),
    );
    create(&mut world, json!({ "name": "t" }));
    let tags = json!([{ "key": "a", "value": "2" }, { "key": "b", "value": "" }]);
    let input = json!({ "resourceShareArn": share, "tags": tags });
    ok(&mut world, OWNER, "TagResource", input);
    let found = |world: &mut World, filters: Value| {
        let input = json!({ "resourceOwner": "SELF", "tagFilters": filters });
        let answer = ok(world, OWNER, "GetResourceShares", input);
        texts(&answer, "resourceShares", "name")
    };
    let none: [&str; 0] = [];
    assert_eq!(
        found(&mut world, json!([{ "tagKey": "a", "tagValues": ["1"] }])),
        none
    );
    assert_eq!(
        found(
            &mut world,
            json!([{ "tagKey": "a", "tagValues": ["1", "2"] }])
        ),
        ["s"]
    );
    assert_eq!(found(&mut world, json!([{ "tagKey": "b" }])), ["s"]);
    assert_eq!(
        found(&mut world, json!([{ "tagKey": "a" }, { "tagKey": "c" }])),
        none
    );
    let input = json!({ "resourceShareArn": share, "tagKeys": ["b"] });
    ok(&mut world, OWNER, "UntagResource", input);
    assert_eq!(found(&mut world, json!([{ "tagKey": "b" }])), none);
}

#[test]
fn tags_have_rules() {
    let mut world = world();
    world.ram.quotas.tags_per_share = 1;
    let share = create(
        &mut world,
        json!({ "name": "s", "tags": [{ "key": "a", "value": "" }] }),
    );
    for (tag, code) in [
        (
            json!({ "key": "b", "value": "" }),
            "TagLimitExceededException",
        ),
        (
            json!({ "key": "aws:b", "value": "" }),
            "TagPolicyViolationException",
        ),
        (
            json!({ "key": "", "value": "" }),
            "InvalidParameterException",
        ),
        (json!({ "key": "a" }), "InvalidParameterException"),
    ] {
        let input = json!({ "resourceShareArn": share, "tags": [tag] });
        assert_eq!(error(&mut world, OWNER, "TagResource", input), code);
    }
}
