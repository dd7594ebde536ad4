//! What rules may grant at most: the bounds of teams, and what is never granted.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Access, NamePatterns, Rule,
    account::is_name,
    checker::{Checker, Fields, Reported, nearest, quoted},
    document::{Key, Node, Position},
    group::{read_named, read_owners},
    permission::read_access,
    principal::Context,
    rule::read_patterns,
};
use crate::id::{AccountId, Principal};

/// The longest name of a team, which is part of the name of a parameter.
const LONGEST_NAME: usize = 100;

/// What the rules in the document of one team may grant.
#[derive(Debug)]
pub(super) struct Team {
    line: usize,
    owners: BTreeSet<AccountId>,
    pipelines: NamePatterns,
    with: Vec<Principal>,
    access: Access,
}

/// The teams of the root; one that could not be read is nothing.
pub(super) type Teams = BTreeMap<String, Option<Team>>;

/// Reads the teams of the root.
pub(super) fn read_teams(checker: &mut Checker, root: &Fields, context: &Context) -> Teams {
    let Some(node) = root.get("teams") else {
        return Teams::new();
    };
    let entries = checker.entries(node, "the teams by name");
    let mut teams = Teams::new();
    for (key, node) in entries.unwrap_or_default() {
        let named = check_name(checker, key);
        let others = teams.keys().find(|it| it.eq_ignore_ascii_case(&key.text));
        if let Some(other) = others {
            let message = format!("{:?} and {other:?} differ in case only", key.text);
            checker.report_at(key.at, message);
        }
        let team = read_team(checker, node, context);
        teams.insert(key.text.clone(), named.and(team));
    }
    teams
}

fn check_name(checker: &mut Checker, key: &Key) -> Option<()> {
    let name = &key.text;
    if name.len() <= LONGEST_NAME && is_name(name) {
        return Some(());
    }
    let message = format!(
        "{}: a team's name has 1 to {LONGEST_NAME} letters, digits, '-' and '_', \
         since its document is a parameter of this name",
        quoted(name)
    );
    checker.report_at(key.at, message);
    None
}

fn read_team(checker: &mut Checker, node: &Node, context: &Context) -> Option<Team> {
    const KEYS: &[&str] = &["owner", "owners", "pipelines", "except", "with", "access"];
    let fields = checker.fields(node, "a team", KEYS)?;
    let owners = read_owners(checker, &fields, context);
    let pipelines = read_names(checker, &fields);
    let with = checker.required(&fields, "with");
    let with = with.and_then(|node| read_with(checker, node, context));
    let access = match fields.get("access") {
        None => Some(Access::default()),
        Some(node) => read_access(checker, node, owners.as_deref(), context.place),
    };
    Some(Team {
        line: node.at.line,
        owners: owners?.into_iter().collect(),
        pipelines: pipelines?,
        with: with?,
        access: access?,
    })
}

/// Reads `pipelines` and `except` of a bound, every name by default.
fn read_names(checker: &mut Checker, fields: &Fields) -> Option<NamePatterns> {
    let include = match fields.get("pipelines") {
        None => Some(NamePatterns::every().include),
        Some(node) => {
            let patterns = read_patterns(checker, Some(node));
            if patterns.as_ref().is_some_and(Vec::is_empty) {
                checker.report(node, "no pipeline at all; write [\"*\"] for every one");
            }
            patterns
        }
    };
    let except = read_patterns(checker, fields.get("except"));
    Some(NamePatterns {
        include: include?,
        except: except?,
    })
}

fn read_with(checker: &mut Checker, node: &Node, context: &Context) -> Option<Vec<Principal>> {
    let items = checker.list(Some(node), "accounts, ARNs or groups")?;
    if items.is_empty() {
        checker.report(
            node,
            "nobody at all; name somebody, or leave \"with\" out where it may be",
        );
    }
    read_named(checker, items, context, &[]).all()
}

impl Team {
    /// What of a rule is beyond the bounds, in words; nothing if it is within them.
    pub(super) fn beyond(&self, rule: &Rule) -> Vec<String> {
        let line = self.line;
        let of = |what: String, how: &str| {
            format!("{what} is beyond the team's bounds, {how} (line {line} of the root)")
        };
        let mut beyond = Vec::new();
        if !self.owners.contains(&rule.owner) {
            let owners: Vec<_> = self.owners.iter().map(AccountId::as_str).collect();
            let how = format!("whose owners are {}", listed(&owners));
            beyond.push(of(format!("owner {}", rule.owner), &how));
        }
        for (pattern, part) in rule.pipelines.parts() {
            if !self.pipelines.covers(&part) {
                let how = format!("whose pipelines are {}", names(&self.pipelines));
                beyond.push(of(format!("pattern \"{pattern}\""), &how));
            }
        }
        for principal in &rule.with {
            if !self.with.iter().any(|own| own.includes(principal)) {
                let with: Vec<_> = self.with.iter().map(Principal::as_str).collect();
                let how = format!("who shares with {}", listed(&with));
                beyond.push(of(format!("principal {}", principal.as_str()), &how));
            }
        }
        if !self.access.includes(&rule.access) {
            let how = format!("whose access is {}", self.access.as_str());
            beyond.push(of(format!("access {}", rule.access.as_str()), &how));
        }
        beyond
    }
}

