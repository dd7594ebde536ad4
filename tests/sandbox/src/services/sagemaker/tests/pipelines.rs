use super::*;

fn request(name: &str) -> Value {
    json!({
        "PipelineName": name,
        "PipelineDefinition": chain().to_string(),
        "RoleArn": ROLE,
        "ClientRequestToken": token("create"),
    })
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

fn refused_definition(definition: &Value) -> String {
    let input = with(
        request("Churn"),
        "PipelineDefinition",
        definition.to_string().into(),
    );
    let error = refuse(&mut world(), "CreatePipeline", input);
    assert_eq!(error.code, "ValidationException");
    assert!(
        error
            .message
            .starts_with("Unable to parse pipeline definition."),
        "{error}"
    );
    error.message
}

#[test]
fn a_new_pipeline_keeps_the_case_of_its_name_and_tells_who_made_it() {
    let mut world = world();
    let input = with(
        request("Churn"),
        "PipelineDescription",
        "Who leaves?".into(),
    );
    let made = ask(&mut world, "CreatePipeline", input);
    assert_eq!(made, json!({ "PipelineArn": CHURN }));

    let shown = ask(
        &mut world,
        "DescribePipeline",
        json!({ "PipelineName": "Churn" }),
    );
    assert_eq!(shown["PipelineArn"], CHURN);
    assert_eq!(shown["PipelineName"], "Churn");
    assert_eq!(shown["PipelineDisplayName"], "Churn");
    assert_eq!(shown["PipelineDescription"], "Who leaves?");
    assert_eq!(shown["PipelineDefinition"], chain().to_string());
    assert_eq!(shown["PipelineStatus"], "Active");
    assert_eq!(shown["RoleArn"], ROLE);
    assert_eq!(shown["CreationTime"], 1_795_168_800);
    assert_eq!(
        shown["CreatedBy"]["IamIdentity"]["Arn"],
        "arn:aws:iam::111111111111:user/administrator"
    );
    assert_eq!(shown.get("LastRunTime"), None);
    assert_eq!(shown.get("ParallelismConfiguration"), None);
}

#[test]
fn a_pipeline_is_found_by_arn_whatever_the_case_of_its_name() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    for name in [CHURN.to_owned(), CHURN.replace("Churn", "churn")] {
        let shown = ask(
            &mut world,
            "DescribePipeline",
            json!({ "PipelineName": name }),
        );
        assert_eq!(shown["PipelineArn"], CHURN);
        assert!(super::super::pipeline_exists(&world, &name));
    }
    for other in [
        CHURN.replace("Churn", "Other"),
        CHURN.replace("west", "north"),
        "Churn".into(),
    ] {
        assert!(!super::super::pipeline_exists(&world, &other), "{other}");
    }
}

#[test]
fn a_name_is_taken_once_per_account_and_region() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let error = refuse(&mut world, "CreatePipeline", request("Churn"));
    assert_eq!(error.code, "ValidationException");
    assert!(
        error
            .message
            .contains("must be unique within an AWS account"),
        "{error}"
    );

    let elsewhere = Call {
        region: "us-east-1".into(),
        ..owner("CreatePipeline", request("Churn"))
    };
    call(&mut world, &elsewhere).unwrap();
    call(&mut world, &consumer("CreatePipeline", request("Churn"))).unwrap();
}

#[test]
fn the_same_token_makes_a_pipeline_once() {
    let mut world = world();
    let first = ask(&mut world, "CreatePipeline", request("Churn"));
    assert_eq!(ask(&mut world, "CreatePipeline", request("Churn")), first);
    let error = refuse(&mut world, "CreatePipeline", request("Other"));
    assert_eq!(error.code, "ConflictException");
}

#[test]
fn a_deleted_pipeline_can_be_made_again_with_the_same_token() {
    let mut world = world();
    let delete = json!({ "PipelineName": "Churn", "ClientRequestToken": token("delete") });
    for _ in 0..2 {
        ask(&mut world, "CreatePipeline", request("Churn"));
        ask(
            &mut world,
            "DescribePipeline",
            json!({ "PipelineName": "Churn" }),
        );
        ask(&mut world, "DeletePipeline", delete.clone());
        assert_eq!(
            ask(&mut world, "DeletePipeline", delete.clone())["PipelineArn"],
            CHURN
        );
        let error = refuse(
            &mut world,
            "DescribePipeline",
            json!({ "PipelineName": "Churn" }),
        );
        assert_eq!(error.code, "ResourceNotFound");
        assert_eq!(error.message, format!("Pipeline '{CHURN}' does not exist."));
    }
}

