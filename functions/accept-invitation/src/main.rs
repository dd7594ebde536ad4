//! Lambda entry point: wiring only.

use accept_invitation::{AcceptInvitation, Config};
use aws::{Aws, lambda, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    telemetry::init();
    let config = Config::from_env()?;
    let aws = Aws::from_env().await?;

    lambda::serve(&aws, AcceptInvitation::new(&aws, config)).await
}
