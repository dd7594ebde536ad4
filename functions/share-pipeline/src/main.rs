//! Lambda entry point: wiring only.

use aws::{Aws, lambda, telemetry};
use share_pipeline::{Config, SharePipeline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await?;

    lambda::serve(&aws, SharePipeline::new(&aws, config)).await
}
