//! The function's environment.

use aws::env::{self, InvalidEnvironment};

/// The function's environment variables, all of them required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `PIPESHARE_POLICY`: the name of the SSM parameter with the policy.
    pub policy: String,
    /// `PIPESHARE_TABLE`: the table that remembers what was told.
    pub table: String,
    /// `PIPESHARE_TOPIC`: the topic that people are told on.
    pub topic: String,
    /// `PIPESHARE_REFUSED`: `reject` rejects what looks like ours and is not; `leave` leaves it alone.
    pub rejects: bool,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing or wrong.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = env::of_process();
        let config = Self {
            policy: environment.text("PIPESHARE_POLICY"),
            table: environment.text("PIPESHARE_TABLE"),
            topic: environment.text("PIPESHARE_TOPIC"),
            rejects: environment.choice("PIPESHARE_REFUSED", &["leave", "reject"]) == "reject",
        };
        environment.finish()?;
        Ok(config)
    }
}