/// What no rule of any document may grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Never {
    at: Position,
    owners: Option<BTreeSet<AccountId>>,
    pipelines: NamePatterns,
    with: Option<Vec<Principal>>,
    access: Access,
}

/// Reads what is never granted.
pub(super) fn read_never(checker: &mut Checker, root: &Fields, context: &Context) -> Vec<Never> {
    let items = checker.list(root.get("never"), "what is never granted");
    let items = items.unwrap_or_default().iter();
    items
        .filter_map(|item| read_one(checker, item, context))
        .collect()
}

fn read_one(checker: &mut Checker, node: &Node, context: &Context) -> Option<Never> {
    const KEYS: &[&str] = &["owner", "owners", "pipelines", "except", "with", "access"];
    const WHAT: &str = "something that is never granted";
    let fields = checker.fields(node, WHAT, KEYS)?;
    if KEYS.iter().all(|key| fields.get(key).is_none()) {
        let message = "this would forbid everything; name owners, pipelines, principals or access";
        checker.report(node, message);
        return None;
    }
    let owners = match (fields.get("owner"), fields.get("owners")) {
        (None, None) => Ok(None),
        _ => read_owners(checker, &fields, context)
            .map(Some)
            .ok_or(Reported),
    };
    let pipelines = read_names(checker, &fields);
    let with = match fields.get("with") {
        None => Ok(None),
        Some(node) => read_with(checker, node, context).map(Some).ok_or(Reported),
    };
    let access = match fields.get("access") {
        None => Some(Access::Read),
        Some(node) => read_access(checker, node, None, context.place),
    };
    Some(Never {
        at: node.at,
        owners: owners.ok()?.map(|owners| owners.into_iter().collect()),
        pipelines: pipelines?,
        with: with.ok()?,
        access: access?,
    })
}

impl Never {
    /// That this forbids an account access to a pipeline of this name, in words, if it does.
    pub(crate) fn bars(
        &self,
        owner: &AccountId,
        name: &str,
        account: &AccountId,
    ) -> Option<String> {
        let is_owner = self.owners.as_ref().is_none_or(|it| it.contains(owner));
        let is_named = self.with.as_ref().is_none_or(|with| {
            let mut with = with.iter();
            with.any(|it| it.account() == Some(account))
        });
        let is_meant = is_owner && is_named && self.pipelines.matches(name);
        is_meant.then(|| {
            let (access, line) = (self.access.as_str(), self.at.line);
            format!("line {line} of the root never grants {access}")
        })
    }

    /// What of a rule this forbids, in words.
    pub(super) fn forbids(&self, rule: &Rule, context: &Context) -> Option<String> {
        let is_owner = self
            .owners
            .as_ref()
            .is_none_or(|it| it.contains(&rule.owner));
        // Whatever allows more is forbidden, too; of a permission of somebody's own nobody knows.
        let is_access = match (&self.access, &rule.access) {
            (Access::Read, _) | (Access::Execute, Access::Execute | Access::Permission(_)) => true,
            (own, other) => own == other,
        };
        if !is_owner || !is_access || !self.pipelines.overlaps(&rule.pipelines) {
            return None;
        }
        let is_named = |principal: &&Principal| {
            let with = self.with.as_ref();
            with.is_none_or(|with| with.iter().any(|it| may_include(principal, it, context)))
        };
        let principal = rule.with.iter().find(is_named)?;
        Some(format!(
            "{} may not have access {} to pipelines of {}: line {} of the root never grants it",
            principal.as_str(),
            rule.access.as_str(),
            rule.owner,
            self.at.line
        ))
    }
}

/// Whether a principal of a rule may stand for somebody who is never to have access.
///
/// Whom a unit or an organization holds no document says, so each account that
/// does not lie outside may be among them.
fn may_include(principal: &Principal, never: &Principal, context: &Context) -> bool {
    let is_same = never.includes(principal) || principal.includes(never);
    match principal {
        Principal::OrganizationalUnit(_) | Principal::Organization(_) => {
            let inside = |account| !context.accounts.is_external(account);
            is_same || never.account().is_none_or(inside)
        }
        _ => is_same,
    }
}

/// A few of some things.
fn listed(items: &[&str]) -> String {
    const MOST: usize = 5;
    let shown = items.iter().take(MOST).copied().collect::<Vec<_>>();
    let more = items.len().saturating_sub(MOST);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn names(patterns: &NamePatterns) -> String {
    let texts = |patterns: &[super::Pattern]| {
        let texts: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        listed(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    };
    match patterns.except.as_slice() {
        [] => texts(&patterns.include),
        except => format!("{} except {}", texts(&patterns.include), texts(except)),
    }
}

/// What to say of a document whose team the root does not have.
pub(super) fn unknown_team(name: &str, teams: &Teams) -> String {
    let names = teams.keys().map(String::as_str);
    match nearest(name, names) {
        Some(meant) => format!(
            "the root has no team {}; did you mean {meant:?}?",
            quoted(name)
        ),
        None => format!("the root has no team {}; name it under teams", quoted(name)),
    }
}
