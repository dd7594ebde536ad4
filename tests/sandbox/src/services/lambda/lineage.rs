//! Recursive loops: a function that its own messages invoke again and again is stopped.
//!
//! Lambda writes into the trace header of each invocation how often each
//! function has run in the chain of requests that led to it; SDKs send the
//! header on, and SQS keeps it with the message. (Lambda Developer Guide, "Use
//! Lambda recursive loop detection to prevent infinite loops".)

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{ResourceKey, find, mappings::Batch};
use crate::{services::sqs, world::World};

/// How often a function may run in one chain of requests; AWS says "approximately 16 times".
const MOST_RUNS: u32 = 16;

/// How often each function has run in a chain of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lineage(BTreeMap<String, u32>);

impl Lineage {
    /// Reads a trace header such as `Root=1-…;Parent=…;Sampled=0;Lineage=a87bd80c:1|68fd508a:5`.
    fn read(trace: &str) -> Self {
        let lineage = trace
            .split(';')
            .find_map(|part| part.strip_prefix("Lineage="));
        let runs = lineage.into_iter().flat_map(|runs| runs.split('|'));
        let runs = runs.filter_map(|run| {
            let (function, count) = run.split_once(':')?;
            Some((function.to_owned(), count.parse().ok()?))
        });
        Self(runs.collect())
    }

    /// ASSUMED: of the chains that meet in a batch, the longest counts.
    fn join(&mut self, other: Self) {
        for (function, count) in other.0 {
            let longest = self.0.entry(function).or_default();
            *longest = count.max(*longest);
        }
    }

    fn write(&self) -> String {
        let runs = self.0.iter();
        let runs: Vec<_> = runs
            .map(|(function, count)| format!("{function}:{count}"))
            .collect();
        runs.join("|")
    }
}

/// The trace header of an invocation, which these messages led to.
pub(super) fn trace(
    world: &mut World,
    function: &ResourceKey,
    messages: &[sqs::Message],
) -> String {
    let mut lineage = lineage(messages);
    let runs = lineage.0.entry(short_name(function)).or_default();
    *runs = runs.saturating_add(1);
    let id = world.uuid("trace").replace('-', "");
    let (root, parent) = id.split_at(id.len().min(16));
    format!(
        "Root=1-{:08x}-{root:0<24};Parent={parent:0<16};Sampled=0;Lineage={}",
        world.now.as_second(),
        lineage.write()
    )
}

/// Whether Lambda stops this batch.
pub(super) fn is_loop(world: &World, batch: &Batch) -> bool {
    let may_loop = find(world, &batch.function).is_ok_and(|function| function.may_loop);
    let lineage = lineage(&batch.messages);
    let runs = lineage.0.get(&short_name(&batch.function)).copied();
    !may_loop && runs.is_some_and(|runs| runs >= MOST_RUNS)
}

fn lineage(messages: &[sqs::Message]) -> Lineage {
    let traces = messages
        .iter()
        .filter_map(|message| message.trace.as_deref());
    traces.fold(Lineage::default(), |mut all, trace| {
        all.join(Lineage::read(trace));
        all
    })
}

fn short_name(function: &ResourceKey) -> String {
    let ResourceKey {
        account,
        region,
        name,
    } = function;
    let digest = Sha256::digest(format!("{account} {region} {name}"));
    let [a, b, c, d, ..] = digest.as_slice() else {
        return String::new();
    };
    format!("{a:02x}{b:02x}{c:02x}{d:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_says_how_often_each_function_has_run() {
        let lineage =
            Lineage::read("Root=1-5759e988-bd862e3f;Sampled=1;Lineage=a87bd80c:1|68fd508a:5");
        assert_eq!(lineage.0["68fd508a"], 5);
        assert_eq!(
            Lineage::read("Root=1-5759e988-bd862e3f"),
            Lineage::default()
        );
        assert_eq!(Lineage::read("Lineage=x|:1|y:z").0.len(), 1);
    }

    #[test]
    fn of_chains_that_meet_the_longest_counts() {
        let mut lineage = Lineage::read("Lineage=a:3|b:1");
        lineage.join(Lineage::read("Lineage=a:2|c:9"));
        assert_eq!(lineage.write(), "a:3|b:1|c:9");
    }
}
