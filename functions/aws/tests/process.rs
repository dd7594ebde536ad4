//! A whole function process against a runtime and an AWS on loopback.
//!
//! The process is this test's own binary: what a process reads from its
//! environment and writes to its log cannot be tested from inside another.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of this file are parts of tests, too"
)]

use std::{
    collections::VecDeque,
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use aws::{Aws, Hub};
use runtime::{
    config,
    lambda::{self, Deadline, Function, Record, RecordOutcome, Reply},
    log,
    metrics::{Metric, Metrics},
};
use serde_json::{Value, json};

const CHILD: &str = "PIPESHARE_TEST_CHILD";
/// The request that ends the server.
const STOP: &str = "/stop";
const SECRETS: [&str; 5] = [
    "lambda-secret",
    "lambda-token",
    "role-secret",
    "role-token",
    "payload-secret",
];

/// Looks at a parameter of its own and at another account's pipelines.
struct Reading<'a>(&'a Aws);

impl Function for Reading<'_> {
    async fn handle(&self, batch: &[Record], _: Deadline, metrics: &Metrics) -> Reply {
        assert!(!batch[0].body.contains("panic"), "asked to");
        let owner = "222222222222".parse().unwrap();
        let policy = self.0.ssm().in_force("/pipeshare/policy").await;
        let pipelines = self.0.reader(&owner).pipelines().await;
        metrics.count(Metric::RecordsRetried, 1);
        let summary = json!({
            "version": policy.unwrap().unwrap().version,
            "pipelines": pipelines.unwrap().len(),
        });
        Reply {
            outcomes: vec![RecordOutcome::Done; batch.len()],
            summary,
        }
    }
}

#[tokio::test]
async fn the_process_that_the_other_tests_start() {
    if env::var(CHILD).is_ok() {
        log::init(env!("CARGO_CRATE_NAME"));
        let mut environment = config::of_process();
        let settings = environment.settings();
        environment.finish().unwrap();
        let aws = Aws::connect(&settings.identity);
        let hub = Hub::new(&aws, &settings);
        lambda::serve(&hub, None, Reading(&aws)).await.ok();
    }
}

/// What the process said and was asked for.
struct Run {
    log: String,
    answers: Vec<(String, Value)>,
    calls: Vec<String>,
}

impl Run {
    fn lines(&self) -> Vec<Value> {
        let lines = self.log.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs the process until it has answered these events.
fn run(events: &[Value]) -> Run {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "the_process_that_the_other_tests_start",
            "--nocapture",
        ])
        .env_clear()
        .envs([
            (CHILD, "1"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "LAMBDAKEY"),
            ("AWS_SECRET_ACCESS_KEY", "lambda-secret"),
            ("AWS_SESSION_TOKEN", "lambda-token"),
            ("AWS_LAMBDA_FUNCTION_NAME", "reading"),
            ("PIPESHARE_PARTITION", "aws"),
            ("PIPESHARE_POLICY", "/pipeshare/policy"),
            ("PIPESHARE_TABLE", "pipeshare"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
            ("RUST_LOG", "off"),
        ])
        .env("AWS_LAMBDA_RUNTIME_API", &host)
        .env("AWS_ENDPOINT_URL", format!("http://{host}/all"))
        .env(
            "AWS_ENDPOINT_URL_SAGEMAKER",
            format!("http://{host}/sagemaker-only"),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let out = read_all(child.stdout.take().unwrap());
    let err = read_all(child.stderr.take().unwrap());
    let (answer, answered) = channel();
    let server = Server {
        events: events.iter().cloned().collect(),
        answer,
    };
    let calls = thread::spawn(move || server.serve(&listener));
    // A process that dies never answers; the tests then fail, and do not hang.
    let patience = Duration::from_mins(1);
    let answers = events
        .iter()
        .map_while(|_| answered.recv_timeout(patience).ok())
        .collect();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut last = TcpStream::connect(host).unwrap();
    write!(last, "GET {STOP} HTTP/1.1\r\n\r\n").unwrap();
    Run {
        log: out.join().unwrap() + &err.join().unwrap(),
        answers,
        calls: calls.join().unwrap(),
    }
}

/// Reads a stream while the process writes to it, or a long log would stop it.
fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    })
}

/// The Runtime API, STS, Parameter Store and SageMaker on one port.
struct Server {
    events: VecDeque<Value>,
    answer: Sender<(String, Value)>,
}

