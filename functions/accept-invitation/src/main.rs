//! Lambda entry point: wiring only.

use accept_invitation::{AcceptInvitation, Config};
use aws::{Aws, Hub};
use runtime::{lambda, log};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let config = Config::from_env()?;
    let aws = Aws::connect(&config.worker.settings.identity);
    let hub = Hub::new(&aws, &config.worker.settings).with_bus(config.worker.bus.clone());
    let queue_url = config.worker.queue_url.clone();

    lambda::serve(&hub, queue_url, AcceptInvitation::new(&aws, &hub, config)).await
}
