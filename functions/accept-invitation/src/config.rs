//! The function's environment.

use runtime::config::{self, InvalidEnvironment, Worker};

/// The function's environment variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function that serves a queue.
    pub worker: Worker,
    /// `PIPESHARE_REFUSED`: `reject` rejects what looks like ours and is not; `leave` leaves it alone.
    pub rejects: bool,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = config::of_process();
        let config = Self {
            worker: environment.worker(),
            rejects: environment.choice("PIPESHARE_REFUSED", &["leave", "reject"]) == "reject",
        };
        environment.finish()?;
        Ok(config)
    }
}
