//! The function's environment.

use aws::{
    env::{self, InvalidEnvironment, Settings},
    lambda::QUEUE_URL,
};

/// The function's environment variables; all are required but that of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_REFUSED`: `reject` rejects what looks like ours and is not; `leave` leaves it alone.
    pub rejects: bool,
    /// Whether `PIPESHARE_QUEUE` is set, so that another look can follow this one.
    pub can_wait: bool,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = env::of_process();
        let config = Self {
            settings: environment.settings(),
            can_wait: environment.is_set(QUEUE_URL),
            rejects: environment.choice("PIPESHARE_REFUSED", &["leave", "reject"]) == "reject",
        };
        environment.finish()?;
        Ok(config)
    }
}
