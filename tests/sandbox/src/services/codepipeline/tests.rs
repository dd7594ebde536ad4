use serde_json::json;

use super::*;
use crate::{
    services::{iam, lambda::FunctionError},
    world::Caller,
};

const ACCOUNT: &str = "333333333333";
const REGION: &str = "eu-west-1";

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let trust = json!({ "AssumeRolePolicyDocument": { "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }}});
    iam::create_role(&mut world, ACCOUNT, "hook", &trust).unwrap();
    let function = json!({ "Role": "arn:aws:iam::333333333333:role/hook" });
    lambda::create_function(&mut world, ACCOUNT, REGION, "hook", &function).unwrap();
    world
}

fn action_of_hook() -> Action {
    Action {
        pipeline: "deploy".to_owned(),
        stage: "Test".to_owned(),
        name: "Share".to_owned(),
        execution: "e1".to_owned(),
        function: "hook".to_owned(),
        user_parameters: r##"{"execution":"#{codepipeline.PipelineExecutionId}"}"##.to_owned(),
    }
}

fn begun(world: &mut World) -> String {
    begin(world, ACCOUNT, REGION, action_of_hook()).unwrap()
}

/// Runs what waits, with this outcome; returns the ids and the payloads.
fn invoked(world: &mut World, outcome: &Result<Value, FunctionError>) -> Vec<(String, Value)> {
    let starts = lambda::start_due(world, 10);
    let mut invoked = Vec::new();
    for start in starts {
        lambda::finish(world, &start.request_id, outcome.clone(), Vec::new());
        invoked.push((start.request_id, start.payload));
    }
    invoked
}

fn answer(world: &mut World, operation: &str, input: Value) -> Result<Value, String> {
    let asked = Call {
        caller: Caller::administrator(ACCOUNT),
        region: REGION.to_owned(),
        service: "codepipeline".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &asked).map_err(|error| error.code)
}

fn pass(world: &mut World, minutes: u64) {
    world.now += Duration::from_mins(minutes);
    world.run_due();
}

fn last_job(world: &World, id: &str) -> String {
    action(world, id).unwrap().jobs.last().unwrap().clone()
}

fn status(world: &World, id: &str) -> Status {
    action(world, id).unwrap().status.clone()
}

#[test]
fn a_function_is_given_a_job_with_credentials_and_without_a_context() {
    let mut world = world();
    let id = begun(&mut world);
    let invoked = invoked(&mut world, &Ok(Value::Null));
    let job = &invoked[0].1["CodePipeline.job"];
    assert_eq!(job["id"], last_job(&world, &id));
    let data = &job["data"];
    assert_eq!(
        data["actionConfiguration"]["configuration"]["UserParameters"],
        r#"{"execution":"e1"}"#
    );
    let credentials = data["artifactCredentials"].to_string();
    assert_eq!(credentials.matches(SECRET).count(), 3);
    assert!(data.get("pipelineContext").is_none());
    assert!(data.get("continuationToken").is_none());

    let details = answer(&mut world, "GetJobDetails", json!({ "jobId": job["id"] })).unwrap();
    let context = &details["jobDetails"]["data"]["pipelineContext"];
    assert_eq!(context["pipelineExecutionId"], "e1");
    assert_eq!(context["action"]["name"], "Share");
}

fn artifact(name: &str, revision: Option<&str>) -> Artifact {
    Artifact {
        name: name.to_owned(),
        bucket: "codepipeline-eu-west-1-1234567890".to_owned(),
        key: format!("deploy/{name}/x.zip"),
        revision: revision.map(str::to_owned),
    }
}

#[test]
fn a_job_says_where_the_artifacts_of_its_action_lie() {
    let mut world = world();
    let key = "arn:aws:kms:eu-west-1:333333333333:key/k";
    let artifacts = Artifacts {
        input: vec![artifact("Source", Some("r1")), artifact("Build", None)],
        output: vec![artifact("Report", None)],
        encryption_key: Some(key.to_owned()),
    };
    begin_with(&mut world, ACCOUNT, REGION, action_of_hook(), artifacts).unwrap();
    let invoked = invoked(&mut world, &Ok(Value::Null));
    let job = &invoked[0].1["CodePipeline.job"];
    let location = |name: &str| {
        json!({ "type": "S3", "s3Location": {
            "bucketName": "codepipeline-eu-west-1-1234567890",
            "objectKey": format!("deploy/{name}/x.zip"),
        }})
    };
    let data = &job["data"];
    assert_eq!(
        data["inputArtifacts"],
        json!([
            { "name": "Source", "revision": "r1", "location": location("Source") },
            { "name": "Build", "revision": null, "location": location("Build") },
        ])
    );
    assert_eq!(data["encryptionKey"], json!({ "id": key, "type": "KMS" }));

    let details = answer(&mut world, "GetJobDetails", json!({ "jobId": job["id"] })).unwrap();
    let details = &details["jobDetails"]["data"];
    assert_eq!(
        details["outputArtifacts"],
        json!([{ "name": "Report", "location": location("Report") }])
    );
    assert_eq!(details["encryptionKey"], data["encryptionKey"]);
}

#[test]
fn artifacts_that_a_pipeline_could_not_declare_are_refused() {
    for input in [vec![artifact("S", None); 6], vec![artifact("a b", None)]] {
        let artifacts = Artifacts {
            input,
            ..Artifacts::default()
        };
        let refused = begin_with(&mut world(), ACCOUNT, REGION, action_of_hook(), artifacts);
        let code = refused.unwrap_err().code;
        assert_eq!(code, "InvalidActionDeclarationException");
    }
}

#[test]
fn a_job_that_goes_on_is_followed_by_another_with_its_token() {
    let mut world = world();
    let id = begun(&mut world);
    invoked(&mut world, &Ok(Value::Null));
    let first = last_job(&world, &id);
    let input = json!({
        "jobId": first, "continuationToken": "t1",
        "executionDetails": { "summary": "running", "externalExecutionId": "x" },
    });
    answer(&mut world, "PutJobSuccessResult", input.clone()).unwrap();
    // Nobody waits for an answer meanwhile.
    pass(&mut world, 1);
    let invoked = invoked(&mut world, &Ok(Value::Null));
    let data = &invoked[0].1["CodePipeline.job"]["data"];
    assert_eq!(data["continuationToken"], "t1");
    let second = last_job(&world, &id);
    assert_ne!(first, second);
    let again = answer(&mut world, "PutJobSuccessResult", input);
    assert_eq!(again, Err("InvalidJobStateException".to_owned()));

    let input = json!({ "jobId": second, "outputVariables": { "a": "1" } });
    answer(&mut world, "PutJobSuccessResult", input).unwrap();
    let variables = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
    assert_eq!(status(&world, &id), Status::Succeeded { variables });
    assert_eq!(
        action(&world, &id).unwrap().summary.as_deref(),
        Some("running")
    );
    pass(&mut world, 24 * 60);
    assert!(matches!(status(&world, &id), Status::Succeeded { .. }));
}

#[test]
fn a_function_that_fails_is_invoked_twice_more_and_then_nobody_answers() {
    let mut world = world();
    let id = begun(&mut world);
    let failed = Err(FunctionError {
        error_type: "Boom".to_owned(),
        message: "it broke".to_owned(),
    });
    let mut ids = vec![invoked(&mut world, &failed).remove(0).0];
    pass(&mut world, 1);
    ids.push(invoked(&mut world, &failed).remove(0).0);
    pass(&mut world, 1);
    assert!(invoked(&mut world, &failed).is_empty());
    pass(&mut world, 1);
    ids.push(invoked(&mut world, &failed).remove(0).0);
    assert!(ids.iter().all(|id| *id == ids[0]));
    pass(&mut world, 16);
    assert!(invoked(&mut world, &failed).is_empty());
    assert_eq!(status(&world, &id), Status::InProgress);
    pass(&mut world, 1);
    let Status::Failed { kind, message } = status(&world, &id) else {
        panic!("nobody answered");
    };
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("failed to return a result"));
    let late = json!({ "jobId": last_job(&world, &id) });
    let late = answer(&mut world, "PutJobSuccessResult", late);
    assert_eq!(late, Err("InvalidJobStateException".to_owned()));
}

#[test]
fn a_function_may_forgo_being_tried_again() {
    let mut world = world();
    let none = json!({ "FunctionName": "hook", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0 });
    lambda::create_event_invoke_config(&mut world, ACCOUNT, REGION, &none).unwrap();
    begun(&mut world);
    let failed = Err(FunctionError {
        error_type: "Boom".to_owned(),
        message: "it broke".to_owned(),
    });
    assert_eq!(invoked(&mut world, &failed).len(), 1);
    pass(&mut world, 10);
    assert!(invoked(&mut world, &failed).is_empty());
}

#[test]
fn an_action_that_goes_on_for_a_day_is_ended() {
    let mut world = world();
    let id = begun(&mut world);
    let mut minutes = 0;
    while status(&world, &id) == Status::InProgress {
        invoked(&mut world, &Ok(Value::Null));
        let input = json!({ "jobId": last_job(&world, &id), "continuationToken": "t" });
        answer(&mut world, "PutJobSuccessResult", input).unwrap();
        pass(&mut world, 15);
        minutes += 15;
    }
    assert_eq!(minutes, 24 * 60);
}

#[test]
fn an_answer_is_held_against_the_model_before_it_counts() {
    let mut world = world();
    let id = begun(&mut world);
    let job = last_job(&world, &id);
    let refusals = [
        ("PutJobSuccessResult", json!({}), "ValidationException"),
        (
            "PutJobSuccessResult",
            json!({ "jobId": "J" }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": "00000000-0000-0000-0000-000000000000" }),
            "JobNotFoundException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "continuationToken": "" }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "continuationToken": "t".repeat(2049) }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "continuationToken": "t", "outputVariables": { "a": "1" } }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "outputVariables": { "a.b": "1" } }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "outputVariables": { "a": "1".repeat(122_880) } }),
            "OutputVariablesSizeExceededException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "executionDetails": { "percentComplete": 101 } }),
            "ValidationException",
        ),
        (
            "PutJobSuccessResult",
            json!({ "jobId": job, "currentRevision": { "revision": "r" } }),
            "ValidationException",
        ),
        (
            "PutJobFailureResult",
            json!({ "jobId": job, "failureDetails": { "type": "JobFailed" } }),
            "ValidationException",
        ),
        (
            "PutJobFailureResult",
            json!({ "jobId": job, "failureDetails": { "type": "Bad", "message": "m" } }),
            "ValidationException",
        ),
        (
            "PutJobFailureResult",
            json!({ "jobId": job, "failureDetails": { "type": "JobFailed", "message": "é".repeat(5001) } }),
            "ValidationException",
        ),
    ];
    for (operation, input, code) in refusals {
        assert_eq!(answer(&mut world, operation, input), Err(code.to_owned()));
    }
    let failure = json!({ "type": "PermissionError", "message": "é".repeat(5000) });
    let input = json!({ "jobId": job, "failureDetails": failure });
    answer(&mut world, "PutJobFailureResult", input).unwrap();
    assert!(
        matches!(status(&world, &id), Status::Failed { kind, .. } if kind == "PermissionError")
    );
}

#[test]
fn a_job_of_an_action_that_was_abandoned_takes_no_answer() {
    let mut world = world();
    let id = begun(&mut world);
    abandon(&mut world, &id);
    let input = json!({ "jobId": last_job(&world, &id), "continuationToken": "t" });
    let late = answer(&mut world, "PutJobSuccessResult", input);
    assert_eq!(late, Err("InvalidJobStateException".to_owned()));
    assert_eq!(status(&world, &id), Status::Abandoned);
}
