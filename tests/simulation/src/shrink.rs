//! Makes a history that fails smaller, as long as it fails.

use crate::{
    history::{History, Op},
    run::run,
};

/// The most runs that shrinking may take.
const MOST_RUNS: usize = 80;

/// A history that still fails, from which no operation can be dropped.
///
/// Which violation it is may change on the way: any is worth a look.
#[must_use]
pub fn shrink(history: &History) -> History {
    let mut shrinking = Shrinking {
        best: history.clone(),
        runs: 0,
    };
    shrinking.drop_chunks();
    shrinking.calm();
    shrinking.drop_chunks();
    shrinking.best
}

struct Shrinking {
    best: History,
    runs: usize,
}

impl Shrinking {
    /// Takes the candidate, if it fails, too.
    fn take(&mut self, candidate: History) -> bool {
        if self.runs >= MOST_RUNS || candidate == self.best {
            return false;
        }
        self.runs += 1;
        let fails = !run(&candidate).violations.is_empty();
        if fails {
            self.best = candidate;
        }
        fails
    }

    /// Drops operations: the half of them, then the quarters, in the end one by one.
    fn drop_chunks(&mut self) {
        let mut size = self.best.ops.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < self.best.ops.len() {
                let mut candidate = self.best.clone();
                let end = (at + size).min(candidate.ops.len());
                candidate.ops.drain(at..end);
                if candidate.ops.last() != Some(&Op::Settle) {
                    candidate.ops.push(Op::Settle);
                }
                if !self.take(candidate) {
                    at += size;
                }
            }
            size /= 2;
        }
    }

    /// Makes knobs plain, pauses short and rules few.
    fn calm(&mut self) {
        let mut candidate = self.best.clone();
        candidate.knobs.latency = 20;
        candidate.knobs.concurrency = 1;
        candidate.knobs.association = 2_000;
        candidate.knobs.delivery = 500;
        candidate.knobs.empty_pages = false;
        self.take(candidate);
        for at in 0..self.best.ops.len() {
            for simpler in simpler(&self.best.ops[at]) {
                let mut candidate = self.best.clone();
                candidate.ops[at] = simpler;
                self.take(candidate);
            }
        }
    }
}

fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Wait(seconds) if *seconds > 60 => vec![Op::Wait(60), Op::Wait(1_200)],
        Op::Write(policy) => (0..policy.rules.len())
            .map(|at| {
                let mut policy = policy.clone();
                policy.rules.remove(at);
                Op::Write(policy)
            })
            .collect(),
        _ => Vec::new(),
    }
}