impl Server {
    /// Serves one connection after the other, each for one request, until it
    /// shall stop. The process makes one call at a time, and may be killed in
    /// the middle of one.
    fn serve(mut self, listener: &TcpListener) -> Vec<String> {
        let mut calls = Vec::new();
        let mut waiting = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().unwrap();
            let Some((path, body)) = read_request(&stream) else {
                continue;
            };
            if path == STOP {
                drop(waiting);
                return calls;
            }
            if path.ends_with("/next") && self.events.is_empty() {
                waiting.push(stream);
                continue;
            }
            let reply = self.reply(&path, &body);
            let written = write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\nlambda-runtime-aws-request-id: r-1\r\n\
                 lambda-runtime-deadline-ms: 1800000000000\r\ncontent-length: {}\r\n\r\n{reply}",
                reply.len()
            );
            if written.is_ok() {
                calls.push(path);
            }
        }
    }

    fn reply(&mut self, path: &str, body: &str) -> String {
        if path.ends_with("/next") {
            return self.events.pop_front().unwrap().to_string();
        }
        if path.contains("/runtime/") {
            let kind = path.rsplit('/').next().unwrap().to_owned();
            let answer = serde_json::from_str(body).unwrap();
            self.answer.send((kind, answer)).unwrap();
            return String::new();
        }
        if body.contains("AssumeRole") {
            return "<AssumeRoleResponse><AssumeRoleResult><Credentials>\
                    <AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>\
                    <SessionToken>role-token</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>\
                    </Credentials></AssumeRoleResult></AssumeRoleResponse>"
                .to_owned();
        }
        json!({ "Parameter": { "Version": 7, "Value": "version: 1" }, "PipelineSummaries": [] })
            .to_string()
    }
}

/// The path and the body; nothing if the connection was closed before it was read.
fn read_request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push(line.to_ascii_lowercase());
    }
    let length = head
        .iter()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    Some((path, String::from_utf8(body).unwrap()))
}

fn batch() -> Value {
    json!({ "Records": [{
        "messageId": "m1",
        "eventSource": "aws:sqs",
        "body": json!({ "token": "payload-secret" }).to_string(),
    }] })
}

#[test]
fn a_batch_is_served_through_the_endpoints_of_the_environment() {
    let run = run(&[batch()]);
    let answer = json!({ "batchItemFailures": [] });
    assert_eq!(run.answers, [("response".to_owned(), answer)]);
    let is_aws = |path: &&String| !path.contains("/runtime/");
    let calls: Vec<_> = run.calls.iter().filter(is_aws).collect();
    assert_eq!(
        calls,
        ["/all/", "/all/", "/sagemaker-only/"],
        "the parameter, the role, the pipelines"
    );
}

#[test]
fn at_the_finest_level_the_log_has_no_secret_and_no_payload() {
    let run = run(&[batch()]);
    assert!(run.log.contains("invocation served"), "{}", run.log);
    for secret in SECRETS {
        assert!(!run.log.contains(secret), "{secret}: {}", run.log);
    }
}

#[test]
fn an_invocation_leaves_a_summary_and_its_metrics_in_the_log() {
    let lines = run(&[batch()]).lines();
    let summary = lines
        .iter()
        .find(|line| line["message"] == "invocation served");
    let summary = summary.unwrap();
    assert_eq!(summary["summary"], json!({ "pipelines": 0, "version": 7 }));
    assert_eq!(summary["requestId"], "r-1");
    let metrics = lines.iter().find(|line| line["_aws"].is_object()).unwrap();
    assert_eq!(metrics["Function"], "reading");
    assert_eq!(metrics["RecordsRetried"], 1);
}

#[test]
fn a_panic_is_one_line_of_the_log_and_the_process_goes_on() {
    let run = run(&[json!({ "action": "panic" }), batch()]);
    let kinds: Vec<_> = run.answers.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["error", "response"]);
    let lines = run.lines();
    let is_panic = |line: &&Value| line["message"] == "panicked";
    let panics: Vec<_> = lines.iter().filter(is_panic).collect();
    assert_eq!(panics.len(), 1);
    assert_eq!(panics[0]["reason"], "asked to");
    assert_eq!(panics[0]["level"], "ERROR");
    let location = panics[0]["location"].as_str().unwrap();
    assert!(location.contains("process.rs"), "{location}");
}
