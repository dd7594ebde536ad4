//! Rules, and how they are read.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Access, Gate, InvalidUntil, NamePatterns, Pattern, RuleName, Until,
    checker::{Checker, Fields, Reported, quoted, unknown},
    document::Node,
    group::read_owners,
    permission::read_access,
    principal::{Context, read_principals},
    warnings::warn_of_rule,
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
    /// The account that owns the pipelines. Of a rule with several owners,
    /// each has a rule of this name.
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
    /// When it ends, if it does.
    pub until: Option<Until>,
    /// Why there is such a rule, for whoever reads of it.
    pub why: Option<String>,
    /// Whom to ask about it.
    pub contact: Option<String>,
    /// The team whose document it is in; none for the root.
    pub team: Option<String>,
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
    "owners",
    "pipelines",
    "except",
    "with",
    "access",
    "after",
    "notify",
    "until",
    "why",
    "contact",
];

/// The longest text about a rule, in characters.
const LONGEST_TEXT: usize = 200;

/// The names of rules, and where each is.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<String, (Option<String>, usize)>);

/// Reads the rules of one document, one for each owner; those that are right.
///
/// `check` reports what else may be wrong with a rule.
pub(super) fn read_rules(
    checker: &mut Checker,
    fields: &Fields,
    context: &Context,
    names: &mut Names,
    check: impl Fn(&mut Checker, &Node, &Rule),
) -> Vec<Rule> {
    let items = checker.list(fields.get("rules"), "rules");
    let mut rules = Vec::new();
    for node in items.unwrap_or_default() {
        let before = checker.count();
        let Some(fields) = checker.fields(node, "a rule", KEYS) else {
            continue;
        };
        names.note(checker, &fields);
        let read = read_rule(checker, node, &fields, context);
        for rule in read.iter().flatten() {
            check(checker, node, rule);
        }
        if checker.count() == before {
            let read = read.unwrap_or_default();
            // A rule with several owners is one in the document.
            if let Some(rule) = read.first() {
                warn_of_rule(checker, node, &fields, rule);
            }
            rules.extend(read);
        }
    }
    rules
}

impl Names {
    /// Reports a name that an earlier rule has.
    ///
    /// Names that differ in case only are reported too: the names of their shares
    /// would differ as little, and people would mistake one for the other.
    fn note(&mut self, checker: &mut Checker, rule: &Fields) {
        let Some(node) = rule.get("name") else {
            return;
        };
        let Some(name) = node.text() else {
            return;
        };
        match self.0.get(&name.to_ascii_lowercase()) {
            Some((team, line)) if team.as_deref() == checker.team() => {
                let message = format!("the rule on line {line} has this name already");
                checker.report(node, message);
            }
            Some((team, line)) => {
                let document = team
                    .as_ref()
                    .map_or("the root".to_owned(), |it| format!("document {it}"));
                let message =
                    format!("the rule on line {line} of {document} has this name already");
                checker.report(node, message);
            }
            None => {
                let place = (checker.team().map(str::to_owned), node.at.line);
                self.0.insert(name.to_ascii_lowercase(), place);
            }
        }
    }
}

/// Reads one rule, every field of it even when another is wrong; one for each owner.
fn read_rule(
    checker: &mut Checker,
    node: &Node,
    rule: &Fields,
    context: &Context,
) -> Option<Vec<Rule>> {
    let name = checker.required(rule, "name");
    let name = name.and_then(|node| read_name(checker, node));
    let owners = read_owners(checker, rule, context);
    let known = owners.as_deref().unwrap_or_default();
    let pipelines = read_pipelines(checker, rule);
    let with = checker.required(rule, "with");
    let with = with.and_then(|node| read_principals(checker, node, context, known));
    let access = match rule.get("access") {
        None => Some(Access::default()),
        Some(node) => read_access(checker, node, Some(known), context.place),
    };
    let after = match rule.get("after") {
        None => Some(Gate::default()),
        Some(node) => read_gate(checker, node),
    };
    let notify = read_notify(checker, rule);
    let until = read_until(checker, rule);
    let why = read_text(checker, rule, "why");
    let contact = read_text(checker, rule, "contact");
    let owners = owners?;
    let rule = Rule {
        name: name?,
        // The owner, and with whom it shares, is of each rule its own, below.
        owner: owners.first()?.clone(),
        with: Vec::new(),
        pipelines: pipelines?,
        access: access?,
        after: after?,
        notify: notify?,
        until: until.ok()?,
        why: why.ok()?,
        contact: contact.ok()?,
        team: checker.team().map(str::to_owned),
    };
    Some(of_each_owner(checker, node, &rule, &owners, &with?))
}

/// The rule for each of its owners; none of them shares with itself.
fn of_each_owner(
    checker: &mut Checker,
    node: &Node,
    rule: &Rule,
    owners: &[AccountId],
    with: &[Principal],
) -> Vec<Rule> {
    let mut rules = Vec::new();
    for owner in owners {
        let others = with.iter().filter(|it| it.account() != Some(owner));
        let others: Vec<_> = others.cloned().collect();
        if others.is_empty() {
            let message = format!("the rule shares pipelines of {owner} with nobody but {owner}");
            checker.report(node, message);
        }
        rules.push(Rule {
            owner: owner.clone(),
            with: others,
            ..rule.clone()
        });
    }
    rules
}

/// Reads when a rule ends, if it says so.
fn read_until(checker: &mut Checker, rule: &Fields) -> Result<Option<Until>, Reported> {
    let Some(node) = rule.get("until") else {
        return Ok(None);
    };
    let text = checker.text(node, "a date or a time").ok_or(Reported)?;
    text.parse().map(Some).map_err(|problem: InvalidUntil| {
        checker.report(node, format!("{}: {problem}", quoted(text)));
        Reported
    })
}

/// Reads a short text, if there is one.
fn read_text(checker: &mut Checker, rule: &Fields, key: &str) -> Result<Option<String>, Reported> {
    let Some(node) = rule.get(key) else {
        return Ok(None);
    };
    let text = checker.text(node, "a short text").ok_or(Reported)?;
    let is_short = (1..=LONGEST_TEXT).contains(&text.chars().count());
    if is_short && !text.chars().any(char::is_control) {
        return Ok(Some(text.to_owned()));
    }
    let message = format!("\"{key}\" has 1 to {LONGEST_TEXT} characters on one line");
    checker.report(node, message);
    Err(Reported)
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

pub(super) fn read_patterns(checker: &mut Checker, node: Option<&Node>) -> Option<Vec<Pattern>> {
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
