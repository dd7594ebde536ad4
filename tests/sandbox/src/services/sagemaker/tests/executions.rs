use super::*;

fn with_parameters(parameters: &Value, seed: &str) -> Value {
    json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token(seed),
        "PipelineParameters": parameters,
    })
}

fn parameterized() -> Value {
    let parameters = json!([
        { "Name": "Epochs", "Type": "Integer", "DefaultValue": 3 },
        { "Name": "Data", "Type": "String" },
        { "Name": "Size", "Type": "String", "DefaultValue": "small", "EnumValues": ["small", "large"] },
    ]);
    definition(
        parameters,
        json!([{ "Name": "Train", "Type": "Training", "Arguments": {} }]),
    )
}

#[test]
fn an_execution_succeeds_when_its_last_step_has() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    let id = arn.strip_prefix(&format!("{CHURN}/execution/")).unwrap();
    assert_eq!(id.len(), 12);

    let running = on_execution(&mut world, "DescribePipelineExecution", &arn);
    assert_eq!(running["PipelineExecutionStatus"], "Executing");
    assert_eq!(running["PipelineArn"], CHURN);
    assert_eq!(
        running["PipelineExecutionDisplayName"],
        "execution-1795168800000"
    );
    assert_eq!(running["PipelineVersionId"], 1);
    pass(&mut world, 119);
    assert_eq!(status(&mut world, &arn), "Executing");
    pass(&mut world, 1);
    let ended = on_execution(&mut world, "DescribePipelineExecution", &arn);
    assert_eq!(ended["PipelineExecutionStatus"], "Succeeded");
    assert_eq!(ended["CreationTime"], 1_795_168_800);
    assert_eq!(ended["LastModifiedTime"], 1_795_168_920);
    assert_eq!(ended.get("FailureReason"), None);

    let pipeline = ask(
        &mut world,
        "DescribePipeline",
        json!({ "PipelineName": CHURN }),
    );
    assert_eq!(pipeline["LastRunTime"], 1_795_168_800);
}

#[test]
fn the_same_token_starts_one_execution() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let first = start(&mut world, "start");
    pass(&mut world, 600);
    assert_eq!(start(&mut world, "start"), first);
    assert_ne!(start(&mut world, "again"), first);
    let input = json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token("start"),
        "PipelineExecutionDisplayName": "another",
    });
    let error = refuse(&mut world, "StartPipelineExecution", input);
    assert_eq!(error.code, "ConflictException");
}

#[test]
fn parameters_must_be_declared_typed_and_complete() {
    let mut world = world();
    create(&mut world, "Churn", &parameterized());
    let data = json!({ "Name": "Data", "Value": "s3://data" });
    for (parameters, expected) in [
        (json!([]), "[Data] has no default"),
        (json!([data, data]), "[Data] is given more than once"),
        (
            json!([data, { "Name": "Epoch", "Value": "5" }]),
            "[Epoch] is not a pipeline parameter",
        ),
        (
            json!([data, { "Name": "Epochs", "Value": "five" }]),
            "[Epochs] is not of type Integer",
        ),
        (
            json!([data, { "Name": "Size", "Value": "huge" }]),
            "[Size] has none of its enum values",
        ),
        (json!([{ "Name": "Data", "Value": "" }]), "too short"),
        (json!([{ "Name": "Data" }]), "must not be null"),
    ] {
        let error = refuse(
            &mut world,
            "StartPipelineExecution",
            with_parameters(&parameters, "start"),
        );
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(expected), "{error}");
    }
    let listed = ask(
        &mut world,
        "ListPipelineExecutions",
        json!({ "PipelineName": "Churn" }),
    );
    assert_eq!(listed, json!({ "PipelineExecutionSummaries": [] }));
}

#[test]
fn parameters_and_definition_of_an_execution_stay_what_they_were_at_its_start() {
    let mut world = world();
    create(&mut world, "Churn", &parameterized());
    let parameters = json!([{ "Name": "Data", "Value": "s3://data" }]);
    let input = with_parameters(&parameters, "start");
    let arn = arn(&ask(&mut world, "StartPipelineExecution", input));
    let update = json!({ "PipelineName": "Churn", "PipelineDefinition": chain().to_string() });
    ask(&mut world, "UpdatePipeline", update);

    let listed = on_execution(&mut world, "ListPipelineParametersForExecution", &arn);
    assert_eq!(listed, json!({ "PipelineParameters": parameters }));
    let shown = on_execution(&mut world, "DescribePipelineDefinitionForExecution", &arn);
    assert_eq!(shown["PipelineDefinition"], parameterized().to_string());
    pass(&mut world, 60);
    assert_eq!(steps(&mut world, &arn), ["Train Succeeded"]);
}

#[test]
fn an_earlier_version_can_be_started() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let newer = definition(
        json!([]),
        json!([{ "Name": "Only", "Type": "Training", "Arguments": {} }]),
    );
    let input = json!({ "PipelineName": "Churn", "PipelineDefinition": newer.to_string() });
    ask(&mut world, "UpdatePipeline", input);
    let input = json!({
        "PipelineName": "Churn", "ClientRequestToken": token("old"), "PipelineVersionId": 1,
    });
    let old = arn(&ask(&mut world, "StartPipelineExecution", input));
    let new = start(&mut world, "new");
    assert_eq!(steps(&mut world, &old), ["Prepare Starting"]);
    assert_eq!(steps(&mut world, &new), ["Only Starting"]);
}

