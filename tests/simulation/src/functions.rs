//! The functions themselves, wired as their `main` does it.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use accept_invitation::AcceptInvitation;
use aws::{Aws, Hub};
use forward_status::ForwardStatus;
use futures::future::LocalBoxFuture;
use runtime::{
    config::Environment,
    lambda::{Edge, Function},
    metrics::{Metric, Metrics},
    ports::Host,
};
use sandbox::{
    FunctionError,
    in_process::{Opening, Wire, Work},
};
use share_pipeline::{Accounts, SharePipeline};
use tokio::time::Instant;

use crate::{
    sabotage::Sabotage,
    wire::{Latency, config},
};

/// What was counted, over all invocations.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// The metrics, by their names.
    pub(crate) metrics: BTreeMap<&'static str, u64>,
    /// How long each invocation of a function took.
    pub(crate) took: Vec<(String, Duration)>,
}

/// Plays the environments of the three functions that serve queues.
pub(crate) fn open(
    wire: Wire,
    latency: Arc<Latency>,
    counts: Rc<RefCell<Counts>>,
    sabotage: Option<Sabotage>,
) -> impl Fn(Opening) -> LocalBoxFuture<'static, ()> + 'static {
    move |opening| {
        let (wire, latency, counts) = (wire.clone(), Arc::clone(&latency), Rc::clone(&counts));
        Box::pin(async move { live(opening, &wire, &latency, &counts, sabotage).await })
    }
}

/// The life of one environment.
async fn live(
    mut opening: Opening,
    wire: &Wire,
    latency: &Arc<Latency>,
    counts: &RefCell<Counts>,
    sabotage: Option<Sabotage>,
) {
    let variables = std::mem::take(&mut opening.variables);
    let variable = |name: &str| variables.get(name).cloned();
    let mut environment = Environment::new(variable);
    let worker = environment.worker();
    let rejects = variable("PIPESHARE_REFUSED").is_some_and(|refused| refused == "reject");
    environment.finish().expect("the templates set everything");
    let region = &worker.settings.identity.place.region;
    let access_key = variable("AWS_ACCESS_KEY_ID").unwrap_or_default();
    let sdk = config(wire, latency, sabotage, region, &access_key);
    let aws = Aws::new(sdk, worker.settings.identity.clone());
    let hub = Hub::new(&aws, &worker.settings).with_bus(worker.bus.clone());
    let queue_url = worker.queue_url.clone();
    match opening.function.as_str() {
        "pipeshare-share-pipeline" => {
            let accounts = Accounts::new(&aws, worker.bus.clone());
            let function = SharePipeline::new(&hub, accounts, worker);
            serve(Edge::new(function, &hub, queue_url), opening, counts).await;
        }
        "pipeshare-accept-invitation" => {
            let config = accept_invitation::Config { worker, rejects };
            let function = AcceptInvitation::new(&aws, &hub, config);
            serve(Edge::new(function, &hub, queue_url), opening, counts).await;
        }
        "pipeshare-forward-status" => {
            let function = ForwardStatus::new(&aws, &hub, &worker.topic);
            serve(Edge::new(function, &hub, queue_url), opening, counts).await;
        }
        other => unreachable!("nothing invokes {other}"),
    }
}

async fn serve<F: Function, H: Host>(
    edge: Edge<'_, F, H>,
    mut opening: Opening,
    counts: &RefCell<Counts>,
) {
    while let Some(work) = opening.work.recv().await {
        let Work {
            request_id,
            payload,
            time_left,
            answer,
        } = work;
        let metrics = Metrics::default();
        let began = Instant::now();
        let served = edge.serve(payload, &request_id, time_left, &metrics).await;
        {
            let mut counts = counts.borrow_mut();
            let took = (opening.function.clone(), began.elapsed());
            counts.took.push(took);
            for metric in Metric::ALL {
                let counted = metrics.counted(*metric);
                *counts.metrics.entry(metric.name()).or_default() += counted;
            }
        }
        // Whoever waited may be gone.
        let _ = answer.send(served.map_err(|error| FunctionError {
            error_type: error.error_type,
            message: error.error_message,
        }));
    }
}
