//! Plays seeds, or a history from a file: `simulation 1000`, `simulation 200..300`, `simulation FILE`;
//! or lets 50 accounts create 200 pipelines each at once: `simulation burst 50 200`.
//!
//! What fails first is shrunk, unless it is to be left `--as-drawn`. With `--binaries`, the
//! functions are the processes that run on Lambda, and not their code in this process.

use std::{
    env, fs,
    io::{self, Write},
    process::ExitCode,
};

use simulation::{History, Report, burst, run, seeds};

fn main() -> ExitCode {
    let (options, arguments): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|it| it.starts_with("--"));
    let argument = arguments.first().map_or("100", String::as_str);
    let has = |option: &str| options.iter().any(|it| it == option);
    let (text, holds) = match seeds(argument) {
        None if argument == "burst" => match bursting(&arguments[1..]) {
            Some(outcome) => outcome,
            None => ("burst OWNERS PIPELINES".to_owned(), false),
        },
        Some(seeds) if has("--binaries") => match demo::binaries::built_or_beside() {
            Ok(functions) => told(&Report::of_binaries(seeds, &functions)),
            Err(error) => (error.to_string(), false),
        },
        Some(seeds) => told(&Report::of(seeds, !has("--as-drawn"))),
        None => match replay(argument) {
            Ok(outcome) => outcome,
            Err(error) => (format!("{argument}: {error}"), false),
        },
    };
    // Where not even this can be said, the exit code says it.
    let _ = writeln!(io::stdout(), "{text}");
    if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What came of a burst, and whether it reads no account more often than it must, and loses nothing.
fn bursting(arguments: &[String]) -> Option<(String, bool)> {
    let [owners, pipelines] = arguments else {
        return None;
    };
    let (owners, pipelines) = (owners.parse().ok()?, pipelines.parse().ok()?);
    let burst = burst(owners, pipelines);
    let holds = burst.failures.is_empty()
        && burst.dead_letters == 0
        && burst.shared == owners * pipelines
        && burst.reconciliations <= burst.at_most;
    Some((format!("{burst:#?}"), holds))
}

fn told(report: &Report) -> (String, bool) {
    (report.to_string(), report.failures.is_empty())
}

fn replay(path: &str) -> Result<(String, bool), Box<dyn std::error::Error>> {
    let outcome = run(&History::parse(&fs::read_to_string(path)?)?);
    Ok((format!("{outcome:#?}"), outcome.violations.is_empty()))
}
