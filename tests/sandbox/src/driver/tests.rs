use std::env;

use futures::future::BoxFuture;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::{
    faults::{CallEffect, CallFault},
    http::Visit,
    services::{iam, sqs},
};

pub(super) const ACCOUNT: &str = "111111111111";
pub(super) const REGION: &str = "eu-west-1";
pub(super) const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:jobs";
const DEAD: &str = "arn:aws:sqs:eu-west-1:111111111111:dead";
const RULE: &str = "arn:aws:events:eu-west-1:111111111111:rule/r";

/// The example `obedient`, which Cargo builds beside the tests.
fn binary() -> PathBuf {
    let tests = env::current_exe().unwrap();
    let profile = tests.ancestors().nth(2).unwrap();
    let binary = profile.join("examples").join("obedient");
    assert!(
        binary.exists(),
        "run `cargo build -p sandbox --examples` first"
    );
    binary
}

pub(super) fn world(variables: &Value) -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let trust = json!({ "AssumeRolePolicyDocument": { "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "lambda.amazonaws.com" },
        "Action": "sts:AssumeRole",
    }}, "Policies": [{ "PolicyName": "work", "PolicyDocument": { "Statement": {
        "Effect": "Allow", "Action": ["logs:*", "sqs:*", "ssm:Put*"], "Resource": "*",
    }}}]});
    iam::create_role(&mut world, ACCOUNT, "worker", &trust).unwrap();
    let function = json!({
        "Role": "arn:aws:iam::111111111111:role/worker",
        "Timeout": 1,
        "Environment": { "Variables": variables },
    });
    lambda::create_function(&mut world, ACCOUNT, REGION, "obedient", &function).unwrap();
    add_queue(&mut world);
    world
}

