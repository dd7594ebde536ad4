use super::*;

#[test]
fn a_new_share_is_active_and_says_what_was_asked_for() {
    let mut world = world();
    let input = json!({ "name": "readers", "tags": [{ "key": "team", "value": "ml" }] });
    let answer = ok(&mut world, OWNER, "CreateResourceShare", input);
    let share = &answer["resourceShare"];
    assert_eq!(share["name"], "readers");
    assert_eq!(share["status"], "ACTIVE");
    assert_eq!(share["owningAccountId"], OWNER);
    assert_eq!(share["allowExternalPrincipals"], true);
    assert_eq!(share["featureSet"], "STANDARD");
    assert_eq!(share["tags"], json!([{ "key": "team", "value": "ml" }]));
    assert_eq!(share["creationTime"], 1_772_366_400);
    let arn = text(share, "/resourceShareArn");
    assert!(
        arn.starts_with("arn:aws:ram:eu-west-1:111111111111:resource-share/"),
        "{arn}"
    );
}

#[test]
fn two_shares_may_have_the_same_name() {
    let mut world = world();
    let one = create(&mut world, json!({ "name": "twin" }));
    let other = create(&mut world, json!({ "name": "twin" }));
    assert_ne!(one, other);
    let input = json!({ "resourceOwner": "SELF", "name": "twin" });
    let answer = ok(&mut world, OWNER, "GetResourceShares", input);
    assert_eq!(answer["resourceShares"].as_array().unwrap().len(), 2);
}

#[test]
fn a_share_belongs_to_one_region() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "here" }));
    let mut elsewhere = call(
        OWNER,
        "GetResourceShares",
        json!({ "resourceOwner": "SELF" }),
    );
    elsewhere.region = "us-east-1".to_owned();
    let answer = super::super::call(&mut world, &elsewhere).unwrap();
    assert_eq!(answer["resourceShares"], json!([]));
    elsewhere.operation = "DeleteResourceShare".to_owned();
    elsewhere.input = json!({ "resourceShareArn": share });
    let refused = super::super::call(&mut world, &elsewhere).unwrap_err();
    assert_eq!(refused.code, "UnknownResourceException");
}

#[test]
fn names_are_checked() {
    let mut world = world();
    for name in ["", "a_b", "a/b", &"x".repeat(256)] {
        let code = error(
            &mut world,
            OWNER,
            "CreateResourceShare",
            json!({ "name": name }),
        );
        assert_eq!(code, "InvalidParameterException", "{name}");
    }
    for name in [
        "pipeshare-test-readers.222222222222",
        "A b.c-9",
        &"x".repeat(255),
    ] {
        ok(
            &mut world,
            OWNER,
            "CreateResourceShare",
            json!({ "name": name }),
        );
    }
}

#[test]
fn within_the_organization_associations_settle_without_an_invitation() {
    let mut world = organization();
    let input = json!({ "name": "s", "resourceArns": [TRAIN], "principals": [CONSUMER] });
    let answer = ok(&mut world, OWNER, "CreateResourceShare", input);
    let share = text(&answer, "/resourceShare/resourceShareArn");
    assert_eq!(
        statuses(&mut world, &share),
        json!({ CONSUMER: "ASSOCIATING", TRAIN: "ASSOCIATING" })
    );
    pass(&mut world, 1);
    assert!(!may_describe(&world, CONSUMER));
    pass(&mut world, 1);
    assert_eq!(
        statuses(&mut world, &share),
        json!({ CONSUMER: "ASSOCIATED", TRAIN: "ASSOCIATED" })
    );
    assert_eq!(invitation(&mut world, &share), Value::Null);
    assert!(may_describe(&world, CONSUMER));
    assert_eq!(seen(&mut world), ["s"]);
}

#[test]
fn what_cannot_be_shared_fails_under_a_successful_answer() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "s" }));
    let elsewhere = TRAIN.replace(REGION, "us-east-1");
    let input = json!({
        "resourceShareArn": share,
        "resourceArns": [TRAIN, MISSING, FOREIGN, elsewhere],
    });
    let answer = ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(
        texts(&answer, "resourceShareAssociations", "status"),
        ["ASSOCIATING"; 4]
    );
    pass(&mut world, 2);
    assert_eq!(
        statuses(&mut world, &share),
        json!({ TRAIN: "ASSOCIATED", MISSING: "FAILED", FOREIGN: "FAILED", elsewhere: "FAILED" })
    );
    let input = json!({ "associationType": "RESOURCE", "resourceArn": MISSING });
    let answer = ok(&mut world, OWNER, "GetResourceShareAssociations", input);
    let message = text(&answer, "/resourceShareAssociations/0/statusMessage");
    assert!(message.contains("could not be found"), "{message}");
}

