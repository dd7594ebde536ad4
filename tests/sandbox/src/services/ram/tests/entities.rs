use super::*;

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
