//! Which deployment, and which attempt at it.

use serde_json::json;

use super::Request;
use crate::{digest, id::PipelineArn};

/// SageMaker allows display names of 82 characters.
const LONGEST_EXECUTION: usize = 36;
const LONGEST_ACTION: usize = 24;

/// What tells the work of one deployment from that of another.
///
/// The deployment is the same for every attempt of the same action in the same
/// execution of a pipeline of `CodePipeline`, as long as the run is to be the
/// same; so a second attempt finds the first one's run. What is computed here
/// can be computed by others: it finds what the hook remembers, and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    deployment: String,
    work: String,
    attempt: String,
    display_name: String,
}

impl Identity {
    /// The identity of a request for a pipeline; `attempt` stands for who asked first.
    #[must_use]
    pub fn of(request: &Request, pipeline: &PipelineArn, attempt: &str) -> Self {
        let named = match &request.execution {
            Some(execution) => json!([execution, request.action]),
            None => json!({ "attempt": attempt }),
        };
        let pipeline = pipeline.as_str().to_ascii_lowercase();
        let (parameters, version) = (&request.parameters, request.version);
        let deployment = digest::hex(&json!([named, pipeline, parameters, version]).to_string());
        let work = digest::hex(&json!([request, pipeline]).to_string());
        Self {
            display_name: display_name(request, attempt, &deployment),
            attempt: digest::hex(&json!([work, attempt]).to_string()),
            deployment,
            work,
        }
    }

    /// The key of the deployment, under which its runs are remembered.
    #[must_use]
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The key of the attempt, under which is remembered how far it is.
    #[must_use]
    pub fn attempt(&self) -> &str {
        &self.attempt
    }

    /// What tells the request and its pipeline from others, for a continuation token.
    #[must_use]
    pub fn work(&self) -> &str {
        &self.work[..16]
    }

    /// The display name of the runs: which deployment it is, for people.
    #[must_use]
    pub fn display_name(&self) -> &str {
        &self.display_name
    }
}

fn display_name(request: &Request, attempt: &str, deployment: &str) -> String {
    let name = request.execution.as_deref().unwrap_or(attempt);
    let action = request.action.as_deref().unwrap_or_default();
    let parts = [
        "pipeshare".to_owned(),
        plain(name, LONGEST_EXECUTION),
        plain(action, LONGEST_ACTION),
        deployment[..8].to_owned(),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// As much of a text as a display name may have.
fn plain(text: &str, longest: usize) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let text: String = text.chars().map(kept).collect();
    let text = text.trim_matches('-');
    text[..text.len().min(longest)].trim_matches('-').to_owned()
}