#[test]
fn a_failed_association_can_be_tried_again_and_removed() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [MISSING] }),
    );
    let input = json!({ "resourceShareArn": share, "resourceArns": [MISSING] });
    let answer = ok(&mut world, OWNER, "AssociateResourceShare", input.clone());
    assert_eq!(
        answer["resourceShareAssociations"][0]["status"],
        "ASSOCIATING"
    );
    pass(&mut world, 2);
    assert_eq!(statuses(&mut world, &share)[MISSING], "FAILED");
    ok(&mut world, OWNER, "DisassociateResourceShare", input);
    pass(&mut world, 2);
    assert_eq!(statuses(&mut world, &share)[MISSING], "DISASSOCIATED");
}

#[test]
fn associating_what_is_there_already_answers_the_existing_association() {
    let mut world = organization();
    let share = create(&mut world, json!({ "name": "s", "principals": [CONSUMER] }));
    let input = json!({ "resourceShareArn": share, "principals": [CONSUMER] });
    let answer = ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(
        texts(&answer, "resourceShareAssociations", "status"),
        ["ASSOCIATED"]
    );
    pass(&mut world, 10);
    assert_eq!(
        statuses(&mut world, &share),
        json!({ CONSUMER: "ASSOCIATED" })
    );
}

#[test]
fn an_arn_in_other_letters_is_the_same_resource() {
    let mut world = world();
    let share = create(&mut world, json!({ "name": "s", "resourceArns": [TRAIN] }));
    let input =
        json!({ "resourceShareArn": share, "resourceArns": [TRAIN.replace("train", "Train")] });
    ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(statuses(&mut world, &share), json!({ TRAIN: "ASSOCIATED" }));
}

#[test]
fn nothing_can_be_disassociated_while_anything_is_associating() {
    let mut world = world();
    let share = offered(&mut world);
    let input = json!({ "resourceShareArn": share, "resourceArns": [TRAIN] });
    let refused = ask(&mut world, OWNER, "DisassociateResourceShare", input).unwrap_err();
    assert_eq!(refused.code, "InvalidStateTransitionException");
    assert_eq!(
        refused.message,
        "At least one of the associations in the resource share is in ASSOCIATING status."
    );
}

#[test]
fn disassociating_passes_through_disassociating_and_is_shown_for_two_hours() {
    let mut world = organization();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN, SCORE], "principals": [CONSUMER] }),
    );
    let input = json!({ "resourceShareArn": share, "resourceArns": [TRAIN] });
    let answer = ok(
        &mut world,
        OWNER,
        "DisassociateResourceShare",
        input.clone(),
    );
    assert_eq!(
        answer["resourceShareAssociations"][0]["status"],
        "DISASSOCIATING"
    );
    let again = error(&mut world, OWNER, "AssociateResourceShare", input.clone());
    assert_eq!(again, "InvalidStateTransitionException");
    pass(&mut world, 2);
    assert_eq!(statuses(&mut world, &share)[TRAIN], "DISASSOCIATED");
    assert_eq!(statuses(&mut world, &share)[SCORE], "ASSOCIATED");
    let gone = error(&mut world, OWNER, "DisassociateResourceShare", input);
    assert_eq!(gone, "UnknownResourceException");
    pass(&mut world, hours(2));
    assert_eq!(statuses(&mut world, &share)[TRAIN], Value::Null);
}

#[test]
fn what_was_taken_out_can_come_back() {
    let mut world = organization();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN], "principals": [CONSUMER] }),
    );
    let input = json!({ "resourceShareArn": share, "resourceArns": [TRAIN] });
    ok(
        &mut world,
        OWNER,
        "DisassociateResourceShare",
        input.clone(),
    );
    pass(&mut world, 2);
    assert!(!may_describe(&world, CONSUMER));
    ok(&mut world, OWNER, "AssociateResourceShare", input);
    pass(&mut world, 2);
    assert!(may_describe(&world, CONSUMER));
}

