//! Lambda entry point: wiring only.

use aws::{Aws, lambda, telemetry};
use codepipeline_hook::{CodePipelineHook, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await?;

    lambda::serve_each(&aws, CodePipelineHook::new(&aws, config)).await
}