#[test]
fn requests_that_the_model_does_not_allow_are_refused_with_the_member_at_fault() {
    for (member, value, expected) in [
        (
            "PipelineName",
            json!("no_underscore"),
            "'no_underscore' at 'pipelineName' failed",
        ),
        (
            "PipelineName",
            json!("ends-"),
            "regular expression pattern: [a-zA-Z0-9]",
        ),
        (
            "PipelineName",
            json!("x".repeat(257)),
            "length less than or equal to 256",
        ),
        ("PipelineName", json!(CHURN), "regular expression pattern"),
        (
            "ClientRequestToken",
            json!("short"),
            "length greater than or equal to 32",
        ),
        (
            "ClientRequestToken",
            Value::Null,
            "at 'clientRequestToken' failed",
        ),
        ("RoleArn", Value::Null, "Value null at 'roleArn'"),
        (
            "RoleArn",
            json!("arn:aws:iam::1:role/pipelines"),
            "regular expression pattern",
        ),
        ("PipelineDefinition", Value::Null, "PipelineDefinition"),
        (
            "PipelineDefinition",
            json!(" ".repeat(1_048_577)),
            "length less than or equal to 1048576",
        ),
        (
            "PipelineDescription",
            json!("x".repeat(3073)),
            "equal to 3072",
        ),
        (
            "ParallelismConfiguration",
            json!({ "MaxParallelExecutionSteps": 0 }),
            "equal to 1",
        ),
        ("Tags", json!([{ "Key": "aws:x", "Value": "" }]), "aws:x"),
    ] {
        let error = refuse(
            &mut world(),
            "CreatePipeline",
            with(request("Churn"), member, value),
        );
        assert_eq!(error.code, "ValidationException", "{member}");
        assert_eq!(error.status, 400);
        assert!(error.message.contains(expected), "{member}: {error}");
    }
}

#[test]
fn a_definition_must_be_a_document_with_steps_of_a_version_that_there_is() {
    refused_definition(&json!("not a document"));
    let unknown = json!({ "Version": "2019-01-01", "Steps": [] });
    assert!(refused_definition(&unknown).contains("2020-12-01"));
    assert!(refused_definition(&json!({ "Version": "2020-12-01" })).contains("Steps"));
    let nameless = definition(json!([]), json!([{ "Type": "Training", "Arguments": {} }]));
    assert!(refused_definition(&nameless).contains("Name"));
}

#[test]
fn a_definition_whose_references_lead_nowhere_is_refused() {
    let train = |extra: Value| {
        let mut step = json!({ "Name": "Train", "Type": "Training", "Arguments": {} });
        step.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        definition(json!([]), json!([step]))
    };
    for (extra, expected) in [
        (
            json!({ "DependsOn": ["Prepare"] }),
            "unknown step 'Prepare'",
        ),
        (
            json!({ "Arguments": { "X": { "Get": "Steps.Prepare.Y" } } }),
            "unknown step 'Prepare'",
        ),
        (
            json!({ "Arguments": { "X": { "Get": "Parameters.Epochs" } } }),
            "parameter 'Epochs'",
        ),
        (json!({ "DependsOn": ["Train"] }), "Cyclic"),
    ] {
        let message = refused_definition(&train(extra));
        assert!(message.contains(expected), "{message}");
    }
    let step = json!({ "Name": "Train", "Type": "Training", "Arguments": {} });
    assert!(refused_definition(&definition(json!([]), json!([step, step]))).contains("Duplicate"));
    let parameter = json!([{ "Name": "Epochs", "Type": "Integer", "DefaultValue": "three" }]);
    assert!(refused_definition(&definition(parameter, json!([]))).contains("'Epochs'"));
}

#[test]
fn what_the_sandbox_cannot_do_is_never_a_success() {
    assert_eq!(refuse(&mut world(), "CreateModel", json!({})).status, 501);
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let input = json!({
        "PipelineName": "Churn", "ClientRequestToken": token("start"), "MlflowExperimentName": "e",
    });
    let refused = refuse(&mut world, "StartPipelineExecution", input);
    assert_eq!(refused.status, 501);
    assert!(
        refused.message.starts_with("MlflowExperimentName"),
        "{refused}"
    );
}

#[test]
fn a_definition_may_be_as_long_as_the_model_allows_and_no_longer() {
    let mut world = world();
    let text = chain().to_string();
    let padded = |length: usize| format!("{text}{}", " ".repeat(length - text.len()));
    let input = with(
        request("Churn"),
        "PipelineDefinition",
        padded(1_048_576).into(),
    );
    ask(&mut world, "CreatePipeline", input);
    let input = json!({ "PipelineName": "Churn", "PipelineDefinition": padded(1_048_577) });
    let refused = refuse(&mut world, "UpdatePipeline", input);
    assert_eq!(refused.code, "ValidationException");
    assert!(
        refused
            .message
            .contains("length less than or equal to 1048576")
    );
}

