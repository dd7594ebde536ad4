//! An execution environment: a process of the real binary, and what it writes.

use std::{
    io::{self, BufRead, BufReader, PipeReader, PipeWriter, Write},
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tokio::{
    process::{Child, Command},
    sync::{Notify, mpsc},
    time::timeout,
};

use super::runtime_api::{Report, RuntimeApi, Work};
use crate::services::{
    key::ResourceKey,
    lambda::{FunctionConfiguration, FunctionError, Start},
};

/// How long a process may take until it asks for work; machines under load are slow.
const INIT_LIMIT: Duration = Duration::from_mins(1);

/// How much longer than its timeout an invocation may take on the machine's
/// clock, since a function that watches its deadline wants to be first.
const GRACE: Duration = Duration::from_secs(1);

/// A process that runs one invocation after the other.
#[derive(Debug)]
pub(super) struct Environment {
    api: RuntimeApi,
    process: Child,
    output: Output,
    kill: Arc<Notify>,
}

/// How an invocation ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Result<Value, FunctionError>,
    pub(super) logs: Vec<String>,
}

/// What can happen while an invocation runs.
enum Event {
    Report(Report),
    Exit(Option<ExitStatus>),
    Killed,
    TimedOut,
}

impl Environment {
    /// Starts the process.
    pub(super) async fn open(
        binary: &Path,
        function: &FunctionConfiguration,
        endpoint: &str,
        access_key: &str,
        kill: Arc<Notify>,
    ) -> io::Result<Self> {
        let api = RuntimeApi::serve().await?;
        let (reader, writer) = io::pipe()?;
        let process = Command::new(binary)
            .env_clear()
            .envs(variables_of_lambda(function, endpoint, access_key))
            .env("AWS_LAMBDA_RUNTIME_API", &api.address)
            .envs(&function.variables)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer.try_clone()?)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self {
            api,
            process,
            output: Output::new(reader, writer),
            kill,
        })
    }

    /// Runs one invocation to its end.
    pub(super) async fn run(&mut self, start: &Start) -> Ended {
        let outcome = self.outcome(start).await;
        Ended {
            outcome,
            logs: self.output.take(&start.request_id).await,
        }
    }

    /// Whether the process can take another invocation.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Kills the process and waits for its end.
    pub(super) async fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill().await;
    }

    async fn outcome(&mut self, start: &Start) -> Result<Value, FunctionError> {
        self.api.give(Work {
            request_id: start.request_id.clone(),
            function_arn: start.function.arn(),
            timeout: start.function.timeout,
            payload: start.payload.to_string(),
            trace: start.trace.clone(),
        });
        let mut limit = INIT_LIMIT;
        let error = loop {
            match self.next_event(limit).await {
                Event::Report(Report::Taken) => limit = start.function.timeout + GRACE,
                Event::Report(Report::Response(id, body)) if id == start.request_id => {
                    return parse(&body);
                }
                Event::Report(Report::Error(id, error)) if id == start.request_id => {
                    return Err(error);
                }
                // Of an invocation that is over. Lambda drops it, too.
                Event::Report(Report::Response(..) | Report::Error(..)) => {}
                Event::Report(Report::InitError(error)) => break error,
                Event::Exit(status) => break exited(start, status),
                Event::Killed => break exit_error(start, "signal: killed"),
                Event::TimedOut => break timed_out(start),
            }
        };
        self.end().await;
        Err(error)
    }

    async fn next_event(&mut self, limit: Duration) -> Event {
        let event = async {
            tokio::select! {
                // A process may report and exit at once: what it says comes first.
                biased;
                () = self.kill.notified() => Event::Killed,
                Some(report) = self.api.reports.recv() => Event::Report(report),
                status = self.process.wait() => Event::Exit(status.ok()),
            }
        };
        timeout(limit, event).await.unwrap_or(Event::TimedOut)
    }
}

/// The variables that Lambda sets, and the one that leads to the sandbox.
pub(super) fn variables_of_lambda(
    function: &FunctionConfiguration,
    endpoint: &str,
    access_key: &str,
) -> Vec<(&'static str, String)> {
    let ResourceKey { region, name, .. } = &function.key;
    let mut variables = vec![
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory.to_string(),
        ),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", function.log_format.clone()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ACCESS_KEY_ID", access_key.to_owned()),
        // Signatures are not verified.
        ("AWS_SECRET_ACCESS_KEY", "sandbox".to_owned()),
        ("AWS_SESSION_TOKEN", "sandbox".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
    ];
    if let Some(level) = &function.log_level {
        variables.push(("AWS_LAMBDA_LOG_LEVEL", level.clone()));
    }
    variables
}

fn parse(body: &[u8]) -> Result<Value, FunctionError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| FunctionError {
        error_type: "Runtime.MarshalError".to_owned(),
        message: format!("The response is not JSON: {error}"),
    })
}

fn exited(start: &Start, status: Option<ExitStatus>) -> FunctionError {
    match status {
        Some(status) => exit_error(start, &status.to_string()),
        None => exit_error(start, "unknown reason"),
    }
}

pub(super) fn exit_error(start: &Start, reason: &str) -> FunctionError {
    FunctionError {
        error_type: "Runtime.ExitError".to_owned(),
        message: format!(
            "RequestId: {} Error: Runtime exited with error: {reason}",
            start.request_id
        ),
    }
}

pub(super) fn timed_out(start: &Start) -> FunctionError {
    FunctionError {
        error_type: "Sandbox.Timedout".to_owned(),
        message: format!(
            "RequestId: {} Error: Task timed out after {:.2} seconds",
            start.request_id,
            start.function.timeout.as_secs_f64()
        ),
    }
}

/// What a process writes, both of its streams in the order of writing.
#[derive(Debug)]
struct Output {
    writer: PipeWriter,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Output {
    fn new(reader: PipeReader, writer: PipeWriter) -> Self {
        let (sender, lines) = mpsc::unbounded_channel();
        // The thread ends when the process and this have closed the pipe.
        thread::spawn(move || forward_lines(reader, &sender));
        Self { writer, lines }
    }

    /// The lines since the last time.
    ///
    /// A pipe keeps the order: when a mark that is written now arrives, so
    /// has everything that the process wrote before.
    async fn take(&mut self, request_id: &str) -> Vec<String> {
        let mark = format!("\u{1e}end of {request_id}");
        let mut lines = Vec::new();
        if writeln!(self.writer, "\n{mark}").is_err() {
            return lines;
        }
        while let Some(line) = self.lines.recv().await {
            if line == mark {
                break;
            }
            lines.push(line);
        }
        lines
    }
}

fn forward_lines(reader: PipeReader, lines: &mpsc::UnboundedSender<String>) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|count| count > 0)
    {
        let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        bytes.clear();
        if !line.is_empty() && lines.send(line).is_err() {
            return;
        }
    }
}
