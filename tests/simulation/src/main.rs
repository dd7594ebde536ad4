//! Plays seeds, or a history from a file: `simulation 1000`, `simulation 200..300`, `simulation FILE`.

use std::{
    env, fs,
    io::{self, Write},
    process::ExitCode,
};

use simulation::{History, Report, run, seeds};

fn main() -> ExitCode {
    let argument = env::args().nth(1).unwrap_or_else(|| "100".to_owned());
    let shrinks = env::args()
        .nth(2)
        .is_none_or(|option| option != "--as-drawn");
    let (text, holds) = match seeds(&argument) {
        Some(seeds) => {
            let report = Report::of(seeds, shrinks);
            (report.to_string(), report.failures.is_empty())
        }
        None => match replay(&argument) {
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

fn replay(path: &str) -> Result<(String, bool), Box<dyn std::error::Error>> {
    let outcome = run(&History::parse(&fs::read_to_string(path)?)?);
    Ok((format!("{outcome:#?}"), outcome.violations.is_empty()))
}
