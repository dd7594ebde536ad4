//! What it costs to read and use the policy of a company: a thousand accounts,
//! five hundred rules, a hundred documents.
//!
//! `cargo bench -p domain` prints the time of the run in the middle of many, and the
//! most memory that reading once takes. The numbers are for the eyes of people: a
//! test of them would fail on a busy machine.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    fmt::Write,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use domain::policy::{Place, Policy, TeamDocument, Withdrawal};

const TEAMS: usize = 99;

/// Accounts by their ids: a document has at most 8 KB, so a root names a part of a thousand.
fn root() -> String {
    let mut text = "version: 1\naccounts:\n".to_owned();
    for number in 0..60 {
        let _ = writeln!(text, "  a{number}: \"1{number:011}\"");
    }
    text.push_str("groups:\n  readers: [a0, a1, a2, a3, a4]\nteams:\n");
    for team in 0..TEAMS {
        let _ = writeln!(
            text,
            "  t{team}: {{ owner: \"2{team:011}\", with: [readers] }}"
        );
    }
    text.push_str("never:\n  - { with: [a59] }\nrules:\n");
    for number in 0..5 {
        let _ = writeln!(
            text,
            "  - {{ name: r{number}, owner: a{number}, pipelines: [\"*\"], with: [a50] }}"
        );
    }
    text
}

/// Five rules, each with two patterns and the group, and ten accounts of the team's own.
fn document(team: usize) -> String {
    let mut text = "version: 1\nrules:\n".to_owned();
    for number in 0..5 {
        let _ = writeln!(
            text,
            "  - {{ name: t{team}-{number}, owner: \"2{team:011}\", pipelines: [\"churn-{number}-*\", \"fraud-{number}-?\"], except: [\"*-tmp\"], with: [readers] }}"
        );
    }
    text
}

/// The time of the run in the middle.
fn measure<T>(what: &str, mut run: impl FnMut() -> T) {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..51 {
        let began = Instant::now();
        black_box(run());
        times.push(began.elapsed());
    }
    times.sort();
    let middle = times[times.len() / 2].as_secs_f64() * 1e3;
    println!("{what:<44} {middle:>8.2} ms");
}

/// The most memory that the process has held, in megabytes, where Linux says so.
fn memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

fn main() {
    let root = root();
    let texts: Vec<_> = (0..TEAMS)
        .map(|team| (format!("t{team}"), document(team)))
        .collect();
    let documents: Vec<_> = texts
        .iter()
        .map(|(team, text)| TeamDocument { team, text })
        .collect();
    let place = Place {
        partition: "aws".to_owned(),
        region: "eu-west-1".parse().expect("it is a Region"),
    };
    println!(
        "{} bytes of root, {} documents",
        root.len(),
        documents.len() + 1
    );
    let empty = memory();
    let (policy, errors) = Policy::combine(&root, &documents, &place).expect("the root is right");
    assert!(errors.is_empty(), "{errors}");
    if let (Some(empty), Some(full)) = (empty, memory()) {
        println!(
            "{:<44} {:>8.2} MB",
            "memory for reading all documents",
            full - empty
        );
    }
    println!(
        "{} rules, {} owners",
        policy.rules.len(),
        policy.owners().len()
    );
    measure("read one document of five rules", || {
        Policy::parse(&document(0))
    });
    measure("read all documents", || {
        Policy::combine(&root, &documents, &place)
    });
    let owners: Vec<_> = policy.owners().into_iter().cloned().collect();
    measure("match a pipeline of each owner", || {
        let names = ["churn-3-train", "fraud-1-x", "other"];
        let matches = owners.iter().flat_map(|owner| policy.rules_of(owner));
        matches
            .filter(|rule| names.iter().any(|name| rule.pipelines.matches(name)))
            .count()
    });
    measure("what a version withdraws that takes all", || {
        Withdrawal::between(&policy, &Policy::default())
    });
    measure("what a version withdraws that is the same", || {
        Withdrawal::between(&policy, &policy)
    });
}
