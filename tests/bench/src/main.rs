//! The bench: what the functions cost on Lambda, cold and as accounts grow.
//!
//! `tests/bench/run` builds what it needs and starts it; the README says what is measured.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]
#![expect(clippy::print_stderr, reason = "what could not run is said beside it")]

mod calls;
mod cold;
mod estate;
mod growth;
mod isolation;
mod limit;
mod peers;
mod process;
mod proxy;
mod report;
mod shim;
mod stage;
mod svg;
mod tls;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{estate::Size, isolation::Names};

/// Whatever goes wrong here ends the bench.
type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What the functions cost: cold starts beside peers, and growth.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Cold starts of each function, beside a probe and peers that make the same calls
    Cold(Cold),
    /// One scheduled reconciliation with nothing to do, at several sizes
    Growth(Growth),
    /// Stands between Lambda's Runtime API and one process
    #[command(hide = true)]
    Shim {
        /// What the process is, and what to do with it.
        orders: PathBuf,
    },
}

/// What both benches need.
#[derive(Debug, Clone, Args)]
struct Common {
    /// The folder with the functions' binaries, as cargo builds them
    #[arg(long)]
    functions: PathBuf,
    /// Where the results go: NAME.json and NAME.svg
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Endpoints by variables, even where real host names could lead here
    #[arg(long)]
    endpoints: bool,
    /// Milliseconds that each call takes longer
    #[arg(long)]
    latency: Option<u64>,
    /// Whether processes read the system's roots instead of Amazon's, as older builds do
    #[arg(long)]
    system_roots: bool,
    /// Lets processes have all of the CPU
    #[arg(long)]
    unlimited: bool,
}

#[derive(Debug, Args)]
struct Cold {
    #[command(flatten)]
    common: Common,
    /// Another build to stand beside: the folder of its binaries
    #[arg(long)]
    against: Option<PathBuf>,
    /// How many runs of each row count; one more is thrown away
    #[arg(long, default_value_t = 20)]
    runs: usize,
    /// The folder with the peers, as `tests/bench/run` installs them
    #[arg(long)]
    peers: Option<PathBuf>,
    /// Only rows with this text in their names
    #[arg(long, default_value = "")]
    only: String,
}

#[derive(Debug, Args)]
struct Growth {
    #[command(flatten)]
    common: Common,
    /// PIPELINES,RULES,OWNERS,CONSUMERS, with ",members" if RAM shares without invitations
    #[arg(long = "size", default_values = ["100,3,2,2", "100,1,50,1", "1000,1,1,50,members"])]
    sizes: Vec<Size>,
    /// Whether so many runs of each owner fail at once, too
    #[arg(long, default_value_t = 0)]
    failed: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let endpoints = match &arguments.command {
        Command::Cold(cold) => cold.common.endpoints,
        Command::Growth(growth) => growth.common.endpoints,
        Command::Shim { .. } => true,
    };
    if let Some(ended) = (!endpoints).then(isolation::enter).flatten() {
        return ended;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(run(arguments.command, endpoints)),
        Err(error) => Err(error.into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, endpoints: bool) -> Outcome<()> {
    let names = if endpoints {
        Names::Endpoints
    } else {
        isolation::names()
    };
    match command {
        Command::Shim { orders } => shim::run(&orders).await,
        Command::Cold(cold) => cold::run(&cold, names).await,
        Command::Growth(growth) => growth::run(&growth, names).await,
    }
}
