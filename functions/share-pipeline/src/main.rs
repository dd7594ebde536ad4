//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use runtime::{lambda, log};
use share_pipeline::{Config, SharePipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Config::from_env()?;
    let aws = Aws::connect(&config.settings.identity).await;
    let hub = Hub::new(&aws, &config.settings);
    let queue_url = config.queue_url.clone();

    lambda::serve(&hub, queue_url, SharePipeline::new(&aws, &hub, config)).await
}
