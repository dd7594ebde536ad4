//! `cargo demo serve`: the estate in real time, for people with the AWS CLI.

mod greeting;
mod journal;
mod onboarding;
mod page;
mod policy_file;
mod roster;
mod state;

use std::{
    error::Error as _,
    future::pending,
    io::{self, Write},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sandbox::{
    Call, Function, Options, Sandbox, StartError, World,
    cloudformation::TemplateError,
    end::Signals,
    readings::Readings,
    services::ssm,
    world::{ApiError, today},
};
use serde_json::json;
use tokio::{sync::Notify, time::interval};

use self::greeting::Greeting;
use self::{journal::Journal, onboarding::Onboarding, roster::Roster, state::StateFile};
pub use self::{
    policy_file::{PolicyFile, PolicyFileError},
    state::StateError,
};
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
    /// The file that everything is kept in, and how often.
    pub state: Option<(PathBuf, Duration)>,
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
    /// The state has its functions elsewhere.
    #[error("the hub in {file} is {kept}; leave --hub out, or move the file away to begin anew")]
    Hub {
        /// The file with the state.
        file: String,
        /// The hub in it.
        kept: String,
    },
    /// Parameter Store does not take the policy.
    #[error("the policy could not be written to {POLICY_PARAMETER}")]
    Unwritten(#[source] Box<ApiError>),
    /// The file with the state is.
    #[error(transparent)]
    State(#[from] StateError),
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
    journal: Journal,
}

/// Serves the accounts of a policy, and prints what happens, until SIGINT
/// (Ctrl-C) or SIGTERM, or until nobody reads it any more. No process stays
/// behind.
pub async fn serve(mut settings: Settings) -> Result<(), ServeError> {
    let signals = Signals::listen().map_err(ServeError::Signals)?;
    let deployed = settings.functions.is_some();
    let state = settings.state.take();
    let state = state.map(|(file, every)| (StateFile::at(&file), every));
    let Beginning {
        world,
        roster,
        policy,
        greeting,
        journal,
    } = begin(&mut settings, state.as_ref())?;
    let roster = Arc::new(Mutex::new(roster));
    let options = Options {
        pages: deployed.then(|| page::pages(Arc::clone(&roster))),
        functions: settings.functions.unwrap_or_default(),
        port: settings.port,
        concurrency: CONCURRENCY,
    };
    let sandbox = Sandbox::start(world, options).await?;
    let mut witness = Witness {
        roster: &roster,
        onboarding: deployed.then(Onboarding::default),
        journal,
        out: Output::default(),
        closed: &Notify::new(),
    };
    let greeting = greeting.text(sandbox.endpoint(), settings.speed, &lock(&roster), &policy);
    witness.out.print(&greeting);
    let closed = witness.closed;
    let until = async {
        tokio::select! {
            () = signals.received() => {}
            () = closed.notified() => {}
            () = keep(state.as_ref(), &roster, &sandbox) => {}
        }
    };
    let look = |world: &mut World| witness.look(world);
    sandbox.live(settings.speed, look, until).await;
    if let Some((file, _)) = &state {
        file.save(&lock(&roster), &sandbox.world())?;
    }
    sandbox.stop().await;
    let failure = witness.out.failure;
    failure.map_or(Ok(()), |it| Err(ServeError::Unread(it)))
}

/// Whoever is shown the world whenever something happened.
#[derive(Debug)]
struct Witness<'s> {
    roster: &'s Mutex<Roster>,
    /// Nothing is onboarded where nothing is deployed.
    onboarding: Option<Onboarding>,
    journal: Journal,
    out: Output,
    closed: &'s Notify,
}

impl Witness<'_> {
    /// Onboards whom the policy newly names, tells what happened, and forgets what is over.
    fn look(&mut self, world: &mut World) {
        let mut roster = lock(self.roster);
        let onboarding = self.onboarding.as_mut();
        let onboarded = onboarding.map(|it| follow(it, world, &mut roster));
        let told = self.journal.news(world, &roster) + &onboarded.unwrap_or_default();
        world.tidy(KEPT);
        self.journal.skip(world);
        self.out.print(&told);
        if self.out.failure.is_some() {
            self.closed.notify_one();
        }
    }
}

/// Keeps everything now and then; it never ends.
async fn keep(state: Option<&(StateFile, Duration)>, roster: &Mutex<Roster>, sandbox: &Sandbox) {
    let Some((file, every)) = state else {
        return pending().await;
    };
    let mut ticks = interval(*every);
    loop {
        ticks.tick().await;
        let kept = file.save(&lock(roster), &sandbox.world());
        if let Err(error) = kept {
            // The next time may go better; the journal is for what happens in the accounts.
            let source = error.source().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(io::stderr(), "error: {error}: {source}");
        }
    }
}

/// Reads what there is to read, and deploys it, before anything is started.
fn begin(
    settings: &mut Settings,
    state: Option<&(StateFile, Duration)>,
) -> Result<Beginning, ServeError> {
    let state = state.map(|(file, _)| file);
    let mut begun = read(settings, state)?;
    let Beginning {
        world,
        roster,
        policy,
        ..
    } = &mut begun;
    if settings.functions.is_some() {
        Onboarding::default().deploy(world, roster)?;
        write_policy(world, &roster.hub, policy)?;
    } else {
        *world.organization_mut() = roster.played();
    }
    // Whoever cannot be kept should know it now.
    state.map_or(Ok(()), |file| file.save(roster, world))?;
    Ok(begun)
}

fn read(settings: &mut Settings, state: Option<&StateFile>) -> Result<Beginning, ServeError> {
    let kept = state.map(|file| file.load(settings.readings)).transpose()?;
    if let (Some(file), Some((roster, world))) = (state, kept.flatten()) {
        return resume(settings, file, roster, world);
    }

    let world = World::builder().start(today()).readings(settings.readings);
    let mut begun = Beginning {
        world: world.build(),
        roster: Roster::of_walkthrough(),
        policy: POLICY.to_owned(),
        greeting: Greeting::Walkthrough,
        journal: Journal::default(),
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
    Ok(begun)
}

/// Goes on with what was kept, and with another policy if one was named.
fn resume(
    settings: &mut Settings,
    file: &StateFile,
    mut roster: Roster,
    world: World,
) -> Result<Beginning, ServeError> {
    let kept = roster.hub.clone();
    if settings.hub.as_ref().is_some_and(|hub| *hub != kept) {
        let file = file.name();
        return Err(ServeError::Hub { file, kept });
    }
    let policy = match settings.policy.take() {
        Some(own) => {
            roster.add(&own.policy);
            own.text
        }
        None => newest_policy(&world, &kept).unwrap_or_default(),
    };
    let mut journal = Journal::default();
    journal.skip(&world);
    let file = file.name();
    Ok(Beginning {
        world,
        roster,
        policy,
        greeting: Greeting::Resumed { file },
        journal,
    })
}

fn newest_policy(world: &World, hub: &str) -> Option<String> {
    let documents = ssm::newest_under(world, hub, REGION, POLICY_PARAMETER);
    let root = documents.iter().find(|it| it.0 == POLICY_PARAMETER)?;
    Some(root.2.to_owned())
}

/// Writes the policy, as the administrator of the hub does, unless it is there.
fn write_policy(world: &mut World, hub: &str, policy: &str) -> Result<(), ServeError> {
    if policy.is_empty() || newest_policy(world, hub).as_deref() == Some(policy) {
        return Ok(());
    }
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
