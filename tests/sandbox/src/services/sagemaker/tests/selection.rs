use super::*;

/// Four steps in a row; the last is Fail.
fn row() -> Value {
    let job = |name: &str, after: &[&str]| {
        json!({ "Name": name, "Type": "Processing", "DependsOn": after, "Arguments": {
        "ProcessingOutputConfig": { "Outputs": [
            { "OutputName": "data", "S3Output": { "S3Uri": format!("s3://data/{name}"), "S3UploadMode": "EndOfJob" } },
        ] },
    } })
    };
    let train = json!({ "Name": "Train", "Type": "Training", "DependsOn": ["Split"], "Arguments": {
        "HyperParameters": {
            "input": { "Get": "Steps.Split.ProcessingOutputConfig.Outputs['data'].S3Output.S3Uri" },
        },
    } });
    definition(
        json!([]),
        json!([
            job("Load", &[]),
            job("Split", &["Load"]),
            train,
            { "Name": "End", "Type": "Fail", "DependsOn": ["Train"], "Arguments": {
                "ErrorMessage": { "Get": "Steps.Split.ProcessingOutputConfig.Outputs['data'].S3Output.S3Uri" },
            } },
        ]),
    )
}

fn selecting(seed: &str, source: Option<&str>, names: &[&str]) -> Value {
    let steps: Vec<Value> = names
        .iter()
        .map(|name| json!({ "StepName": name }))
        .collect();
    let mut config = json!({ "SelectedSteps": steps });
    if let Some(source) = source {
        config["SourcePipelineExecutionArn"] = json!(source);
    }
    json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token(seed),
        "SelectiveExecutionConfig": config,
    })
}

/// A world in which the pipeline has run once, and failed at its end.
fn after_one_run() -> (World, String) {
    let mut world = world();
    create(&mut world, "Churn", &row());
    let arn = start(&mut world, "first");
    pass(&mut world, 240);
    assert_eq!(status(&mut world, &arn), "Failed");
    (world, arn)
}

#[test]
fn only_selected_steps_run_with_what_the_source_has_made() {
    let (mut world, first) = after_one_run();
    let request = selecting("second", Some(&first), &["Train"]);
    let answer = ask(&mut world, "StartPipelineExecution", request.clone());
    let second = arn(&answer);
    assert_eq!(
        steps(&mut world, &second),
        ["Split Succeeded", "Train Starting"]
    );
    pass(&mut world, 60);
    assert_eq!(
        steps(&mut world, &second),
        ["Split Succeeded", "Train Succeeded"]
    );
    assert_eq!(status(&mut world, &second), "Succeeded");

    let made = step(&mut world, &first, "Split");
    let used = step(&mut world, &second, "Split");
    assert_eq!(used["Metadata"], made["Metadata"]);
    let result = &used["SelectiveExecutionResult"];
    assert_eq!(result, &json!({ "SourcePipelineExecutionArn": first }));
    let train = step(&mut world, &second, "Train");
    assert_eq!(train.get("SelectiveExecutionResult"), None);

    let shown = on_execution(&mut world, "DescribePipelineExecution", &second);
    assert_eq!(
        shown["SelectiveExecutionConfig"],
        request["SelectiveExecutionConfig"]
    );
}

#[test]
fn properties_of_steps_that_do_not_run_come_from_the_source() {
    let (mut world, first) = after_one_run();
    let request = selecting("second", Some(&first), &["End"]);
    let second = arn(&ask(&mut world, "StartPipelineExecution", request));
    pass(&mut world, 60);
    assert_eq!(
        step(&mut world, &second, "End")["FailureReason"],
        "s3://data/Split"
    );
}

#[test]
fn first_steps_need_no_source() {
    let (mut world, _) = after_one_run();
    let request = selecting("second", None, &["Load", "Split"]);
    let second = arn(&ask(&mut world, "StartPipelineExecution", request));
    pass(&mut world, 120);
    assert_eq!(
        steps(&mut world, &second),
        ["Load Succeeded", "Split Succeeded"]
    );
    assert_eq!(status(&mut world, &second), "Succeeded");
}

#[test]
fn selections_that_cannot_run_are_refused_and_start_nothing() {
    let (mut world, first) = after_one_run();
    create(&mut world, "Other", &row());
    let input = json!({ "PipelineName": "Other", "ClientRequestToken": token("other") });
    let other = arn(&ask(&mut world, "StartPipelineExecution", input));
    let running = start(&mut world, "running");
    let unknown = format!("{CHURN}/execution/abcdefghijkl");
    for (source, names, code) in [
        (Some(&first), vec!["Nowhere"], "ValidationException"),
        (Some(&first), vec![], "ValidationException"),
        (Some(&first), vec!["Load", "Train"], "ValidationException"),
        (None, vec!["Train"], "ValidationException"),
        (Some(&running), vec!["Train"], "ValidationException"),
        (Some(&other), vec!["Train"], "ValidationException"),
        (Some(&unknown), vec!["Train"], "ResourceNotFound"),
    ] {
        let request = selecting("second", source.map(String::as_str), &names);
        let error = refuse(&mut world, "StartPipelineExecution", request);
        assert_eq!(error.code, code, "{source:?} {names:?}");
    }
    let input = json!({ "PipelineName": "Churn" });
    let executions = ask(&mut world, "ListPipelineExecutions", input);
    let executions = executions["PipelineExecutionSummaries"].as_array();
    assert_eq!(executions.unwrap().len(), 2);
}

#[test]
fn what_the_source_has_not_finished_cannot_be_used() {
    let mut world = world();
    create(&mut world, "Churn", &row());
    super::super::fail_step(&mut world, OWNER, "Churn", "Split", "No data.");
    let first = start(&mut world, "first");
    pass(&mut world, 240);
    let request = selecting("second", Some(&first), &["Train"]);
    let error = refuse(&mut world, "StartPipelineExecution", request);
    assert_eq!(error.code, "ValidationException");
    let request = selecting("third", Some(&first), &["Split", "Train"]);
    ask(&mut world, "StartPipelineExecution", request);
}
