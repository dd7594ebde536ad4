//! The function's environment.

use aws::env::{self, InvalidEnvironment};

/// The function's environment variables, all of them required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `PIPESHARE_POLICY`: the name of the SSM parameter with the policy.
    pub policy: String,
    /// `PIPESHARE_TABLE`: the table with the gates.
    pub table: String,
    /// `PIPESHARE_SHARE_QUEUE`: the URL of the queue of share-pipeline.
    pub share_queue: String,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = env::of_process();
        let config = Self {
            policy: environment.text("PIPESHARE_POLICY"),
            table: environment.text("PIPESHARE_TABLE"),
            share_queue: environment.text("PIPESHARE_SHARE_QUEUE"),
        };
        environment.finish()?;
        Ok(config)
    }
}
