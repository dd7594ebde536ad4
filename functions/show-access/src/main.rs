//! Lambda entry point: wiring only.

use aws::{Aws, Hub};
use runtime::{config, lambda, log};
use show_access::{Accounts, ShowAccess};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::StartError> {
    log::init(env!("CARGO_CRATE_NAME"));
    let mut environment = config::of_process();
    let settings = environment.settings();
    environment.finish()?;
    let aws = Aws::connect(&settings.identity);
    let hub = Hub::new(&aws, &settings);

    lambda::serve_each(&hub, ShowAccess::new(&hub, Accounts::new(&aws))).await
}
