//! The deployment hook in a pipeline of CodePipeline: what it runs, what it waits for, what it answers.

use e2e::{
    DEV, POLICY, Plan, REGION, SHARED, Scenario, TEST, Templates, crossed,
    deployment::{
        HOOKED, READERS, deploy, deployed, executions, failure, parameters, status, variable, with,
    },
    failures, refusal,
};
use sandbox::{
    Invocation,
    faults::CallEffect,
    services::{
        codepipeline::{self, SECRET, Status},
        sqs,
    },
};
use serde_json::{Value, json};

fn invocations(scenario: &Scenario) -> Vec<Invocation> {
    let invocations = scenario.estate.sandbox.invocations().into_iter();
    invocations
        .filter(|it| it.function == "pipeshare-codepipeline-hook")
        .collect()
}

#[tokio::test]
async fn a_deployment_is_done_when_the_run_has_succeeded_and_everybody_has_access() {
    let scenario = deployed(POLICY).await;
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(60).await;
    assert_eq!(status(&scenario, &action), Status::InProgress);
    scenario.pass(900).await;
    let pipeline = variable(&scenario, &action, "pipelineArn");
    assert_eq!(
        pipeline,
        format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/churn")
    );
    let run = variable(&scenario, &action, "executionArn");
    assert!(run.starts_with(&format!("{pipeline}/execution/")));
    assert_eq!(
        variable(&scenario, &action, "consumers"),
        format!("{DEV},{SHARED}")
    );
    assert_eq!(
        variable(&scenario, &action, "shareArns").split(',').count(),
        2
    );
    assert!(scenario.dev.sees(&pipeline).await && scenario.shared.sees(&pipeline).await);
    assert_eq!(executions(&scenario, "churn").await, 1);
    assert_eq!(scenario.dead_letters(), 0);
    assert!(invocations(&scenario).iter().all(|it| it.outcome.is_ok()));
}

/// The template that the build of a team's CI/CD has made: of the file that
/// `PIPESHARE_TEMPLATE` names, or a small one with the same parameters.
fn template() -> String {
    if let Ok(path) = std::env::var("PIPESHARE_TEMPLATE") {
        return std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let definition = r#"{"Version":"2020-12-01",
        "Parameters":[{"Name":"DataBucket","Type":"String"}],
        "Steps":[{"Name":"Train","Type":"Training","Arguments":{}}]}"#;
    let pipeline = json!({
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": "churn-train",
            "RoleArn": { "Ref": "PipelineRoleArn" },
            "PipelineDefinition": { "PipelineDefinitionBody": definition },
        },
    });
    json!({
        "Parameters": { "PipelineRoleArn": { "Type": "String" } },
        "Resources": { "Pipeline": pipeline },
    })
    .to_string()
}

#[tokio::test]
async fn what_a_template_deploys_is_run_and_shared_and_a_new_deployment_runs_again() {
    let scenario = Scenario::begin(HOOKED).await;
    let template = template();
    let role = format!("arn:aws:iam::{TEST}:role/pipeline");
    let mut request = with("pipeline", "churn-train");
    request["parameters"] = json!({ "DataBucket": "churn-data" });
    for execution in ["e1", "e2"] {
        let (file, parameters) = ("target/cicd/template.json", [("PipelineRoleArn", &*role)]);
        let deployed = scenario.estate.deploy(TEST, file, &template, &parameters);
        deployed.unwrap_or_else(|error| panic!("{error}"));
        let action = deploy(&scenario, execution, &request);
        scenario.pass(3600).await;
        let run = variable(&scenario, &action, "executionArn");
        let status = scenario.test.status(&run).await;
        assert_eq!(status.as_deref().ok(), Some("Succeeded"));
        assert_eq!(variable(&scenario, &action, "consumers"), DEV);
        let arn = variable(&scenario, &action, "pipelineArn");
        assert!(scenario.dev.sees(&arn).await);
    }
    assert_eq!(executions(&scenario, "churn-train").await, 2);
}

