//! The binary `sandbox` as a process, called over loopback.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot look at its process has failed"
)]

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use sandbox::services::SERVICES;

const BINARY: &str = env!("CARGO_BIN_EXE_sandbox");

const README: &str = include_str!("../README.md");

/// How a shell shows the end of a program whose reader went away.
const NOBODY_READS: i32 = 141;

const TEMPLATE: &str = "
Parameters:
  Name: { Type: String }
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Statement:
          - Effect: Allow
            Principal: { Service: lambda.amazonaws.com }
            Action: sts:AssumeRole
  Worker:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Ref Name
      Role: !GetAtt Role.Arn
      Handler: bootstrap
      Runtime: provided.al2023
      Code: elsewhere
Outputs:
  Function: { Value: !Ref Worker }
";

/// A function that speaks the Runtime API and tells what it is called.
const FUNCTION: &str = r#"#!/bin/bash
api=/2018-06-01/runtime/invocation
call() {
    exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/://}"
    printf '%s %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %s\r\n\r\n%s' \
        "$1" "$2" "${#3}" "$3" >&3
    cat <&3
}
while next=$(call GET "$api/next" ''); do
    id=$(sed -n 's/^lambda-runtime-aws-request-id: //Ip' <<<"$next" | tr -d '\r')
    call POST "$api/$id/response" "{\"name\":\"$AWS_LAMBDA_FUNCTION_NAME\"}" >/dev/null
done
"#;

/// A served sandbox; if a test fails, it does not outlive it.
struct Served {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    greeting: String,
}

impl Served {
    fn begin(arguments: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--port", "0"]).args(arguments);
        Self::of(command)
    }

    fn of(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("Ctrl-C ends it.\n\n") {
            let line = lines.next().expect("it greets before it ends").unwrap();
            greeting += &line;
            greeting.push('\n');
        }
        Self {
            process,
            lines,
            greeting,
        }
    }

    /// Host and port.
    fn address(&self) -> &str {
        let (_, rest) = self.greeting.split_once("http://").unwrap();
        rest.split(',').next().unwrap()
    }

    /// The answer to a call, with its head.
    fn call(&self, account: &str, service: &str, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\ncontent-length: {}\r\n\
             authorization: AWS4-HMAC-SHA256 \
             Credential={account}/20260101/eu-west-1/{service}/aws4_request\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn next_line(&mut self) -> String {
        self.lines.next().unwrap().unwrap()
    }

    fn end(mut self, signal: &str) {
        send(signal, self.process.id());
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn send(signal: &str, process: u32) {
    let process = process.to_string();
    let kill = Command::new("kill").args(["-s", signal, &process]).status();
    assert!(kill.unwrap().success());
}

/// A file of this test's own.
fn written(name: &str, text: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("sandbox-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn it_answers_any_account_shows_the_call_and_ends_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let mut served = Served::begin(&[]);
        let identity = "Action=GetCallerIdentity&Version=2011-06-15";
        let answer = served.call("222222222222", "sts", "POST /", identity);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains("<Account>222222222222</Account>"),
            "{answer}"
        );
        let line = served.next_line();
        let shown = "arn:aws:iam::222222222222:user/administrator  sts:GetCallerIdentity  ok";
        assert!(line.ends_with(shown), "{line}");
        let refused = served.call("222222222222", "ram", "POST /getpermission", "{}");
        assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
        let line = served.next_line();
        assert!(line.contains("  ram:GetPermission  "), "{line}");
        assert!(line.ends_with("Exception"), "{line}");
        served.end(signal);
    }
}

#[test]
fn it_deploys_templates_and_runs_their_functions() {
    let template = written("worker.yaml", TEMPLATE);
    let template = format!("{}=111111111111,Name=worker", template.display());
    let function = written("function", FUNCTION);
    fs::set_permissions(&function, Permissions::from_mode(0o755)).unwrap();
    let function = format!("worker={}", function.display());
    let arguments = ["--region", "eu-west-1", "--template", &template];
    let served = Served::begin(&[&arguments[..], &["--function", &function]].concat());
    assert!(
        served.greeting.contains("    Function = worker\n"),
        "{}",
        served.greeting
    );
    let invoke = "POST /2015-03-31/functions/worker/invocations";
    let answer = served.call("111111111111", "lambda", invoke, "{}");
    assert!(answer.ends_with(r#"{"name":"worker"}"#), "{answer}");
    served.end("TERM");
}

#[test]
fn it_ends_with_the_process_that_started_it() {
    let mut shell = Command::new("sh");
    // The shell waits for its child, and a killed shell tells it nothing.
    shell.args(["-c", "\"$0\" serve --port 0 & wait", BINARY]);
    let mut served = Served::of(shell);
    send("KILL", served.process.id());
    served.process.wait().unwrap();
    assert_eq!(served.lines.by_ref().count(), 0, "its output is closed");
    assert!(TcpStream::connect(served.address()).is_err());
}

#[test]
fn it_ends_quietly_once_nobody_reads_what_it_prints() {
    let mut process = Command::new(BINARY)
        .arg("operations")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    assert_quiet(&process.wait_with_output().unwrap());

    let mut command = Command::new(BINARY);
    command
        .args(["serve", "--port", "0"])
        .stderr(Stdio::piped());
    let mut served = Served::of(command);
    let nothing = Command::new("true").stdout(Stdio::piped()).spawn();
    let mut nothing = nothing.unwrap();
    let no_lines = BufReader::new(nothing.stdout.take().unwrap()).lines();
    nothing.wait().unwrap();
    drop(std::mem::replace(&mut served.lines, no_lines));
    served.call("111111111111", "ram", "POST /listpermissions", "{}");
    let mut said = String::new();
    let stderr = served.process.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
    assert_eq!(served.process.wait().unwrap().code(), Some(NOBODY_READS));
}

fn assert_quiet(output: &Output) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(NOBODY_READS));
}

#[test]
fn what_it_cannot_play_is_an_error_that_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let template = written("incomplete.yaml", TEMPLATE);
    let template = format!("{}=111111111111", template.display());
    for (arguments, said) in [
        (["--port", &port], "cannot listen on port"),
        (["--template", &template], "parameter Name has no value"),
        (["--template", "none=111111111111"], "none cannot be read"),
        (["--function", "a=/nowhere"], "build it first"),
        (["--reading", "ram-rejection=x"], "disassociated, failed"),
        (["--speed", "61"], "61 is not in 1..=60"),
    ] {
        let mut command = Command::new(BINARY);
        let output = command.arg("serve").args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said), "{text}");
    }
}

#[test]
fn it_lists_what_it_answers() {
    let output = Command::new(BINARY).arg("operations").output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let count: usize = SERVICES.iter().map(|it| it.operations.len()).sum();
    assert_eq!(listed.lines().count(), count);
    assert!(listed.contains("ram:CreateResourceShare\n"), "{listed}");
}

#[test]
fn the_readme_shows_what_it_prints_and_every_option() {
    let served = Served::begin(&["--organization", "111111111111,222222222222"]);
    let command = "$ cargo sandbox serve --organization 111111111111,222222222222\n";
    let (_, shown) = README.split_once(command).unwrap();
    let printed = served.greeting.replace(served.address(), "127.0.0.1:4566");
    assert!(shown.starts_with(&printed), "{printed}");
    served.end("TERM");

    let help = Command::new(BINARY).args(["serve", "--help"]).output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    let options = help
        .split_whitespace()
        .filter(|word| word.starts_with("--"));
    for option in options.filter(|option| *option != "--help") {
        assert!(README.contains(&format!("\n| `{option}` | ")), "{option}");
    }
}
