//! Lambda entry point: wiring only.

use aws::{Aws, lambda, telemetry};
use forward_status::{Config, ForwardStatus};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await?;

    lambda::serve(&aws, ForwardStatus::new(&aws, config)).await
}
