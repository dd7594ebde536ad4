//! The function's environment.

use aws::env::{self, InvalidEnvironment, Settings};

/// The function's environment variables, all of them required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_BUS`: the bus that offers are sent to.
    pub bus: String,
}

impl Config {
    /// Reads the environment; the error names every variable that is missing.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = env::of_process();
        let config = Self {
            settings: environment.settings(),
            bus: environment.text("PIPESHARE_BUS"),
        };
        environment.finish()?;
        Ok(config)
    }
}