#[tokio::test]
async fn parameters_reach_the_run_and_a_pipeline_can_be_named_by_its_arn() {
    let scenario = Scenario::begin(POLICY).await;
    let definition = r#"{"Version":"2020-12-01",
        "Parameters":[{"Name":"Rows","Type":"Integer","DefaultValue":1}],
        "Steps":[{"Name":"Train","Type":"Training","Arguments":{}}]}"#;
    let arn = scenario.test.create_pipeline("sized", definition).await;
    let arn = arn.unwrap_or_else(|error| panic!("{error}"));
    let request = json!({ "pipeline": arn, "parameters": { "Rows": 7 }, "share": false });
    let action = deploy(&scenario, "e1", &request);
    scenario.pass(600).await;
    let run = variable(&scenario, &action, "executionArn");
    let parameters = scenario
        .test
        .sagemaker
        .list_pipeline_parameters_for_execution()
        .pipeline_execution_arn(run)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(parameters.pipeline_parameters()[0].value(), Some("7"));

    let wrong = json!({ "pipeline": arn, "parameters": { "Lines": 7 } });
    let action = deploy(&scenario, "e2", &wrong);
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("Lines"), "{message}");
}

#[tokio::test]
async fn a_run_that_fails_fails_the_action_which_says_which_step_and_why() {
    let scenario = deployed(POLICY).await;
    scenario.fail_next("churn", "Train", "no data");
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(600).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("pipeline/churn/execution/"), "{message}");
    assert!(message.contains("step Train failed"), "{message}");
    assert!(message.contains("no data"), "{message}");
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
}

#[tokio::test]
async fn another_attempt_runs_a_failure_again_and_adopts_a_success() {
    let scenario = deployed(POLICY).await;
    scenario.fail_next("churn", "Train", "bad luck");
    let first = deploy(&scenario, "e1", &parameters());
    scenario.pass(600).await;
    failure(&scenario, &first);

    let second = deploy(&scenario, "e1", &parameters());
    scenario.pass(900).await;
    let run = variable(&scenario, &second, "executionArn");
    assert_eq!(executions(&scenario, "churn").await, 1);

    let third = deploy(&scenario, "e1", &parameters());
    scenario.pass(120).await;
    assert_eq!(variable(&scenario, &third, "executionArn"), run);
    assert_eq!(executions(&scenario, "churn").await, 1);
    assert_eq!(scenario.calls("StartPipelineExecution"), 1);
    assert_eq!(scenario.calls("RetryPipelineExecution"), 1);

    let other = deploy(&scenario, "e2", &parameters());
    scenario.pass(900).await;
    assert_ne!(variable(&scenario, &other, "executionArn"), run);
    assert_eq!(executions(&scenario, "churn").await, 2);
}

#[tokio::test]
async fn what_makes_no_sense_is_told_with_every_mistake() {
    let scenario = deployed(POLICY).await;
    let mut wrong = with("pipelin", "churn");
    wrong["run"] = "yes".into();
    let mut unknown = parameters();
    unknown["pipeline"] = "chrun".into();
    for (parameters, expected) in [
        (
            &wrong,
            vec![
                "did you mean \"pipeline\"?",
                "\"run\": expected true or false",
            ],
        ),
        (&with("owner", "tset"), vec!["did you mean \"test\"?"]),
        (&unknown, vec!["chrun", "does not exist"]),
        (
            &json!({ "pipeline": "arn:aws:sagemaker:eu-west-1:222222222222:pipeline/churn" }),
            vec!["is in eu-west-1"],
        ),
    ] {
        let action = deploy(&scenario, "e1", parameters);
        scenario.pass(60).await;
        let (kind, message) = failure(&scenario, &action);
        assert_eq!(kind, "ConfigurationError", "{message}");
        for part in expected {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
    assert_eq!(executions(&scenario, "churn").await, 0);
}

#[tokio::test]
async fn without_a_policy_nothing_is_shared_and_the_action_says_so() {
    let scenario = Scenario::on(Plan::default()).await;
    scenario.create(&scenario.test, "churn").await;
    let request = json!({ "pipeline": "churn", "owner": TEST });
    let action = deploy(&scenario, "e1", &request);
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("no policy is in force"), "{message}");
    assert_eq!(executions(&scenario, "churn").await, 0);
}

#[tokio::test]
async fn what_no_rule_shares_is_not_run_for_nothing() {
    let scenario = deployed(&HOOKED.replace("[\"*\"]", "[\"fraud-*\"]")).await;
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("no rule of the policy"), "{message}");
    assert_eq!(executions(&scenario, "churn").await, 0);

    let action = deploy(&scenario, "e2", &with("share", false));
    scenario.pass(900).await;
    assert_eq!(variable(&scenario, &action, "consumers"), "none");
    assert_eq!(executions(&scenario, "churn").await, 1);
}

