//! One parameter: its versions, their labels and tiers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::invalid;
use crate::world::{ApiError, Call};

const MAX_VERSIONS: usize = 100;
const MAX_LABELS: usize = 10;

/// A parameter.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Parameter {
    pub(super) tags: BTreeMap<String, String>,
    older: Vec<Version>,
    newest: Version,
}

/// A version of a parameter.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) value: String,
    pub(super) kind: String,
    /// The key of a secret, unless it is that of AWS.
    pub(super) key: Option<String>,
    pub(super) tier: Tier,
    pub(super) description: Option<String>,
    pub(super) data_type: String,
    pub(super) modified: Timestamp,
    pub(super) modified_by: String,
    pub(super) labels: Vec<String>,
}

/// How large a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Tier {
    Standard,
    Advanced,
}

impl Parameter {
    pub(super) fn new(version: Version) -> Self {
        Self {
            tags: BTreeMap::new(),
            older: Vec::new(),
            newest: version,
        }
    }

    /// Adds a version; the oldest goes if there are too many, unless it has a label.
    pub(super) fn add(&mut self, version: Version) -> Result<(), ApiError> {
        if self.older.len() + 1 == MAX_VERSIONS {
            if !self.older[0].labels.is_empty() {
                return Err(ApiError::new(
                    "ParameterMaxVersionLimitExceeded",
                    "The oldest version has a label and cannot be deleted to make room. \
                     Move the label to another version.",
                ));
            }
            self.older.remove(0);
        }
        self.older
            .push(std::mem::replace(&mut self.newest, version));
        Ok(())
    }

    pub(super) fn newest(&self) -> &Version {
        &self.newest
    }

    /// All versions, the oldest first.
    pub(super) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.older.iter().chain([&self.newest])
    }

    pub(super) fn version(&self, number: u64) -> Option<&Version> {
        self.versions().find(|version| version.number == number)
    }

    pub(super) fn labelled(&self, label: &str) -> Option<&Version> {
        let has_label = |version: &&Version| version.labels.iter().any(|own| own == label);
        self.versions().find(has_label)
    }

    /// Moves labels to a version; each is on one version at a time.
    pub(super) fn label(&mut self, number: u64, labels: &[String]) -> Result<(), ApiError> {
        let Some(version) = self.version(number) else {
            return Ok(());
        };
        let kept = version
            .labels
            .iter()
            .filter(|label| !labels.contains(label));
        if kept.count() + labels.len() > MAX_LABELS {
            return Err(ApiError::new(
                "ParameterVersionLabelLimitExceeded",
                "A parameter version can have a maximum of ten labels.",
            ));
        }
        self.unlabel(labels);
        for version in self.older.iter_mut().chain([&mut self.newest]) {
            if version.number == number {
                version.labels.extend_from_slice(labels);
            }
        }
        Ok(())
    }

    /// Takes labels away, wherever they are.
    pub(super) fn unlabel(&mut self, labels: &[String]) {
        for version in self.older.iter_mut().chain([&mut self.newest]) {
            version.labels.retain(|label| !labels.contains(label));
        }
    }
}

impl Version {
    /// The value as this caller sees it.
    pub(super) fn value_for(&self, call: &Call) -> String {
        if self.kind != "SecureString" || call.input["WithDecryption"] == true {
            return self.value.clone();
        }
        let digest = Sha256::digest(&self.value);
        let hex: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.concat()
    }
}

impl Tier {
    /// The tier of a new version, if its value fits.
    pub(super) fn choose(
        wanted: Option<&str>,
        current: Option<Self>,
        value: &str,
    ) -> Result<Self, ApiError> {
        let tier = match wanted {
            None => current.unwrap_or(Self::Standard),
            Some("Standard") if current == Some(Self::Advanced) => {
                return Err(invalid(
                    "This parameter uses the advanced-parameter tier. You can't downgrade a \
                     parameter from the advanced-parameter tier to the standard-parameter tier.",
                ));
            }
            Some("Standard") => Self::Standard,
            Some("Intelligent-Tiering") if value.len() <= Self::Standard.max_size() => {
                current.unwrap_or(Self::Standard)
            }
            Some("Advanced" | "Intelligent-Tiering") => Self::Advanced,
            Some(other) => return Err(invalid(format!("Unknown tier: {other}"))),
        };
        if value.len() > tier.max_size() {
            return Err(invalid(format!(
                "{} tier parameters support a maximum parameter value of {} characters.",
                tier.as_str(),
                tier.max_size()
            )));
        }
        Ok(tier)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Advanced => "Advanced",
        }
    }

    fn max_size(self) -> usize {
        match self {
            Self::Standard => 4096,
            Self::Advanced => 8192,
        }
    }
}
