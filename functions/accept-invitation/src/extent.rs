//! How much of what an account has is reconciled, and in which order.

use domain::notification::Grant;

/// How much of what an account has is reconciled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What was offered, and nothing else.
    Offers,
    /// What another reconciliation has left, from there on.
    Rest(Grant),
    /// All of it, from there on and then from the beginning.
    Whole {
        /// What to begin with; the beginning if absent.
        from: Option<Grant>,
    },
}

impl Extent {
    /// Adds what has been left from there on.
    pub(crate) fn add_rest(&mut self, from: &Grant) {
        let first = |before: &Grant| before.min(from).clone();
        *self = match &*self {
            Self::Offers => Self::Rest(from.clone()),
            Self::Rest(before) => Self::Rest(first(before)),
            Self::Whole { from: before } => Self::Whole {
                from: Some(before.as_ref().map_or_else(|| from.clone(), first)),
            },
        };
    }

    /// Adds everything; what was left keeps its turn.
    pub(crate) fn add_all(&mut self) {
        *self = match std::mem::replace(self, Self::Offers) {
            Self::Offers => Self::Whole { from: None },
            Self::Rest(from) => Self::Whole { from: Some(from) },
            whole @ Self::Whole { .. } => whole,
        };
    }

    /// Whether it is about all that the account has.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole { .. })
    }

    /// What it begins with, if what comes before is left to another reconciliation.
    pub(crate) fn rest(&self) -> Option<&Grant> {
        match self {
            Self::Rest(from) => Some(from),
            Self::Offers | Self::Whole { .. } => None,
        }
    }

    /// In which round what gives this has its turn; none if it has none here.
    ///
    /// What one rule gives of one owner is looked into by one reconciliation: what left
    /// one of its shares may be in another.
    pub(crate) fn turn(&self, grant: &Grant) -> Option<u8> {
        match self {
            Self::Offers => None,
            Self::Rest(from) => (grant >= from).then_some(0),
            Self::Whole { from } => {
                let is_before = from.as_ref().is_some_and(|from| grant < from);
                Some(is_before.into())
            }
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
    fn what_was_left_comes_first_and_whoever_wants_everything_gets_it() {
        let turns = |extent: &Extent| ["a", "b", "c"].map(|rule| extent.turn(&by(rule)));
        let mut extent = Extent::Offers;
        assert_eq!(turns(&extent), [None; 3]);
        extent.add_rest(&by("c"));
        extent.add_rest(&by("b"));
        assert_eq!(turns(&extent), [None, Some(0), Some(0)]);
        assert_eq!((extent.rest(), extent.is_whole()), (Some(&by("b")), false));
        extent.add_all();
        assert_eq!(turns(&extent), [Some(1), Some(0), Some(0)]);
        assert_eq!((extent.rest(), extent.is_whole()), (None, true));
        extent.add_rest(&by("a"));
        assert_eq!(turns(&extent), [Some(0); 3]);
        let mut all = Extent::Offers;
        all.add_all();
        assert_eq!(turns(&all), [Some(0); 3]);
        all.add_rest(&by("c"));
        assert_eq!(turns(&all), [Some(1), Some(1), Some(0)]);
    }
}