#[tokio::test]
async fn a_missing_permission_is_told_as_one() {
    let mut templates = Templates::default();
    let allowed = "Default: \"true\"\n    AllowedValues: [\"true\", \"false\"]\n    Description: Whether the deployment hook";
    let forbidden = allowed.replace("Default: \"true\"", "Default: \"false\"");
    assert!(templates.owner.contains(allowed));
    templates.owner = templates.owner.replace(allowed, &forbidden);
    let scenario = Scenario::on(Plan {
        templates,
        ..Plan::default()
    })
    .await;
    scenario.write_policy(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "PermissionError");
    assert!(message.contains("StartPipelineExecution"), "{message}");

    let action = deploy(&scenario, "e1", &with("owner", "444444444444"));
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "PermissionError");
    assert!(message.contains("not onboarded"), "{message}");
}

#[tokio::test]
async fn a_function_that_is_killed_anywhere_leaves_one_run_and_one_share() {
    let places = [
        ("ssm", "GetParameter"),
        ("sagemaker", "StartPipelineExecution"),
        ("sagemaker", "DescribePipelineExecution"),
        ("sagemaker", "ListPipelineParametersForExecution"),
        ("dynamodb", "PutItem"),
        ("dynamodb", "Query"),
        ("sqs", "SendMessage"),
        ("ram", "GetResourceShareAssociations"),
        ("codepipeline", "GetJobDetails"),
        ("codepipeline", "PutJobSuccessResult"),
    ];
    for ((service, operation), effect) in crossed(&places, &failures()) {
        let scenario = deployed(HOOKED).await;
        scenario.break_calls(service, operation, std::slice::from_ref(&effect));
        let action = deploy(&scenario, "e1", &parameters());
        scenario.pass(1500).await;
        let which = format!("{operation}: {effect:?}");
        assert_eq!(variable(&scenario, &action, "consumers"), DEV, "{which}");
        assert_eq!(executions(&scenario, "churn").await, 1, "{which}");
        assert_eq!(scenario.shares(&scenario.test).await, [READERS], "{which}");
        assert_eq!(scenario.dead_letters(), 0, "{which}");
    }
}

#[tokio::test]
async fn a_run_that_fails_while_its_answer_is_lost_is_not_run_again_unasked() {
    let scenario = deployed(HOOKED).await;
    scenario.fail_next("churn", "Train", "no data");
    // Lambda's first retry comes after a minute, its second after two more.
    let kill = CallEffect::KillCaller { after: false };
    scenario.break_calls("codepipeline", "PutJobSuccessResult", &[kill.clone(), kill]);
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(900).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("step Train failed: \"no data\""),
        "{message}"
    );
    assert_eq!(scenario.calls("RetryPipelineExecution"), 0);
    assert_eq!(scenario.calls("StartPipelineExecution"), 1);
}

#[tokio::test]
async fn an_attempt_waits_for_a_run_that_is_being_stopped_and_runs_it_again() {
    let scenario = deployed(HOOKED).await;
    let first = deploy(&scenario, "e1", &parameters());
    scenario.pass(10).await;
    let listed = scenario.test.sagemaker.list_pipeline_executions();
    let listed = listed.pipeline_name("churn").send().await;
    let listed = listed.unwrap_or_else(|error| panic!("{error:?}"));
    let run = listed.pipeline_execution_summaries()[0].pipeline_execution_arn();
    let run = run.unwrap_or_else(|| panic!("{listed:?}")).to_owned();
    let stopping = scenario.test.sagemaker.stop_pipeline_execution();
    let stopping = stopping.pipeline_execution_arn(&run).send().await;
    stopping.unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(
        scenario.test.status(&run).await.as_deref().ok(),
        Some("Stopping")
    );
    let second = deploy(&scenario, "e1", &parameters());
    scenario.pass(900).await;
    let (_, message) = failure(&scenario, &first);
    assert!(message.contains("ended as Stopped"), "{message}");
    assert_eq!(variable(&scenario, &second, "executionArn"), run);
    assert_eq!(executions(&scenario, "churn").await, 1);
}