#[test]
fn a_deleted_share_ends_access_at_once_and_stays_visible_for_two_hours() {
    let mut world = organization();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN], "principals": [CONSUMER] }),
    );
    let answer = ok(
        &mut world,
        OWNER,
        "DeleteResourceShare",
        json!({ "resourceShareArn": share }),
    );
    assert_eq!(answer["returnValue"], true);
    assert!(!may_describe(&world, CONSUMER));
    assert_eq!(seen(&mut world), Vec::<String>::new());
    let own = json!({ "resourceOwner": "SELF" });
    let answer = ok(&mut world, OWNER, "GetResourceShares", own.clone());
    assert_eq!(answer["resourceShares"][0]["status"], "DELETING");
    let again = json!({ "resourceShareArn": share });
    assert_eq!(
        error(&mut world, OWNER, "DeleteResourceShare", again.clone()),
        "InvalidStateTransitionException"
    );
    pass(&mut world, 2);
    let answer = ok(&mut world, OWNER, "GetResourceShares", own.clone());
    assert_eq!(answer["resourceShares"][0]["status"], "DELETED");
    assert_eq!(
        statuses(&mut world, &share),
        json!({ CONSUMER: "DISASSOCIATED", TRAIN: "DISASSOCIATED" })
    );
    assert_eq!(
        error(&mut world, OWNER, "DeleteResourceShare", again),
        "UnknownResourceException"
    );
    pass(&mut world, hours(2));
    let answer = ok(&mut world, OWNER, "GetResourceShares", own);
    assert_eq!(answer["resourceShares"], json!([]));
}

#[test]
fn a_share_that_nobody_accepts_can_be_deleted_and_takes_its_invitation_along() {
    let mut world = world();
    let share = offered(&mut world);
    let pending = text(
        &invitation(&mut world, &share),
        "/resourceShareInvitationArn",
    );
    ok(
        &mut world,
        OWNER,
        "DeleteResourceShare",
        json!({ "resourceShareArn": share }),
    );
    let input = json!({ "resourceShareInvitationArn": pending });
    assert_eq!(
        error(&mut world, CONSUMER, "AcceptResourceShareInvitation", input),
        "ResourceShareInvitationArnNotFoundException"
    );
    pass(&mut world, hours(13));
    assert!(!may_describe(&world, CONSUMER));
}

#[test]
fn only_the_owner_changes_a_share_and_a_stranger_does_not_learn_of_it() {
    let mut world = world();
    let share = accepted(&mut world);
    for (operation, mut input) in [
        ("UpdateResourceShare", json!({ "name": "mine" })),
        ("DeleteResourceShare", json!({})),
        (
            "AssociateResourceShare",
            json!({ "principals": [STRANGER] }),
        ),
        (
            "DisassociateResourceShare",
            json!({ "principals": [CONSUMER] }),
        ),
        (
            "AssociateResourceSharePermission",
            json!({ "permissionArn": EXECUTE, "replace": true }),
        ),
        (
            "TagResource",
            json!({ "tags": [{ "key": "a", "value": "b" }] }),
        ),
    ] {
        input["resourceShareArn"] = share.clone().into();
        let stranger = error(&mut world, STRANGER, operation, input.clone());
        assert_eq!(stranger, "UnknownResourceException", "{operation}");
        let consumer = error(&mut world, CONSUMER, operation, input);
        assert_eq!(consumer, "OperationNotPermittedException", "{operation}");
    }
}

#[test]
fn principals_are_read_as_documented() {
    let mut world = organization();
    let unit = "arn:aws:organizations::000000000000:ou/o-sandbox123/ou-ab12-team";
    world
        .organization
        .units
        .insert(unit.to_owned(), [CONSUMER.to_owned()].into());
    let organization = world.organization.arn();
    for principal in [
        STRANGER,
        "arn:aws:iam::222222222222:role/reader",
        "arn:aws:iam::222222222222:user/jo",
        unit,
        &organization,
    ] {
        create(
            &mut world,
            json!({ "name": "s", "principals": [principal] }),
        );
    }
    for principal in [
        "22222222222",
        "nobody",
        "arn:aws:iam::222222222222:group/g",
        "o-sandbox123",
    ] {
        let input = json!({ "name": "s", "principals": [principal] });
        let refused = ask(&mut world, OWNER, "CreateResourceShare", input).unwrap_err();
        assert_eq!(refused.code, "InvalidParameterException");
        assert_eq!(
            refused.message,
            format!("Principal ID {principal} is malformed. Verify the ID and try again.")
        );
    }
}

#[test]
fn only_the_own_organization_with_sharing_enabled_is_a_principal() {
    let mut world = organization();
    let organization = world.organization.arn();
    let other = organization.replace("o-sandbox123", "o-other");
    let unit = "arn:aws:organizations::000000000000:ou/o-sandbox123/ou-none";
    for principal in [other.as_str(), unit] {
        let input = json!({ "name": "s", "principals": [principal] });
        let code = error(&mut world, OWNER, "CreateResourceShare", input);
        assert_eq!(code, "UnknownResourceException", "{principal}");
    }
    world.organization.ram_sharing = false;
    let input = json!({ "name": "s", "principals": [organization] });
    let refused = ask(&mut world, OWNER, "CreateResourceShare", input).unwrap_err();
    assert_eq!(refused.code, "UnknownResourceException");
    assert_eq!(
        refused.message,
        "Organization o-sandbox123 could not be found."
    );
}

