//! Plays many seeds, and says what they came to.

use std::{
    collections::BTreeSet,
    fmt::{self, Display},
    num::NonZero,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use sandbox::Function;

use crate::{
    history::History,
    run::{Outcome, run, run_binaries},
    shrink::shrink,
};

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
    /// Plays these seeds, one on each processor, and shrinks the first that fails, if it shall be.
    #[must_use]
    pub fn of(seeds: Range<u64>, shrinks: bool) -> Self {
        let next = AtomicU64::new(seeds.start);
        let work = || {
            let mut report = Self::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return report;
                }
                report.play(seed, run);
            }
        };
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let mut report = Self::default();
        thread::scope(|scope| {
            let working: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            for worker in working {
                report.join(worker.join().expect("a panic of a function is an outcome"));
            }
        });
        report.failures.sort_by_key(|(seed, ..)| *seed);
        report.converged.sort_unstable();
        // One is enough to begin with, and the others may be of its kind.
        if let Some((_, violations, history)) = report.failures.first_mut()
            && shrinks
        {
            *history = shrink(history);
            *violations = run(history).violations;
        }
        report
    }

    /// Plays these seeds with the functions' binaries, one after the other.
    #[must_use]
    pub fn of_binaries(seeds: Range<u64>, functions: &[Function]) -> Self {
        let mut report = Self::default();
        for seed in seeds {
            report.play(seed, |history| run_binaries(history, functions.to_vec()));
        }
        report.converged.sort_unstable();
        report
    }

    fn play(&mut self, seed: u64, run: impl Fn(&History) -> Outcome) {
        let history = History::of_seed(seed);
        let Outcome {
            violations,
            converged,
            reached,
            calls,
            ..
        } = run(&history);
        self.histories += 1;
        self.calls += calls;
        self.reached.extend(reached);
        self.converged.extend(converged);
        if !violations.is_empty() {
            self.failures.push((seed, violations, history));
        }
    }

    fn join(&mut self, other: Self) {
        self.histories += other.histories;
        self.calls += other.calls;
        self.reached.extend(other.reached);
        self.converged.extend(other.converged);
        self.failures.extend(other.failures);
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
