//! Rules, and how they are read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Access, Gate, NamePatterns, Pattern, RuleName,
    checker::{Checker, Fields, quoted, unknown},
    document::Node,
    permission::read_access,
    principal::{Context, read_principals},
};
use crate::{
    id::{AccountId, PipelineArn, Principal},
    status::ExecutionStatus,
};

/// One entry of the policy: an owner's pipelines, for some principals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The name, unique within the policy even without regard to case.
    pub name: RuleName,
    /// The account that owns the pipelines.
    pub owner: AccountId,
    /// Which of its pipelines are shared.
    pub pipelines: NamePatterns,
    /// Whom they are shared with; never empty, and never the owner.
    pub with: Vec<Principal>,
    /// What the principals may do.
    pub access: Access,
    /// From when on a pipeline is shared.
    pub after: Gate,
    /// At which statuses of an execution the principals' accounts are notified.
    pub notify: BTreeSet<ExecutionStatus>,
}

impl Rule {
    /// Whether the pipeline is one that the rule shares, in whatever Region.
    #[must_use]
    pub fn covers(&self, pipeline: &PipelineArn) -> bool {
        pipeline.owner().account() == Some(&self.owner) && self.pipelines.matches(pipeline.name())
    }

    /// Whether the rule shares with the account, or with somebody in it.
    #[must_use]
    pub fn names(&self, account: &AccountId) -> bool {
        let mut principals = self.with.iter();
        principals.any(|principal| principal.account() == Some(account))
    }
}

const KEYS: &[&str] = &[
    "name",
    "owner",
    "pipelines",
    "except",
    "with",
    "access",
    "after",
    "notify",
];

/// Reads all rules; nothing if one of them is wrong, for to leave it out would withdraw access.
pub(super) fn read_rules(
    checker: &mut Checker,
    policy: &Fields,
    context: &Context,
) -> Option<Vec<Rule>> {
    let mut lines = BTreeMap::new();
    read_each(checker, policy.get("rules"), "rules", |checker, node| {
        let fields = checker.fields(node, "a rule", KEYS)?;
        check_unique(checker, &fields, &mut lines);
        read_rule(checker, &fields, context)
    })
}

/// Reports a name that an earlier rule has.
///
/// Names that differ in case only are reported too: the names of their shares
/// would differ as little, and people would mistake one for the other.
fn check_unique(checker: &mut Checker, rule: &Fields, lines: &mut BTreeMap<String, usize>) {
    let Some(node) = rule.get("name") else {
        return;
    };
    let Some(name) = node.text() else {
        return;
    };
    match lines.get(&name.to_ascii_lowercase()) {
        Some(line) => {
            let message = format!("the rule on line {line} has this name already");
            checker.report(node, message);
        }
        None => {
            lines.insert(name.to_ascii_lowercase(), node.at.line);
        }
    }
}

/// Reads one rule, every field of it even when another is wrong.
fn read_rule(checker: &mut Checker, rule: &Fields, context: &Context) -> Option<Rule> {
    let name = checker.required(rule, "name");
    let name = name.and_then(|node| read_name(checker, node));
    let owner = checker.required(rule, "owner");
    let owner = owner.and_then(|node| read_owner(checker, node, context));
    let pipelines = read_pipelines(checker, rule);
    let with = checker.required(rule, "with");
    let with = with.and_then(|node| read_principals(checker, node, context, owner.as_ref()));
    let access = match rule.get("access") {
        None => Some(Access::default()),
        Some(node) => read_access(checker, node, owner.as_ref(), context.place),
    };
    let after = match rule.get("after") {
        None => Some(Gate::default()),
        Some(node) => read_gate(checker, node),
    };
    let notify = read_notify(checker, rule);
    Some(Rule {
        name: name?,
        owner: owner?,
        pipelines: pipelines?,
        with: with?,
        access: access?,
        after: after?,
        notify: notify?,
    })
}

fn read_name(checker: &mut Checker, node: &Node) -> Option<RuleName> {
    let text = checker.text(node, "the name of a rule")?;
    match text.parse() {
        Ok(name) => Some(name),
        Err(problem) => {
            checker.report(node, format!("{}: {problem}", quoted(text)));
            None
        }
    }
}

fn read_owner(checker: &mut Checker, node: &Node, context: &Context) -> Option<AccountId> {
    let text = checker.text(node, "the name or id of an account")?;
    if text.starts_with("arn:") {
        checker.report(
            node,
            "an owner is an account; write its name or its twelve digits",
        );
        return None;
    }
    context.accounts.resolve(checker, node, text)
}

fn read_pipelines(checker: &mut Checker, rule: &Fields) -> Option<NamePatterns> {
    let node = checker.required(rule, "pipelines");
    let include = node.and_then(|node| {
        let patterns = read_patterns(checker, Some(node))?;
        if patterns.is_empty() {
            checker.report(
                node,
                "no pipeline at all; write [\"*\"] for every one, or remove the rule",
            );
        }
        Some(patterns)
    });
    let except = read_patterns(checker, rule.get("except"));
    Some(NamePatterns {
        include: include?,
        except: except?,
    })
}

fn read_patterns(checker: &mut Checker, node: Option<&Node>) -> Option<Vec<Pattern>> {
    read_each(checker, node, "patterns", |checker, item| {
        let text = checker.text(item, "a pattern on names")?;
        match text.parse() {
            Ok(pattern) => Some(pattern),
            Err(problem) => {
                checker.report(item, format!("{}: {problem}", quoted(text)));
                None
            }
        }
    })
}

fn read_gate(checker: &mut Checker, node: &Node) -> Option<Gate> {
    const EXPECTED: &str = "created, succeeded or hook";
    match checker.text(node, EXPECTED)? {
        "created" => Some(Gate::Created),
        "succeeded" => Some(Gate::Succeeded),
        "hook" => Some(Gate::Hook),
        other => {
            let known = ["created", "succeeded", "hook"];
            let otherwise = format!("write {EXPECTED}");
            checker.report(node, unknown("gate", other, known, &otherwise));
            None
        }
    }
}

fn read_notify(checker: &mut Checker, rule: &Fields) -> Option<BTreeSet<ExecutionStatus>> {
    read_each(checker, rule.get("notify"), "statuses", |checker, item| {
        let text = checker.text(item, "the status of an execution")?;
        let status = ExecutionStatus::from(text);
        if ExecutionStatus::KNOWN.contains(&status) {
            return Some(status);
        }
        let known: Vec<_> = ExecutionStatus::KNOWN
            .iter()
            .map(ExecutionStatus::as_str)
            .collect();
        let otherwise = format!("they are {}", known.join(", "));
        checker.report(item, unknown("status", text, known, &otherwise));
        None
    })
}

/// Reads every item of an optional list; nothing if one of them is wrong.
fn read_each<T, C: FromIterator<T>>(
    checker: &mut Checker,
    node: Option<&Node>,
    of: &str,
    mut read: impl FnMut(&mut Checker, &Node) -> Option<T>,
) -> Option<C> {
    let items = checker.list(node, of)?;
    // Collected before the wrong ones are dropped, so that each is reported.
    let read: Vec<Option<T>> = items.iter().map(|item| read(checker, item)).collect();
    read.into_iter().collect()
}
