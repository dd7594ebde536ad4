use super::*;

const EXECUTION: &str = "SageMaker Model Building Pipeline Execution Status Change";
const STEP: &str = "SageMaker Model Building Pipeline Execution Step Status Change";

/// The events of this type that reached the owner's default bus.
fn sent(world: &World, kind: &str) -> Vec<Value> {
    let seen = world.events.seen.iter();
    seen.filter(|seen| seen.account == OWNER && seen.region == REGION && seen.bus == "default")
        .filter(|seen| seen.event["detail-type"] == kind)
        .map(|seen| seen.event.clone())
        .collect()
}

/// The statuses before and after each event of an execution.
fn changes(world: &World) -> Vec<String> {
    let status = |event: &Value, name: &str| {
        let status = event["detail"].get(format!("{name}PipelineExecutionStatus"));
        status
            .map_or("none", |status| status.as_str().unwrap())
            .to_owned()
    };
    let events = sent(world, EXECUTION);
    let line = |event| {
        format!(
            "{} > {}",
            status(event, "previous"),
            status(event, "current")
        )
    };
    events.iter().map(line).collect()
}

#[test]
fn the_owner_hears_of_start_and_end_of_an_execution() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let input = json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token("start"),
        "PipelineExecutionDisplayName": "nightly",
        "PipelineExecutionDescription": "The run of the night.",
    });
    let arn = arn(&ask(&mut world, "StartPipelineExecution", input));
    pass(&mut world, 120);

    let events = sent(&world, EXECUTION);
    assert_eq!(events.len(), 2);
    for event in &events {
        assert_eq!(event["source"], "aws.sagemaker");
        assert_eq!(event["resources"], json!([CHURN, arn]));
    }
    let started = json!({
        "pipelineExecutionDisplayName": "nightly",
        "pipelineExecutionDescription": "The run of the night.",
        "currentPipelineExecutionStatus": "Executing",
        "executionStartTime": "2026-11-20T10:00:00Z",
        "pipelineArn": CHURN,
        "pipelineExecutionArn": arn,
    });
    assert_eq!(events[0]["detail"], started);
    let ended = json!({
        "pipelineExecutionDisplayName": "nightly",
        "pipelineExecutionDescription": "The run of the night.",
        "currentPipelineExecutionStatus": "Succeeded",
        "previousPipelineExecutionStatus": "Executing",
        "executionStartTime": "2026-11-20T10:00:00Z",
        "executionEndTime": "2026-11-20T10:02:00Z",
        "pipelineArn": CHURN,
        "pipelineExecutionArn": arn,
    });
    assert_eq!(events[1]["detail"], ended);
}

#[test]
fn steps_tell_each_status_with_their_job() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    pass(&mut world, 60);
    let events = sent(&world, STEP);
    let statuses: Vec<&str> = events[..3]
        .iter()
        .map(|event| event["detail"]["currentStepStatus"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["Starting", "Executing", "Succeeded"]);

    let job = &events[2]["detail"]["metadata"]["processingJob"]["arn"];
    assert!(
        job.as_str().unwrap().contains(":processing-job/pipelines-"),
        "{job}"
    );
    let ended = json!({
        "metadata": { "processingJob": { "arn": job } },
        "stepStartTime": "2026-11-20T10:00:00Z",
        "stepEndTime": "2026-11-20T10:01:00Z",
        "stepName": "Prepare",
        "stepType": "Processing",
        "previousStepStatus": "Executing",
        "currentStepStatus": "Succeeded",
        "pipelineArn": CHURN,
        "pipelineExecutionArn": arn,
    });
    assert_eq!(events[2]["detail"], ended);
}

#[test]
fn only_the_failed_step_tells_the_reason() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    super::super::fail_step(&mut world, OWNER, "Churn", "Prepare", "No data.");
    start(&mut world, "start");
    pass(&mut world, 60);
    let reasons: Vec<Value> = sent(&world, STEP)
        .iter()
        .filter_map(|event| event["detail"].get("failureReason").cloned())
        .collect();
    assert_eq!(reasons, ["No data."]);
    assert_eq!(changes(&world), ["none > Executing", "Executing > Failed"]);
    assert_eq!(
        sent(&world, EXECUTION)[1]["detail"].get("failureReason"),
        None
    );
}

#[test]
fn stop_and_retry_are_told_with_the_status_before() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    pass(&mut world, 6);
    stop_or_retry(&mut world, "RetryPipelineExecution", &arn, "retry");
    pass(&mut world, 120);
    assert_eq!(
        changes(&world),
        [
            "none > Executing",
            "Executing > Stopping",
            "Stopping > Stopped",
            "Stopped > Executing",
            "Executing > Succeeded",
        ]
    );
    let events = sent(&world, EXECUTION);
    let has_end = |event: &Value| event["detail"].get("executionEndTime").is_some();
    let ends: Vec<bool> = events.iter().map(has_end).collect();
    assert_eq!(ends, [false, false, true, false, true]);
}

#[test]
fn events_can_come_twice() {
    let mut world = world();
    world.sagemaker.repeat_events = true;
    create(&mut world, "Churn", &chain());
    start(&mut world, "start");
    let events = sent(&world, EXECUTION);
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["detail"], events[1]["detail"]);
}

#[test]
fn the_end_of_a_cached_step_tells_whose_result_it_uses() {
    let mut world = world();
    let mut cached = chain();
    cached["Steps"][0]["CacheConfig"] = json!({ "Enabled": true, "ExpireAfter": "PT1H" });
    create(&mut world, "Churn", &cached);
    let first = start(&mut world, "first");
    pass(&mut world, 120);
    let job = sent(&world, STEP)[2]["detail"]["metadata"].clone();
    let known = sent(&world, STEP).len();
    start(&mut world, "second");
    let told: Vec<Value> = sent(&world, STEP).drain(known..).collect();
    assert_eq!(told[0]["detail"]["currentStepStatus"], "Starting");
    assert_eq!(told[1]["detail"]["currentStepStatus"], "Succeeded");
    assert_eq!(
        told[1]["detail"]["cacheHitResult"],
        json!({ "sourcePipelineExecutionArn": first })
    );
    assert_eq!(told[1]["detail"]["metadata"], job);
}
