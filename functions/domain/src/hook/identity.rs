//! Which run is the one of this deployment.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::Request;
use crate::id::PipelineArn;

/// What tells the work of one deployment from that of another.
///
/// The same for every attempt of the same action in the same execution of a
/// pipeline of `CodePipeline`, so that a second attempt finds the first one's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    key: String,
    attempt: String,
}

impl Identity {
    /// The identity of a request for a pipeline; `attempt` stands for who asked first.
    #[must_use]
    pub fn of(request: &Request, pipeline: &PipelineArn, attempt: &str) -> Self {
        let deployment = match &request.execution {
            Some(execution) => json!([execution, request.action]),
            None => json!({ "attempt": attempt }),
        };
        let pipeline = pipeline.as_str().to_ascii_lowercase();
        Self {
            key: digest(&json!([deployment, pipeline, request.parameters])),
            attempt: attempt.to_owned(),
        }
    }

    /// The display name of the run: which deployment it is, and which attempt started it.
    #[must_use]
    pub fn display_name(&self) -> String {
        // SageMaker allows 82 characters.
        format!(
            "{}{}",
            self.deployment(),
            &digest(&json!(self.attempt))[..12]
        )
    }

    /// Whether a run of this display name is one of this deployment.
    #[must_use]
    pub fn is_of_deployment(&self, display_name: &str) -> bool {
        display_name.starts_with(&self.deployment())
    }

    fn deployment(&self) -> String {
        format!("pipeshare-{}-", &self.key[..40])
    }

    /// The client request token with which the run is started.
    #[must_use]
    pub fn start_token(&self) -> String {
        format!("pipeshare-{}", self.key)
    }

    /// The client request token with which this attempt has it run again after a failure.
    #[must_use]
    pub fn retry_token(&self) -> String {
        let key = digest(&json!([self.key, self.attempt]));
        format!("pipeshare-{key}")
    }
}

/// 64 hexadecimal digits.
fn digest(value: &serde_json::Value) -> String {
    use std::fmt::Write;

    let digest = Sha256::digest(value.to_string());
    digest.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