#[test]
fn an_update_keeps_the_arn_and_what_it_does_not_name_and_makes_a_version() {
    let mut world = world();
    let input = with(
        request("Churn"),
        "PipelineDescription",
        "Who leaves?".into(),
    );
    ask(&mut world, "CreatePipeline", input);
    pass(&mut world, 60);
    let newer = definition(
        json!([]),
        json!([{ "Name": "Only", "Type": "Training", "Arguments": {} }]),
    );
    let input = json!({ "PipelineName": "Churn", "PipelineDefinition": newer.to_string() });
    let answer = ask(&mut world, "UpdatePipeline", input);
    assert_eq!(
        answer,
        json!({ "PipelineArn": CHURN, "PipelineVersionId": 2 })
    );

    let shown = ask(
        &mut world,
        "DescribePipeline",
        json!({ "PipelineName": "Churn" }),
    );
    assert_eq!(shown["PipelineDefinition"], newer.to_string());
    assert_eq!(shown["PipelineDescription"], "Who leaves?");
    assert_eq!(shown["CreationTime"], 1_795_168_800);
    assert_eq!(shown["LastModifiedTime"], 1_795_168_860);
    let input = json!({ "PipelineName": "Churn", "PipelineVersionId": 1 });
    let first = ask(&mut world, "DescribePipeline", input);
    assert_eq!(first["PipelineDefinition"], chain().to_string());
    let input = json!({ "PipelineName": "Churn", "PipelineVersionId": 3 });
    assert_eq!(
        refuse(&mut world, "DescribePipeline", input).code,
        "ResourceNotFound"
    );
}

#[test]
fn a_pipeline_with_a_running_execution_is_not_deleted() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let execution = start(&mut world, "start");
    let delete = json!({ "PipelineName": "Churn", "ClientRequestToken": token("delete") });
    let error = refuse(&mut world, "DeletePipeline", delete.clone());
    assert_eq!(error.code, "ConflictException");
    pass(&mut world, 120);
    ask(&mut world, "DeletePipeline", delete);
    let input = json!({ "PipelineExecutionArn": execution });
    let error = refuse(&mut world, "DescribePipelineExecution", input);
    assert_eq!(error.code, "ResourceNotFound");
}

#[test]
fn tags_are_added_listed_and_taken_away() {
    let mut world = world();
    let tags = json!([{ "Key": "env", "Value": "test" }]);
    ask(
        &mut world,
        "CreatePipeline",
        with(request("Churn"), "Tags", tags),
    );
    let input = json!({ "ResourceArn": CHURN, "Tags": [
        { "Key": "env", "Value": "prod" }, { "Key": "team", "Value": "ml" },
    ] });
    ask(&mut world, "AddTags", input);
    let listed = ask(&mut world, "ListTags", json!({ "ResourceArn": CHURN }));
    let expected = json!({ "Tags": [
        { "Key": "env", "Value": "prod" }, { "Key": "team", "Value": "ml" },
    ] });
    assert_eq!(listed, expected);
    let input = json!({ "ResourceArn": CHURN, "TagKeys": ["env"] });
    ask(&mut world, "DeleteTags", input);
    let listed = ask(&mut world, "ListTags", json!({ "ResourceArn": CHURN }));
    assert_eq!(
        listed,
        json!({ "Tags": [{ "Key": "team", "Value": "ml" }] })
    );
}

#[test]
fn what_the_model_does_not_allow_is_refused() {
    for (member, value) in [
        ("PipelineDescription", json!("one\ntwo")),
        ("RoleArn", json!("arn:aws:iam::111111111111:role/some body")),
        ("Tags", json!([{ "Key": "k".repeat(129), "Value": "" }])),
        ("Tags", json!([{ "Key": "k!", "Value": "" }])),
        ("Tags", json!([{ "Key": "k", "Value": "v".repeat(257) }])),
    ] {
        let input = with(request("Churn"), member, value);
        let error = refuse(&mut world(), "CreatePipeline", input);
        assert_eq!(error.code, "ValidationException", "{member}");
    }
    let definition = json!({ "Version": "2019-01-01", "Steps": [] });
    assert!(refused_definition(&definition).contains("2020-12-01"));
}

#[test]
fn a_member_of_another_type_cannot_be_read() {
    for (member, value) in [
        ("PipelineNamePrefix", json!(5)),
        ("MaxResults", json!("ten")),
        ("SortBy", json!(["Name"])),
        ("CreatedAfter", json!("yesterday")),
    ] {
        let error = refuse(&mut world(), "ListPipelines", json!({ member: value }));
        assert_eq!(error.code, "SerializationException", "{member}");
    }
}
