//! `cargo demo`: AWS's walkthrough of shared pipelines on a local AWS.

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::Parser;
use demo::{
    binaries,
    estate::{Estate, Plan},
    print::Printed,
    walkthrough,
};

/// Plays AWS's walkthrough of shared SageMaker pipelines on a local AWS, with
/// the real function binaries and the AWS SDK.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", bin_name = "cargo demo")]
struct Arguments {
    /// Print what happened as JSON.
    #[arg(long)]
    json: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

/// Plays the walkthrough; returns whether all of it held.
async fn run(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    let functions = binaries::build()?;
    let estate = Estate::start(&Plan::default(), functions).await?;
    let walkthrough = walkthrough::play(&estate).await?;
    estate.sandbox.stop().await;

    let mut out = io::stdout().lock();
    if arguments.json {
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
