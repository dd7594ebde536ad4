//! What an owner account should share, compared with what it shares.
//!
//! Principals that need no invitation are served by one share per rule,
//! `pipeshare-RULE`. Each account that must accept has a share of its own,
//! `pipeshare-RULE.ACCOUNT`, so that one that never answers blocks nobody.
//! A share serves a rule only if tag, name and audience agree, and what it holds
//! is never evidence: a pipeline is in it because it has passed the rule's gate.

mod added;
mod alerts;
mod application;
mod changes;
mod creation;
mod evidence;
mod explain;
mod fill;
mod group;
mod maintain;
mod merge;
mod name;
mod observed;
mod patience;
mod plan;
mod planner;
mod quota;
mod reconciliation;
mod rest;
mod step;

pub use added::Added;
pub use application::{Answer, Application, Applied, NextCall, StepOutcome, should_requeue};
pub use changes::{Change, Changes, Comparison, Counts, Held, Kind, RuleNote, changes};
pub use evidence::{Evidence, Flaw, Questions, gates, questions};
pub use explain::{Explanation, Finding, Knowledge, RuleExplanation, State, Verdict, explain};
pub(crate) use name::rule_of;
pub use name::{Audience, PREFIX, ShareName};
pub(crate) use observed::is_older;
pub use observed::{Association, Lookalike, Observed, Pipeline, Share};
pub use plan::{
    Due, Flawed, LetIn, Offered, OutOfReach, Plan, Problem, SharePlan, Target, Waiting,
};
pub use planner::{MAX_PIPELINES, plan};
pub use quota::{MAX_INVITATIONS, Quota, QuotaUse, Uninvited};
pub use reconciliation::Reconciliation;
pub use step::{Action, Call, NewShare, Reason, Step};

/// The tag that a share carries if pipeshare made it; nothing else is ever touched.
pub const TAG_MANAGED: &str = "pipeshare:managed";

/// The tag that names the rule that a share serves.
pub const TAG_RULE: &str = "pipeshare:rule";
