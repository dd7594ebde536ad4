//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use forward_status::ForwardStatus;
use runtime::{config::Worker, lambda, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Worker::from_env()?;
    let aws = Aws::connect(&config.settings.identity);
    let hub = Hub::new(&aws, &config.settings).with_bus(config.bus.clone());
    let function = ForwardStatus::new(&aws, &hub, &config.topic);

    lambda::serve(&hub, config.queue_url.clone(), function).await
}
