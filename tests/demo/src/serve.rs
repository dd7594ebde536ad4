//! `cargo demo serve`: the estate in real time, for people with the AWS CLI.

mod journal;
mod page;

use std::{
    fmt::Write as _,
    io::{self, Write},
};

use jiff::{Timestamp, Unit};
use sandbox::{
    Function, StartError, cloudformation::TemplateError, end::Signals, readings::Readings,
};
use tokio::sync::Notify;

use self::journal::Journal;
use crate::estate::{
    DEV, Estate, EstateError, POLICY, POLICY_PARAMETER, Plan, REGION, SHARED, TEST,
};

/// Enough for every function to run while another one waits.
const CONCURRENCY: usize = 4;

/// The topics with a queue to read: who is told, in which account, by which topic.
const MAILBOXES: [(&str, &str, &str); 3] = [
    ("dev", DEV, "pipeshare"),
    ("shared services", SHARED, "pipeshare"),
    ("the hub", SHARED, "pipeshare-hub"),
];

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
    /// Nobody reads what happens any more.
    #[error("what happens cannot be printed")]
    Unread(#[source] io::Error),
}

impl From<TemplateError> for ServeError {
    fn from(error: TemplateError) -> Self {
        Self::Estate(error.into())
    }
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
/// until SIGINT (Ctrl-C) or SIGTERM, or until nobody reads it any more. No
/// process stays behind.
///
/// Without functions, nothing is deployed into the accounts. What AWS's documents
/// leave open is played by the readings.
pub async fn serve(
    functions: Option<Vec<Function>>,
    port: u16,
    speed: u32,
    readings: Readings,
) -> Result<(), ServeError> {
    let signals = Signals::listen().map_err(ServeError::Signals)?;
    let deployed = functions.is_some();
    let plan = Plan {
        start: now(),
        port,
        concurrency: CONCURRENCY,
        readings,
        ..if deployed {
            Plan::default()
        } else {
            Plan::without_templates()
        }
    };
    let pages = deployed.then(page::pages);
    let functions = functions.unwrap_or_default();
    let estate = Estate::start_with(&plan, functions, pages).await?;
    if deployed {
        for (_, account, topic) in MAILBOXES {
            let template = include_str!("serve/mailbox.yaml");
            estate.deploy(account, "mailbox.yaml", template, &[("Topic", topic)])?;
        }
        estate.write_policy(POLICY).await?;
    }
    let mut out = Output::default();
    out.print(&greeting(estate.sandbox.endpoint(), speed, deployed));
    let mut journal = Journal::default();
    let closed = Notify::new();
    let look = |world: &_| {
        out.print(&journal.news(world));
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
    estate.sandbox.live(speed, look, until).await;
    estate.sandbox.stop().await;
    out.failure.map_or(Ok(()), |it| Err(ServeError::Unread(it)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "who works with the sandbox by hand expects today's dates"
)]
fn now() -> Timestamp {
    let now = Timestamp::now();
    now.round(Unit::Second).unwrap_or(now)
}

/// What is served, and what to type.
fn greeting(endpoint: &str, speed: u32, deployed: bool) -> String {
    let state = if deployed {
        "The walkthrough's policy is in force, and the functions are running."
    } else {
        "Nothing is deployed in its accounts."
    };
    let mut text = format!(
        "A local AWS in {REGION} at {endpoint}, {speed} times as fast as real time.\n\
         {state}\n\
         \n    \
             export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={REGION}\n    \
             export AWS_SECRET_ACCESS_KEY=any AWS_ACCESS_KEY_ID={DEV}\n\
         \n\
         The access key id is the account: dev {DEV}, test {TEST}, shared services {SHARED},\n\
         or any other twelve digits. S3 is at the same address, with buckets in paths.\n\
         Ctrl-C ends it.\n\n"
    );
    if deployed {
        text += &policy_and_mailboxes(endpoint);
    }
    text
}

/// The policy, and commands that work once the exports are made.
fn policy_and_mailboxes(endpoint: &str) -> String {
    let mut text = format!(
        "Who can do what, how the runs go, and who was told what, in a browser: {endpoint}\n\n\
         The policy:\n\n"
    );
    for line in POLICY.lines() {
        let _ = writeln!(text, "    {line}");
    }
    let _ = write!(
        text,
        "\nIt can be read, and another one written, in shared services:\n\n    \
         AWS_ACCESS_KEY_ID={SHARED} aws ssm get-parameter --name {POLICY_PARAMETER}:in-force \
         --query Parameter.Value --output text\n    \
         AWS_ACCESS_KEY_ID={SHARED} aws ssm put-parameter --name {POLICY_PARAMETER} --overwrite \
         --value file://policy.yaml\n"
    );
    for (who, account, topic) in MAILBOXES {
        // The CLI's older version asks the address of a queue, and not the
        // variable, where the sandbox is.
        let _ = write!(
            text,
            "\nWhat {who} was notified of:\n\n    \
             AWS_ACCESS_KEY_ID={account} aws sqs receive-message --endpoint-url {endpoint} \
             --queue-url {endpoint}/{account}/{topic}-mailbox --max-number-of-messages 10 \
             --visibility-timeout 0 --query 'Messages[].[Body]' --output text\n"
        );
    }
    text + "\n"
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
