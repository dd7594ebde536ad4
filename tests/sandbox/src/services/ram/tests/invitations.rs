use std::time::Duration;

use super::*;

fn answer(world: &mut World, operation: &str, arn: &str) -> Result<Value, ApiError> {
    let input = json!({ "resourceShareInvitationArn": arn });
    ask(world, CONSUMER, operation, input)
}

fn pending(world: &mut World) -> (String, String) {
    let share = offered(world);
    let arn = text(&invitation(world, &share), "/resourceShareInvitationArn");
    (share, arn)
}

#[test]
fn an_invitation_appears_a_moment_after_the_principal_and_only_to_its_account() {
    let mut world = world();
    let input = json!({ "name": "offer", "resourceArns": [TRAIN], "principals": [CONSUMER] });
    let share = text(
        &ok(&mut world, OWNER, "CreateResourceShare", input),
        "/resourceShare/resourceShareArn",
    );
    assert_eq!(invitation(&mut world, &share), Value::Null);
    pass(&mut world, 1);
    let received = invitation(&mut world, &share);
    assert_eq!(received["status"], "PENDING");
    assert_eq!(received["resourceShareName"], "offer");
    assert_eq!(received["resourceShareArn"], share);
    assert_eq!(received["senderAccountId"], OWNER);
    assert_eq!(received["receiverAccountId"], CONSUMER);
    assert_eq!(received["invitationTimestamp"], 1_772_366_401);
    let arn = text(&received, "/resourceShareInvitationArn");
    assert!(
        arn.starts_with("arn:aws:ram:eu-west-1:111111111111:resource-share-invitation/"),
        "{arn}"
    );
    for other in [OWNER, STRANGER] {
        let answer = ok(&mut world, other, "GetResourceShareInvitations", json!({}));
        assert_eq!(answer["resourceShareInvitations"], json!([]), "{other}");
    }
}

#[test]
fn the_principal_stays_associating_until_it_accepts() {
    let mut world = world();
    let share = offered(&mut world);
    pass(&mut world, hours(11));
    assert_eq!(
        statuses(&mut world, &share),
        json!({ CONSUMER: "ASSOCIATING", TRAIN: "ASSOCIATED" })
    );
    assert!(!may_describe(&world, CONSUMER));
    accept(&mut world, &share);
    assert_eq!(statuses(&mut world, &share)[CONSUMER], "ASSOCIATED");
    assert!(may_describe(&world, CONSUMER));
}

#[test]
fn accepting_answers_the_accepted_invitation() {
    let mut world = world();
    let (_, arn) = pending(&mut world);
    let accepted = answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap();
    assert_eq!(accepted["resourceShareInvitation"]["status"], "ACCEPTED");
    assert_eq!(
        accepted["resourceShareInvitation"]["resourceShareInvitationArn"],
        arn
    );
}

#[test]
fn an_accepted_share_becomes_visible_only_later() {
    let mut world = world();
    let (share, arn) = pending(&mut world);
    assert_eq!(seen(&mut world), Vec::<String>::new());
    answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap();
    assert_eq!(seen(&mut world), Vec::<String>::new());
    let input = json!({ "resourceOwner": "OTHER-ACCOUNTS", "resourceShareArns": [share] });
    let code = error(&mut world, CONSUMER, "GetResourceShares", input.clone());
    assert_eq!(code, "UnknownResourceException");
    pass(&mut world, 5);
    assert_eq!(seen(&mut world), ["offer"]);
    let answer = ok(&mut world, CONSUMER, "GetResourceShares", input);
    assert_eq!(answer["resourceShares"][0]["status"], "ACTIVE");
    assert_eq!(answer["resourceShares"][0]["tags"], Value::Null);
}

#[test]
fn pending_invitations_are_not_shares_of_other_accounts() {
    let mut world = world();
    offered(&mut world);
    let input = json!({ "resourceOwner": "OTHER-ACCOUNTS", "resourceShareStatus": "PENDING" });
    let answer = ok(&mut world, CONSUMER, "GetResourceShares", input);
    assert_eq!(answer["resourceShares"], json!([]));
}

