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
        "team-test-readers.222222222222",
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
    ] {
        input["resourceShareArn"] = share.clone().into();
        let stranger = error(&mut world, STRANGER, operation, input.clone());
        assert_eq!(stranger, "UnknownResourceException", "{operation}");
        let consumer = error(&mut world, CONSUMER, operation, input);
        assert_eq!(consumer, "OperationNotPermittedException", "{operation}");
    }
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
