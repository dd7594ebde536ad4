//! A function's environment variables, read once and complained about all at once.

use std::fmt;

use domain::policy::Place;

/// Reads variables and remembers what is wrong with them.
#[derive(Debug)]
pub struct Environment<F> {
    read: F,
    problems: Vec<String>,
}

/// The variable with the URL of the function's own queue.
pub(crate) const QUEUE_URL: &str = "PIPESHARE_QUEUE";

/// Where a function runs, and under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `AWS_REGION` and `PIPESHARE_PARTITION`.
    pub place: Place,
    /// `AWS_LAMBDA_FUNCTION_NAME`: also the name of its sessions in other accounts.
    pub function: String,
}

/// What every function is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it runs.
    pub identity: Identity,
    /// `PIPESHARE_POLICY`: the name of the SSM parameter with the policy.
    pub policy: String,
    /// `PIPESHARE_TABLE`: the table that remembers what a function must not forget.
    pub table: String,
}

/// What is wrong with the environment: every variable, not only the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidEnvironment(Vec<String>);

/// The environment variables of a function that serves a queue and notifies;
/// all are required but that of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Those of every function.
    pub settings: Settings,
    /// `PIPESHARE_TOPIC`: the hub's topic.
    pub topic: String,
    /// `PIPESHARE_BUS`: the hub's bus, for offers, the audit trail, chats and machines.
    pub bus: String,
    /// `PIPESHARE_QUEUE`: the function's own queue; without one, nothing can be requeued.
    pub queue_url: Option<String>,
}

impl Worker {
    /// Reads the environment of a function that has no other variables.
    pub fn from_env() -> Result<Self, InvalidEnvironment> {
        let mut environment = of_process();
        let worker = environment.worker();
        environment.finish()?;
        Ok(worker)
    }
}

impl fmt::Display for InvalidEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the function's environment is not complete: ")?;
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for InvalidEnvironment {}

/// The environment of this process.
#[must_use]
pub fn of_process() -> Environment<impl Fn(&str) -> Option<String>> {
    Environment::new(|name| std::env::var(name).ok())
}

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    /// Reads variables with a function, so that tests need not change those of the process.
    pub fn new(read: F) -> Self {
        Self {
            read,
            problems: Vec::new(),
        }
    }

    /// The variables of every function.
    pub fn settings(&mut self) -> Settings {
        Settings {
            identity: self.identity(),
            policy: self.text("PIPESHARE_POLICY"),
            table: self.text("PIPESHARE_TABLE"),
        }
    }

    /// The variables of a function that serves a queue and notifies.
    pub fn worker(&mut self) -> Worker {
        Worker {
            settings: self.settings(),
            topic: self.text("PIPESHARE_TOPIC"),
            bus: self.text("PIPESHARE_BUS"),
            queue_url: (self.read)(QUEUE_URL),
        }
    }

    fn identity(&mut self) -> Identity {
        let region = self.text("AWS_REGION");
        let region = region.parse().unwrap_or_else(|error| {
            if !region.is_empty() {
                self.problems.push(format!("AWS_REGION: {error}"));
            }
            // It stands in until `finish` fails.
            "us-east-1".parse().expect("it is a Region")
        });
        Identity {
            place: Place {
                partition: self.text("PIPESHARE_PARTITION"),
                region,
            },
            function: self.text("AWS_LAMBDA_FUNCTION_NAME"),
        }
    }

    /// A variable that must be set and not empty.
    pub fn text(&mut self, name: &str) -> String {
        let value = (self.read)(name).unwrap_or_default();
        if value.is_empty() {
            self.problems.push(format!("{name} is not set"));
        }
        value
    }

    /// Whether a variable is set that need not be.
    pub fn is_set(&self, name: &str) -> bool {
        (self.read)(name).is_some()
    }

    /// A variable that must have one of these values.
    pub fn choice(&mut self, name: &str, choices: &[&str]) -> String {
        let value = self.text(name);
        if !value.is_empty() && !choices.contains(&value.as_str()) {
            let choices = choices.join(" or ");
            self.problems
                .push(format!("{name} must be {choices}, not {value:?}"));
        }
        value
    }

    /// The error that names everything that is wrong, if anything is.
    pub fn finish(self) -> Result<(), InvalidEnvironment> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(InvalidEnvironment(self.problems))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_and_every_wrong_variable_is_named() {
        let mut environment = Environment::new(|name| match name {
            "GOOD" => Some("value".to_owned()),
            "CHOICE" => Some("both".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        });
        assert_eq!(environment.text("GOOD"), "value");
        environment.text("EMPTY");
        environment.text("MISSING");
        environment.choice("CHOICE", &["leave", "reject"]);
        assert_eq!(
            environment.finish().unwrap_err().to_string(),
            "the function's environment is not complete: EMPTY is not set; MISSING is not set; \
             CHOICE must be leave or reject, not \"both\""
        );
    }
}
