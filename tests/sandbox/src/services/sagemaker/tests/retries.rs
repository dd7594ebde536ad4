use super::*;

/// A training that follows this policy.
fn retried(policy: &Value) -> Value {
    let mut step = json!({ "Name": "Train", "Type": "Training", "Arguments": {} });
    step["RetryPolicies"] = json!([policy]);
    definition(json!([]), json!([step]))
}

/// An execution whose training fails with each of these reasons in turn.
fn begin(policy: &Value, failures: &[&str]) -> (World, String) {
    let mut world = world();
    create(&mut world, "Churn", &retried(policy));
    for reason in failures {
        super::super::fail_step(&mut world, OWNER, "Churn", "Train", reason);
    }
    let arn = start(&mut world, "start");
    (world, arn)
}

/// Status and number of the attempt.
fn attempt(world: &mut World, arn: &str) -> (String, u64) {
    let train = step(world, arn, "Train");
    let status = train["StepStatus"].as_str().unwrap();
    (status.to_owned(), train["AttemptCount"].as_u64().unwrap())
}

#[test]
fn a_failure_that_a_policy_covers_is_retried_after_growing_pauses() {
    let policy = json!({
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"],
        "IntervalSeconds": 10, "BackoffRate": 3.0, "MaxAttempts": 2,
    });
    let failures = ["SageMaker.CAPACITY_ERROR: Full.", "Broken."];
    let (mut world, arn) = begin(&policy, &failures);
    pass(&mut world, 60);
    let job = step(&mut world, &arn, "Train")["Metadata"].clone();
    assert_eq!(attempt(&mut world, &arn), ("Executing".to_owned(), 2));
    // A pause of 10 seconds, a job of 54, a pause of 30 and a job of 54.
    pass(&mut world, 64);
    assert_eq!(attempt(&mut world, &arn), ("Executing".to_owned(), 3));
    pass(&mut world, 83);
    assert_eq!(attempt(&mut world, &arn), ("Executing".to_owned(), 3));
    pass(&mut world, 1);
    assert_eq!(attempt(&mut world, &arn), ("Succeeded".to_owned(), 3));
    assert_ne!(step(&mut world, &arn, "Train")["Metadata"], job);
    assert_eq!(status(&mut world, &arn), "Succeeded");
}

#[test]
fn a_failure_that_comes_back_too_often_is_final() {
    let policy = json!({ "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 1 });
    let (mut world, arn) = begin(&policy, &["first", "second"]);
    pass(&mut world, 600);
    assert_eq!(attempt(&mut world, &arn), ("Failed".to_owned(), 2));
    assert_eq!(step(&mut world, &arn, "Train")["FailureReason"], "second");
}

#[test]
fn a_policy_without_counts_retries_five_times() {
    let policy = json!({ "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"] });
    let (mut world, arn) = begin(&policy, &["again"; 7]);
    pass(&mut world, 3600);
    assert_eq!(attempt(&mut world, &arn), ("Failed".to_owned(), 6));
    assert_eq!(world.sagemaker.fail_next.len(), 1);
}

#[test]
fn retries_end_when_the_policy_expires() {
    let policy = json!({
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "BackoffRate": 1.0, "ExpireAfterMin": 3,
    });
    let (mut world, arn) = begin(&policy, &["again"; 9]);
    pass(&mut world, 3600);
    // Attempts end after 60, 115 and 170 seconds; the fourth would still begin in time.
    assert_eq!(attempt(&mut world, &arn), ("Failed".to_owned(), 4));
}

#[test]
fn a_policy_may_expire_after_the_end_of_all_time() {
    let policy = json!({
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "BackoffRate": 1.0,
        "ExpireAfterMin": u32::MAX,
    });
    let (mut world, arn) = begin(&policy, &["again"; 9]);
    pass(&mut world, 3600);
    assert_eq!(attempt(&mut world, &arn), ("Succeeded".to_owned(), 10));
}

#[test]
fn other_types_of_failure_are_not_retried() {
    let policy = json!({ "ExceptionType": ["SageMaker.CAPACITY_ERROR"] });
    let (mut world, arn) = begin(&policy, &["SageMaker.RESOURCE_LIMIT: None left."]);
    pass(&mut world, 60);
    assert_eq!(attempt(&mut world, &arn), ("Failed".to_owned(), 1));
}

#[test]
fn service_faults_are_retried_without_a_policy_that_names_them() {
    let policy = json!({ "ExceptionType": ["SageMaker.CAPACITY_ERROR"] });
    let (mut world, arn) = begin(&policy, &["Step.SERVICE_FAULT: Sorry."]);
    pass(&mut world, 600);
    assert_eq!(attempt(&mut world, &arn), ("Succeeded".to_owned(), 2));
}

#[test]
fn a_step_that_pauses_can_be_stopped() {
    let policy = json!({
        "ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 300,
    });
    let (mut world, arn) = begin(&policy, &["once"]);
    pass(&mut world, 70);
    stop_or_retry(&mut world, "StopPipelineExecution", &arn, "stop");
    pass(&mut world, 600);
    assert_eq!(attempt(&mut world, &arn), ("Stopped".to_owned(), 2));
}

#[test]
fn a_policy_for_a_type_that_does_not_exist_is_refused() {
    let definition = retried(&json!({ "ExceptionType": ["SageMaker.BAD_LUCK"] }));
    let input = json!({
        "PipelineName": "Churn",
        "PipelineDefinition": definition.to_string(),
        "RoleArn": ROLE,
        "ClientRequestToken": token("create"),
    });
    let error = refuse(&mut world(), "CreatePipeline", input);
    assert!(error.message.contains("SageMaker.BAD_LUCK"), "{error}");
}