#[test]
fn a_share_for_the_organization_alone_refuses_others() {
    let mut world = organization();
    let input = json!({ "name": "s", "principals": [STRANGER], "allowExternalPrincipals": false });
    let refused = ask(&mut world, OWNER, "CreateResourceShare", input).unwrap_err();
    assert_eq!(refused.code, "InvalidParameterException");
    assert!(
        refused
            .message
            .contains("Principal 333333333333 is not in your AWS organization"),
        "{refused}"
    );
    let inside = json!({ "name": "s", "principals": [CONSUMER], "allowExternalPrincipals": false });
    create(&mut world, inside.clone());
    // Without sharing in the organization its members are as foreign as others.
    world.organization.ram_sharing = false;
    let code = error(&mut world, OWNER, "CreateResourceShare", inside);
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn a_share_with_outsiders_cannot_be_limited_to_the_organization() {
    let mut world = organization();
    let share = create(&mut world, json!({ "name": "s", "principals": [CONSUMER] }));
    let limit = json!({ "resourceShareArn": share, "allowExternalPrincipals": false });
    let answer = ok(&mut world, OWNER, "UpdateResourceShare", limit.clone());
    assert_eq!(answer["resourceShare"]["allowExternalPrincipals"], false);
    let open = json!({ "resourceShareArn": share, "allowExternalPrincipals": true, "name": "t" });
    let answer = ok(&mut world, OWNER, "UpdateResourceShare", open);
    assert_eq!(answer["resourceShare"]["name"], "t");
    let input = json!({ "resourceShareArn": share, "principals": [STRANGER] });
    ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(
        error(&mut world, OWNER, "UpdateResourceShare", limit),
        "OperationNotPermittedException"
    );
}

#[test]
fn resources_that_cannot_be_shared_are_malformed() {
    let mut world = world();
    for arn in [
        "train",
        "arn:aws:sagemaker:eu-west-1:aws:pipeline/managed",
        "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/",
        "arn:aws:sagemaker:eu-west-1:111111111111:endpoint/e",
        "arn:aws:s3:::bucket",
    ] {
        let input = json!({ "name": "s", "resourceArns": [arn] });
        let code = error(&mut world, OWNER, "CreateResourceShare", input);
        assert_eq!(code, "MalformedArnException", "{arn}");
    }
    let input = json!({ "resourceShareArn": "share" });
    let code = error(&mut world, OWNER, "DeleteResourceShare", input);
    assert_eq!(code, "MalformedArnException");
}

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
fn only_the_management_account_enables_sharing_in_the_organization() {
    let mut world = world();
    let operation = "EnableSharingWithAwsOrganization";
    let code = error(&mut world, OWNER, operation, json!({}));
    assert_eq!(code, "OperationNotPermittedException");
    assert!(!world.organization.ram_sharing);
    let management = world.organization.management_account.clone();
    let answer = ok(&mut world, &management, operation, json!({}));
    assert_eq!(answer, json!({ "returnValue": true }));
    assert!(world.organization.ram_sharing);
}

#[test]
fn what_the_sandbox_does_not_have_is_never_a_success() {
    let mut world = world();
    let code = error(
        &mut world,
        OWNER,
        "CreatePermission",
        json!({ "name": "p" }),
    );
    assert_eq!(code, "NotImplemented");
    let sources = json!({ "name": "s", "sources": [CONSUMER] });
    let code = error(&mut world, OWNER, "CreateResourceShare", sources);
    assert_eq!(code, "NotImplemented");
}

#[test]
fn every_operation_of_the_model_has_one_route() {
    let routes = super::super::ROUTES;
    let paths: std::collections::BTreeSet<_> = routes.iter().map(|(_, path, _)| path).collect();
    assert_eq!(paths.len(), 35);
    for (method, path, operation) in routes {
        assert_eq!(*path, format!("/{}", operation.to_ascii_lowercase()));
        let deletes = [
            "DeletePermission",
            "DeletePermissionVersion",
            "DeleteResourceShare",
        ];
        assert_eq!(
            *method == "DELETE",
            deletes.contains(operation),
            "{operation}"
        );
    }
}
