use super::*;

/// Every item of a list, page by page, and how many pages it took.
fn all(
    world: &mut World,
    account: &str,
    operation: &str,
    list: &str,
    mut input: Value,
) -> (Vec<Value>, usize) {
    let mut items = Vec::new();
    for pages in 1.. {
        let mut answer = ok(world, account, operation, input.clone());
        items.append(answer[list].as_array_mut().unwrap());
        if answer["nextToken"].is_null() {
            return (items, pages);
        }
        input["nextToken"] = answer["nextToken"].take();
    }
    unreachable!("the loop ends with the last page")
}

/// Several shares, visible to the consumer, and several pending invitations.
fn populated() -> World {
    let mut world = world();
    for name in ["a", "b", "c"] {
        let share = create(
            &mut world,
            json!({ "name": name, "resourceArns": [TRAIN, SCORE], "principals": [CONSUMER] }),
        );
        accept(&mut world, &share);
    }
    world
}

/// Every paginated operation: caller, name, list and input.
fn lists(world: &mut World) -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let share = offered(world);
    let invitation = text(&invitation(world, &share), "/resourceShareInvitationArn");
    let own = json!({ "resourceOwner": "SELF" });
    let others = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
    vec![
        (OWNER, "GetResourceShares", "resourceShares", own.clone()),
        (
            CONSUMER,
            "GetResourceShares",
            "resourceShares",
            others.clone(),
        ),
        (
            OWNER,
            "GetResourceShareAssociations",
            "resourceShareAssociations",
            json!({ "associationType": "RESOURCE" }),
        ),
        (
            CONSUMER,
            "GetResourceShareInvitations",
            "resourceShareInvitations",
            json!({}),
        ),
        (
            CONSUMER,
            "ListPendingInvitationResources",
            "resources",
            json!({ "resourceShareInvitationArn": invitation }),
        ),
        (OWNER, "ListResources", "resources", own.clone()),
        (CONSUMER, "ListResources", "resources", others.clone()),
        (OWNER, "ListPrincipals", "principals", own),
        (CONSUMER, "ListPrincipals", "principals", others),
        (
            OWNER,
            "GetResourcePolicies",
            "policies",
            json!({ "resourceArns": [TRAIN, SCORE] }),
        ),
        (OWNER, "ListPermissions", "permissions", json!({})),
        (
            OWNER,
            "ListResourceSharePermissions",
            "permissions",
            json!({ "resourceShareArn": share }),
        ),
        (OWNER, "ListResourceTypes", "resourceTypes", json!({})),
    ]
}

#[test]
fn every_list_is_the_same_in_one_page_and_in_many() {
    let mut world = populated();
    for (account, operation, list, mut input) in lists(&mut world) {
        let (whole, _) = all(&mut world, account, operation, list, input.clone());
        assert!(!whole.is_empty(), "{operation}");
        input["maxResults"] = 1.into();
        let (pages, count) = all(&mut world, account, operation, list, input);
        assert_eq!(pages, whole, "{operation}");
        assert_eq!(count, whole.len(), "{operation}");
    }
}

#[test]
fn every_list_can_begin_with_an_empty_page() {
    let mut world = populated();
    for (account, operation, list, input) in lists(&mut world) {
        let (expected, _) = all(&mut world, account, operation, list, input.clone());
        world.ram.empty_first_pages = true;
        let first = ok(&mut world, account, operation, input.clone());
        assert_eq!(first[list], json!([]), "{operation}");
        assert!(first["nextToken"].is_string(), "{operation}");
        let (items, _) = all(&mut world, account, operation, list, input);
        assert_eq!(items, expected, "{operation}");
        world.ram.empty_first_pages = false;
    }
}

#[test]
fn a_token_is_good_only_for_its_own_list() {
    let mut world = populated();
    let first = json!({ "resourceOwner": "SELF", "maxResults": 1 });
    let answer = ok(&mut world, OWNER, "GetResourceShares", first);
    let token = text(&answer, "/nextToken");
    let next = json!({ "resourceOwner": "SELF", "nextToken": token });
    ok(&mut world, OWNER, "GetResourceShares", next.clone());
    let filtered = json!({ "resourceOwner": "SELF", "nextToken": token, "name": "a" });
    for (account, operation, input) in [
        (OWNER, "GetResourceShares", filtered),
        (
            OWNER,
            "GetResourceShares",
            json!({ "resourceOwner": "SELF", "nextToken": "1-0" }),
        ),
        (
            OWNER,
            "GetResourceShares",
            json!({ "resourceOwner": "SELF", "nextToken": "" }),
        ),
        (OWNER, "ListResources", next.clone()),
        (CONSUMER, "GetResourceShares", next),
    ] {
        let code = error(&mut world, account, operation, input);
        assert_eq!(code, "InvalidNextTokenException", "{operation}");
    }
}

