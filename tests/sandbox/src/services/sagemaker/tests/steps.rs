use super::*;

fn training(name: &str, after: &[&str]) -> Value {
    json!({ "Name": name, "Type": "Training", "DependsOn": after, "Arguments": {} })
}

/// A condition on a parameter, with one step in each branch.
fn gated() -> Value {
    let parameters = json!([{ "Name": "Accuracy", "Type": "Float", "DefaultValue": 0.5 }]);
    let gate = json!({ "Name": "Gate", "Type": "Condition", "Arguments": {
        "Conditions": [{
            "Type": "GreaterThanOrEqualTo",
            "LeftValue": { "Get": "Parameters.Accuracy" },
            "RightValue": 0.8,
        }],
        "IfSteps": [{ "Name": "Register", "Type": "RegisterModel", "Arguments": {} }],
        "ElseSteps": [{ "Name": "Refuse", "Type": "Fail", "Arguments": { "ErrorMessage": {
            "Std:Join": { "On": " ", "Values": ["Accuracy is", { "Get": "Parameters.Accuracy" }] },
        } } }],
    } });
    definition(parameters, json!([gate]))
}

fn start_with_accuracy(world: &mut World, accuracy: &str) -> String {
    let input = json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token("start"),
        "PipelineParameters": [{ "Name": "Accuracy", "Value": accuracy }],
    });
    arn(&ask(world, "StartPipelineExecution", input))
}

#[test]
fn steps_wait_for_what_they_depend_on_and_run_beside_what_they_do_not() {
    let mut world = world();
    let all = json!([
        training("D", &["B", "C"]),
        training("A", &[]),
        training("B", &["A"]),
        training("C", &["A"]),
        training("E", &[]),
    ]);
    create(&mut world, "Churn", &definition(json!([]), all));
    let arn = start(&mut world, "start");
    assert_eq!(steps(&mut world, &arn), ["A Starting", "E Starting"]);
    pass(&mut world, 6);
    assert_eq!(steps(&mut world, &arn), ["A Executing", "E Executing"]);
    pass(&mut world, 54);
    assert_eq!(
        steps(&mut world, &arn),
        ["A Succeeded", "E Succeeded", "B Starting", "C Starting"]
    );
    pass(&mut world, 60);
    assert_eq!(steps(&mut world, &arn).last().unwrap(), "D Starting");
    pass(&mut world, 60);
    assert_eq!(status(&mut world, &arn), "Succeeded");
}

#[test]
fn a_step_that_a_tag_lets_fail_does_so_until_the_tag_is_taken_away() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let key = "sandbox:fail:Train";
    let tag = json!([{ "Key": key, "Value": "AlgorithmError: no column churned" }]);
    ask(
        &mut world,
        "AddTags",
        json!({ "ResourceArn": CHURN, "Tags": tag }),
    );
    let arn = start(&mut world, "start");
    pass(&mut world, 120);
    for seed in ["once", "again"] {
        assert_eq!(status(&mut world, &arn), "Failed");
        let failed = step(&mut world, &arn, "Train");
        assert_eq!(failed["FailureReason"], "AlgorithmError: no column churned");
        assert_eq!(step(&mut world, &arn, "Prepare")["StepStatus"], "Succeeded");
        stop_or_retry(&mut world, "RetryPipelineExecution", &arn, seed);
        pass(&mut world, 60);
    }
    let taken = json!({ "ResourceArn": CHURN, "TagKeys": [key] });
    ask(&mut world, "DeleteTags", taken);
    stop_or_retry(&mut world, "RetryPipelineExecution", &arn, "at last");
    pass(&mut world, 60);
    assert_eq!(status(&mut world, &arn), "Succeeded");
}

#[test]
fn no_more_steps_run_at_once_than_the_parallelism_allows() {
    let mut world = world();
    let all = json!([training("A", &[]), training("B", &[]), training("C", &[])]);
    create(&mut world, "Churn", &definition(json!([]), all));
    let input = json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token("start"),
        "ParallelismConfiguration": { "MaxParallelExecutionSteps": 2 },
    });
    let arn = arn(&ask(&mut world, "StartPipelineExecution", input));
    assert_eq!(steps(&mut world, &arn), ["A Starting", "B Starting"]);
    pass(&mut world, 60);
    assert_eq!(
        steps(&mut world, &arn),
        ["A Succeeded", "B Succeeded", "C Starting"]
    );
}

#[test]
fn a_condition_that_holds_runs_the_if_branch_only() {
    let mut world = world();
    create(&mut world, "Churn", &gated());
    let arn = start_with_accuracy(&mut world, "0.9");
    pass(&mut world, 60);
    let gate = step(&mut world, &arn, "Gate");
    assert_eq!(
        gate["Metadata"],
        json!({ "Condition": { "Outcome": "True" } })
    );
    pass(&mut world, 60);
    assert_eq!(
        steps(&mut world, &arn),
        ["Gate Succeeded", "Register Succeeded"]
    );
    assert_eq!(status(&mut world, &arn), "Succeeded");
}

