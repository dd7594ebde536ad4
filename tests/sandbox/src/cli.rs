//! `sandbox serve`: what it is told to play, and what it prints.

mod deployment;

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, Write},
    path::PathBuf,
};

use clap::Args;
use sandbox::{
    Function, Options, Sandbox,
    cloudformation::{self, Stack},
    end::{Parent, Signals},
    readings::{self, Readings, UnknownReading},
    world::{RecordedCall, World, today},
};
use tokio::sync::Notify;

use self::deployment::{Deployment, function};

/// Enough for every function to run while others wait.
const CONCURRENCY: usize = 4;

/// What is served.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The port on 127.0.0.1; 0 for any that is free.
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// The Region of the templates, and of the commands that are shown.
    ///
    /// Calls say by themselves which Region they are for, and every Region is there.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// How many times as fast as real time the sandbox's clock runs.
    ///
    /// The functions do not run any faster, which is why there is an end to it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    speed: u32,
    /// The accounts of the organization, its management account first; without, there is none.
    ///
    /// Accounts need no such thing to be there: any twelve digits are one.
    #[arg(long, value_name = "ACCOUNT,…", value_delimiter = ',')]
    organization: Vec<String>,
    /// Let RAM share within the organization without invitations.
    #[arg(long, requires = "organization")]
    ram_sharing: bool,
    /// Deploy a CloudFormation template into an account; repeatable.
    ///
    /// A comma that no further `Name=` follows belongs to the value, as in a list.
    #[arg(long = "template", value_name = "FILE=ACCOUNT[,Name=Value…]")]
    templates: Vec<Deployment>,
    /// The executable of a function that the templates declare; repeatable.
    #[arg(long = "function", value_name = "NAME=PATH", value_parser = function)]
    functions: Vec<(String, PathBuf)>,
    /// Play another reading of what AWS's documents leave open; repeatable.
    #[arg(
        long = "reading",
        value_name = "QUESTION=ANSWER",
        value_parser = reading,
        long_help = readings_help()
    )]
    readings: Vec<String>,
}

/// A question and an answer that there are.
fn reading(text: &str) -> Result<String, UnknownReading> {
    Readings::default().play(text)?;
    Ok(text.to_owned())
}

fn readings_help() -> String {
    format!(
        "Play another reading of what AWS's documents leave open; repeatable. The first answer \
         is played by default.\n{}",
        readings::listed()
    )
}

/// Serves until it is told to end, its parent ends, or nobody reads what it prints.
pub(crate) async fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let parent = Parent::remember();
    let signals = Signals::listen()?;
    let mut world = world(&arguments)?;
    let outputs = deploy(&mut world, &arguments)?;
    let functions = arguments.functions.iter();
    let options = Options {
        functions: functions
            .map(|(name, binary)| Function {
                name: name.clone(),
                binary: binary.clone(),
            })
            .collect(),
        port: arguments.port,
        concurrency: CONCURRENCY,
        pages: None,
    };
    let sandbox = Sandbox::start(world, options).await?;
    print(&greeting(sandbox.endpoint(), &arguments, &outputs))?;
    let unread = Notify::new();
    let (mut shown, mut failure) = (0, None);
    let look = |world: &mut World| {
        let calls = world.calls().get(shown..).unwrap_or_default();
        let lines: String = calls.iter().map(line).collect();
        world.tidy(KEPT);
        shown = world.calls().len();
        if failure.is_none() {
            failure = print(&lines).err();
        }
        if failure.is_some() {
            unread.notify_one();
        }
    };
    let until = async {
        tokio::select! {
            () = signals.received() => {}
            () = parent.ended() => {}
            () = unread.notified() => {}
        }
    };
    sandbox.live(arguments.speed, look, until).await;
    sandbox.stop().await;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// How many calls, events, messages and lines of each log are kept.
const KEPT: usize = 1_000;

/// The accounts before anything is in them.
fn world(arguments: &Serve) -> Result<World, UnknownReading> {
    let mut builder = World::builder().start(today());
    if let [management, members @ ..] = arguments.organization.as_slice() {
        builder = builder
            .organization(management, members)
            .ram_sharing(arguments.ram_sharing);
    }
    for reading in &arguments.readings {
        builder = builder.reading(reading)?;
    }
    Ok(builder.build())
}

/// Deploys the templates, and returns a line for each of their outputs.
fn deploy(world: &mut World, arguments: &Serve) -> Result<String, Box<dyn Error>> {
    let mut lines = String::new();
    for deployment in &arguments.templates {
        let file = deployment.file.display().to_string();
        let template = fs::read_to_string(&deployment.file)
            .map_err(|error| format!("{file} cannot be read: {error}"))?;
        let stack = Stack {
            account: &deployment.account,
            region: &arguments.region,
            name: &deployment.stack(),
            file: &file,
            template: &template,
            parameters: deployment.parameters.clone(),
        };
        let outputs = cloudformation::deploy(world, &stack)?;
        let _ = writeln!(lines, "{file} is deployed in {}.", deployment.account);
        for (name, value) in outputs {
            let _ = writeln!(lines, "    {name} = {value}");
        }
    }
    Ok(lines)
}

/// What is served, and how to call it.
fn greeting(endpoint: &str, arguments: &Serve, outputs: &str) -> String {
    let Serve { region, speed, .. } = arguments;
    let templates = arguments.templates.first();
    let account = templates.map(|deployment| deployment.account.as_str());
    let account = account
        .or(arguments.organization.first().map(String::as_str))
        .unwrap_or("111111111111");
    format!(
        "A local AWS at {endpoint}, {speed} times as fast as real time.\n\
         {outputs}\
         \n    \
             export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={region}\n    \
             export AWS_SECRET_ACCESS_KEY=any AWS_ACCESS_KEY_ID={account}\n\
         \n\
         The access key id is the account: any twelve digits. Ctrl-C ends it.\n\n"
    )
}

/// A call, who made it, and the code of its error if it was refused.
fn line(call: &RecordedCall) -> String {
    let time = call.time.strftime("%H:%M:%S");
    let outcome = call.error.as_deref().unwrap_or("ok");
    format!(
        "{time}  {}  {}:{}  {outcome}\n",
        call.caller.arn(),
        call.service,
        call.operation
    )
}

fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