#[test]
fn page_sizes_are_checked() {
    let mut world = world();
    for size in [json!(0), json!(501), json!("many")] {
        let input = json!({ "resourceOwner": "SELF", "maxResults": size });
        let code = error(&mut world, OWNER, "GetResourceShares", input);
        assert_eq!(code, "InvalidParameterException");
        let input = json!({ "maxResults": size });
        let code = error(&mut world, OWNER, "GetResourceShareInvitations", input);
        assert_eq!(code, "InvalidMaxResultsException");
    }
}

#[test]
fn shares_can_be_filtered_by_status_permission_and_arn() {
    let mut world = world();
    let kept = create(
        &mut world,
        json!({ "name": "kept", "permissionArns": [EXECUTE] }),
    );
    let gone = create(
        &mut world,
        json!({ "name": "gone", "permissionArns": [READ] }),
    );
    ok(
        &mut world,
        OWNER,
        "DeleteResourceShare",
        json!({ "resourceShareArn": gone }),
    );
    pass(&mut world, 2);
    let mut found = |filter: Value| {
        let mut input = json!({ "resourceOwner": "SELF" });
        input
            .as_object_mut()
            .unwrap()
            .extend(filter.as_object().unwrap().clone());
        let answer = ok(&mut world, OWNER, "GetResourceShares", input);
        texts(&answer, "resourceShares", "name")
    };
    assert_eq!(found(json!({ "resourceShareStatus": "ACTIVE" })), ["kept"]);
    assert_eq!(found(json!({ "resourceShareStatus": "DELETED" })), ["gone"]);
    assert_eq!(found(json!({ "permissionArn": EXECUTE })), ["kept"]);
    assert_eq!(
        found(json!({ "permissionArn": EXECUTE, "permissionVersion": 1 })),
        ["kept"]
    );
    assert!(found(json!({ "permissionArn": EXECUTE, "permissionVersion": 2 })).is_empty());
    assert_eq!(found(json!({ "resourceShareArns": [kept] })), ["kept"]);
}

#[test]
fn an_owner_must_be_named_and_unknown_words_are_refused() {
    let mut world = world();
    for (operation, input) in [
        ("GetResourceShares", json!({})),
        ("GetResourceShares", json!({ "resourceOwner": "ME" })),
        (
            "GetResourceShares",
            json!({ "resourceOwner": "SELF", "resourceShareStatus": "GONE" }),
        ),
        ("GetResourceShareAssociations", json!({})),
        (
            "GetResourceShareAssociations",
            json!({ "associationType": "OWNER" }),
        ),
        (
            "ListPrincipals",
            json!({ "resourceOwner": "SELF", "resourceType": "ec2:Moon" }),
        ),
        ("ListPermissions", json!({ "resourceType": "ec2:Moon" })),
        (
            "ListResourceTypes",
            json!({ "resourceRegionScope": "LUNAR" }),
        ),
    ] {
        let code = error(&mut world, OWNER, operation, input.clone());
        assert_eq!(code, "InvalidParameterException", "{operation} {input}");
    }
    let input = json!({ "resourceOwner": "SELF", "resourceType": "ec2:Moon" });
    let code = error(&mut world, OWNER, "ListResources", input);
    assert_eq!(code, "InvalidResourceTypeException");
}

#[test]
fn a_share_that_does_not_exist_cannot_be_listed() {
    let mut world = world();
    let none = "arn:aws:ram:eu-west-1:111111111111:resource-share/none";
    for (operation, mut input) in [
        ("GetResourceShares", json!({ "resourceOwner": "SELF" })),
        (
            "GetResourceShareAssociations",
            json!({ "associationType": "PRINCIPAL" }),
        ),
        ("ListResources", json!({ "resourceOwner": "SELF" })),
        (
            "ListPrincipals",
            json!({ "resourceOwner": "OTHER-ACCOUNTS" }),
        ),
    ] {
        input["resourceShareArns"] = json!([none]);
        let code = error(&mut world, OWNER, operation, input.clone());
        assert_eq!(code, "UnknownResourceException", "{operation}");
        input["resourceShareArns"] = json!(["none"]);
        let code = error(&mut world, OWNER, operation, input);
        assert_eq!(code, "MalformedArnException", "{operation}");
    }
}

#[test]
fn filters_of_associations_exclude_each_other() {
    let mut world = world();
    let share = offered(&mut world);
    let input = json!({
        "associationType": "PRINCIPAL", "resourceShareArns": [share], "associationStatus": "ASSOCIATED",
    });
    let refused = ask(&mut world, OWNER, "GetResourceShareAssociations", input).unwrap_err();
    assert_eq!(refused.code, "InvalidParameterException");
    assert_eq!(
        refused.message,
        "You cannot use ResourceShareArns and AssociationStatus in one request."
    );
    for input in [
        json!({ "associationType": "PRINCIPAL", "resourceArn": TRAIN }),
        json!({ "associationType": "RESOURCE", "principal": CONSUMER }),
    ] {
        let code = error(&mut world, OWNER, "GetResourceShareAssociations", input);
        assert_eq!(code, "InvalidParameterException");
    }
}