#[test]
fn an_invitation_to_pipelines_expires_after_twelve_hours_and_drops_the_principal() {
    let mut world = world();
    let (share, arn) = pending(&mut world);
    // The invitation was sent one second after the share, and ten have passed.
    pass(&mut world, hours(12) - 10);
    assert_eq!(invitation(&mut world, &share)["status"], "PENDING");
    pass(&mut world, 1);
    assert_eq!(invitation(&mut world, &share)["status"], "EXPIRED");
    assert_eq!(statuses(&mut world, &share)[CONSUMER], "DISASSOCIATED");
    for operation in [
        "AcceptResourceShareInvitation",
        "RejectResourceShareInvitation",
        "ListPendingInvitationResources",
    ] {
        let refused = answer(&mut world, operation, &arn).unwrap_err();
        assert_eq!(
            refused.code, "ResourceShareInvitationExpiredException",
            "{operation}"
        );
    }
}

#[test]
fn after_expiry_the_owner_can_invite_again() {
    let mut world = world();
    let (share, old) = pending(&mut world);
    pass(&mut world, hours(12));
    let input = json!({ "resourceShareArn": share, "principals": [CONSUMER] });
    let answer = ok(&mut world, OWNER, "AssociateResourceShare", input);
    assert_eq!(
        answer["resourceShareAssociations"][0]["status"],
        "ASSOCIATING"
    );
    pass(&mut world, 1);
    let input = json!({ "resourceShareArns": [share] });
    let answer = ok(&mut world, CONSUMER, "GetResourceShareInvitations", input);
    let invitations = answer["resourceShareInvitations"].as_array().unwrap();
    let fresh = invitations
        .iter()
        .find(|each| each["status"] == "PENDING")
        .unwrap();
    let fresh = text(fresh, "/resourceShareInvitationArn");
    assert_ne!(fresh, old);
    let input = json!({ "resourceShareInvitationArn": fresh });
    ok(&mut world, CONSUMER, "AcceptResourceShareInvitation", input);
    assert!(may_describe(&world, CONSUMER));
    // The end of the first invitation does not reach the second acceptance.
    pass(&mut world, hours(24));
    assert!(may_describe(&world, CONSUMER));
}

#[test]
fn an_invitation_to_lasting_types_lives_for_seven_days_unless_a_pipeline_is_among_them() {
    let mut world = world();
    let lasting = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [SUBNET], "principals": [CONSUMER] }),
    );
    let mixed = create(
        &mut world,
        json!({ "name": "t", "resourceArns": [SUBNET, TRAIN], "principals": [CONSUMER] }),
    );
    let empty = create(&mut world, json!({ "name": "u", "principals": [CONSUMER] }));
    pass(&mut world, hours(12));
    assert_eq!(invitation(&mut world, &lasting)["status"], "PENDING");
    assert_eq!(invitation(&mut world, &mixed)["status"], "EXPIRED");
    assert_eq!(invitation(&mut world, &empty)["status"], "EXPIRED");
    pass(&mut world, hours(7 * 24 - 12));
    assert_eq!(invitation(&mut world, &lasting)["status"], "EXPIRED");
}

#[test]
fn a_rejection_drops_the_principal() {
    let mut world = world();
    let (share, arn) = pending(&mut world);
    let rejected = answer(&mut world, "RejectResourceShareInvitation", &arn).unwrap();
    assert_eq!(rejected["resourceShareInvitation"]["status"], "REJECTED");
    assert_eq!(statuses(&mut world, &share)[CONSUMER], "DISASSOCIATED");
    assert!(!may_describe(&world, CONSUMER));
    for operation in [
        "AcceptResourceShareInvitation",
        "RejectResourceShareInvitation",
        "ListPendingInvitationResources",
    ] {
        let refused = answer(&mut world, operation, &arn).unwrap_err();
        assert_eq!(
            refused.code, "ResourceShareInvitationAlreadyRejectedException",
            "{operation}"
        );
    }
}

#[test]
fn an_accepted_invitation_cannot_be_answered_again() {
    let mut world = world();
    let (_, arn) = pending(&mut world);
    answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap();
    for operation in [
        "AcceptResourceShareInvitation",
        "RejectResourceShareInvitation",
    ] {
        let refused = answer(&mut world, operation, &arn).unwrap_err();
        assert_eq!(
            refused.code, "ResourceShareInvitationAlreadyAcceptedException",
            "{operation}"
        );
    }
}

