//! A history: what people do, what goes wrong, and how long it takes.
//!
//! It is a list of operations, one a line, so that it can be pasted as a
//! scenario, and read after seeds have changed their meaning.

use std::fmt::{self, Display, Write};

use serde::{Deserialize, Serialize};

use crate::estate::{DEV, MEMBER, ORGANIZATION, PARTNER, ROLE, SHARED, TEST, UNIT};

/// What is drawn once for a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knobs {
    /// Of latencies and back-offs.
    pub seed: u64,
    /// The longest that a call takes, in milliseconds.
    pub latency: u64,
    /// How many invocations run at once.
    pub concurrency: usize,
    /// How long RAM takes to associate, in milliseconds.
    pub association: u64,
    /// How long an event takes from a bus to a target, in milliseconds.
    pub delivery: u64,
    /// Whether RAM's lists begin with a page without items.
    pub empty_pages: bool,
    /// How AWS is read where its documents say nothing, other than by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<String>,
    /// Whether the schedule never comes, so that events alone must do.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unscheduled: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Somebody whom a rule may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// An account of the organization that owns pipelines, too.
    Dev,
    /// The hub's account.
    Shared,
    /// An account outside the organization.
    Partner,
    /// A role of dev.
    Role,
    /// A unit with dev and an account that is not onboarded.
    Unit,
    /// All accounts of the organization.
    Organization,
}

impl Who {
    /// As a rule names it.
    #[must_use]
    pub fn in_rule(self) -> String {
        match self {
            Self::Dev => "dev".to_owned(),
            Self::Shared => "shared".to_owned(),
            Self::Partner => "partner".to_owned(),
            Self::Role => format!("arn:aws:iam::{DEV}:role/{ROLE}"),
            Self::Unit => UNIT.to_owned(),
            Self::Organization => ORGANIZATION.to_owned(),
        }
    }

    /// As RAM names it.
    #[must_use]
    pub fn principal(self) -> String {
        match self {
            Self::Dev => DEV.to_owned(),
            Self::Shared => SHARED.to_owned(),
            Self::Partner => PARTNER.to_owned(),
            other => other.in_rule(),
        }
    }
}

/// An account that owns pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Where pipelines are deployed to.
    Test,
    /// Where data scientists work.
    Dev,
}

impl Owner {
    /// Its id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Test => TEST,
            Self::Dev => DEV,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Dev => "dev",
        }
    }
}

/// From when on a rule shares a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// It exists.
    Created,
    /// A run of it has succeeded.
    Succeeded,
    /// A deployment said so.
    Hook,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Whose pipelines.
    pub owner: Owner,
    /// Which: all but these.
    pub except: Vec<String>,
    /// With whom.
    pub with: Vec<Who>,
    /// Whether they may run them.
    pub execute: bool,
    /// From when on.
    pub after: Gate,
    /// Whether they are notified of failures.
    pub notify: bool,
}

impl Rule {
    /// Whether it is about a pipeline of this name.
    #[must_use]
    pub fn names(&self, owner: Owner, pipeline: &str) -> bool {
        self.owner == owner && !self.except.iter().any(|name| name == pipeline)
    }
}

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The rules of the root.
    pub rules: Vec<Rule>,
    /// Whether it has a mistake.
    pub broken: bool,
}

/// What goes wrong with a call, or what somebody does right before or after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// AWS cannot serve just now.
    Unavailable,
    /// Too many calls.
    Throttled,
    /// The work is done, and the answer is lost.
    AnswerLost,
    /// The function dies before the work is done.
    KilledBefore,
    /// The function dies after the work was done.
    KilledAfter,
}

/// What happens to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is never delivered.
    Lost,
    /// It comes three times.
    Tripled,
    /// It comes so many minutes later.
    Late(u64),
}

