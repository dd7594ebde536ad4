//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use runtime::{config::Worker, lambda, log};
use share_pipeline::{Accounts, SharePipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Worker::from_env()?;
    let aws = Aws::connect(&config.settings.identity);
    let hub = Hub::new(&aws, &config.settings).with_bus(config.bus.clone());
    let accounts = Accounts::new(&aws, config.bus.clone());
    let queue_url = config.queue_url.clone();

    lambda::serve(&hub, queue_url, SharePipeline::new(&hub, accounts, config)).await
}
