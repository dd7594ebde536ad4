use jiff::Timestamp;

use super::*;

const CALLER: &str = "222222222222";
const CHURN: &str = "arn:aws:sagemaker:eu-west-1:111111111111:pipeline/Churn";

fn world() -> World {
    World::new("2026-11-20T10:00:05Z".parse::<Timestamp>().unwrap())
}

fn call(service: &str, operation: &str, input: Value) -> Call {
    Call {
        caller: Caller::administrator(CALLER),
        region: "eu-west-1".to_owned(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        input,
    }
}

fn create() -> Call {
    let input = json!({
        "PipelineName": "Churn",
        "PipelineDefinition": "{}",
        "Tags": [{ "Key": "env", "Value": "test" }],
    });
    call("sagemaker", "CreatePipeline", input)
}

/// The only event that the call leads to.
fn event(world: &mut World, call: &Call, outcome: &Result<Value, ApiError>) -> ServiceEvent {
    let mut copies = copies(world, call, outcome);
    assert_eq!(copies.len(), 1);
    copies.remove(0)
}

#[test]
fn a_write_call_becomes_an_event_in_the_callers_account() {
    let outcome = Ok(json!({ "PipelineArn": CHURN }));
    let event = event(&mut world(), &create(), &outcome);
    assert_eq!(event.account, CALLER);
    assert_eq!(event.region, "eu-west-1");
    assert_eq!(event.source, "aws.sagemaker");
    assert_eq!(event.detail_type, "AWS API Call via CloudTrail");
    assert!(event.resources.is_empty());

    let detail = &event.detail;
    assert_eq!(detail["eventSource"], "sagemaker.amazonaws.com");
    assert_eq!(detail["eventName"], "CreatePipeline");
    assert_eq!(detail["eventTime"], "2026-11-20T10:00:05Z");
    assert_eq!(detail["awsRegion"], "eu-west-1");
    assert_eq!(detail["recipientAccountId"], CALLER);
    assert_eq!(detail["readOnly"], false);
    let parameters = json!({
        "pipelineName": "Churn",
        "pipelineDefinition": "{}",
        "tags": [{ "key": "env", "value": "test" }],
    });
    assert_eq!(detail["requestParameters"], parameters);
    assert_eq!(detail["responseElements"], json!({ "pipelineArn": CHURN }));
    assert_eq!(detail.get("errorCode"), None);
    assert_eq!(detail.get("sharedEventID"), None);
}

#[test]
fn a_failed_call_is_recorded_with_its_error_and_without_an_answer() {
    let outcome = Err(ApiError::new("ValidationException", "The name is taken."));
    let event = event(&mut world(), &create(), &outcome);
    assert_eq!(event.detail["errorCode"], "ValidationException");
    assert_eq!(event.detail["errorMessage"], "The name is taken.");
    assert_eq!(event.detail["responseElements"], Value::Null);
    assert!(
        event
            .detail
            .as_object()
            .unwrap()
            .contains_key("responseElements")
    );
}

#[test]
fn reading_leaves_no_record_and_neither_do_services_nobody_listens_to() {
    for (service, operation) in [
        ("sagemaker", "DescribePipeline"),
        ("sagemaker", "ListPipelines"),
        ("ram", "GetResourceShares"),
        ("ram", "ListResources"),
        ("ssm", "GetParameter"),
        ("sqs", "SendMessage"),
        ("sts", "AssumeRole"),
    ] {
        let call = call(service, operation, json!({}));
        assert!(
            copies(&mut world(), &call, &Ok(json!({}))).is_empty(),
            "{operation}"
        );
    }
}

#[test]
fn writes_to_ram_and_the_parameter_store_are_recorded() {
    for (service, operation) in [
        ("ram", "CreateResourceShare"),
        ("ram", "AcceptResourceShareInvitation"),
        ("ssm", "LabelParameterVersion"),
    ] {
        let call = call(service, operation, json!({}));
        let event = event(&mut world(), &call, &Ok(json!({})));
        assert_eq!(event.source, format!("aws.{service}"));
        assert_eq!(
            event.detail["eventSource"],
            format!("{service}.amazonaws.com")
        );
        assert_eq!(event.detail["responseElements"], Value::Null);
    }
}

#[test]
fn an_account_without_a_trail_gets_no_events() {
    let mut world = world();
    world.cloudtrail.without.insert(CALLER.to_owned());
    assert!(copies(&mut world, &create(), &Ok(json!({}))).is_empty());
}

#[test]
fn the_owner_of_a_shared_pipeline_gets_a_copy_that_does_not_name_the_role() {
    let mut call = call(
        "sagemaker",
        "StartPipelineExecution",
        json!({ "PipelineName": CHURN }),
    );
    call.caller.role = Some(AssumedRole {
        name: "engineer".to_owned(),
        session: "ada".to_owned(),
    });
    let mut world = world();
    let events = copies(&mut world, &call, &Ok(json!({})));
    let accounts: Vec<&str> = events.iter().map(|event| event.account.as_str()).collect();
    assert_eq!(accounts, [CALLER, "111111111111"]);
    let (callers, owners) = (&events[0].detail, &events[1].detail);
    assert_eq!(callers["sharedEventID"], owners["sharedEventID"]);
    assert_ne!(callers["eventID"], owners["eventID"]);
    assert_eq!(owners["recipientAccountId"], "111111111111");
    assert_eq!(callers["userIdentity"]["type"], "AssumedRole");
    assert_eq!(owners["userIdentity"]["type"], "AWSAccount");
    assert_eq!(owners["userIdentity"]["accountId"], CALLER);
    assert_eq!(owners["userIdentity"].get("arn"), None);

    let denied = Err(ApiError::new("AccessDeniedException", "No."));
    assert_eq!(event(&mut world, &call, &denied).account, CALLER);
}

#[test]
fn a_role_is_recorded_with_its_session_and_issuer() {
    let mut call = create();
    call.caller.role = Some(AssumedRole {
        name: "ci-deployer".to_owned(),
        session: "build".to_owned(),
    });
    let identity = &event(&mut world(), &call, &Ok(json!({}))).detail["userIdentity"];
    assert_eq!(identity["type"], "AssumedRole");
    assert_eq!(
        identity["arn"],
        "arn:aws:sts::222222222222:assumed-role/ci-deployer/build"
    );
    let issuer = &identity["sessionContext"]["sessionIssuer"];
    assert_eq!(issuer["arn"], "arn:aws:iam::222222222222:role/ci-deployer");
    assert_eq!(issuer["userName"], "ci-deployer");
    let principal = format!("{}:build", issuer["principalId"].as_str().unwrap());
    assert_eq!(identity["principalId"], principal);
    assert!(principal.starts_with("AROA"), "{principal}");
}

#[test]
fn parameters_that_are_too_large_are_left_out() {
    let mut call = create();
    call.input["PipelineDefinition"] = "x".repeat(LARGEST).into();
    let outcome = Ok(json!({ "PipelineArn": CHURN }));
    let event = event(&mut world(), &call, &outcome);
    assert_eq!(
        event.detail["requestParameters"],
        json!({ "omitted": true })
    );
    assert_eq!(event.detail["responseElements"]["pipelineArn"], CHURN);
}

#[test]
fn values_of_parameters_are_hidden() {
    let input = json!({ "Name": "/team/policy", "Value": "secret", "Overwrite": true });
    let call = call("ssm", "PutParameter", input);
    let event = event(&mut world(), &call, &Ok(json!({ "Version": 2 })));
    assert_eq!(event.detail["requestParameters"]["name"], "/team/policy");
    assert!(!event.detail.to_string().contains("secret"));
}

#[test]
fn every_record_has_ids_of_its_own_and_they_are_the_same_in_every_run() {
    let ids = || {
        let mut world = world();
        let mut id = || event(&mut world, &create(), &Ok(json!({}))).detail["eventID"].clone();
        (id(), id())
    };
    assert_ne!(ids().0, ids().1);
    assert_eq!(ids(), ids());
}
