//! The artifacts that an action takes and makes.
//!
//! Source: CodePipeline User Guide, "Invoke an AWS Lambda function in a
//! pipeline" for the event, "Input and output artifacts" for their number.

use serde_json::{Value, json};

use crate::world::ApiError;

/// The most artifacts that an action which invokes a function takes, and the most that it makes.
const MOST: usize = 5;

/// The artifacts of an action; there is no S3 behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Artifacts {
    /// What earlier actions have made.
    pub input: Vec<Artifact>,
    /// What the action may make.
    pub output: Vec<Artifact>,
    /// The key of the artifact store, if it has one of its own.
    pub encryption_key: Option<String>,
}

/// One artifact: where it lies, or is to lie.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Artifact {
    /// The name that the pipeline has for it.
    pub name: String,
    /// The bucket of the artifact store.
    pub bucket: String,
    /// The key of the object.
    pub key: String,
    /// The id of its revision, if whoever made it gave one.
    pub revision: Option<String>,
}

impl Artifacts {
    /// Refuses what a pipeline could not declare.
    pub(super) fn check(&self) -> Result<(), ApiError> {
        for (kind, artifacts) in [("input", &self.input), ("output", &self.output)] {
            if artifacts.len() > MOST {
                return Err(invalid(format!(
                    "The action has {} {kind} artifacts; there may be {MOST} at most",
                    artifacts.len()
                )));
            }
        }
        let mut all = self.input.iter().chain(&self.output);
        match all.find(|artifact| !is_name(&artifact.name)) {
            Some(artifact) => Err(invalid(format!(
                "The artifact name {} must have 1 to 100 letters, digits, underscores and hyphens",
                artifact.name
            ))),
            None => Ok(()),
        }
    }

    /// Adds what the data of a job says of them.
    pub(super) fn describe(&self, data: &mut Value) {
        let all = |artifacts: &[Artifact]| artifacts.iter().map(Artifact::shown).collect();
        data["inputArtifacts"] = all(&self.input);
        data["outputArtifacts"] = all(&self.output);
        if let Some(id) = &self.encryption_key {
            data["encryptionKey"] = json!({ "id": id, "type": "KMS" });
        }
    }
}

impl Artifact {
    /// A revision that is not known is there, and null.
    fn shown(&self) -> Value {
        json!({
            "name": self.name,
            "revision": self.revision,
            "location": {
                "type": "S3",
                "s3Location": { "bucketName": self.bucket, "objectKey": self.key },
            },
        })
    }
}

fn is_name(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=100).contains(&name.len()) && name.bytes().all(is_allowed)
}

fn invalid(message: String) -> ApiError {
    ApiError::new("InvalidActionDeclarationException", message)
}
