//! `cargo demo serve`: the estate in real time, for people with the AWS CLI.

mod journal;

use std::io::{self, Write};

use jiff::{Timestamp, Unit};
use sandbox::{Function, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::journal::Journal;
use crate::estate::{DEV, Estate, EstateError, POLICY, Plan, REGION, SHARED, TEST};

/// Enough for every function to run while another one waits.
const CONCURRENCY: usize = 4;

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
    /// The estate did not start.
    #[error(transparent)]
    Estate(EstateError),
    /// The process cannot be told to end.
    #[error("signals cannot be waited for")]
    Signals(#[source] io::Error),
}

impl From<EstateError> for ServeError {
    fn from(error: EstateError) -> Self {
        match error {
            EstateError::Start(StartError::Port { port, source }) => Self::Port { port, source },
            error => Self::Estate(error),
        }
    }
}

/// Serves the walkthrough's estate with its policy, and prints what happens,
/// until SIGINT (Ctrl-C) or SIGTERM. No process stays behind.
///
/// Without functions, nothing is deployed into the accounts.
pub async fn serve(
    functions: Option<Vec<Function>>,
    port: u16,
    speed: u32,
) -> Result<(), ServeError> {
    let end = End::listen().map_err(ServeError::Signals)?;
    let deployed = functions.is_some();
    let plan = Plan {
        start: now(),
        port,
        concurrency: CONCURRENCY,
        ..if deployed {
            Plan::default()
        } else {
            Plan::without_templates()
        }
    };
    let estate = Estate::start(&plan, functions.unwrap_or_default()).await?;
    if deployed {
        estate.write_policy(POLICY).await?;
    }
    print(&greeting(estate.sandbox.endpoint(), speed, deployed));
    let mut journal = Journal::default();
    let look = |world: &_| print(&journal.news(world));
    estate.sandbox.live(speed, look, end.come()).await;
    estate.sandbox.stop().await;
    Ok(())
}

/// The signals that end it.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn come(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "who works with the sandbox by hand expects today's dates"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

fn greeting(endpoint: &str, speed: u32, deployed: bool) -> String {
    let state = if deployed {
        "The walkthrough's policy is in force, and the functions are running."
    } else {
        "Nothing is deployed in its accounts."
    };
    format!(
        "A local AWS in {REGION} at {endpoint}, {speed} times as fast as real time.\n\
         {state}\n\
         \n    \
             export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={REGION}\n    \
             export AWS_SECRET_ACCESS_KEY=any AWS_ACCESS_KEY_ID={DEV}\n\
         \n\
         The access key id is the account: dev {DEV}, test {TEST}, shared services {SHARED},\n\
         or any other twelve digits. Ctrl-C ends it.\n\n"
    )
}

/// What nobody reads any more is not worth dying for.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
