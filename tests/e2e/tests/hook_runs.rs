//! Which runs the deployment hook takes for its own, whatever others start, name, forge or retry.

use aws_sdk_sagemaker::types::Parameter;
use e2e::{
    DEV, Person, REGION, SHARED, Scenario, TEST,
    deployment::{deploy, executions, failure, parameters, status, variable, with},
    refusal,
};
use sandbox::{
    faults::CallEffect,
    services::codepipeline::{self, Status},
};
use serde_json::{Value, json};

/// Dev may run every pipeline of test from the first moment on, and shared waits for the hook.
const POLICY: &str = r#"version: 1
accounts: { dev: "111111111111", test: "222222222222", shared: "333333333333" }
rules:
  - { name: operators, owner: test, pipelines: ["*"], with: [dev], access: execute, after: created }
  - { name: gated, owner: test, pipelines: ["*"], with: [shared], access: read, after: hook }
"#;

const DEFINITION: &str = r#"{"Version":"2020-12-01",
    "Parameters":[{"Name":"Rows","Type":"Integer","DefaultValue":1}],
    "Steps":[{"Name":"Train","Type":"Training","Arguments":{}}]}"#;

/// An estate in which dev operates the pipeline `churn` of test.
async fn operated() -> Scenario {
    let scenario = Scenario::begin(POLICY).await;
    create(&scenario, "churn").await;
    scenario.pass(180).await;
    assert!(scenario.dev.sees(&churn()).await, "dev operates it");
    scenario
}

async fn create(scenario: &Scenario, name: &str) {
    let created = scenario.test.create_pipeline(name, DEFINITION).await;
    created.unwrap_or_else(|error| panic!("{error}"));
}

fn churn() -> String {
    Person::pipeline_arn(TEST, "churn")
}

/// ARN and display name of every execution of `churn`, as dev sees them, the newest first.
async fn names(scenario: &Scenario) -> Vec<(String, String)> {
    let listed = scenario.dev.sagemaker.list_pipeline_executions();
    let listed = listed.pipeline_name(churn()).send().await;
    let listed = listed.unwrap_or_else(|error| panic!("{error:?}"));
    let executions = listed.pipeline_execution_summaries().iter();
    let name = |text: Option<&str>| text.unwrap_or_default().to_owned();
    executions
        .map(|it| {
            (
                name(it.pipeline_execution_arn()),
                name(it.pipeline_execution_display_name()),
            )
        })
        .collect()
}

/// Dev starts a run of its own.
async fn start(scenario: &Scenario, name: &str, rows: Option<&str>) -> String {
    let parameter = rows.map(|rows| Parameter::builder().name("Rows").value(rows).build());
    let started = scenario.dev.sagemaker.start_pipeline_execution();
    let started = started
        .pipeline_name(churn())
        .pipeline_execution_display_name(name)
        .set_pipeline_parameters(parameter.map(|it| vec![it]))
        .client_request_token(format!("{name:-<90}"));
    let started = started.send().await;
    let started = started.unwrap_or_else(|error| panic!("{error:?}"));
    started.pipeline_execution_arn.unwrap_or_default()
}

/// The names of the pipelines that the rule `gated` shares.
async fn gated(scenario: &Scenario) -> Vec<String> {
    let pipelines = scenario.pipelines(&scenario.test).await.into_iter();
    let gated = pipelines.filter(|(share, ..)| share.starts_with("pipeshare-gated"));
    gated.map(|(_, name, _)| name).collect()
}

/// With which tokens the functions have called an operation.
fn tokens(scenario: &Scenario, operation: &str) -> Vec<String> {
    let world = scenario.estate.sandbox.world();
    let calls = world.calls().iter();
    let calls = calls.filter(|call| call.operation == operation && call.caller.role.is_some());
    let token = |input: &Value| input["ClientRequestToken"].as_str().map(str::to_owned);
    calls.filter_map(|call| token(&call.input)).collect()
}