#[tokio::test]
async fn a_rule_that_comes_while_access_is_waited_for_is_waited_for_too() {
    let scenario = Scenario::on(Plan {
        consumers: vec![SHARED],
        ..Plan::default()
    })
    .await;
    scenario.write_policy(HOOKED).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(900).await;
    assert_eq!(
        status(&scenario, &action),
        Status::InProgress,
        "dev has not accepted"
    );
    let policy = HOOKED.replace("name: readers", "name: watchers");
    scenario
        .write_policy(&policy.replace("with: [dev]", "with: [shared]"))
        .await;
    scenario.pass(900).await;
    assert_eq!(variable(&scenario, &action, "consumers"), SHARED);
}

#[tokio::test]
async fn a_retry_of_a_failure_that_is_killed_in_the_middle_runs_it_again_once() {
    for after in [false, true] {
        let scenario = deployed(HOOKED).await;
        scenario.fail_next("churn", "Train", "bad luck");
        let first = deploy(&scenario, "e1", &parameters());
        scenario.pass(600).await;
        failure(&scenario, &first);
        let kill = CallEffect::KillCaller { after };
        scenario.break_calls("sagemaker", "RetryPipelineExecution", &[kill]);
        let second = deploy(&scenario, "e1", &parameters());
        scenario.pass(900).await;
        assert_eq!(variable(&scenario, &second, "consumers"), DEV);
        assert_eq!(executions(&scenario, "churn").await, 1);
    }
}

#[tokio::test]
async fn aws_is_given_time_to_recover_but_not_for_ever() {
    let scenario = deployed(HOOKED).await;
    let down = refusal(503, "ServiceUnavailable");
    // The SDK itself tries three times.
    scenario.break_calls("sagemaker", "DescribePipeline", &vec![down.clone(); 9]);
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(1500).await;
    assert_eq!(variable(&scenario, &action, "consumers"), DEV);

    scenario.break_calls("sagemaker", "DescribePipeline", &vec![down; 200]);
    let action = deploy(&scenario, "e2", &parameters());
    scenario.pass(1500).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "SystemUnavailable");
    assert!(message.contains("DescribePipeline"), "{message}");
}

#[tokio::test]
async fn a_function_without_time_to_work_answers_all_the_same() {
    let mut templates = Templates::default();
    assert!(templates.hub.contains("Timeout: 120"));
    templates.hub = templates.hub.replace("Timeout: 120", "Timeout: 30");
    let scenario = Scenario::on(Plan {
        templates,
        ..Plan::default()
    })
    .await;
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(60).await;
    assert_eq!(status(&scenario, &action), Status::InProgress);
    scenario.pass(900).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "SystemUnavailable");
    assert!(message.contains("did not answer in time"), "{message}");
    assert!(invocations(&scenario).iter().all(|it| it.outcome.is_ok()));
}

