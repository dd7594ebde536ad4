use super::*;

const START: &str = "sagemaker:StartPipelineExecution";
const DESCRIBE: &str = "sagemaker:DescribePipeline";

/// A share of `train` within the organization.
fn share(world: &mut World, permission: &str, principal: &str) -> String {
    create(
        world,
        json!({
            "name": "s", "resourceArns": [TRAIN], "principals": [principal],
            "permissionArns": [permission],
        }),
    )
}

#[test]
fn a_reader_reads_and_an_operator_also_runs() {
    let mut world = organization();
    world.organization.members.insert(STRANGER.to_owned());
    share(&mut world, READ, CONSUMER);
    share(&mut world, EXECUTE, STRANGER);
    let reader = Caller::administrator(CONSUMER);
    let operator = Caller::administrator(STRANGER);
    for action in [
        "DescribePipeline",
        "DescribePipelineDefinitionForExecution",
        "DescribePipelineExecution",
        "ListPipelineExecutions",
        "ListPipelineExecutionSteps",
        "ListPipelineParametersForExecution",
        "Search",
    ] {
        let action = format!("sagemaker:{action}");
        assert!(may(&world, &reader, &action, TRAIN), "{action}");
        assert!(may(&world, &operator, &action, TRAIN), "{action}");
    }
    for action in [
        "StartPipelineExecution",
        "StopPipelineExecution",
        "RetryPipelineExecution",
    ] {
        let action = format!("sagemaker:{action}");
        assert!(!may(&world, &reader, &action, TRAIN), "{action}");
        assert!(may(&world, &operator, &action, TRAIN), "{action}");
    }
    for action in [
        "UpdatePipeline",
        "DeletePipeline",
        "ListPipelineVersions",
        "ListPipelines",
    ] {
        let action = format!("sagemaker:{action}");
        assert!(!may(&world, &operator, &action, TRAIN), "{action}");
    }
}

#[test]
fn nobody_else_and_nothing_else_is_covered() {
    let mut world = organization();
    share(&mut world, EXECUTE, CONSUMER);
    let consumer = Caller::administrator(CONSUMER);
    assert!(!may(
        &world,
        &Caller::administrator(STRANGER),
        DESCRIBE,
        TRAIN
    ));
    assert!(!may(&world, &consumer, DESCRIBE, SCORE));
    assert!(may(&world, &role(CONSUMER, "any"), DESCRIBE, TRAIN));
    assert!(may(
        &world,
        &consumer,
        DESCRIBE,
        &TRAIN.to_ascii_uppercase()
    ));
}

#[test]
fn all_shares_of_a_pipeline_add_up() {
    let mut world = organization();
    let everybody = world.organization.arn();
    share(&mut world, READ, &everybody);
    let run = share(&mut world, EXECUTE, CONSUMER);
    let consumer = Caller::administrator(CONSUMER);
    assert!(may(&world, &consumer, START, TRAIN));
    ok(
        &mut world,
        OWNER,
        "DeleteResourceShare",
        json!({ "resourceShareArn": run }),
    );
    assert!(!may(&world, &consumer, START, TRAIN));
    assert!(may(&world, &consumer, DESCRIBE, TRAIN));
}

#[test]
fn a_role_means_only_its_own_sessions() {
    let mut world = organization();
    share(
        &mut world,
        READ,
        "arn:aws:iam::222222222222:role/teams/ml/Reader",
    );
    assert!(may(&world, &role(CONSUMER, "Reader"), DESCRIBE, TRAIN));
    assert!(may(&world, &role(CONSUMER, "reader"), DESCRIBE, TRAIN));
    assert!(!may(&world, &role(CONSUMER, "Writer"), DESCRIBE, TRAIN));
    assert!(!may(&world, &role(STRANGER, "Reader"), DESCRIBE, TRAIN));
    assert!(!may(
        &world,
        &Caller::administrator(CONSUMER),
        DESCRIBE,
        TRAIN
    ));
}

#[test]
fn a_user_means_only_this_user() {
    let mut world = organization();
    share(
        &mut world,
        READ,
        "arn:aws:iam::222222222222:user/administrator",
    );
    assert!(may(
        &world,
        &Caller::administrator(CONSUMER),
        DESCRIBE,
        TRAIN
    ));
    assert!(!may(
        &world,
        &role(CONSUMER, "administrator"),
        DESCRIBE,
        TRAIN
    ));
}

