//! The functions' way to the sandbox: the wire protocol, without a socket.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::{rt::sleep::TokioSleep, time::TimeSource};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use domain::id::Region;
use fastrand::Rng;
use sandbox::in_process::Wire;
use tokio::time::{Instant, sleep_until};

use crate::sabotage::Sabotage;

/// How long the wire takes.
#[derive(Debug)]
pub(crate) struct Latency {
    random: Mutex<Rng>,
    most: u64,
    /// How many calls may take long, of how many one does not, and how long.
    slow: Mutex<(u32, u32, Duration)>,
}

impl Latency {
    /// At most this many milliseconds, as a stream of random numbers has it.
    pub(crate) fn new(seed: u64, most: u64) -> Self {
        Self {
            random: Mutex::new(Rng::with_seed(seed)),
            most: most.max(1),
            slow: Mutex::default(),
        }
    }

    /// So many calls from now on take this long, but for one of each so many.
    pub(crate) fn slow_down(&self, calls: u32, but_one_of: u32, each: Duration) {
        *self.slow.lock().expect("nothing panics with it") = (calls, but_one_of, each);
    }

    fn next(&self) -> Duration {
        let mut slow = self.slow.lock().expect("nothing panics with it");
        if slow.0 > 0 {
            slow.0 -= 1;
            if slow.1 == 0 || !slow.0.is_multiple_of(slow.1) {
                return slow.2;
            }
        }
        let mut random = self.random.lock().expect("nothing panics with it");
        // Calls of a millisecond or more: what is done at once has an order of its own.
        Duration::from_millis(random.u64(1..=self.most))
    }
}

/// Sends requests to the world's API, each of which takes its time.
#[derive(Debug, Clone)]
struct Connector {
    wire: Wire,
    latency: Arc<Latency>,
    sabotage: Option<Sabotage>,
}

/// The world's clock, for the SDK.
#[derive(Debug)]
struct WorldTime(Wire);

impl TimeSource for WorldTime {
    fn now(&self) -> std::time::SystemTime {
        self.0.now().into()
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.send(request).await })
    }
}

impl Connector {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let wire = |error: axum::Error| ConnectorError::io(error.into());
        let request = request
            .try_into_http1x()
            .map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let body = body.bytes().unwrap_or_default().to_vec();
        let latency = self.latency.next();
        sleep_until(Instant::now() + latency / 2).await;
        let request = Request::from_parts(head, body);
        let response = match self.sabotage {
            Some(sabotage) => sabotage.serve(&self.wire, request).await,
            None => self.wire.serve(request.map(Body::from)).await,
        };
        sleep_until(Instant::now() + latency / 2).await;
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(wire)?;
        let response = axum::http::Response::from_parts(head, body.into());
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// What a function's clients are made of: as on Lambda, but for clock and wire.
pub(crate) fn config(
    wire: &Wire,
    latency: &Arc<Latency>,
    sabotage: Option<Sabotage>,
    region: &Region,
    access_key: &str,
) -> SdkConfig {
    let connector = Connector {
        wire: wire.clone(),
        latency: Arc::clone(latency),
        sabotage,
    };
    let connector = SharedHttpConnector::new(connector);
    let credentials = Credentials::new(access_key, "simulated", None, None, "simulation");
    aws::clients::settings(region)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .time_source(WorldTime(wire.clone()))
        .sleep_impl(TokioSleep::new())
        .build()
}
