//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use codepipeline_hook::{CodePipelineHook, Config};
use runtime::{lambda, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Config::from_env()?;
    let aws = Aws::connect(&config.settings.identity);
    let hub = Hub::new(&aws, &config.settings);

    lambda::serve_each(&hub, CodePipelineHook::new(&aws, &hub, config)).await
}
