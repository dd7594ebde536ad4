//! Stands between Lambda's Runtime API and one process, and reads its clocks
//! when it asks for work and when it answers.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
};

use crate::{
    Outcome,
    limit::Limit,
    process::{Cost, cost},
};

/// More than any event or answer has.
const LARGEST: usize = 8 << 20;

/// What the process is, and what is done with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Orders {
    pub(crate) command: Vec<String>,
    pub(crate) set: BTreeMap<String, String>,
    pub(crate) unset: Vec<String>,
    /// Imposed when the process has initialized.
    pub(crate) limit: Option<Limit>,
    /// The file that each invocation becomes a line of.
    pub(crate) report: PathBuf,
}

/// One invocation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Served {
    /// Which process.
    pub(crate) pid: u32,
    /// Until it first asked for work.
    pub(crate) init: Cost,
    /// When it asked for this work.
    pub(crate) before: Cost,
    /// When it answered.
    pub(crate) after: Cost,
    /// From the start until it first asked for work, in milliseconds.
    pub(crate) init_wall: f64,
    /// From the work to the answer, in milliseconds.
    pub(crate) wall: f64,
}

struct Watched {
    upstream: String,
    pid: u32,
    started: Instant,
    limit: Option<Limit>,
    report: PathBuf,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    init: Option<(Cost, f64)>,
    given: Option<(Cost, Instant)>,
}

/// Runs the process, and ends with it.
pub(crate) async fn run(orders: &Path) -> Outcome<()> {
    let orders: Orders = serde_json::from_slice(&fs::read(orders)?)?;
    let upstream = std::env::var("AWS_LAMBDA_RUNTIME_API")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (program, arguments) = orders.command.split_first().ok_or("there is no command")?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
        .kill_on_drop(true);
    for variable in &orders.unset {
        command.env_remove(variable);
    }
    command.envs(&orders.set);
    let started = Instant::now();
    let mut process = command.spawn()?;
    let watched = Watched {
        upstream,
        pid: process.id().ok_or("the process has ended")?,
        started,
        limit: orders.limit,
        report: orders.report,
        progress: Mutex::default(),
    };
    let router = Router::new()
        .fallback(pass_on)
        .with_state(Arc::new(watched));
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        status = process.wait() => { status?; }
    }
    Ok(())
}

async fn pass_on(State(watched): State<Arc<Watched>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let asks = path.ends_with("/next");
    if asks {
        watched.asks();
    } else if path.ends_with("/response") || path.ends_with("/error") {
        watched.answers();
    }
    let response = forward(&watched.upstream, request).await;
    if asks {
        watched.is_given();
    }
    response.unwrap_or_else(|_| {
        let mut failed = Response::default();
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    })
}

async fn forward(upstream: &str, request: Request) -> Outcome<Response> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await?;
    let stream = TcpStream::connect(upstream).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::from_parts(head, Full::new(body));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, Body::from(body)))
}

impl Watched {
    /// It asks for work; the first time, it has initialized.
    fn asks(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if progress.init.is_none() {
            let wall = self.started.elapsed().as_secs_f64() * 1e3;
            progress.init = Some((cost(self.pid), wall));
            if let Some(limit) = &self.limit {
                // Where it was found, it is to be had.
                let _ = limit.impose(self.pid);
            }
        }
    }

    fn is_given(&self) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.given = Some((cost(self.pid), Instant::now()));
    }

    fn answers(&self) {
        let after = cost(self.pid);
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some((init, init_wall)), Some((before, since))) =
            (progress.init, progress.given.take())
        else {
            return;
        };
        let served = Served {
            pid: self.pid,
            init,
            before,
            after,
            init_wall,
            wall: since.elapsed().as_secs_f64() * 1e3,
        };
        let line = serde_json::to_string(&served).unwrap_or_default();
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.report);
        // A line that is missing is noticed by whoever reads the report.
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}
