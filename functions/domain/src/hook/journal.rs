//! What the hook writes down, and how it reads it again.
//!
//! ```text
//! run|DEPLOYMENT          CREATED|000001        what the first round does, and its token
//!                         CREATED|000001|done   the execution that SageMaker returned for it
//! run|attempt|ATTEMPT     began, round, sharing
//! ```
//!
//! Every entry is written once, if nobody was faster, and never changed: so
//! invocations that overlap, and those that are killed and made again, agree on
//! what is to be done. A round is written before SageMaker is called, with a
//! token that nobody can guess; whoever comes after a crash calls again with that
//! token, and SageMaker returns the execution that it started then. What others
//! start, whatever its name, is never looked for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Progress;
use crate::id::ExecutionArn;

/// How long an entry is kept: a stage may be retried long after it failed.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

const TIME: &str = "at";
const CREATED: &str = "created";
const TOKEN: &str = "token";
const EXECUTION: &str = "execution";
const RETRIED: &str = "retried";
const NUMBER: &str = "number";
const DONE: &str = "done";
const BEGAN: &str = "began";
const ROUND: &str = "round";
const SHARING: &str = "sharing";

/// One entry of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The sort key.
    pub sk: String,
    /// What it says.
    pub texts: BTreeMap<String, String>,
}

impl Entry {
    fn new<const N: usize>(sk: impl Into<String>, texts: [(&str, String); N]) -> Self {
        let texts = texts.map(|(name, text)| (name.to_owned(), text));
        Self {
            sk: sk.into(),
            texts: texts.into(),
        }
    }
}

/// When an entry may be forgotten.
#[must_use]
pub fn expiry(now: Timestamp) -> Option<Timestamp> {
    now.checked_add(KEPT).ok()
}

/// What a round does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// It starts an execution.
    Start,
    /// It runs again what failed of this one.
    Retry(ExecutionArn),
}

/// One time that a deployment's pipeline is started or run again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// Which one, from 1.
    pub number: u32,
    /// What it does.
    pub operation: Operation,
    /// With which client request token.
    pub token: String,
    /// When it was written down.
    pub at: Timestamp,
    /// The execution, once SageMaker has returned it.
    pub execution: Option<ExecutionArn>,
}

impl Round {
    /// The execution that the round is about, as far as it is known.
    #[must_use]
    pub fn run(&self) -> Option<&ExecutionArn> {
        match (&self.execution, &self.operation) {
            (Some(execution), _) | (None, Operation::Retry(execution)) => Some(execution),
            (None, Operation::Start) => None,
        }
    }

    /// The entry that claims the round, for the pipeline that was created then.
    #[must_use]
    pub fn claim(&self, created: Timestamp) -> Entry {
        let texts = [(TOKEN, self.token.clone()), (TIME, self.at.to_string())];
        let mut entry = Entry::new(sort_key(created, self.number), texts);
        if let Operation::Retry(execution) = &self.operation {
            let execution = execution.to_string();
            entry.texts.insert(RETRIED.to_owned(), execution);
        }
        entry
    }

    /// The entry that says that SageMaker has done what the round was for.
    #[must_use]
    pub fn done(&self, created: Timestamp, execution: &ExecutionArn) -> Entry {
        let sk = format!("{}|{DONE}", sort_key(created, self.number));
        Entry::new(sk, [(EXECUTION, execution.to_string())])
    }
}

fn sort_key(created: Timestamp, number: u32) -> String {
    format!("{}|{number:06}", created.as_millisecond())
}

/// The newest round of the pipeline that was created then.
#[must_use]
pub fn latest(entries: &[Entry], created: Timestamp) -> Option<Round> {
    let prefix = format!("{}|", created.as_millisecond());
    let mut newest: Option<Round> = None;
    let mut done: BTreeMap<u32, ExecutionArn> = BTreeMap::new();
    for Entry { sk, texts } in entries {
        let Some(rest) = sk.strip_prefix(&prefix) else {
            continue;
        };
        if let Some(number) = rest.strip_suffix(&format!("|{DONE}")) {
            let execution = texts.get(EXECUTION).and_then(|text| text.parse().ok());
            done.extend(number.parse().ok().zip(execution));
        } else if let Some(round) = rest.parse().ok().and_then(|number| round(number, texts)) {
            let is_newer = |known: &Round| known.number < round.number;
            if newest.as_ref().is_none_or(is_newer) {
                newest = Some(round);
            }
        }
    }
    let mut newest = newest?;
    newest.execution = done.remove(&newest.number);
    Some(newest)
}

fn round(number: u32, texts: &BTreeMap<String, String>) -> Option<Round> {
    let operation = match texts.get(RETRIED) {
        None => Operation::Start,
        Some(execution) => Operation::Retry(execution.parse().ok()?),
    };
    Some(Round {
        number,
        operation,
        token: texts.get(TOKEN)?.clone(),
        at: texts.get(TIME)?.parse().ok()?,
        execution: None,
    })
}

/// The entry of the first invocation of an attempt.
#[must_use]
pub fn began(at: Timestamp, created: Timestamp) -> Entry {
    let texts = [(TIME, at.to_string()), (CREATED, created.to_string())];
    Entry::new(BEGAN, texts)
}

/// The entry that says from which round on the attempt answers for the run.
///
/// It is written before the attempt claims that round.
#[must_use]
pub fn answers(round: u32) -> Entry {
    Entry::new(ROUND, [(NUMBER, round.to_string())])
}

/// The entry that says that gates were opened and sharing was asked for.
#[must_use]
pub fn sharing(at: Timestamp) -> Entry {
    Entry::new(SHARING, [(TIME, at.to_string())])
}

/// How far an attempt is.
#[must_use]
pub fn progress(entries: &[Entry]) -> Progress {
    let text = |sk: &str, name: &str| {
        let entry = entries.iter().find(|entry| entry.sk == sk)?;
        entry.texts.get(name)
    };
    let time = |sk: &str, name: &str| text(sk, name).and_then(|text| text.parse().ok());
    Progress {
        began: time(BEGAN, TIME),
        created: time(BEGAN, CREATED),
        round: text(ROUND, NUMBER).and_then(|text| text.parse().ok()),
        sharing: time(SHARING, TIME),
    }
}
