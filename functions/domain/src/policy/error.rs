//! What is wrong with a policy, and where.

use std::fmt;

/// One thing that is wrong with a policy document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyError {
    /// The team whose document it is; none for the root.
    pub team: Option<String>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            team,
            line,
            column,
            message,
        } = self;
        if let Some(team) = team {
            write!(f, "document {team}, ")?;
        }
        write!(f, "line {line}, column {column}: {message}")
    }
}

impl std::error::Error for PolicyError {}

/// Everything that is wrong with a policy document: in the order of the text, the root's before those of teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyErrors(Vec<PolicyError>);

impl PolicyErrors {
    /// Puts the errors in order.
    pub(super) fn of(mut errors: Vec<PolicyError>) -> Self {
        errors.sort();
        Self(errors)
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those of one document; none is the root.
    #[must_use]
    pub fn of_document(&self, team: Option<&str>) -> Self {
        let errors = self.0.iter().filter(|error| error.team.as_deref() == team);
        Self(errors.cloned().collect())
    }

    /// The errors, in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, PolicyError> {
        self.0.iter()
    }
}

impl From<PolicyError> for PolicyErrors {
    fn from(error: PolicyError) -> Self {
        Self(vec![error])
    }
}

impl<'a> IntoIterator for &'a PolicyErrors {
    type Item = &'a PolicyError;
    type IntoIter = std::slice::Iter<'a, PolicyError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for PolicyErrors {
    /// Writes one error per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyErrors {}
