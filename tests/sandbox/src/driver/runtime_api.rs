//! The Lambda Runtime API of one execution environment.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::AbortHandle,
};

use crate::{services::lambda::FunctionError, wall_clock};

/// An invocation for the process.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) request_id: String,
    pub(super) function_arn: String,
    pub(super) timeout: Duration,
    pub(super) payload: String,
    pub(super) trace: String,
}

/// What the process says.
#[derive(Debug, PartialEq)]
pub(super) enum Report {
    /// It has initialized and taken the invocation.
    Taken,
    /// It has an answer.
    Response(String, Vec<u8>),
    /// The handler failed.
    Error(String, FunctionError),
    /// It cannot initialize.
    InitError(FunctionError),
}

/// The server; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    /// Host and port, as the runtime wants them.
    pub(super) address: String,
    pub(super) reports: mpsc::UnboundedReceiver<Report>,
    work: mpsc::UnboundedSender<Work>,
    server: AbortHandle,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Environment {
    work: Mutex<mpsc::UnboundedReceiver<Work>>,
    reports: mpsc::UnboundedSender<Report>,
}

type Shared = State<Arc<Environment>>;

impl RuntimeApi {
    /// Serves the API on a port of its own, as in Lambda, where each
    /// environment sees only its own invocations.
    pub(super) async fn serve() -> std::io::Result<Self> {
        let (work, work_receiver) = mpsc::unbounded_channel();
        let (reports_sender, reports) = mpsc::unbounded_channel();
        let environment = Environment {
            work: Mutex::new(work_receiver),
            reports: reports_sender,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Arc::new(environment));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let server = tokio::spawn(axum::serve(listener, router).into_future());
        Ok(Self {
            address,
            work,
            reports,
            server: server.abort_handle(),
        })
    }

    /// Gives the process an invocation, which it takes when it asks for one.
    pub(super) fn give(&self, work: Work) {
        // The server holds the other end for as long as this lives.
        let _ = self.work.send(work);
    }
}

async fn next(State(environment): Shared) -> Response {
    let work = environment.work.lock().await.recv().await;
    let Some(work) = work else {
        return status(StatusCode::GONE);
    };
    let deadline = wall_clock::now() + work.timeout;
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", work.request_id)
        .header("lambda-runtime-deadline-ms", deadline.as_millisecond())
        .header("lambda-runtime-invoked-function-arn", work.function_arn)
        .header("lambda-runtime-trace-id", work.trace)
        .body(Body::from(work.payload));
    environment.tell(Report::Taken);
    response.unwrap_or_else(|_| status(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn response(State(environment): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    environment.tell(Report::Response(id, body.to_vec()));
    status(StatusCode::ACCEPTED)
}

async fn error(State(environment): Shared, Path(id): Path<String>, body: Bytes) -> Response {
    environment.tell(Report::Error(id, function_error(&body)));
    status(StatusCode::ACCEPTED)
}

async fn init_error(State(environment): Shared, body: Bytes) -> Response {
    environment.tell(Report::InitError(function_error(&body)));
    status(StatusCode::ACCEPTED)
}

impl Environment {
    fn tell(&self, report: Report) {
        // Nobody listens any more when the environment is being closed.
        let _ = self.reports.send(report);
    }
}

fn function_error(body: &[u8]) -> FunctionError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |member: &str, default: &str| body[member].as_str().unwrap_or(default).to_owned();
    FunctionError {
        error_type: text("errorType", "Runtime.Unknown"),
        message: text("errorMessage", ""),
    }
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::from("{\"status\":\"OK\"}"));
    *response.status_mut() = status;
    response
}
