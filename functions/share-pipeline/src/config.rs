//! The function's environment.

use runtime::config::{self, InvalidEnvironment, Worker};

/// The function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function that serves a queue.
    pub worker: Worker,
    /// `PIPESHARE_BUS`: the bus that offers are sent to, and from which the audit trail is logged.
    pub bus: String,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = config::of_process();
        let config = Self {
            worker: environment.worker(),
            bus: environment.text("PIPESHARE_BUS"),
        };
        environment.finish()?;
        Ok(config)
    }
}
