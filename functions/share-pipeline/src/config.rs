//! The function's environment.

use runtime::config::{self, InvalidEnvironment, Settings};

/// The function's environment variables, all required but that of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_TOPIC`: the hub's topic.
    pub topic: String,
    /// `PIPESHARE_QUEUE`: the function's own queue.
    pub queue_url: Option<String>,
    /// `PIPESHARE_BUS`: the bus that offers are sent to.
    pub bus: String,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = config::of_process();
        let config = Self {
            settings: environment.settings(),
            topic: environment.topic(),
            queue_url: environment.queue_url(),
            bus: environment.text("PIPESHARE_BUS"),
        };
        environment.finish()?;
        Ok(config)
    }
}
