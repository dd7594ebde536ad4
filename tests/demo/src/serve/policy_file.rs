//! Somebody's own policy, as a file.

use std::{fmt::Write as _, fs, io, path::Path};

use domain::policy::{CheckedPolicy, Policy, PolicyError};
use sandbox::world::today;

use super::onboarding::check;

/// A policy that the functions will put in force.
#[derive(Debug)]
pub struct PolicyFile {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) policy: Policy,
    /// What is right and probably not meant, a line each.
    pub(super) warnings: String,
}

/// Nothing was started, since there is no policy to start with.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// The file cannot be read.
    #[error("cannot read {file}; name a policy that is there and may be read")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// What it holds is no valid policy.
    #[error(
        "nothing was started, since the policy is not valid; functions/policy.md has its format\n{mistakes}"
    )]
    Invalid {
        /// A line for each, with file, line and column, as `pipeshare check` prints them.
        mistakes: String,
    },
}

impl PolicyFile {
    /// Reads and checks it, as the functions will.
    pub fn read(path: &Path) -> Result<Self, PolicyFileError> {
        let file = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| PolicyFileError::Unreadable {
            file: file.clone(),
            source,
        })?;
        match check(&text, &[], today()) {
            Ok(CheckedPolicy { policy, warnings }) => Ok(Self {
                text,
                policy,
                warnings: lines(&file, "warning: ", warnings.iter()),
                file,
            }),
            Err(errors) => {
                let mistakes = lines(&file, "", errors.iter());
                let mistakes = mistakes.trim_end().to_owned();
                Err(PolicyFileError::Invalid { mistakes })
            }
        }
    }
}

fn lines<'e>(file: &str, kind: &str, errors: impl Iterator<Item = &'e PolicyError>) -> String {
    errors.fold(String::new(), |mut lines, error| {
        let PolicyError {
            line,
            column,
            message,
            ..
        } = error;
        let _ = writeln!(lines, "{file}:{line}:{column}: {kind}{message}");
        lines
    })
}