fn add_queue(world: &mut World) {
    sqs::create_queue(world, ACCOUNT, REGION, "dead", &json!({})).unwrap();
    let queue = json!({ "RedrivePolicy": { "deadLetterTargetArn": DEAD, "maxReceiveCount": 3 } });
    sqs::create_queue(world, ACCOUNT, REGION, "jobs", &queue).unwrap();
    let policy = json!({ "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*",
    }});
    sqs::set_policy(world, QUEUE, &policy).unwrap();
    let mapping = json!({
        "FunctionName": "obedient",
        "EventSourceArn": QUEUE,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    lambda::create_event_source_mapping(world, ACCOUNT, REGION, &mapping).unwrap();
}

fn options() -> Options {
    Options {
        functions: vec![Function {
            name: "obedient".to_owned(),
            binary: binary(),
        }],
        ..Options::default()
    }
}

async fn start(world: World) -> Sandbox {
    Sandbox::start(world, options()).await.unwrap()
}

pub(super) async fn sandbox() -> Sandbox {
    start(world(&json!({}))).await
}

async fn order(sandbox: &Sandbox, what: &str) -> Invocation {
    sandbox.invoke("obedient", &json!({ "do": what })).await
}

fn error_type(invocation: &Invocation) -> &str {
    &invocation.outcome.as_ref().unwrap_err().error_type
}

#[tokio::test]
async fn a_function_finds_the_environment_that_lambda_promises_and_nothing_else() {
    let sandbox = start(world(&json!({ "QUEUE": "jobs" }))).await;
    let answer = order(&sandbox, "tell").await.outcome.unwrap();
    let variables: BTreeMap<String, String> =
        serde_json::from_value::<Vec<_>>(answer["variables"].clone())
            .unwrap()
            .into_iter()
            .collect();
    assert_eq!(variables["QUEUE"], "jobs");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "obedient");
    assert_eq!(variables["AWS_LAMBDA_LOG_FORMAT"], "JSON");
    assert_eq!(variables["AWS_REGION"], REGION);
    assert_eq!(variables["AWS_ENDPOINT_URL"], sandbox.endpoint());
    assert!(variables["AWS_ACCESS_KEY_ID"].starts_with("ASIA"));
    assert!(!variables.contains_key("PATH") && !variables.contains_key("HOME"));

    assert_eq!(
        answer["arn"],
        "arn:aws:lambda:eu-west-1:111111111111:function:obedient"
    );
    let deadline: i64 = answer["deadline"].as_str().unwrap().parse().unwrap();
    let now = crate::wall_clock::now().as_millisecond();
    assert!((now - 10_000..=now + 1000).contains(&deadline));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_warm_environment_is_used_again() {
    let sandbox = sandbox().await;
    for count in 1..=3 {
        let invocation = order(&sandbox, "tell").await;
        assert_eq!(invocation.outcome.unwrap()["invocations"], count);
    }
    assert_eq!(sandbox.invocations().len(), 3);
}

#[tokio::test]
async fn what_a_function_writes_is_kept_with_its_invocation() {
    let sandbox = sandbox().await;
    let invocation = order(&sandbox, "log").await;
    assert_eq!(invocation.outcome, Ok(Value::Null));
    assert_eq!(
        invocation.logs,
        ["to stdout", "to stderr", "without an end"]
    );
    assert!(order(&sandbox, "tell").await.logs.is_empty());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let sandbox = sandbox().await;
    let failed = order(&sandbox, "fail").await;
    assert_eq!(failed.outcome.unwrap_err().to_string(), "Sad: as told");
    assert_eq!(
        error_type(&order(&sandbox, "mumble").await),
        "Runtime.MarshalError"
    );

    let exited = order(&sandbox, "exit").await.outcome.unwrap_err();
    assert_eq!(exited.error_type, "Runtime.ExitError");
    assert!(exited.message.contains("exit status: 3"), "{exited}");
    let after = order(&sandbox, "tell").await;
    assert_eq!(
        after.outcome.unwrap()["invocations"],
        1,
        "a new environment"
    );

    let unknown = sandbox.invoke("unknown", &Value::Null).await;
    assert_eq!(error_type(&unknown), "ResourceNotFoundException");
}

#[tokio::test]
async fn no_process_stays_behind() {
    let sandbox = sandbox().await;
    let answer = order(&sandbox, "tell").await.outcome.unwrap();
    let process = PathBuf::from(format!("/proc/{}", answer["process"]));
    assert!(process.exists());
    sandbox.stop().await;
    assert!(!process.exists());
}

#[tokio::test]
async fn several_invocations_run_at_once_if_they_may() {
    let options = Options {
        concurrency: 2,
        ..options()
    };
    let mut world = world(&json!({}));
    for _ in 0..2 {
        sqs::deliver(&mut world, QUEUE, RULE, "a").unwrap();
    }
    let hanging = lambda::invoke(
        &mut world,
        ACCOUNT,
        REGION,
        "obedient",
        json!({ "do": "hang" }),
    );
    let sandbox = Sandbox::start(world, options).await.unwrap();
    sandbox.settle().await;
    let order: Vec<bool> = sandbox
        .invocations()
        .iter()
        .map(|i| i.outcome.is_ok())
        .collect();
    assert_eq!(
        order,
        [true, false],
        "the messages did not wait for the one that hangs"
    );
    assert!(hanging.unwrap().await.is_ok());
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_after_its_timeout() {
    let sandbox = sandbox().await;
    let error = order(&sandbox, "hang").await.outcome.unwrap_err();
    assert_eq!(error.error_type, "Sandbox.Timedout");
    assert!(
        error.message.ends_with("Task timed out after 1.00 seconds"),
        "{error}"
    );
    let after = order(&sandbox, "tell").await;
    assert_eq!(
        after.outcome.unwrap()["invocations"],
        1,
        "a new environment"
    );
}

#[tokio::test]
async fn a_function_that_cannot_initialize_says_why() {
    let sandbox = start(world(&json!({ "BROKEN": "1" }))).await;
    let error = order(&sandbox, "tell").await.outcome.unwrap_err();
    assert_eq!(error.to_string(), "Config: no queue");
}

#[tokio::test]
async fn a_message_that_nobody_can_handle_ends_in_the_dead_letter_queue() {
    let sandbox = sandbox().await;
    // The payload of a queue has no `do`, so the function answers with what
    // is no partial batch response: an object without failures.
    sqs::deliver(&mut sandbox.world(), QUEUE, RULE, "fine").unwrap();
    sandbox.settle().await;
    assert!(sqs::messages(&sandbox.world(), QUEUE).is_empty());

    let broken = start(world(&json!({ "BROKEN": "1" }))).await;
    sqs::deliver(&mut broken.world(), QUEUE, RULE, "doomed").unwrap();
    broken.settle().await;
    assert_eq!(broken.invocations().len(), 1);
    broken.run_for(Duration::from_secs(29)).await;
    assert_eq!(broken.invocations().len(), 1);
    broken.run_for(Duration::from_secs(61)).await;
    let times: Vec<i64> = broken
        .invocations()
        .iter()
        .map(|i| i.time.as_second())
        .collect();
    assert_eq!(times, [0, 30, 60]);
    assert_eq!(sqs::messages(&broken.world(), DEAD)[0].body, "doomed");
}

#[tokio::test]
async fn time_moves_only_when_it_is_asked_to_and_stops_where_it_is_told() {
    let sandbox = sandbox().await;
    sandbox.settle().await;
    assert_eq!(sandbox.world().now, Timestamp::UNIX_EPOCH);
    sandbox.run_for(Duration::from_secs(90)).await;
    assert_eq!(sandbox.world().now.as_second(), 90);

    sqs::deliver(&mut sandbox.world(), QUEUE, RULE, "a").unwrap();
    let limit = Duration::from_hours(1);
    let done = sandbox
        .run_until(limit, |world| !world.lambda.finished.is_empty())
        .await;
    assert!(done);
    assert_eq!(sandbox.world().now.as_second(), 90);
    let done = sandbox
        .run_until(limit, |world| world.lambda.finished.len() > 1)
        .await;
    assert!(!done);
    assert_eq!(sandbox.world().now.as_second(), 90 + 3600);
}

#[tokio::test]
async fn a_function_can_be_killed_at_a_call_before_or_after_the_work() {
    for (after, exists) in [(false, false), (true, true)] {
        let sandbox = sandbox().await;
        sandbox.world().faults.calls.push(CallFault {
            service: "ssm".to_owned(),
            operation: "PutParameter".to_owned(),
            account: Some(ACCOUNT.to_owned()),
            effect: CallEffect::KillCaller { after },
        });
        let input = json!({ "Name": "/p", "Value": "v", "Type": "String" });
        let payload = json!({ "do": "call", "input": input });
        let killed = sandbox
            .invoke("obedient", &payload)
            .await
            .outcome
            .unwrap_err();
        assert!(killed.message.ends_with("signal: killed"), "{killed}");
        assert_eq!(sandbox.world().calls.len(), usize::from(exists));

        let again = sandbox.invoke("obedient", &payload).await.outcome.unwrap();
        let refused = again.as_str().unwrap().contains("ParameterAlreadyExists");
        assert_eq!(refused, exists);
        let caller = sandbox.world().calls[0].caller.arn();
        assert_eq!(
            caller,
            "arn:aws:sts::111111111111:assumed-role/worker/obedient"
        );
    }
}

#[tokio::test]
async fn a_missing_binary_is_named_before_anything_starts() {
    let functions = vec![Function {
        name: "obedient".to_owned(),
        binary: PathBuf::from("/nowhere/obedient"),
    }];
    let options = Options {
        functions,
        ..Options::default()
    };
    let error = Sandbox::start(world(&json!({})), options)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the binary of obedient is not at /nowhere/obedient; build it first"
    );
}

#[tokio::test]
async fn browsers_see_pages_and_clients_of_aws_do_not() {
    let page = |visit: Visit| -> BoxFuture<'static, String> {
        let calls = visit.world().calls.len();
        Box::pin(async move { format!("<p>{} {calls}</p>", visit.query) })
    };
    let options = Options {
        pages: Some(Pages::new(page)),
        ..Options::default()
    };
    let sandbox = Sandbox::start(world(&json!({})), options).await.unwrap();
    let ask = async |path: &str, headers: &str| {
        let address = sandbox.endpoint().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let accepts = "Accept: text/html,application/xhtml+xml;q=0.9\r\n";
    let answer = ask("/?go=1", accepts).await;
    assert!(answer.ends_with("<p>go=1 0</p>"), "{answer}");
    assert!(answer.contains("default-src 'none'"), "{answer}");
    let signed = "Authorization: AWS4-HMAC-SHA256 Credential=111111111111/20260105/us-east-1/s3/aws4_request\r\n";
    for (path, headers) in [
        ("/", String::new()),
        ("/", format!("{accepts}{signed}")),
        ("/other", accepts.to_owned()),
    ] {
        let answer = ask(path, &headers).await;
        assert!(!answer.contains("<p>"), "{path} {headers}: {answer}");
    }
    sandbox.stop().await;
}
