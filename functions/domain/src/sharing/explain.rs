//! Why somebody has access to a pipeline, or has not.

mod chain;
mod verdict;

use jiff::Timestamp;
use serde::Serialize;

use super::{Observed, Pipeline};
use crate::{
    ceiling::Ceiling,
    id::AccountId,
    policy::{InForce, RuleName, nearest, quoted},
};
use chain::Chain;

/// What is known when the question is answered.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    /// The policy in force.
    pub in_force: &'a InForce,
    /// The account that owns the pipeline.
    pub observed: &'a Observed,
    /// What that account allows at most, or why nobody knows.
    pub ceiling: Result<&'a Ceiling, &'a str>,
    /// The time, if it is known.
    pub now: Option<Timestamp>,
}

/// The answer: the verdict, and what each rule comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The answer in one word.
    pub verdict: Verdict,
    /// The answer in a line, with the reason.
    pub text: String,
    /// The rules that could give access, the nearest first.
    pub rules: Vec<RuleExplanation>,
    /// What else may matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Whether there is access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// There is.
    Yes,
    /// For roles or users in the account alone.
    Partly,
    /// If the account is in a unit or an organization, whose members nobody knows here.
    Perhaps,
    /// A rule gives it, and something is still awaited.
    NotYet,
    /// There is none, and none will come by itself.
    No,
    /// It could not be found out.
    Unknown,
}

/// What a rule comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleExplanation {
    /// The rule.
    pub rule: RuleName,
    /// The team whose document it is in; none for the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// What it gives.
    pub access: String,
    /// From what names to what RAM holds, one after the other.
    pub steps: Vec<Finding>,
}

/// One thing that access depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub about: &'static str,
    /// How it is.
    pub state: State,
    /// In words.
    pub text: String,
}

/// How something is that access depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Not known, or only for a part of the account.
    Open,
    /// It is awaited.
    Waiting,
    /// It is in the way until people change something.
    Missing,
}

/// Why an account has access to a pipeline of this name, or has not.
#[must_use]
pub fn explain(knowledge: Knowledge<'_>, name: &str, account: &AccountId) -> Explanation {
    let Knowledge {
        in_force, observed, ..
    } = knowledge;
    let policy = &in_force.policy;
    let owner = policy.display_name(&observed.account);
    if *account == observed.account {
        let text = format!("yes: {owner} owns the pipeline, and needs no rule");
        return Explanation::bare(Verdict::Yes, text);
    }
    let mut pipelines = observed.pipelines.iter();
    let found = pipelines.find(|it| it.arn.name().eq_ignore_ascii_case(name));
    let chains = Chain::all(knowledge, found, name, account);
    let mut explanation = match found {
        Some(pipeline) => verdict::of(knowledge, pipeline, account, &chains),
        None => Explanation::bare(Verdict::No, missing(observed, owner, name)),
    };
    explanation.notes = notes(in_force, &observed.account, name, account);
    explanation.rules = chains.into_iter().map(Chain::explanation).collect();
    explanation
}

impl Explanation {
    /// An answer that no rule has a part in.
    #[must_use]
    pub fn bare(verdict: Verdict, text: String) -> Self {
        Self {
            verdict,
            text,
            rules: Vec::new(),
            notes: Vec::new(),
        }
    }
}

fn missing(observed: &Observed, owner: &str, name: &str) -> String {
    let names = observed.pipelines.iter().map(|it: &Pipeline| it.arn.name());
    let meant = nearest(name, names).map_or_else(String::new, |meant| {
        format!("; did you mean {}?", quoted(meant))
    });
    let name = quoted(name);
    format!("no: {owner} has no pipeline {name}{meant}")
}

/// What is never granted, and what of documents grants nothing whatever its rules say.
fn notes(in_force: &InForce, owner: &AccountId, name: &str, account: &AccountId) -> Vec<String> {
    let never = in_force.policy.never.iter();
    let never = never.filter_map(|it| it.bars(owner, name, account));
    let errors = in_force.not_granted.iter();
    let errors = errors.map(|error| format!("not granted: {error}"));
    never.chain(errors).collect()
}
