//! `cargo demo`: AWS's walkthrough of shared pipelines on a local AWS, played or served.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use demo::{
    binaries,
    estate::{Estate, Plan},
    print::Printed,
    serve, walkthrough,
};

/// Plays AWS's walkthrough of shared SageMaker pipelines on a local AWS, with
/// the real function binaries and the AWS SDK.
#[derive(Debug, Parser)]
#[command(
    name = "cargo demo",
    bin_name = "cargo demo",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    /// Print what happened as JSON.
    #[arg(long)]
    json: bool,
    /// Take the functions from this folder, each as `NAME/bootstrap`, instead
    /// of building them.
    #[arg(long, value_name = "FOLDER")]
    functions: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the local AWS of the walkthrough in real time, for the AWS CLI
    /// and SDKs, and prints what happens, until Ctrl-C.
    Serve {
        /// The port on 127.0.0.1; 0 for any that is free.
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// How many times as fast as real time the sandbox's clock runs.
        ///
        /// The functions do not run any faster, which is why there is an end to it.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
        speed: u32,
        /// Deploy nothing into the accounts, for functions that run elsewhere.
        #[arg(long)]
        without_templates: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        None => play(arguments.json, arguments.functions).await,
        Some(Command::Serve {
            port,
            speed,
            without_templates,
        }) => serve(port, speed, !without_templates).await,
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

/// Plays the walkthrough; returns whether all of it held.
async fn play(json: bool, folder: Option<PathBuf>) -> Result<bool, Box<dyn Error>> {
    let functions = match folder {
        Some(folder) => binaries::within(&folder),
        None => binaries::build()?,
    };
    let estate = Estate::start(&Plan::default(), functions).await?;
    let walkthrough = walkthrough::play(&estate).await?;
    estate.sandbox.stop().await;

    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &walkthrough)?;
        writeln!(out)?;
    } else {
        let colors = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let walkthrough = &walkthrough;
        write!(
            out,
            "{}",
            Printed {
                walkthrough,
                colors
            }
        )?;
    }
    Ok(walkthrough.holds())
}

/// Serves until it is told to end.
async fn serve(port: u16, speed: u32, deployed: bool) -> Result<bool, Box<dyn Error>> {
    let functions = deployed.then(binaries::build).transpose()?;
    serve::serve(functions, port, speed).await?;
    Ok(true)
}

/// The error and everything that led to it, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
