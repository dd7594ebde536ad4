//! The function's environment.

use runtime::config::{self, InvalidEnvironment, Settings};

/// The function's environment variables; all are required but that of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_REFUSED`: `reject` rejects what looks like ours and is not; `leave` leaves it alone.
    pub rejects: bool,
    /// `PIPESHARE_TOPIC`: the hub's topic.
    pub topic: String,
    /// `PIPESHARE_QUEUE`: the function's own queue; without one, nothing can be requeued.
    pub queue_url: Option<String>,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = config::of_process();
        let config = Self {
            settings: environment.settings(),
            topic: environment.topic(),
            queue_url: environment.queue_url(),
            rejects: environment.choice("PIPESHARE_REFUSED", &["leave", "reject"]) == "reject",
        };
        environment.finish()?;
        Ok(config)
    }
}
