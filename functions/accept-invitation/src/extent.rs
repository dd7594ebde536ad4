//! How much of what an account has is reconciled.

use domain::notification::Grant;

/// How much of what an account has is reconciled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What was offered, and nothing else.
    Offers,
    /// What another reconciliation has left, from there on. Whoever wants everything
    /// meanwhile has another turn, so that what is at the end is reached in the end.
    Rest(Grant),
    /// All of it.
    Whole,
}

impl Extent {
    /// Adds what has been left from there on.
    pub(crate) fn add_rest(&mut self, from: &Grant) {
        *self = match &*self {
            Self::Rest(before) => Self::Rest(before.min(from).clone()),
            Self::Offers | Self::Whole => Self::Rest(from.clone()),
        };
    }

    /// Adds everything, unless something is left.
    pub(crate) fn add_all(&mut self) {
        if *self == Self::Offers {
            *self = Self::Whole;
        }
    }

    /// What it begins with, if what comes before is left to another reconciliation.
    pub(crate) fn rest(&self) -> Option<&Grant> {
        match self {
            Self::Rest(from) => Some(from),
            Self::Offers | Self::Whole => None,
        }
    }

    /// Whether what gives this is looked into.
    pub(crate) fn covers(&self, grant: &Grant) -> bool {
        match self {
            Self::Offers => false,
            Self::Rest(from) => grant >= from,
            Self::Whole => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(rule: &str) -> Grant {
        Grant {
            rule: rule.parse().unwrap(),
            owner: "222222222222".parse().unwrap(),
        }
    }

    #[test]
    fn what_was_left_comes_first_and_of_that_what_is_first() {
        let covered = |extent: &Extent| ["a", "b", "c"].map(|rule| extent.covers(&by(rule)));
        let mut extent = Extent::Offers;
        assert_eq!(covered(&extent), [false; 3]);
        extent.add_all();
        assert_eq!((covered(&extent), extent.rest()), ([true; 3], None));
        extent.add_rest(&by("c"));
        extent.add_rest(&by("b"));
        extent.add_rest(&by("c"));
        extent.add_all();
        assert_eq!(covered(&extent), [false, true, true]);
        assert_eq!(extent.rest(), Some(&by("b")));
    }
}