/// A direct request, with the result or the error.
async fn ask(scenario: &Scenario, request: &Value) -> Result<Value, (String, String)> {
    let invocation = scenario.invoke("codepipeline-hook", request.clone()).await;
    let failed = |error: sandbox::FunctionError| (error.error_type, error.message);
    invocation.outcome.map_err(failed)
}

fn direct(more: &Value) -> Value {
    let mut request = json!({ "action": "hook", "pipeline": "churn", "owner": "test" });
    for (name, value) in more.as_object().cloned().unwrap_or_default() {
        request[name] = value;
    }
    request
}

#[tokio::test]
async fn a_run_under_the_name_that_a_consumer_has_read_is_not_adopted() {
    for rows in [Some("999"), Some("7"), None] {
        let scenario = operated().await;
        let request = with("parameters", json!({ "Rows": 7 }));
        scenario.fail_next("churn", "Train", "no data");
        let first = deploy(&scenario, "e1", &request);
        scenario.pass(600).await;
        failure(&scenario, &first);
        let (own, name) = names(&scenario).await.remove(0);
        let theirs = start(&scenario, &name, rows).await;
        scenario.pass(600).await;
        let status = scenario.dev.status(&theirs).await;
        assert_eq!(status.as_deref().ok(), Some("Succeeded"));

        scenario.fail_next("churn", "Train", "still no data");
        let second = deploy(&scenario, "e1", &request);
        scenario.pass(600).await;
        let (_, message) = failure(&scenario, &second);
        assert!(message.contains(&own), "{message}");
        assert!(message.contains("still no data"), "{message}");
        assert_eq!(gated(&scenario).await, [""; 0], "{rows:?}");
        assert_eq!(executions(&scenario, "churn").await, 2);
    }
}

#[tokio::test]
async fn a_run_under_a_name_that_a_consumer_has_guessed_is_not_adopted() {
    let twin = operated().await;
    deploy(&twin, "e1", &parameters());
    twin.pass(60).await;
    let (_, guessed) = names(&twin).await.remove(0);
    let secret = tokens(&twin, "StartPipelineExecution");

    for rows in [Some("999"), None] {
        let scenario = operated().await;
        let theirs = start(&scenario, &guessed, rows).await;
        scenario.pass(600).await;
        scenario.fail_next("churn", "Train", "no data");
        let action = deploy(&scenario, "e1", &parameters());
        scenario.pass(600).await;
        let (_, message) = failure(&scenario, &action);
        assert!(message.contains("no data"), "{message}");
        assert!(!message.contains(&theirs), "{message}");
        let all = names(&scenario).await;
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|(_, name)| *name == guessed), "{all:?}");
        assert_eq!(gated(&scenario).await, [""; 0]);
        // What can be guessed is the name, and nothing that starts a run.
        assert_ne!(tokens(&scenario, "StartPipelineExecution"), secret);
    }
}

#[tokio::test]
async fn a_run_whose_start_was_not_heard_is_found_by_its_token_and_not_by_its_name() {
    for effect in [
        CallEffect::KillCaller { after: true },
        CallEffect::LoseAnswer,
    ] {
        let scenario = operated().await;
        scenario.break_calls(
            "sagemaker",
            "StartPipelineExecution",
            std::slice::from_ref(&effect),
        );
        let action = deploy(&scenario, "e1", &parameters());
        scenario.pass(5).await;
        let (own, name) = names(&scenario).await.remove(0);
        let theirs = start(&scenario, &name, None).await;
        scenario.pass(1200).await;
        let run = variable(&scenario, &action, "executionArn");
        assert_eq!(run, own, "{effect:?}");
        assert_ne!(run, theirs, "{effect:?}");
        let tokens = tokens(&scenario, "StartPipelineExecution");
        assert_eq!(tokens.len(), 2, "{effect:?}");
        assert_eq!(tokens[0], tokens[1], "{effect:?}");
        assert_eq!(executions(&scenario, "churn").await, 2, "{effect:?}");
        assert_eq!(gated(&scenario).await, ["churn"]);
    }
}