#[tokio::test]
async fn a_consumer_that_never_accepts_is_named_when_the_time_is_over() {
    let scenario = Scenario::on(Plan {
        consumers: vec![SHARED],
        ..Plan::default()
    })
    .await;
    scenario.write_policy(POLICY).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let action = deploy(&scenario, "e1", &with("accessMinutes", 180));
    scenario.pass(3 * 3600).await;
    assert_eq!(status(&scenario, &action), Status::InProgress);
    scenario.pass(3600).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("after 180 minutes"), "{message}");
    assert!(
        message.contains(&format!("{DEV}: has not accepted")),
        "{message}"
    );
    assert!(!message.contains(SHARED), "{message}");
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends_the_action_and_is_adopted_by_the_next() {
    let scenario = deployed(HOOKED).await;
    let waits = r#"{"Version":"2020-12-01","Steps":[
        {"Name":"Ask","Type":"Callback","SqsQueueUrl":"https://sqs.us-east-1.amazonaws.com/222222222222/questions",
         "Arguments":{},"OutputParameters":[]}]}"#;
    {
        let mut world = scenario.estate.sandbox.world();
        let made = sqs::create_queue(&mut world, TEST, REGION, "questions", &json!({}));
        made.unwrap_or_else(|error| panic!("{error}"));
    }
    let created = scenario.test.create_pipeline("slow", waits).await;
    created.unwrap_or_else(|error| panic!("{error}"));
    let mut request = with("pipeline", "slow");
    request["runMinutes"] = 30.into();
    let action = deploy(&scenario, "e1", &request);
    scenario.pass(2700).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("still Executing after 30 minutes"),
        "{message}"
    );
    let next = deploy(&scenario, "e1", &request);
    scenario.pass(300).await;
    assert_eq!(status(&scenario, &next), Status::InProgress);
    assert_eq!(executions(&scenario, "slow").await, 1);
}

#[tokio::test]
async fn an_action_that_was_abandoned_is_no_failure_of_the_function() {
    let scenario = deployed(HOOKED).await;
    for pause in [0, 40] {
        let action = deploy(&scenario, &format!("e{pause}"), &parameters());
        scenario.pass(pause).await;
        codepipeline::abandon(&mut scenario.estate.sandbox.world(), &action);
        scenario.pass(900).await;
        assert_eq!(status(&scenario, &action), Status::Abandoned);
    }
    assert!(invocations(&scenario).iter().all(|it| it.outcome.is_ok()));
}

#[tokio::test]
async fn where_nobody_has_to_accept_a_deployment_is_done_as_soon_as_ram_is() {
    let scenario = Scenario::on(Plan {
        ram_sharing: true,
        ..Plan::default()
    })
    .await;
    let organization = scenario.estate.sandbox.world().organization().arn();
    let policy = format!(
        "version: 1\norganization: {{ id: o-sandbox123, ramSharing: true }}\n\
         accounts: {{ dev: \"{DEV}\", test: \"{TEST}\" }}\nrules:\n\
         - {{ name: readers, owner: test, pipelines: [\"*\"], with: [dev, \"{organization}\"], after: hook }}\n"
    );
    scenario.write_policy(&policy).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(60).await;
    let action = deploy(&scenario, "e1", &with("run", false));
    scenario.pass(60).await;
    assert_eq!(
        variable(&scenario, &action, "consumers"),
        format!("{DEV},{organization}")
    );
    assert_eq!(scenario.shares(&scenario.test).await, ["pipeshare-readers"]);
}

#[tokio::test]
async fn a_rule_that_waits_for_the_hook_shares_nothing_before_it() {
    let scenario = deployed(HOOKED).await;
    scenario.start(&scenario.test, "churn", "by-hand").await;
    scenario.pass(1200).await;
    assert_eq!(scenario.shares(&scenario.test).await, [""; 0]);
    let action = deploy(&scenario, "e1", &with("run", false));
    scenario.pass(120).await;
    assert_eq!(variable(&scenario, &action, "consumers"), DEV);
    assert_eq!(variable(&scenario, &action, "executionArn"), "none");
    let shared = (
        READERS.to_owned(),
        "churn".to_owned(),
        "ASSOCIATED".to_owned(),
    );
    assert_eq!(scenario.pipelines(&scenario.test).await, [shared]);

    // A pipeline of that name that is made later has to pass by itself.
    scenario.delete(&scenario.test, "churn").await;
    scenario.pass(1200).await;
    scenario.create(&scenario.test, "churn").await;
    scenario.pass(1200).await;
    assert_eq!(scenario.pipelines(&scenario.test).await.len(), 0);
}

