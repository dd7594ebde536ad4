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

impl Pattern {
    /// Whether every name that the other pattern matches is matched by this one.
    ///
    /// It may be false for two that only the longest possible name tells apart.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (own, other) = (self.symbols(), other.symbols());
        // `reach[j]`: whether what is left of this pattern covers the other from j on.
        let mut reach = vec![false; other.len() + 1];
        if let Some(last) = reach.last_mut() {
            *last = true;
        }
        for symbol in own.iter().rev() {
            let mut next = vec![false; other.len() + 1];
            for j in (0..=other.len()).rev() {
                let rest = other.get(j);
                next[j] = match symbol {
                    '*' => reach[j] || (rest.is_some() && next[j + 1]),
                    '?' => rest.is_some_and(|it| *it != '*') && reach[j + 1],
                    literal => rest == Some(literal) && reach[j + 1],
                };
            }
            reach = next;
        }
        reach[0]
    }

    /// Whether some name is matched by both patterns.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (own, other) = (self.symbols(), other.symbols());
        // `reach[j]`: whether what is left of this pattern meets the other from j on.
        let mut reach: Vec<_> = (0..=other.len())
            .map(|j| other[j..].iter().all(|it| *it == '*'))
            .collect();
        for symbol in own.iter().rev() {
            let mut next = vec![false; other.len() + 1];
            for j in (0..=other.len()).rev() {
                next[j] = match (symbol, other.get(j)) {
                    ('*', None) => reach[j],
                    (_, None) => false,
                    ('*', Some(_)) | (_, Some('*')) => reach[j] || next[j + 1],
                    (one, Some(two)) => (*one == '?' || *two == '?' || one == two) && reach[j + 1],
                };
            }
            reach = next;
        }
        reach[0]
    }

    /// The characters without regard to case, and of equal runs of wildcards the same form.
    fn symbols(&self) -> Vec<char> {
        let mut symbols = Vec::new();
        let mut any = false;
        for symbol in self.to_string().to_ascii_lowercase().chars() {
            if symbol == '*' {
                any = true;
                continue;
            }
            if any && symbol != '?' {
                symbols.push('*');
                any = false;
            }
            symbols.push(symbol);
        }
        symbols.extend(any.then_some('*'));
        symbols
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
    /// Patterns that match every name.
    #[must_use]
    pub fn every() -> Self {
        Self {
            include: vec![Pattern(WildMatch::new_case_insensitive("*"))],
            except: Vec::new(),
        }
    }

    /// Each pattern by itself, with the exceptions of all.
    pub fn parts(&self) -> impl Iterator<Item = (&Pattern, Self)> {
        self.include.iter().map(|pattern| {
            let part = Self {
                include: vec![pattern.clone()],
                except: self.except.clone(),
            };
            (pattern, part)
        })
    }

    /// Whether no name is left, as far as the patterns say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let is_excepted = |it: &Pattern| self.except.iter().any(|hole| hole.covers(it));
        self.include.iter().all(is_excepted)
    }

    /// Whether these match every name that the others match, as far as the patterns say.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let is_covered = |name: &Pattern| self.include.iter().any(|own| own.covers(name));
        let is_clear = |hole: &Pattern| {
            let excepted = other.except.iter().any(|it| it.covers(hole));
            excepted || !other.include.iter().any(|it| it.overlaps(hole))
        };
        other.include.iter().all(is_covered) && self.except.iter().all(is_clear)
    }

    /// Whether some name may be matched by both, as far as the patterns say.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_excepted = |one: &Pattern, two: &Pattern| {
            let mut holes = self.except.iter().chain(&other.except);
            holes.any(|hole| hole.covers(one) || hole.covers(two))
        };
        self.include.iter().any(|one| {
            let mut others = other.include.iter();
            others.any(|two| one.overlaps(two) && !is_excepted(one, two))
        })
    }

    /// Whether a pipeline of this name is meant.
    #[must_use]
    pub fn matches(&self, pipeline_name: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|p| p.matches(pipeline_name));
        any(&self.include) && !any(&self.except)
    }
}
