//! Lambda entry point: wiring only.

use aws::{Aws, env, lambda, telemetry};
use forward_status::ForwardStatus;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    telemetry::init();
    let mut environment = env::of_process();
    let settings = environment.settings();
    environment.finish()?;
    let aws = Aws::from_env().await?;

    lambda::serve(&aws, ForwardStatus::new(&aws, settings)).await
}
