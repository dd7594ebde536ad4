//! Plays many seeds, and says what they came to.

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    ops::Range,
    time::Duration,
};

use crate::{history::History, run::Outcome, run::run, shrink::shrink};

/// Seeds as people write them: a number of them, or a range.
#[must_use]
pub fn seeds(text: &str) -> Option<Range<u64>> {
    match text.split_once("..") {
        Some((from, to)) => Some(from.parse().ok()?..to.parse().ok()?),
        None => Some(0..text.parse().ok()?),
    }
}

/// What many histories came to.
#[derive(Debug, Default)]
pub struct Report {
    /// How many were played.
    pub histories: usize,
    /// How many calls were made in all of them.
    pub calls: usize,
    /// The seeds that failed, what was wrong, and the history that was left of each.
    pub failures: Vec<(u64, Vec<String>, History)>,
    /// What was reached by some of them.
    pub reached: BTreeSet<String>,
    converged: Vec<Duration>,
}

impl Report {
    /// Plays these seeds, and shrinks the first that fails, if it shall be.
    #[must_use]
    pub fn of(seeds: impl IntoIterator<Item = u64>, shrinks: bool) -> Self {
        let mut report = Self::default();
        for seed in seeds {
            let history = History::of_seed(seed);
            let outcome = run(&history);
            if !outcome.violations.is_empty() {
                // One is enough to begin with, and the others may be of its kind.
                let first = report.failures.is_empty() && shrinks;
                let least = if first { shrink(&history) } else { history };
                let violations = run(&least).violations;
                report.failures.push((seed, violations, least));
            }
            report.add(outcome);
        }
        report
    }

    fn add(&mut self, outcome: Outcome) {
        self.histories += 1;
        self.calls += outcome.calls;
        self.reached.extend(outcome.reached);
        self.converged.extend(outcome.converged);
        self.converged.sort_unstable();
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seed, violations, history) in &self.failures {
            writeln!(f, "seed {seed}:")?;
            for violation in violations {
                writeln!(f, "# {violation}")?;
            }
            writeln!(f, "{history}")?;
        }
        let minutes = |at: usize| self.converged.get(at).map_or(0, |it| it.as_secs() / 60);
        let count = self.converged.len();
        writeln!(
            f,
            "{} histories, {} calls, {} failed; after {count} recoveries, access was the policy's \
             within {} minutes (median), {} at most",
            self.histories,
            self.calls,
            self.failures.len(),
            minutes(count / 2),
            minutes(count.saturating_sub(1)),
        )?;
        let reached: Vec<_> = self.reached.iter().map(String::as_str).collect();
        writeln!(f, "reached: {}", reached.join(", "))
    }
}
