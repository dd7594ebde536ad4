//! `sandbox`: the local AWS as a process, for any client of AWS.

mod cli;

use std::{
    error::Error,
    io::{self, ErrorKind, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use sandbox::services::SERVICES;

use cli::{Serve, serve};

/// How a shell shows the end of a program whose reader went away: 128 and SIGPIPE.
const NOBODY_READS: u8 = 128 + 13;

/// A local AWS that behaves as the documentation says AWS does.
#[derive(Debug, Parser)]
#[command(name = "sandbox", bin_name = "sandbox")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves accounts, organization and templates on a loopback port, until
    /// Ctrl-C, SIGTERM or the end of the process that started it.
    Serve(Serve),
    /// Lists every operation that it answers, as `service:Operation`.
    Operations,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Operations => print_operations().map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_unread(error.as_ref()) => ExitCode::from(NOBODY_READS),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

fn print_operations() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for service in SERVICES {
        for operation in service.operations {
            writeln!(out, "{}:{operation}", service.name)?;
        }
    }
    out.flush()
}

/// Whether it ended because nobody reads its output any more, as in `| head -1`.
fn is_unread(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == ErrorKind::BrokenPipe)
}

/// The error and everything that led to it, in one line.
fn chain(error: &dyn Error) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    errors
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
