use super::*;

#[test]
fn the_same_call_with_the_same_token_happens_once() {
    let mut world = world();
    let input = json!({ "name": "s", "clientToken": "t1" });
    let first = ok(&mut world, OWNER, "CreateResourceShare", input.clone());
    pass(&mut world, 60);
    let second = ok(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(first, second);
    assert_eq!(first["clientToken"], "t1");
    let shares = ok(
        &mut world,
        OWNER,
        "GetResourceShares",
        json!({ "resourceOwner": "SELF" }),
    );
    assert_eq!(shares["resourceShares"].as_array().unwrap().len(), 1);
}

#[test]
fn a_token_cannot_be_used_for_something_else() {
    let mut world = world();
    let input = json!({ "name": "s", "clientToken": "t1" });
    let share = create(&mut world, input);
    for (operation, input) in [
        (
            "CreateResourceShare",
            json!({ "name": "other", "clientToken": "t1" }),
        ),
        (
            "UpdateResourceShare",
            json!({ "resourceShareArn": share, "name": "s", "clientToken": "t1" }),
        ),
    ] {
        let code = error(&mut world, OWNER, operation, input);
        assert_eq!(code, "IdempotentParameterMismatchException", "{operation}");
    }
    // Another account has tokens of its own.
    let input = json!({ "name": "other", "clientToken": "t1" });
    ok(&mut world, CONSUMER, "CreateResourceShare", input);
}

#[test]
fn a_call_that_failed_does_not_use_up_its_token() {
    let mut world = world();
    let bad = json!({ "name": "s", "clientToken": "t1", "resourceArns": ["bad"] });
    let code = error(&mut world, OWNER, "CreateResourceShare", bad);
    assert_eq!(code, "MalformedArnException");
    create(&mut world, json!({ "name": "s", "clientToken": "t1" }));
}

#[test]
fn a_call_without_token_gets_one_and_repeats() {
    let mut world = world();
    let input = json!({ "name": "s" });
    let first = ok(&mut world, OWNER, "CreateResourceShare", input.clone());
    let second = ok(&mut world, OWNER, "CreateResourceShare", input);
    assert_ne!(first["clientToken"], second["clientToken"]);
    assert_ne!(
        first["resourceShare"]["resourceShareArn"],
        second["resourceShare"]["resourceShareArn"]
    );
}

#[test]
fn an_acceptance_that_is_repeated_with_its_token_succeeds_again() {
    let mut world = world();
    let share = offered(&mut world);
    let arn = text(
        &invitation(&mut world, &share),
        "/resourceShareInvitationArn",
    );
    let input = json!({ "resourceShareInvitationArn": arn, "clientToken": "t1" });
    let first = ok(
        &mut world,
        CONSUMER,
        "AcceptResourceShareInvitation",
        input.clone(),
    );
    let second = ok(&mut world, CONSUMER, "AcceptResourceShareInvitation", input);
    assert_eq!(first, second);
}

#[test]
fn an_empty_token_is_refused() {
    let mut world = world();
    let input = json!({ "name": "s", "clientToken": "" });
    let code = error(&mut world, OWNER, "CreateResourceShare", input);
    assert_eq!(code, "InvalidClientTokenException");
}
