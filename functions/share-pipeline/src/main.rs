//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use runtime::{lambda, log};
use share_pipeline::{Accounts, Config, SharePipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Config::from_env()?;
    let aws = Aws::connect(&config.worker.settings.identity).await;
    let hub = Hub::new(&aws, &config.worker.settings).with_trail(config.bus.clone());
    let accounts = Accounts::new(&aws, config.bus.clone());
    let queue_url = config.worker.queue_url.clone();

    lambda::serve(&hub, queue_url, SharePipeline::new(&hub, accounts, config)).await
}
