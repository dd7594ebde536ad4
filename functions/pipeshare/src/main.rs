//! `pipeshare`: says what the functions would say of a policy, before it is put in force.
//!
//! `check` and `schema` read files and nothing else: no network, no AWS, no
//! clock. `plan` and `explain` ask the function share-pipeline in the hub.

mod arguments;
#[cfg(feature = "aws")]
mod explain;
#[cfg(feature = "aws")]
mod hub;
mod input;
#[cfg(feature = "aws")]
mod plan;
mod report;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use arguments::{Arguments, Check, Command, Format};
use input::InputError;
use report::Report;

/// The exit code of what could not be checked; clap has the same for wrong arguments.
const NOT_CHECKED: u8 = 2;

const POLICY_SCHEMA: &str = include_str!("../../policy.schema.json");
const TEAM_SCHEMA: &str = include_str!("../../team.schema.json");

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            // Where not even this can be said, the exit code says it.
            let _ = writeln!(io::stderr(), "pipeshare: {error}");
            ExitCode::from(NOT_CHECKED)
        }
    }
}

fn run(command: &Command) -> Result<ExitCode, InputError> {
    match command {
        Command::Check(arguments) => check(arguments),
        #[cfg(feature = "aws")]
        Command::Plan(arguments) => plan::run(arguments),
        #[cfg(feature = "aws")]
        Command::Explain(arguments) => explain::run(arguments),
        Command::Schema { team } => {
            let schema = if *team { TEAM_SCHEMA } else { POLICY_SCHEMA };
            print(schema)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn check(arguments: &Check) -> Result<ExitCode, InputError> {
    let documents = input::read(&arguments.files, &mut io::stdin())?;
    let report = Report::of(&documents, arguments.place.as_ref(), arguments.at);
    show(&report, arguments.format)?;
    Ok(if report.valid {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(report: &Report<'_>, format: Format) -> Result<(), InputError> {
    match format {
        Format::Json => print(&report.json()),
        Format::Text => {
            print(&report.text())?;
            // What is lost here is on standard output, too, or in the exit code.
            let _ = writeln!(io::stderr(), "{}", report.summary);
            Ok(())
        }
    }
}

fn print(text: &str) -> Result<(), InputError> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| InputError(format!("cannot write to standard output: {error}")))
}
