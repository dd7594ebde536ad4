use std::time::Duration;

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

#[test]
fn a_share_of_others_or_on_its_way_out_is_unknown_to_operations_without_another_error() {
    let mut world = organization();
    let input = json!({ "name": "s", "principals": [CONSUMER], "resourceArns": [TRAIN] });
    let share = ask(&mut world, OWNER, "CreateResourceShare", input).unwrap();
    let arn = share["resourceShare"]["resourceShareArn"].clone();
    world.now += Duration::from_mins(1);
    world.run_due();

    let tags = json!({ "resourceShareArn": arn, "tags": [{ "key": "a", "value": "b" }] });
    let tag = ask(&mut world, CONSUMER, "TagResource", tags.clone()).unwrap_err();
    assert_eq!(tag.code, "UnknownResourceException");
    let rename = json!({ "resourceShareArn": arn, "name": "t" });
    let renamed = ask(&mut world, CONSUMER, "UpdateResourceShare", rename.clone()).unwrap_err();
    assert_eq!(renamed.code, "OperationNotPermittedException");

    let delete = json!({ "resourceShareArn": arn });
    ask(&mut world, OWNER, "DeleteResourceShare", delete.clone()).unwrap();
    for (operation, input, error) in [
        ("TagResource", tags, "UnknownResourceException"),
        ("UpdateResourceShare", rename, "UnknownResourceException"),
        (
            "DeleteResourceShare",
            delete,
            "InvalidStateTransitionException",
        ),
    ] {
        let refused = ask(&mut world, OWNER, operation, input).unwrap_err();
        assert_eq!(refused.code, error, "{operation}");
    }
}

#[test]
fn what_is_missing_is_told_by_the_error_that_the_operation_has() {
    for (operation, error) in [
        ("AcceptResourceShareInvitation", "MalformedArnException"),
        ("DeleteResourceShare", "InvalidParameterException"),
        ("UpdateResourceShare", "MissingRequiredParameterException"),
    ] {
        let refused = ask(&mut world(), OWNER, operation, json!({})).unwrap_err();
        assert_eq!(refused.code, error, "{operation}");
    }
}
