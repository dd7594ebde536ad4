//! What a running process has cost so far.

use std::fs;

use serde::{Deserialize, Serialize};

/// What a process has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// User and system time of all its threads, in milliseconds.
    pub(crate) cpu: f64,
    /// The most memory that it had at once, in megabytes of 10⁶ bytes.
    pub(crate) peak: f64,
    /// How many pages it touched for the first time.
    pub(crate) faults: f64,
}

/// Reads clock and memory of a process.
pub(crate) fn cost(pid: u32) -> Cost {
    Cost {
        cpu: cpu(pid).unwrap_or_default(),
        peak: peak(pid).unwrap_or_default(),
        faults: faults(pid).unwrap_or_default(),
    }
}

/// The nanoseconds of all threads that there are, of which the kernel keeps count:
/// `stat` has ticks of ten milliseconds. No process that is measured here has threads
/// that end before it answers.
fn cpu(pid: u32) -> Option<f64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let of_thread = |thread: fs::DirEntry| -> Option<f64> {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_whitespace().next()?.parse().ok()
    };
    let nanoseconds: f64 = threads.flatten().filter_map(of_thread).sum();
    Some(nanoseconds / 1e6)
}

fn peak(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}

/// The tenth field of `stat`, counted behind the name in brackets, which may hold anything.
fn faults(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_has_cost_something() {
        let cost = cost(std::process::id());
        assert!(cost.cpu > 0.0, "{cost:?}");
        assert!(cost.peak > 0.5, "{cost:?}");
        assert!(cost.faults > 1.0, "{cost:?}");
    }
}
