//! Reads the root document, and with it those of the teams.

use super::{
    Limits, Place, Policy, PolicyErrors, account,
    bounds::{Never, Teams, read_never, read_teams, unknown_team},
    checker::{Checker, Fields, quoted},
    document::{self, Node, Position},
    group::{Groups, read_groups},
    principal::{Context, check_management_account},
    rule::{Names, Rule, read_rules},
    warnings::{Remarks, warn_of_unused},
};

/// The keys of the root.
const KEYS: &[&str] = &[
    "version",
    "organization",
    "accounts",
    "groups",
    "teams",
    "never",
    "limits",
    "rules",
];

/// The document of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TeamDocument<'a> {
    /// The name of the team, as the root has it.
    pub team: &'a str,
    /// The text.
    pub text: &'a str,
}

/// What could be read: of the teams' documents the rules that hold, and what is wrong with the rest.
pub(super) struct ReadDocuments {
    /// The policy; none if anything is wrong with the root.
    pub(super) policy: Option<Policy>,
    pub(super) errors: PolicyErrors,
    pub(super) remarks: Remarks,
}

/// Reads all documents together.
pub(super) fn read_documents(
    root: &str,
    teams: &[TeamDocument<'_>],
    place: Option<&Place>,
) -> ReadDocuments {
    let mut checker = Checker::default();
    let policy = match document::parse(root) {
        Ok(root) => read_root(&mut checker, &root, teams, place),
        Err(error) => {
            checker.add(error);
            None
        }
    };
    let (errors, remarks) = checker.into_parts();
    let errors = PolicyErrors::of(errors);
    let is_root_right = errors.iter().all(|error| error.team.is_some());
    ReadDocuments {
        policy: policy.filter(|_| is_root_right),
        errors,
        remarks,
    }
}

fn read_root(
    checker: &mut Checker,
    root: &Node,
    documents: &[TeamDocument<'_>],
    place: Option<&Place>,
) -> Option<Policy> {
    let fields = checker.fields(root, "a policy", KEYS)?;
    read_version(checker, &fields);
    let organization = account::read_organization(checker, &fields);
    let accounts = account::read_accounts(checker, &fields);
    let mut context = Context {
        organization: &organization,
        accounts: &accounts,
        groups: &Groups::default(),
        place,
    };
    let groups = read_groups(checker, &fields, &context);
    context.groups = &groups;
    let mut set = Set {
        context: &context,
        teams: read_teams(checker, &fields, &context),
        never: read_never(checker, &fields, &context),
        names: Names::default(),
    };
    let limits = read_limits(checker, &fields);
    check_management_account(checker, &fields);
    let rules = set.read_all(checker, &fields, documents);
    let Set { teams, never, .. } = set;
    let teams: Vec<_> = teams.into_keys().collect();
    let is_given = |team: &String| documents.iter().any(|it| it.team == team.as_str());
    warn_of_unused(checker, &fields, &accounts, teams.iter().all(is_given));
    Some(Policy {
        organization: organization.known,
        accounts: accounts.into_list(),
        rules,
        ended: Vec::new(),
        teams,
        never,
        limits,
    })
}

/// What rules are read by.
struct Set<'s> {
    context: &'s Context<'s>,
    teams: Teams,
    never: Vec<Never>,
    names: Names,
}

impl Set<'_> {
    /// The rules of the root and of the teams.
    fn read_all(
        &mut self,
        checker: &mut Checker,
        root: &Fields,
        documents: &[TeamDocument<'_>],
    ) -> Vec<Rule> {
        let (context, never) = (self.context, &self.never);
        let check = |checker: &mut Checker, node: &Node, rule: &Rule| {
            check_never(checker, node, rule, never, context);
        };
        let mut rules = read_rules(checker, root, context, &mut self.names, check);
        for document in documents {
            checker.enter(document.team);
            rules.extend(self.read_document(checker, *document));
        }
        rules
    }

    /// The rules of a team's document that hold.
    fn read_document(&mut self, checker: &mut Checker, document: TeamDocument<'_>) -> Vec<Rule> {
        let Some(team) = self.teams.get(document.team) else {
            checker.report_at(Position::START, unknown_team(document.team, &self.teams));
            return Vec::new();
        };
        let root = match document::parse(document.text) {
            Ok(root) => root,
            Err(error) => {
                checker.add(error);
                return Vec::new();
            }
        };
        let keys = &["version", "rules"];
        let Some(fields) = checker.fields(&root, "the document of a team", keys) else {
            return Vec::new();
        };
        read_version(checker, &fields);
        let (context, never) = (self.context, &self.never);
        read_rules(
            checker,
            &fields,
            context,
            &mut self.names,
            |checker, node, rule| {
                for beyond in team.iter().flat_map(|team| team.beyond(rule)) {
                    checker.report(node, beyond);
                }
                check_never(checker, node, rule, never, context);
            },
        )
    }
}

fn check_never(
    checker: &mut Checker,
    node: &Node,
    rule: &Rule,
    never: &[Never],
    context: &Context,
) {
    for forbidden in never.iter().filter_map(|it| it.forbids(rule, context)) {
        checker.report(node, forbidden);
    }
}

fn read_version(checker: &mut Checker, fields: &Fields) {
    if let Some(version) = checker.required(fields, "version")
        && let Some(text) = checker.text(version, "the number 1")
        && text != "1"
    {
        let found = quoted(text);
        let message = format!("unknown version {found}; the only one is 1");
        checker.report(version, message);
    }
}

/// Reads the limits; the default for what is wrong or absent.
fn read_limits(checker: &mut Checker, root: &Fields) -> Limits {
    let default = Limits::default();
    let Some(node) = root.get("limits") else {
        return default;
    };
    let Some(fields) = checker.fields(node, "limits", &["withdraw"]) else {
        return default;
    };
    let Some(node) = fields.get("withdraw") else {
        return default;
    };
    let Some(text) = checker.text(node, "a share such as 25%") else {
        return default;
    };
    let digits = text
        .strip_suffix('%')
        // Rust takes a sign, too.
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    let percent = digits.and_then(|digits| digits.parse().ok());
    if let Some(withdraw) = percent.filter(|percent| *percent <= 100) {
        return Limits { withdraw };
    }
    let message = format!("{} is no share of the grants, such as 25%", quoted(text));
    checker.report(node, message);
    default
}