#[tokio::test]
async fn who_invokes_the_function_directly_is_told_how_far_it_is() {
    let scenario = deployed(HOOKED).await;
    let mut request = json!({ "action": "hook", "pipeline": "churn", "owner": "test" });
    let mut rounds = 0;
    let result = loop {
        let invocation = scenario.invoke("codepipeline-hook", request.clone()).await;
        let result = invocation.outcome.unwrap_or_else(|error| panic!("{error}"));
        if result["state"] != "waiting" {
            break result;
        }
        request["continuationToken"] = result["continuationToken"].clone();
        scenario.pass(60).await;
        rounds += 1;
        assert!(rounds < 30, "{result}");
    };
    assert_eq!(result["state"], "succeeded");
    assert_eq!(result["consumers"], DEV);
    assert_eq!(executions(&scenario, "churn").await, 1);

    for (request, kind) in [
        (json!({ "action": "hook" }), "Pipeshare.ConfigurationError"),
        (json!({ "action": "share" }), "Pipeshare.BadEvent"),
        (
            json!({ "action": "hook", "pipeline": "churn", "owner": "444444444444" }),
            "Pipeshare.PermissionError",
        ),
    ] {
        let invocation = scenario.invoke("codepipeline-hook", request).await;
        let error = invocation.outcome.expect_err("it failed");
        assert_eq!(error.error_type, kind, "{error}");
    }

    // A job that nobody knows: whoever sent it goes by the result.
    let job = |parameters: Value| {
        json!({ "CodePipeline.job": {
            "id": "00000000-0000-4000-a000-000000000000",
            "data": { "actionConfiguration": { "configuration": {
                "UserParameters": parameters.to_string().replace("#{", "{"),
            }}},
        }})
    };
    for (parameters, kind) in [
        (parameters(), "Pipeshare.Waiting"),
        (with("owner", "tset"), "Pipeshare.ConfigurationError"),
    ] {
        let invocation = scenario.invoke("codepipeline-hook", job(parameters)).await;
        let error = invocation.outcome.expect_err("it is no success");
        assert_eq!(error.error_type, kind, "{error}");
    }
    let job = job(with("run", false));
    let invocation = scenario.invoke("codepipeline-hook", job).await;
    let result = invocation.outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(result["state"], "succeeded");
}

#[tokio::test]
async fn credentials_of_a_job_are_in_no_log_and_no_answer_at_any_level() {
    for level in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
        let mut templates = Templates::default();
        // The template itself allows only some of them.
        let parameter = "ApplicationLogLevel: !Ref LogLevel";
        assert!(templates.hub.contains(parameter));
        let literal = format!("ApplicationLogLevel: {level}");
        templates.hub = templates.hub.replace(parameter, &literal);
        let scenario = Scenario::on(Plan {
            templates,
            ..Plan::default()
        })
        .await;
        scenario.write_policy(HOOKED).await;
        scenario.create(&scenario.test, "churn").await;
        scenario.pass(10).await;
        deploy(&scenario, "e1", &parameters());
        deploy(&scenario, "e2", &with("run", SECRET.len()));
        scenario.break_calls(
            "codepipeline",
            "PutJobFailureResult",
            &vec![refusal(403, "AccessDeniedException"); 9],
        );
        scenario.pass(900).await;
        let credentials = json!({ "secretAccessKey": SECRET, "sessionToken": SECRET });
        for strange in [
            json!({ "CodePipeline.job": SECRET }),
            json!({ "CodePipeline.job": { "data": { "artifactCredentials": credentials } } }),
            json!({ "CodePipeline.job": { "id": 7, "data": { "artifactCredentials": SECRET } } }),
            json!({ "artifactCredentials": credentials }),
        ] {
            scenario.invoke("codepipeline-hook", strange).await;
        }
        let given = invocations(&scenario);
        let payloads: String = given.iter().map(|it| it.payload.to_string()).collect();
        assert!(payloads.contains(SECRET), "there was a secret to keep");
        for invocation in given {
            let said = format!("{:?} {:?}", invocation.logs, invocation.outcome);
            assert!(!said.contains(SECRET), "{level}: {said}");
        }
        let world = scenario.estate.sandbox.world();
        let calls = world.calls().iter().map(|call| call.input.to_string());
        assert!(!calls.collect::<String>().contains(SECRET), "{level}");
    }
}
