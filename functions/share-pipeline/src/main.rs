//! Lambda entry point: wiring only.

use aws::{Aws, lambda, telemetry};
use share_pipeline::{Config, Function};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await?;
    let queue = lambda::Queue::new(&aws, &config.queue);
    let function = Function { aws, config };

    lambda::serve(&queue, |batch| function.handle(batch)).await
}
