//! `cargo demo serve`: the estate in real time, for people with the AWS CLI.

mod greeting;
mod journal;
mod onboarding;
mod page;
mod policy_file;
mod roster;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, Unit};
use sandbox::{
    Call, Function, Options, Sandbox, StartError, World, cloudformation::TemplateError,
    end::Signals, readings::Readings, world::ApiError,
};
use serde_json::json;
use tokio::sync::Notify;

use self::greeting::Greeting;
pub use self::policy_file::{PolicyFile, PolicyFileError};
use self::{journal::Journal, onboarding::Onboarding, roster::Roster};
use crate::estate::{POLICY, POLICY_PARAMETER, REGION, SHARED};

/// Enough for every function to run while another one waits.
const CONCURRENCY: usize = 4;

/// How many calls, events, messages, invocations and lines of each log are kept.
const KEPT: usize = 1_000;

/// The accounts as they are known by now.
type SharedRoster = Arc<Mutex<Roster>>;

/// What is served, and how.
#[derive(Debug)]
pub struct Settings {
    /// The functions; without, nothing is deployed into the accounts.
    pub functions: Option<Vec<Function>>,
    /// The port on loopback; 0 for any that is free.
    pub port: u16,
    /// How many times as fast as real time the sandbox's clock runs.
    pub speed: u32,
    /// What is played of what AWS's documents leave open.
    pub readings: Readings,
    /// Somebody's own policy, in place of the walkthrough's.
    pub policy: Option<PolicyFile>,
    /// The account with the functions; that of the walkthrough without.
    pub hub: Option<String>,
}

/// The estate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port is not to be had.
    #[error("cannot listen on port {port} of 127.0.0.1; choose another one with --port")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The sandbox did not start.
    #[error(transparent)]
    Start(StartError),
    /// A template is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Parameter Store does not take the policy.
    #[error("the policy could not be written to {POLICY_PARAMETER}")]
    Unwritten(#[source] Box<ApiError>),
    /// The process cannot be told to end.
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
    /// Nobody reads what happens any more.
    #[error("what happens cannot be printed")]
    Unread(#[source] io::Error),
}

impl From<StartError> for ServeError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Port { port, source } => Self::Port { port, source },
            error => Self::Start(error),
        }
    }
}

/// What is served before anybody changes it.
#[derive(Debug)]
struct Beginning {
    world: World,
    roster: Roster,
    policy: String,
    greeting: Greeting,
}

/// Serves the accounts of a policy, and prints what happens, until SIGINT
/// (Ctrl-C) or SIGTERM, or until nobody reads it any more. No process stays
/// behind.
pub async fn serve(mut settings: Settings) -> Result<(), ServeError> {
    let signals = Signals::listen().map_err(ServeError::Signals)?;
    let deployed = settings.functions.is_some();
    let Beginning {
        mut world,
        roster,
        policy,
        greeting,
    } = begin(&mut settings);
    let mut onboarding = Onboarding::default();
    if deployed {
        onboarding.deploy(&mut world, &roster)?;
        write_policy(&mut world, &roster.hub, &policy)?;
    } else {
        *world.organization_mut() = roster.played();
    }
    let roster = Arc::new(Mutex::new(roster));
    let options = Options {
        pages: deployed.then(|| page::pages(Arc::clone(&roster))),
        functions: settings.functions.unwrap_or_default(),
        port: settings.port,
        concurrency: CONCURRENCY,
    };
    let sandbox = Sandbox::start(world, options).await?;
    let mut out = Output::default();
    out.print(&greeting.text(sandbox.endpoint(), settings.speed, &lock(&roster), &policy));
    let mut journal = Journal::default();
    let closed = Notify::new();
    let look = |world: &mut World| {
        let mut roster = lock(&roster);
        let mut told = String::new();
        if deployed {
            told += &follow(&mut onboarding, world, &mut roster);
        }
        told = journal.news(world, &roster) + &told;
        world.tidy(KEPT);
        journal.skip(world);
        out.print(&told);
        if out.failure.is_some() {
            closed.notify_one();
        }
    };
    let until = async {
        tokio::select! {
            () = signals.received() => {}
            () = closed.notified() => {}
        }
    };
    sandbox.live(settings.speed, look, until).await;
    sandbox.stop().await;
    out.failure.map_or(Ok(()), |it| Err(ServeError::Unread(it)))
}

/// Reads what there is to read, before anything is started.
fn begin(settings: &mut Settings) -> Beginning {
    let world = World::builder().start(now()).readings(settings.readings);
    let mut begun = Beginning {
        world: world.build(),
        roster: Roster::of_walkthrough(),
        policy: POLICY.to_owned(),
        greeting: Greeting::Walkthrough,
    };
    if settings.functions.is_none() {
        begun.greeting = Greeting::Bare;
    } else if let Some(read) = settings.policy.take() {
        let hub = settings.hub.as_deref().unwrap_or(SHARED);
        begun.roster = Roster::of(hub, &read.policy);
        begun.policy = read.text;
        begun.greeting = Greeting::Own {
            file: read.file,
            warnings: read.warnings,
        };
    }
    begun
}

/// Writes the policy, as the administrator of the hub does.
fn write_policy(world: &mut World, hub: &str, policy: &str) -> Result<(), ServeError> {
    let input = json!({
        "Name": POLICY_PARAMETER,
        "Type": "String",
        "Tier": "Advanced",
        "Overwrite": true,
        "Value": policy,
    });
    let call = Call::by_administrator(hub, REGION, "ssm", "PutParameter", input);
    let written = world.call(&call);
    written
        .map(drop)
        .map_err(|error| ServeError::Unwritten(Box::new(error)))
}

/// Onboards the accounts that a newer version of the policy names, and says so.
fn follow(onboarding: &mut Onboarding, world: &mut World, roster: &mut Roster) -> String {
    let onboarded = onboarding.follow(world, roster);
    let time = world.now();
    match onboarded {
        Ok(onboarded) => onboarded
            .iter()
            .map(|it| journal::onboarding(time, roster, it))
            .collect(),
        Err(error) => journal::failure(time, roster, error.to_string()),
    }
}

fn lock(roster: &Mutex<Roster>) -> MutexGuard<'_, Roster> {
    roster.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(
    clippy::disallowed_methods,
    reason = "who works with the sandbox by hand expects today's dates"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

/// The standard output, until nobody reads it any more.
#[derive(Debug, Default)]
struct Output {
    failure: Option<io::Error>,
}

impl Output {
    fn print(&mut self, text: &str) {
        if self.failure.is_none() {
            let mut out = io::stdout().lock();
            let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            self.failure = printed.err();
        }
    }
}
