//! Patterns on the names of pipelines.

use std::{fmt, str::FromStr};

use wildmatch::WildMatch;

/// The longest name that SageMaker lets a pipeline have.
const MAX_NAME_LENGTH: usize = 256;

/// A pattern on a whole name, where `*` stands for any text and `?` for one character.
///
/// Case does not matter, since SageMaker lower-cases some names in ARNs.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(WildMatch);

// The comparison is one of characters, of which each equals itself.
impl Eq for Pattern {}

impl Pattern {
    /// Whether the pattern covers the whole of this name.
    #[must_use]
    pub fn matches(&self, pipeline_name: &str) -> bool {
        self.0.matches(pipeline_name)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no pattern, or one that can match no pipeline's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// There is nothing in it.
    #[error("an empty pattern matches nothing; write \"*\" for every pipeline")]
    Empty,
    /// It has a character that is neither a wildcard nor part of any name.
    #[error(
        "{0:?} is neither part of a pipeline's name (letters, digits, '-') \
         nor one of the two wildcards, '*' for any text and '?' for one character"
    )]
    Character(char),
    /// It starts or ends with a hyphen, which no name does.
    #[error(
        "no pipeline's name starts or ends with '-'; write '*' beside it to match longer names"
    )]
    OuterHyphen,
    /// Names as long as it demands do not exist.
    #[error("no pipeline's name is as long as this; the longest have {MAX_NAME_LENGTH} characters")]
    TooLong,
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '*' | '?');
        if text.is_empty() {
            return Err(InvalidPattern::Empty);
        }
        if let Some(unknown) = text.chars().find(|&c| !is_known(c)) {
            return Err(InvalidPattern::Character(unknown));
        }
        if text.starts_with('-') || text.ends_with('-') {
            return Err(InvalidPattern::OuterHyphen);
        }
        if text.chars().filter(|&c| c != '*').count() > MAX_NAME_LENGTH {
            return Err(InvalidPattern::TooLong);
        }
        Ok(Self(WildMatch::new_case_insensitive(text)))
    }
}

/// The names that a rule is about: those that are included and not excepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NamePatterns {
    /// Patterns of which one must match.
    pub include: Vec<Pattern>,
    /// Patterns of which none may match.
    pub except: Vec<Pattern>,
}

impl NamePatterns {
    /// Whether a pipeline of this name is meant.
    #[must_use]
    pub fn matches(&self, pipeline_name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(pipeline_name));
        any(&self.include) && !any(&self.except)
    }
}