#[tokio::test]
async fn a_request_with_other_parameters_is_not_answered_with_the_run_of_the_first() {
    let scenario = operated().await;
    let runs = [
        json!({ "Rows": 1 }),
        json!({ "Rows": 2 }),
        json!({ "Rows": 1 }),
    ];
    let mut found = Vec::new();
    for parameters in runs {
        let action = deploy(&scenario, "e1", &with("parameters", parameters));
        scenario.pass(900).await;
        found.push(variable(&scenario, &action, "executionArn"));
    }
    assert_ne!(found[0], found[1]);
    assert_eq!(found[0], found[2]);
    assert_eq!(executions(&scenario, "churn").await, 2);
}

#[tokio::test]
async fn a_consumer_may_run_the_deployments_own_run_again_which_is_then_adopted() {
    let scenario = operated().await;
    scenario.fail_next("churn", "Train", "bad luck");
    let first = deploy(&scenario, "e1", &parameters());
    scenario.pass(600).await;
    failure(&scenario, &first);
    let (own, _) = names(&scenario).await.remove(0);
    scenario.retry(&scenario.dev, &own, 1).await;
    scenario.pass(600).await;
    let second = deploy(&scenario, "e1", &parameters());
    scenario.pass(600).await;
    assert_eq!(variable(&scenario, &second, "executionArn"), own);
    assert_eq!(scenario.calls("RetryPipelineExecution"), 0);
    assert_eq!(gated(&scenario).await, ["churn"]);
}