/// What somebody does by hand to a share of an owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// It is given another name.
    Rename(String),
    /// It loses the tag of its rule.
    Untag,
    /// It is tagged for another rule.
    Tag(String),
    /// Somebody is let in.
    AddPrincipal(Who),
    /// Somebody is taken out.
    RemovePrincipal(Who),
    /// A pipeline is put in.
    AddPipeline(String),
    /// A pipeline is taken out.
    RemovePipeline(String),
    /// Its permission is the other one.
    Permission {
        /// Whether it lets run.
        execute: bool,
    },
    /// Outsiders may come in, or not.
    External(bool),
    /// It is deleted.
    Delete,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Seconds pass.
    Wait(u64),
    /// All faults end, and what was promised must hold.
    Settle,
    /// A policy is written.
    Write(Policy),
    /// The document of the team is written.
    WriteTeam(Policy),
    /// A pipeline is created.
    Create(Owner, String),
    /// A pipeline is deleted.
    Delete(Owner, String),
    /// A pipeline is deleted and created again.
    Recreate(Owner, String),
    /// A pipeline is run, and fails if so.
    Run {
        /// Whose.
        owner: Owner,
        /// Which.
        pipeline: String,
        /// Whether it fails.
        fails: bool,
    },
    /// A deployment lets a pipeline be shared by a rule.
    Deploy {
        /// Whose.
        owner: Owner,
        /// Which.
        pipeline: String,
        /// By which rule.
        rule: String,
    },
    /// Somebody edits a share: which of those that the owner has.
    Edit {
        /// Whose.
        owner: Owner,
        /// Which, as a number.
        share: usize,
        /// What is done.
        edit: Edit,
    },
    /// A consumer rejects all that it was invited to.
    Reject(Who),
    /// Somebody outside invites an account to a share of this name.
    Stranger(Who, String),
    /// An account leaves the organization.
    Leave(Who),
    /// An account comes back.
    Join(Who),
    /// RAM no longer shares within the organization, or does again.
    RamSharing(bool),
    /// A role of an account is deleted.
    DeleteRole(Who, String),
    /// The roles of an account that were deleted are there again.
    RestoreRoles,
    /// The schedule stops, or goes on.
    Schedule(bool),
    /// A service is out of order for an account, or for all.
    Outage {
        /// The signing name of the service.
        service: String,
        /// For whom; for all if for nobody.
        account: Option<Who>,
        /// Whether it throttles, and does not just fail.
        throttles: bool,
    },
    /// What was out of order works again.
    Mend,
    /// Something happens at a call of a function.
    Fault {
        /// The signing name of the service.
        service: String,
        /// The operation.
        operation: String,
        /// How many calls pass before.
        skip: usize,
        /// What happens.
        effect: Effect,
    },
    /// Something happens to the next event of this type.
    Event(String, Fate),
    /// So many calls take so many seconds each.
    Slow {
        /// How many calls.
        calls: u32,
        /// Of how many of them one is not slow, so that a call that is tried again may come through.
        #[serde(default)]
        but_one_of: u32,
        /// How many seconds.
        seconds: u64,
    },
    /// The schedule comes so many times at once.
    Sweep(usize),
    /// The environments of functions end, so that what comes next is a cold start.
    CoolDown,
}

/// A history.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// What is drawn once.
    pub knobs: Knobs,
    /// What happens, in this order.
    pub ops: Vec<Op>,
}

impl Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |value: serde_json::Result<String>| value.map_err(|_| fmt::Error);
        writeln!(f, "{}", line(serde_json::to_string(&self.knobs))?)?;
        for op in &self.ops {
            writeln!(f, "{}", line(serde_json::to_string(op))?)?;
        }
        Ok(())
    }
}

impl History {
    /// Reads the knobs and the operations, one a line; lines with `#` say why.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut lines = lines.filter(|line| !line.starts_with('#'));
        Ok(Self {
            knobs: serde_json::from_str(lines.next().unwrap_or_default())?,
            ops: lines.map(serde_json::from_str).collect::<Result<_, _>>()?,
        })
    }
}

impl Policy {
    /// The document of the root; each has a number, by which it is known again.
    #[must_use]
    pub fn root(&self, number: usize) -> String {
        format!(
            "# {number}\nversion: 1\n\
             organization: {{ id: o-sandbox123, ramSharing: true }}\n\
             accounts:\n  dev: \"{DEV}\"\n  test: \"{TEST}\"\n  shared: \"{SHARED}\"\n  \
             member: \"{MEMBER}\"\n  partner: {{ id: \"{PARTNER}\", external: true }}\n\
             limits: {{ withdraw: 100% }}\n\
             teams: {{ team: {{ owners: [test, dev], pipelines: [\"*\"], with: [dev, shared, partner], access: execute }} }}\n\
             rules:{}",
            self.rules_text()
        )
    }

    /// The document of a team.
    #[must_use]
    pub fn team(&self, number: usize) -> String {
        format!("# {number}\nversion: 1\nrules:{}", self.rules_text())
    }

    fn rules_text(&self) -> String {
        if self.broken {
            return " [{ name: broken }]\n".to_owned();
        }
        if self.rules.is_empty() {
            return " []\n".to_owned();
        }
        self.rules.iter().fold("\n".to_owned(), |mut text, rule| {
            let with: Vec<_> = rule.with.iter().map(|who| who.in_rule()).collect();
            let _ = writeln!(
                text,
                "  - {{ name: {}, owner: {}, pipelines: [\"*\"], except: {:?}, with: {with:?}, \
                 access: {}, after: {}, notify: [{}] }}",
                rule.name,
                rule.owner.name(),
                rule.except,
                if rule.execute { "execute" } else { "read" },
                match rule.after {
                    Gate::Created => "created",
                    Gate::Succeeded => "succeeded",
                    Gate::Hook => "hook",
                },
                if rule.notify { "Failed" } else { "" },
            );
            text
        })
    }
}
