//! The function's environment.

use runtime::config::{self, InvalidEnvironment, Settings};

/// The function's environment variables, all of them required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_SHARE_QUEUE`: the URL of the queue of share-pipeline.
    pub share_queue: String,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = config::of_process();
        let config = Self {
            settings: environment.settings(),
            share_queue: environment.text("PIPESHARE_SHARE_QUEUE"),
        };
        environment.finish()?;
        Ok(config)
    }
}