#[test]
fn a_condition_that_does_not_hold_runs_the_else_branch_and_a_fail_step_says_why() {
    let mut world = world();
    create(&mut world, "Churn", &gated());
    let arn = start_with_accuracy(&mut world, "0.7");
    pass(&mut world, 120);
    assert_eq!(steps(&mut world, &arn), ["Gate Succeeded", "Refuse Failed"]);
    let refused = step(&mut world, &arn, "Refuse");
    assert_eq!(refused["FailureReason"], "Accuracy is 0.7");
    assert_eq!(
        refused["Metadata"]["Fail"]["ErrorMessage"],
        "Accuracy is 0.7"
    );
    assert_eq!(status(&mut world, &arn), "Failed");
}

#[test]
fn a_condition_waits_for_the_step_whose_result_it_looks_at_and_then_holds() {
    let mut world = world();
    let gate = json!({ "Name": "Gate", "Type": "Condition", "Arguments": {
        "Conditions": [{ "Type": "LessThan", "RightValue": 6.0, "LeftValue": { "Std:JsonGet": {
            "PropertyFile": { "Get": "Steps.Evaluate.PropertyFiles.Report" }, "Path": "mse",
        } } }],
        "IfSteps": [training("Deploy", &[])],
        "ElseSteps": [],
    } });
    let report = json!({
        "PropertyFileName": "Report", "OutputName": "report", "FilePath": "report.json",
    });
    let evaluate = json!({
        "Name": "Evaluate", "Type": "Processing", "Arguments": {}, "PropertyFiles": [report],
    });
    let all = json!([gate, evaluate]);
    create(&mut world, "Churn", &definition(json!([]), all));
    let arn = start(&mut world, "start");
    assert_eq!(steps(&mut world, &arn), ["Evaluate Starting"]);
    pass(&mut world, 180);
    assert_eq!(
        steps(&mut world, &arn),
        ["Evaluate Succeeded", "Gate Succeeded", "Deploy Succeeded"]
    );
}

#[test]
fn after_a_failure_parallel_steps_end_and_dependents_never_start() {
    let mut world = world();
    let all = json!([
        training("A", &[]),
        training("B", &["A"]),
        training("C", &[])
    ]);
    create(&mut world, "Churn", &definition(json!([]), all));
    super::super::fail_step(&mut world, OWNER, "Churn", "A", "No more instances.");
    let arn = start(&mut world, "start");
    assert_eq!(step(&mut world, &arn, "A").get("FailureReason"), None);
    pass(&mut world, 600);
    assert_eq!(steps(&mut world, &arn), ["A Failed", "C Succeeded"]);
    assert_eq!(
        step(&mut world, &arn, "A")["FailureReason"],
        "No more instances."
    );
    assert_eq!(status(&mut world, &arn), "Failed");
}

#[test]
fn a_fault_is_used_up_by_one_run_of_the_step_it_names() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    super::super::fail_step(&mut world, CONSUMER, "Churn", "Train", "Of somebody else.");
    super::super::fail_step(&mut world, OWNER, "churn", "Train", "No more instances.");
    let first = start(&mut world, "first");
    pass(&mut world, 120);
    let second = start(&mut world, "second");
    pass(&mut world, 120);
    assert_eq!(status(&mut world, &first), "Failed");
    assert_eq!(status(&mut world, &second), "Succeeded");
    assert_eq!(world.sagemaker.fail_next.len(), 1);
}

#[test]
fn a_step_shows_its_times_and_the_arn_of_its_job() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    pass(&mut world, 120);
    let id = arn.rsplit('/').next().unwrap();
    let train = step(&mut world, &arn, "Train");
    assert_eq!(train["StartTime"], 1_795_168_860);
    assert_eq!(train["EndTime"], 1_795_168_920);
    let job = train["Metadata"]["TrainingJob"]["Arn"].as_str().unwrap();
    let prefix =
        format!("arn:aws:sagemaker:eu-west-1:111111111111:training-job/pipelines-{id}-Train-");
    assert_eq!(job.strip_prefix(&prefix).unwrap().len(), 10);
}

#[test]
fn steps_of_types_whose_form_is_not_published_run_like_any_other() {
    let mut world = world();
    let step = json!({ "Name": "New", "Type": "Athena", "Arguments": 1 });
    create(&mut world, "Churn", &definition(json!([]), json!([step])));
    let arn = start(&mut world, "start");
    pass(&mut world, 60);
    assert_eq!(steps(&mut world, &arn), ["New Succeeded"]);
}