#[tokio::test]
async fn attempts_that_overlap_run_a_failure_again_once() {
    for effect in [
        None,
        Some(CallEffect::KillCaller { after: false }),
        Some(CallEffect::KillCaller { after: true }),
        Some(CallEffect::LoseAnswer),
    ] {
        let scenario = operated().await;
        scenario.fail_next("churn", "Train", "bad luck");
        let first = deploy(&scenario, "e1", &parameters());
        scenario.pass(600).await;
        failure(&scenario, &first);
        scenario.break_calls("sagemaker", "RetryPipelineExecution", effect.as_slice());
        let attempts = [(); 3].map(|()| deploy(&scenario, "e1", &parameters()));
        scenario.pass(1200).await;
        let (own, _) = names(&scenario).await.remove(0);
        for attempt in &attempts {
            assert_eq!(
                variable(&scenario, attempt, "executionArn"),
                own,
                "{effect:?}"
            );
        }
        let tokens = tokens(&scenario, "RetryPipelineExecution");
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{effect:?}");
        assert_eq!(executions(&scenario, "churn").await, 1, "{effect:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_dies_twice_in_a_row_goes_on_where_it_was() {
    let kill = |after| CallEffect::KillCaller { after };
    for (service, operation) in [
        ("dynamodb", "PutItem"),
        ("dynamodb", "Query"),
        ("sagemaker", "StartPipelineExecution"),
        ("sagemaker", "ListPipelineParametersForExecution"),
    ] {
        for effects in [
            [kill(true), kill(true)],
            [kill(false), kill(true)],
            [CallEffect::LoseAnswer, kill(true)],
        ] {
            let scenario = operated().await;
            scenario.break_calls(service, operation, &effects);
            let action = deploy(&scenario, "e1", &parameters());
            scenario.pass(1500).await;
            let which = format!("{operation}: {effects:?}");
            let consumers = variable(&scenario, &action, "consumers");
            assert_eq!(consumers, format!("{DEV},{SHARED}"), "{which}");
            assert_eq!(executions(&scenario, "churn").await, 1, "{which}");
        }
    }
}

#[tokio::test]
async fn a_forged_token_says_nothing_that_is_believed() {
    let scenario = operated().await;
    create(&scenario, "other").await;
    let other = direct(&json!({ "pipeline": "other", "execution": "e1" }));
    scenario.fail_next("other", "Train", "a secret of the other pipeline");
    let begun = ask(&scenario, &other).await;
    let begun = begun.unwrap_or_else(|error| panic!("{error:?}"));
    let token = begun["continuationToken"].as_str().unwrap_or_default();
    let run = begun["executionArn"].clone();
    scenario.pass(600).await;

    let read: Value = serde_json::from_str(token).unwrap_or_default();
    let with = |name: &str, value: Value| {
        let mut forged = read.clone();
        forged[name] = value;
        forged.to_string()
    };
    let shared = "2026-01-05T09:00:00Z";
    let old = json!({ "v": 1, "attempt": "x", "execution": run, "sharing": shared, "failures": 0 });
    for forged in [
        token.to_owned(),
        with("attempt", json!("another")),
        with("sharing", json!(shared)),
        with("execution", run.clone()),
        with("work", json!("0000000000000000")),
        with("v", json!(1)),
        old.to_string(),
        "{}".to_owned(),
        String::new(),
    ] {
        let mut request = direct(&json!({ "execution": "e2" }));
        request["continuationToken"] = forged.clone().into();
        let (kind, message) = ask(&scenario, &request).await.expect_err(&forged);
        assert_eq!(kind, "Pipeshare.ConfigurationError", "{forged}: {message}");
        assert!(message.contains("begin without one"), "{forged}: {message}");
        assert!(!message.contains("secret"), "{forged}: {message}");
    }
    assert_eq!(executions(&scenario, "churn").await, 0);
    assert_eq!(gated(&scenario).await, [""; 0]);

    // A token of a request that needs no run does not spare another one its run.
    let request = direct(&json!({ "run": false, "execution": "e3" }));
    let begun = ask(&scenario, &request).await;
    let begun = begun.unwrap_or_else(|error| panic!("{error:?}"));
    let mut request = direct(&json!({ "execution": "e3" }));
    request["continuationToken"] = begun["continuationToken"].clone();
    let (kind, _) = ask(&scenario, &request).await.expect_err("it is another");
    assert_eq!(kind, "Pipeshare.ConfigurationError");

    // A limit that is counted from the beginning is not extended with it.
    let request = direct(&json!({ "execution": "e4", "runMinutes": 1 }));
    let begun = ask(&scenario, &request).await;
    let begun = begun.unwrap_or_else(|error| panic!("{error:?}"));
    let mut request = direct(&json!({ "execution": "e4", "runMinutes": 600 }));
    request["continuationToken"] = begun["continuationToken"].clone();
    let (kind, _) = ask(&scenario, &request).await.expect_err("it is another");
    assert_eq!(kind, "Pipeshare.ConfigurationError");
}

#[tokio::test]
async fn who_knows_the_id_of_a_job_cannot_have_it_answered_as_they_like() {
    let scenario = operated().await;
    scenario.fail_next("churn", "Train", "no data");
    // The job waits for a minute, since its function finds CodePipeline not at home.
    let down = refusal(503, "ServiceUnavailable");
    scenario.break_calls(
        "codepipeline",
        "GetJobDetails",
        &[down.clone(), down.clone(), down],
    );
    let action = deploy(&scenario, "e1", &parameters());
    scenario.pass(5).await;
    let job = {
        let world = scenario.estate.sandbox.world();
        let run = codepipeline::action(&world, &action).expect("it was begun");
        run.jobs[0].clone()
    };
    for asked in [
        json!({ "pipeline": "churn", "owner": "test", "run": false, "share": false }),
        json!({ "pipeline": "churn", "owner": "test", "run": false }),
    ] {
        let forged = json!({ "CodePipeline.job": { "id": job, "data": {
            "actionConfiguration": { "configuration": { "UserParameters": asked.to_string() } },
        }}});
        scenario.invoke("codepipeline-hook", forged).await;
        assert_eq!(status(&scenario, &action), Status::InProgress);
    }
    assert_eq!(gated(&scenario).await, [""; 0]);
    scenario.pass(900).await;
    let (_, message) = failure(&scenario, &action);
    assert!(message.contains("no data"), "{message}");
    assert_eq!(gated(&scenario).await, [""; 0]);
}

#[tokio::test]
async fn a_gate_is_not_opened_for_a_pipeline_that_took_the_place_of_the_one_that_ran() {
    let scenario = operated().await;
    let mut request = direct(&json!({ "execution": "e1" }));
    let begun = ask(&scenario, &request).await;
    let begun = begun.unwrap_or_else(|error| panic!("{error:?}"));
    let run = begun["executionArn"].as_str().unwrap_or_default();
    scenario.pass(600).await;
    let status = scenario.test.status(run).await;
    assert_eq!(status.as_deref().ok(), Some("Succeeded"));
    scenario.delete(&scenario.test, "churn").await;
    scenario.pass(10).await;
    create(&scenario, "churn").await;
    request["continuationToken"] = begun["continuationToken"].clone();
    let (kind, message) = ask(&scenario, &request)
        .await
        .expect_err("it is another one");
    assert_eq!(kind, "Pipeshare.JobFailed");
    assert!(message.contains("deleted and made again"), "{message}");
    scenario.pass(1200).await;
    assert_eq!(gated(&scenario).await, [""; 0]);

    // Another attempt at the same deployment runs what is there now.
    let next = deploy(&scenario, "e1", &parameters());
    scenario.pass(900).await;
    assert_ne!(variable(&scenario, &next, "executionArn"), run);
    assert_eq!(gated(&scenario).await, ["churn"]);
}

#[tokio::test]
async fn a_version_that_is_asked_for_is_the_one_that_runs() {
    let scenario = operated().await;
    let update = scenario.test.sagemaker.update_pipeline();
    let update = update
        .pipeline_name("churn")
        .pipeline_definition(DEFINITION.replace("\"Train\"", "\"Retrain\""));
    let updated = update.send().await;
    updated.unwrap_or_else(|error| panic!("{error:?}"));
    let mut runs = Vec::new();
    for version in [json!(1), json!("2")] {
        let action = deploy(&scenario, "e1", &with("version", version.clone()));
        scenario.pass(900).await;
        let run = variable(&scenario, &action, "executionArn");
        let described = scenario.test.sagemaker.describe_pipeline_execution();
        let described = described.pipeline_execution_arn(&run).send().await;
        let described = described.unwrap_or_else(|error| panic!("{error:?}"));
        let expected = version.as_i64().unwrap_or(2);
        assert_eq!(described.pipeline_version_id(), Some(expected));
        runs.push(run);
    }
    assert_ne!(runs[0], runs[1], "each version is a run of its own");
    let action = deploy(&scenario, "e1", &with("version", 9));
    scenario.pass(60).await;
    let (kind, message) = failure(&scenario, &action);
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert_eq!(executions(&scenario, "churn").await, 2);
}

#[tokio::test]
async fn an_unknown_key_does_not_hide_an_unknown_owner() {
    let scenario = operated().await;
    let mut wrong = with("owner", "tset");
    wrong["rum"] = false.into();
    wrong["parameters"] = json!({ "Rows": "#{Build.Rows}" });
    let action = deploy(&scenario, "e1", &wrong);
    scenario.pass(60).await;
    let (kind, told) = failure(&scenario, &action);
    assert_eq!(kind, "ConfigurationError");
    for expected in [
        "did you mean \"run\"?",
        "did you mean \"test\"?",
        "\"parameters.Rows\": a variable in it was not replaced by CodePipeline",
    ] {
        assert!(told.contains(expected), "{expected} in {told}");
    }
}

/// How often a metric was counted, in what a function has logged.
fn counted(logs: &[String], metric: &str) -> i64 {
    let lines = logs
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter_map(|line| line[metric].as_i64()).sum()
}

#[tokio::test]
async fn a_mistyped_request_is_an_error_for_its_caller_and_for_nobody_else() {
    let scenario = operated().await;
    for request in [
        json!({ "action": "hok" }),
        direct(&json!({ "owner": "tset" })),
        direct(&json!({ "owner": "444444444444" })),
        direct(&json!({ "pipeline": "chrun" })),
        direct(&json!({ "rum": true })),
        direct(&json!({ "continuationToken": "x" })),
    ] {
        let invocation = scenario.invoke("codepipeline-hook", request.clone()).await;
        assert!(invocation.outcome.is_err(), "{request}");
        assert_eq!(counted(&invocation.logs, "RequestsRefused"), 1, "{request}");
        assert_eq!(counted(&invocation.logs, "AccountFailed"), 0, "{request}");
    }
    let denied = vec![refusal(403, "AccessDeniedException"); 3];
    scenario.break_calls("sagemaker", "StartPipelineExecution", &denied);
    let request = direct(&json!({}));
    let invocation = scenario.invoke("codepipeline-hook", request).await;
    let failed = counted(&invocation.logs, "AccountFailed");
    assert_eq!(failed, 1, "a known account: {invocation:?}");
    // What AWS is to blame for is no refusal.
    let down = vec![refusal(503, "ServiceUnavailable"); 3];
    scenario.break_calls("codepipeline", "GetJobDetails", &down);
    let job = json!({ "CodePipeline.job": { "id": "00000000-0000-4000-a000-000000000000" } });
    let invocation = scenario.invoke("codepipeline-hook", job).await;
    let error = invocation.outcome.expect_err("it is no answer");
    assert_eq!(error.error_type, "Pipeshare.Unanswered");
    assert_eq!(counted(&invocation.logs, "RequestsRefused"), 0);
}

#[tokio::test]
async fn accounts_have_their_names_in_commands_too() {
    let scenario = operated().await;
    let arn = format!("arn:aws:sagemaker:{REGION}:{TEST}:pipeline/late");
    create(&scenario, "late").await;
    for (function, command, misspelled) in [
        (
            "share-pipeline",
            json!({ "action": "share", "owner": "test" }),
            "tset",
        ),
        (
            "share-pipeline",
            json!({ "action": "reconcile", "account": "test" }),
            "tset",
        ),
        (
            "accept-invitation",
            json!({ "action": "accept", "account": "dev" }),
            "dve",
        ),
        (
            "accept-invitation",
            json!({ "action": "reconcile", "account": "dev" }),
            "dve",
        ),
        (
            "forward-status",
            json!({ "action": "reconcile", "account": "test" }),
            "tset",
        ),
    ] {
        let answer = scenario.invoke(function, command.clone()).await.outcome;
        let answer = answer.unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(answer["ignored"].is_null(), "{command}: {answer}");
        let key = if command["owner"].is_null() {
            "account"
        } else {
            "owner"
        };
        let mut wrong = command.clone();
        wrong[key] = misspelled.into();
        let answer = scenario.invoke(function, wrong.clone()).await.outcome;
        let answer = answer.unwrap_or_else(|error| panic!("{wrong}: {error}"));
        let meant = command[key].as_str().unwrap_or_default();
        let told = format!("unknown account \"{misspelled}\"; did you mean \"{meant}\"?");
        let expected = json!([{ "code": "unknown-account", "text": told }]);
        assert_eq!(answer["ignored"], expected, "{wrong}");
        scenario.send(function, &wrong.to_string());
    }
    scenario.pass(300).await;
    assert!(scenario.dev.sees(&arn).await);
    assert_eq!(scenario.dead_letters(), 0);
}
