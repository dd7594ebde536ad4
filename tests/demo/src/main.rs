//! `cargo demo`: AWS's walkthrough of shared pipelines on a local AWS, played or served.

use std::{
    error::Error,
    io::{self, ErrorKind, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use demo::{
    binaries,
    estate::{Estate, Plan},
    print::Printed,
    serve::{self, PolicyFile},
    walkthrough,
};
use sandbox::readings::{self, Readings, UnknownReading};

/// How a shell shows the end of a program whose reader went away: 128 and SIGPIPE.
const NOBODY_READS: u8 = 128 + 13;

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
    #[command(flatten)]
    functions: Functions,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Functions {
    /// Take the functions from this folder, each as `NAME` or as
    /// `NAME/bootstrap`, instead of building them with cargo.
    #[arg(long = "functions", value_name = "FOLDER")]
    folder: Option<PathBuf>,
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
        #[arg(long, conflicts_with_all = ["folder", "policy"])]
        without_templates: bool,
        #[command(flatten)]
        estate: Own,
        #[command(flatten)]
        readings: Played,
        #[command(flatten)]
        functions: Functions,
    },
}

/// Somebody's own accounts.
#[derive(Debug, Args)]
struct Own {
    /// Play the accounts of this policy in place of the walkthrough's.
    ///
    /// It is checked before anything is started. Every account that it names
    /// is onboarded, and so is every account that a later version names.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The account with the functions; 333333333333 unless it is said.
    #[arg(long, value_name = "ACCOUNT", requires = "policy", value_parser = account)]
    hub: Option<String>,
    /// Keep everything in this file, and go on with it if it is there.
    #[arg(long, value_name = "FILE", conflicts_with = "without_templates")]
    state: Option<PathBuf>,
    /// After how many seconds it is kept again; it is in any case at the end.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "state", value_parser = clap::value_parser!(u64).range(1..=3600))]
    save_every: u64,
}

#[derive(Debug, Args)]
struct Played {
    /// Play another reading of what AWS's documents leave open; repeatable.
    #[arg(
        long = "reading",
        value_name = "QUESTION=ANSWER",
        value_parser = reading,
        long_help = readings_help()
    )]
    readings: Vec<String>,
}

impl Played {
    /// The readings that are played, the default ones where no other was chosen.
    fn choose(&self) -> Result<Readings, UnknownReading> {
        let mut readings = Readings::default();
        for reading in &self.readings {
            readings.play(reading)?;
        }
        Ok(readings)
    }
}

/// A question and an answer that there are.
fn reading(text: &str) -> Result<String, UnknownReading> {
    Readings::default().play(text)?;
    Ok(text.to_owned())
}

/// The twelve digits of an account.
fn account(text: &str) -> Result<String, &'static str> {
    let is_account = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_account
        .then(|| text.to_owned())
        .ok_or("an account has twelve digits")
}

/// What the option means, with all questions and their answers.
fn readings_help() -> String {
    format!(
        "Play another reading of what AWS's documents leave open; repeatable. The first answer \
         is played by default, and tests/sandbox/README.md says what each one means.\n{}",
        readings::listed()
    )
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
            estate,
            readings,
            functions,
        }) => {
            let functions = (!without_templates).then_some(functions);
            serve(port, speed, &readings, functions, estate).await
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) if is_unread(error.as_ref()) => ExitCode::from(NOBODY_READS),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {}", chain(error.as_ref()));
            ExitCode::from(2)
        }
    }
}

impl Functions {
    /// Those of the folder, or the ones that cargo builds.
    fn find(self) -> Result<Vec<sandbox::Function>, Box<dyn Error>> {
        Ok(match self.folder {
            Some(folder) => binaries::within(&folder)?,
            None => binaries::built_or_beside()?,
        })
    }
}

/// Plays the walkthrough; returns whether all of it held.
async fn play(json: bool, functions: Functions) -> Result<bool, Box<dyn Error>> {
    let estate = Estate::start(&Plan::default(), functions.find()?).await?;
    let walkthrough = walkthrough::play(&estate).await?;
    estate.sandbox.stop().await;

    let mut out = io::stdout().lock();
    let text = if json {
        serde_json::to_string_pretty(&walkthrough)? + "\n"
    } else {
        let printed = Printed {
            walkthrough: &walkthrough,
            colors: out.is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        printed.to_string()
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(walkthrough.holds())
}

/// Serves until it is told to end, with functions or with nothing deployed.
async fn serve(
    port: u16,
    speed: u32,
    readings: &Played,
    functions: Option<Functions>,
    own: Own,
) -> Result<bool, Box<dyn Error>> {
    let readings = readings.choose()?;
    // Before the functions are built, which takes a while.
    let policy = own.policy.as_deref().map(PolicyFile::read).transpose()?;
    let functions = functions.map(Functions::find).transpose()?;
    let settings = serve::Settings {
        functions,
        port,
        speed,
        readings,
        policy,
        hub: own.hub,
        state: own
            .state
            .map(|file| (file, Duration::from_secs(own.save_every))),
    };
    serve::serve(settings).await?;
    Ok(true)
}

/// Whether it ended because nobody reads its output any more, as in `| head -1`.
fn is_unread(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source())
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|error| error.kind() == ErrorKind::BrokenPipe)
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
