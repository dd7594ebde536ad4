//! TLS endpoints in front of the sandbox, which see every call.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, body::Incoming, client, http::request::Parts, server,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{Outcome, calls::Seen};

/// The endpoints; what they see is taken from them after each run.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    /// Where they listen.
    pub(crate) port: u16,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The sandbox that answers now.
    sandbox: Option<SocketAddr>,
    latency: Duration,
    seen: Vec<Seen>,
    connections: usize,
}

impl Proxy {
    /// Listens on loopback, at this port or at any if it is 0.
    pub(crate) async fn listen(port: u16, acceptor: TlsAcceptor) -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let proxy = Self {
            port: listener.local_addr()?.port(),
            shared: Arc::default(),
        };
        let shared = Arc::clone(&proxy.shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&shared)));
            }
        });
        Ok(proxy)
    }

    /// Leads to another sandbox from now on, each call this much later.
    pub(crate) fn lead_to(&self, endpoint: &str, latency: Duration) -> Outcome<()> {
        let sandbox = endpoint.trim_start_matches("http://").parse()?;
        *lock(&self.shared) = Shared {
            sandbox: Some(sandbox),
            latency,
            ..Shared::default()
        };
        Ok(())
    }

    /// The calls since then in the order of their beginnings, and how many connections they took.
    pub(crate) fn take(&self) -> (Vec<Seen>, usize) {
        let mut shared = lock(&self.shared);
        let mut seen = std::mem::take(&mut shared.seen);
        seen.sort_by_key(|call| call.began);
        (seen, std::mem::take(&mut shared.connections))
    }
}

async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Mutex<Shared>>) {
    // A connection that is not used any more may end in any way.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    lock(&shared).connections += 1;
    let answer = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    let connection = server::conn::http1::Builder::new();
    let _ = connection
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn answer(shared: &Mutex<Shared>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let operation = operation(&head, &body);
    let (sandbox, latency) = {
        let shared = lock(shared);
        (shared.sandbox, shared.latency)
    };
    pass(latency).await;
    let response = forward(sandbox, head, body).await.unwrap_or_else(|_| {
        let mut failed = Response::default();
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    });
    lock(shared).seen.push(Seen {
        operation,
        began,
        ended: Instant::now(),
    });
    response
}

#[expect(
    clippy::disallowed_methods,
    reason = "it plays the time that a call takes at AWS"
)]
async fn pass(latency: Duration) {
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
}

async fn forward(
    sandbox: Option<SocketAddr>,
    head: Parts,
    body: Bytes,
) -> Outcome<Response<Full<Bytes>>> {
    let sandbox = sandbox.ok_or("nobody answers")?;
    let stream = TcpStream::connect(sandbox).await?;
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::from_parts(head, Full::new(body));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Response::from_parts(head, Full::new(body)))
}

/// The operation of a call, as far as the wire says it without its service.
fn operation(head: &Parts, body: &[u8]) -> String {
    let target = head.headers.get("x-amz-target");
    if let Some(target) = target.and_then(|target| target.to_str().ok()) {
        let operation = target.rsplit('.').next().unwrap_or(target);
        return operation.to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let action = text.split('&').find_map(|it| it.strip_prefix("Action="));
    action.map_or_else(
        || head.uri.path().trim_start_matches('/').to_owned(),
        str::to_owned,
    )
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