#[test]
fn a_stopped_execution_is_first_stopping_and_starts_no_more_steps() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    pass(&mut world, 30);
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    assert_eq!(status(&mut world, &arn), "Stopping");
    assert_eq!(steps(&mut world, &arn), ["Prepare Stopping"]);
    pass(&mut world, 10);
    assert_eq!(status(&mut world, &arn), "Stopped");
    pass(&mut world, 600);
    assert_eq!(steps(&mut world, &arn), ["Prepare Stopped"]);
}

#[test]
fn only_what_is_executing_can_be_stopped_but_a_repeated_request_is_answered() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    for _ in 0..2 {
        stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    }
    let input = json!({ "PipelineExecutionArn": arn, "ClientRequestToken": token("other") });
    let error = refuse(&mut world, "StopPipelineExecution", input);
    assert_eq!(error.code, "ValidationException");
    assert!(
        error
            .message
            .contains("Only pipelines with 'Executing' status can be stopped")
    );
}

#[test]
fn the_function_of_a_lambda_step_runs_to_its_end_before_the_execution_stops() {
    let mut world = world();
    let step = json!({ "Name": "Notify", "Type": "Lambda", "FunctionArn": "arn:aws:lambda:x" });
    create(&mut world, "Churn", &definition(json!([]), json!([step])));
    let arn = start(&mut world, "start");
    pass(&mut world, 10);
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    pass(&mut world, 49);
    assert_eq!(status(&mut world, &arn), "Stopping");
    pass(&mut world, 1);
    assert_eq!(status(&mut world, &arn), "Stopped");
    assert_eq!(steps(&mut world, &arn), ["Notify Succeeded"]);
}

#[test]
fn a_retry_keeps_what_succeeded_and_runs_the_rest_under_the_same_arn() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    super::super::fail_step(&mut world, OWNER, "Churn", "Train", "No more instances.");
    let arn = start(&mut world, "start");
    pass(&mut world, 120);
    let failed = on_execution(&mut world, "DescribePipelineExecution", &arn);
    assert_eq!(failed["PipelineExecutionStatus"], "Failed");
    assert_eq!(
        failed["FailureReason"],
        "Step failure: One or multiple steps failed."
    );

    for _ in 0..2 {
        stop_or_retry(&mut world, "RetryPipelineExecution", &arn, "retry");
    }
    let retried = on_execution(&mut world, "DescribePipelineExecution", &arn);
    assert_eq!(retried["PipelineExecutionStatus"], "Executing");
    assert_eq!(retried.get("FailureReason"), None);
    assert_eq!(
        steps(&mut world, &arn),
        ["Prepare Succeeded", "Train Starting"]
    );
    pass(&mut world, 60);
    assert_eq!(status(&mut world, &arn), "Succeeded");
}

#[test]
fn a_stopped_execution_can_be_retried_at_once() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    pass(&mut world, 30);
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    pass(&mut world, 6);
    stop_or_retry(&mut world, "RetryPipelineExecution", &arn, "retry");
    // The end of the run that was stopped is still on the agenda and must not count.
    pass(&mut world, 59);
    assert_eq!(steps(&mut world, &arn), ["Prepare Executing"]);
    pass(&mut world, 1);
    assert_eq!(
        steps(&mut world, &arn),
        ["Prepare Succeeded", "Train Starting"]
    );
}

#[test]
fn what_succeeded_or_still_runs_cannot_be_retried() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    let input = json!({ "PipelineExecutionArn": arn, "ClientRequestToken": token("retry") });
    for _ in 0..2 {
        let error = refuse(&mut world, "RetryPipelineExecution", input.clone());
        assert_eq!(error.code, "ValidationException");
        pass(&mut world, 120);
    }
}

#[test]
fn an_update_changes_what_people_read_but_not_the_run() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    let input = json!({
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": "nightly",
        "PipelineExecutionDescription": "The run of the night.",
    });
    ask(&mut world, "UpdatePipelineExecution", input);
    let shown = on_execution(&mut world, "DescribePipelineExecution", &arn);
    assert_eq!(shown["PipelineExecutionDisplayName"], "nightly");
    assert_eq!(
        shown["PipelineExecutionDescription"],
        "The run of the night."
    );
    assert_eq!(shown["PipelineExecutionStatus"], "Executing");
}

#[test]
fn unknown_executions_and_malformed_arns_are_told_apart() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    for (arn, code) in [
        (
            format!("{CHURN}/execution/abcdefghijkl"),
            "ResourceNotFound",
        ),
        (CHURN.to_owned(), "ValidationException"),
        ("Churn".to_owned(), "ValidationException"),
    ] {
        let input = json!({ "PipelineExecutionArn": arn });
        let error = refuse(&mut world, "DescribePipelineExecution", input);
        assert_eq!(error.code, code, "{arn}");
    }
}