#[test]
fn a_unit_means_the_accounts_in_it_as_they_are_now() {
    let mut world = organization();
    world.organization.members.insert(STRANGER.to_owned());
    let unit = "arn:aws:organizations::000000000000:ou/o-sandbox123/ou-ab12-team";
    world
        .organization
        .units
        .insert(unit.to_owned(), [CONSUMER.to_owned()].into());
    share(&mut world, READ, unit);
    assert!(may_describe(&world, CONSUMER));
    assert!(!may_describe(&world, STRANGER));
    assert_eq!(seen(&mut world), ["s"]);
    world
        .organization
        .units
        .insert(unit.to_owned(), [STRANGER.to_owned()].into());
    assert!(!may_describe(&world, CONSUMER));
    assert!(may_describe(&world, STRANGER));
}

#[test]
fn the_organization_means_its_members() {
    let mut world = organization();
    let everybody = world.organization.arn();
    share(&mut world, READ, &everybody);
    assert!(may_describe(&world, CONSUMER));
    assert!(!may_describe(&world, STRANGER));
}

#[test]
fn an_account_that_leaves_the_organization_loses_access() {
    let mut world = organization();
    share(&mut world, READ, CONSUMER);
    world.organization.members.remove(CONSUMER);
    assert!(!may_describe(&world, CONSUMER));
    assert_eq!(seen(&mut world), Vec::<String>::new());
}

#[test]
fn an_invited_account_keeps_access_outside_of_any_organization() {
    let mut world = world();
    accepted(&mut world);
    assert!(may_describe(&world, CONSUMER));
}

#[test]
fn revoking_ends_access_at_once() {
    for input in [
        json!({ "resourceArns": [TRAIN] }),
        json!({ "principals": [CONSUMER] }),
    ] {
        let mut world = world();
        let share = accepted(&mut world);
        let mut input = input;
        input["resourceShareArn"] = share.into();
        ok(&mut world, OWNER, "DisassociateResourceShare", input);
        assert!(!may_describe(&world, CONSUMER));
    }
}

#[test]
fn a_pipeline_that_joins_an_accepted_share_needs_no_new_invitation() {
    let mut world = world();
    let share = accepted(&mut world);
    let input = json!({ "resourceShareArn": share, "resourceArns": [SCORE] });
    ok(&mut world, OWNER, "AssociateResourceShare", input);
    let consumer = Caller::administrator(CONSUMER);
    assert!(!may(&world, &consumer, DESCRIBE, SCORE));
    pass(&mut world, 2);
    assert!(may(&world, &consumer, DESCRIBE, SCORE));
}

#[test]
fn a_failed_association_grants_nothing() {
    let mut world = organization();
    create(
        &mut world,
        json!({ "name": "s", "resourceArns": [MISSING], "principals": [CONSUMER] }),
    );
    assert!(!may(
        &world,
        &Caller::administrator(CONSUMER),
        DESCRIBE,
        MISSING
    ));
}

#[test]
fn the_policy_of_a_resource_merges_its_shares() {
    let mut world = organization();
    let everybody = world.organization.arn();
    share(&mut world, READ, &everybody);
    share(&mut world, EXECUTE, CONSUMER);
    let input = json!({ "resourceArns": [TRAIN, SCORE] });
    let answer = ok(&mut world, OWNER, "GetResourcePolicies", input.clone());
    let policies = answer["policies"].as_array().unwrap();
    assert_eq!(
        policies.len(),
        1,
        "nothing is said about what is not shared"
    );
    let policy: Value = serde_json::from_str(policies[0].as_str().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    assert_eq!(statements.len(), 2);
    let account = json!({ "AWS": "arn:aws:iam::222222222222:root" });
    let of_account = statements
        .iter()
        .find(|each| each["Principal"] == account)
        .unwrap();
    assert!(
        of_account["Action"]
            .as_array()
            .unwrap()
            .contains(&START.into())
    );
    assert_eq!(of_account["Resource"], TRAIN);
    let of_all = statements
        .iter()
        .find(|each| each["Principal"] == "*")
        .unwrap();
    assert!(!of_all["Action"].as_array().unwrap().contains(&START.into()));
    assert_eq!(
        of_all["Condition"]["StringEquals"]["aws:PrincipalOrgID"],
        "o-sandbox123"
    );

    let only = json!({ "resourceArns": [TRAIN], "principal": CONSUMER });
    let answer = ok(&mut world, OWNER, "GetResourcePolicies", only);
    assert!(
        !answer["policies"][0]
            .as_str()
            .unwrap()
            .contains("PrincipalOrgID")
    );
    let code = error(&mut world, CONSUMER, "GetResourcePolicies", input);
    assert_eq!(code, "ResourceArnNotFoundException");
}