#[test]
fn associations_can_be_filtered_by_entity_and_status() {
    let mut world = world();
    offered(&mut world);
    create(
        &mut world,
        json!({ "name": "s", "resourceArns": [SCORE], "principals": [STRANGER] }),
    );
    let mut found = |input: Value| {
        let answer = ok(&mut world, OWNER, "GetResourceShareAssociations", input);
        texts(&answer, "resourceShareAssociations", "associatedEntity")
    };
    assert_eq!(
        found(json!({ "associationType": "PRINCIPAL", "principal": STRANGER })),
        [STRANGER]
    );
    assert_eq!(
        found(json!({ "associationType": "RESOURCE", "resourceArn": SCORE })),
        [SCORE]
    );
    let waiting = json!({ "associationType": "PRINCIPAL", "associationStatus": "ASSOCIATING" });
    assert_eq!(found(waiting).len(), 2);
    let settled = json!({ "associationType": "PRINCIPAL", "associationStatus": "ASSOCIATED" });
    assert!(found(settled).is_empty());
    assert!(found(json!({ "associationType": "SOURCE" })).is_empty());
}

#[test]
fn associations_are_the_owners_business() {
    let mut world = world();
    let share = accepted(&mut world);
    let input = json!({ "associationType": "RESOURCE" });
    let answer = ok(&mut world, CONSUMER, "GetResourceShareAssociations", input);
    assert_eq!(answer["resourceShareAssociations"], json!([]));
    let input = json!({ "associationType": "RESOURCE", "resourceShareArns": [share] });
    let code = error(&mut world, CONSUMER, "GetResourceShareAssociations", input);
    assert_eq!(code, "UnknownResourceException");
}

#[test]
fn a_consumer_finds_shared_pipelines_by_type_owner_and_share() {
    let mut world = world();
    let share = create(
        &mut world,
        json!({ "name": "s", "resourceArns": [TRAIN, SUBNET, MISSING], "principals": [CONSUMER] }),
    );
    accept(&mut world, &share);
    let mut found = |filter: Value| {
        let mut input = json!({ "resourceOwner": "OTHER-ACCOUNTS" });
        input
            .as_object_mut()
            .unwrap()
            .extend(filter.as_object().unwrap().clone());
        let answer = ok(&mut world, CONSUMER, "ListResources", input);
        texts(&answer, "resources", "arn")
    };
    assert_eq!(found(json!({})), [SUBNET, TRAIN]);
    assert_eq!(
        found(json!({ "resourceType": "SageMaker:pipeline" })),
        [TRAIN]
    );
    assert_eq!(found(json!({ "resourceArns": [SUBNET] })), [SUBNET]);
    assert_eq!(
        found(json!({ "resourceShareArns": [share] })),
        [SUBNET, TRAIN]
    );
    assert_eq!(
        found(json!({ "principal": OWNER, "resourceRegionScope": "REGIONAL" })),
        [SUBNET, TRAIN]
    );
    assert!(found(json!({ "principal": STRANGER })).is_empty());
    assert!(found(json!({ "resourceRegionScope": "GLOBAL" })).is_empty());
}

#[test]
fn an_owner_lists_what_it_shares_with_whom() {
    let mut world = world();
    accepted(&mut world);
    create(
        &mut world,
        json!({ "name": "s", "resourceArns": [SCORE], "principals": [STRANGER] }),
    );
    let input = json!({ "resourceOwner": "SELF", "principal": CONSUMER });
    let answer = ok(&mut world, OWNER, "ListResources", input);
    assert_eq!(texts(&answer, "resources", "arn"), [TRAIN]);
    let input = json!({ "resourceOwner": "SELF" });
    let answer = ok(&mut world, OWNER, "ListPrincipals", input);
    assert_eq!(
        texts(&answer, "principals", "id"),
        [CONSUMER],
        "who has not accepted is absent"
    );
    assert_eq!(answer["principals"][0]["external"], true);
    let input = json!({ "resourceOwner": "SELF", "resourceArn": SCORE });
    let answer = ok(&mut world, OWNER, "ListPrincipals", input);
    assert_eq!(answer["principals"], json!([]));
    let input = json!({ "resourceOwner": "OTHER-ACCOUNTS", "principals": [OWNER] });
    let answer = ok(&mut world, CONSUMER, "ListPrincipals", input);
    assert_eq!(texts(&answer, "principals", "id"), [OWNER]);
}