#[test]
fn nobody_but_the_receiver_can_answer() {
    let mut world = world();
    let (_, arn) = pending(&mut world);
    for account in [OWNER, STRANGER] {
        let input = json!({ "resourceShareInvitationArn": arn });
        let code = error(&mut world, account, "AcceptResourceShareInvitation", input);
        assert_eq!(
            code, "ResourceShareInvitationArnNotFoundException",
            "{account}"
        );
    }
    let input = json!({ "resourceShareInvitationArns": [arn] });
    let code = error(&mut world, STRANGER, "GetResourceShareInvitations", input);
    assert_eq!(code, "ResourceShareInvitationArnNotFoundException");
}

#[test]
fn answered_and_expired_invitations_are_purged_after_seven_days() {
    let mut world = world();
    let (share, arn) = pending(&mut world);
    answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap();
    pass(&mut world, hours(7 * 24) - 1);
    assert_eq!(invitation(&mut world, &share)["status"], "ACCEPTED");
    pass(&mut world, 1);
    assert_eq!(invitation(&mut world, &share), Value::Null);
    let refused = answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap_err();
    assert_eq!(refused.code, "ResourceShareInvitationArnNotFoundException");
    assert!(may_describe(&world, CONSUMER));
}

#[test]
fn the_contents_of_an_invitation_can_be_seen_before_it_is_accepted() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN, SUBNET, MISSING], "principals": [CONSUMER] }),
    );
    let arn = text(
        &invitation(&mut world, &share),
        "/resourceShareInvitationArn",
    );
    let listed = answer(&mut world, "ListPendingInvitationResources", &arn).unwrap();
    assert_eq!(texts(&listed, "resources", "arn"), [SUBNET, TRAIN]);
    assert_eq!(
        texts(&listed, "resources", "type"),
        ["ec2:Subnet", "sagemaker:Pipeline"]
    );
    assert_eq!(listed["resources"][0]["resourceShareArn"], share);
    assert_eq!(listed["resources"][0]["status"], "AVAILABLE");
    let input = json!({ "resourceShareInvitationArn": arn, "resourceRegionScope": "GLOBAL" });
    let global = ok(
        &mut world,
        CONSUMER,
        "ListPendingInvitationResources",
        input,
    );
    assert_eq!(global["resources"], json!([]));
}

#[test]
fn a_role_of_another_account_is_invited_by_its_arn() {
    let mut world = world();
    let reader = "arn:aws:iam::222222222222:role/reader";
    let share = create(&mut world, json!({ "name": "s", "principals": [reader] }));
    let received = invitation(&mut world, &share);
    assert_eq!(received["receiverAccountId"], CONSUMER);
    assert_eq!(received["receiverArn"], reader);
}

#[test]
fn retained_sharing_invites_even_within_the_organization() {
    let mut world = organization();
    let retain = json!({ "retainSharingOnAccountLeaveOrganization": true });
    let mut input = json!({
        "name": "s", "resourceArns": [TRAIN], "principals": [CONSUMER],
        "resourceShareConfiguration": retain,
    });
    let share = create(&mut world, input.clone());
    assert_eq!(invitation(&mut world, &share)["status"], "PENDING");
    accept(&mut world, &share);
    // The account keeps its access when it leaves.
    world.organization.members.remove(CONSUMER);
    assert!(may_describe(&world, CONSUMER));

    input["allowExternalPrincipals"] = false.into();
    let code = error(&mut world, OWNER, "CreateResourceShare", input.clone());
    assert_eq!(code, "InvalidParameterException");
    input["allowExternalPrincipals"] = true.into();
    input["principals"] = json!([world.organization.arn()]);
    let code = error(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(code, "InvalidParameterException");
}

#[test]
fn delays_can_be_chosen() {
    let mut world = world();
    world.ram.invitation_delay = Duration::from_mins(1);
    world.ram.acceptance_visibility_delay = Duration::ZERO;
    let share = offered(&mut world);
    assert_eq!(invitation(&mut world, &share), Value::Null);
    pass(&mut world, 50);
    let arn = text(
        &invitation(&mut world, &share),
        "/resourceShareInvitationArn",
    );
    answer(&mut world, "AcceptResourceShareInvitation", &arn).unwrap();
    assert_eq!(seen(&mut world), ["offer"]);
}
