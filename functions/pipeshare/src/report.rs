//! What was found in the documents, for people and for machines.

use std::{collections::BTreeSet, fmt::Write};

use domain::policy::{Place, Policy, PolicyErrors, TeamDocument};
use jiff::Timestamp;
use serde::Serialize;

use crate::input::{Document, visible};

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'d> {
    /// Whether the functions would put these documents in force.
    pub(crate) valid: bool,
    documents: Vec<Name<'d>>,
    mistakes: Vec<Finding<'d>>,
    warnings: Vec<Finding<'d>>,
    /// All of it in one line.
    #[serde(skip)]
    pub(crate) summary: String,
}

/// Which document it is.
#[derive(Debug, Clone, Copy, Serialize)]
struct Name<'d> {
    file: &'d str,
    team: Option<&'d str>,
}

/// Something to say about a document; a warning has no position.
#[derive(Debug, Serialize)]
struct Finding<'d> {
    #[serde(flatten)]
    document: Name<'d>,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
}

impl<'d> Report<'d> {
    /// Checks documents, of which the first is the root.
    pub(crate) fn of(
        documents: &'d [Document],
        place: Option<&Place>,
        at: Option<Timestamp>,
    ) -> Self {
        let names: Vec<_> = documents.iter().map(Name::of).collect();
        let root = documents.first().map_or("", |root| &root.text);
        let teams = documents.iter().filter_map(|document| {
            let team = document.team.as_deref()?;
            let text = &document.text;
            Some(TeamDocument { team, text })
        });
        let teams: Vec<_> = teams.collect();
        let parsed = Policy::parse_all(root, &teams, place);
        let (mistakes, warnings, summary) = match parsed {
            Ok(policy) => {
                let summary = summary(&policy, names.len());
                (Vec::new(), warnings(&names, policy, at), summary)
            }
            Err(errors) => {
                let mistakes = mistakes(&names, &errors);
                let (found, checked) = (mistakes.len(), names.len());
                let summary = format!(
                    "{} in {}",
                    counted(found, "mistake"),
                    counted(checked, "document")
                );
                (mistakes, Vec::new(), summary)
            }
        };
        Self {
            valid: mistakes.is_empty(),
            documents: names,
            mistakes,
            warnings,
            summary,
        }
    }

    /// A line for each mistake and each warning.
    pub(crate) fn text(&self) -> String {
        let mut lines = String::new();
        let mistakes = self.mistakes.iter().map(|it| ("", it));
        let warnings = self.warnings.iter().map(|it| ("warning: ", it));
        for (kind, finding) in mistakes.chain(warnings) {
            lines += &visible(finding.document.file);
            for number in [finding.line, finding.column].into_iter().flatten() {
                let _ = write!(lines, ":{number}");
            }
            let _ = writeln!(lines, ": {kind}{}", finding.message);
        }
        lines
    }

    /// One object.
    pub(crate) fn json(&self) -> String {
        // Nothing in it can fail to be JSON: no map has keys other than text.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl<'d> Name<'d> {
    fn of(document: &'d Document) -> Self {
        Self {
            file: &document.file,
            team: document.team.as_deref(),
        }
    }

    /// The name of the document of a team, or of the root.
    fn among(names: &[Self], team: Option<&str>) -> Self {
        let found = names.iter().find(|name| name.team == team);
        found.or(names.first()).copied().unwrap_or(Self {
            file: "",
            team: None,
        })
    }
}

fn mistakes<'d>(names: &[Name<'d>], errors: &PolicyErrors) -> Vec<Finding<'d>> {
    let finding = |error: &domain::policy::PolicyError| Finding {
        document: Name::among(names, error.team.as_deref()),
        line: Some(error.line),
        column: Some(error.column),
        message: error.message.clone(),
    };
    errors.iter().map(finding).collect()
}

/// What is right, and probably not meant.
fn warnings<'d>(names: &[Name<'d>], policy: Policy, at: Option<Timestamp>) -> Vec<Finding<'d>> {
    let warning = |team: Option<&str>, message: String| Finding {
        document: Name::among(names, team),
        line: None,
        column: None,
        message,
    };
    // Where only the root is checked, nobody knows what rules a team has.
    let with_rules: BTreeSet<_> = policy
        .rules
        .iter()
        .filter_map(|it| it.team.clone())
        .collect();
    let teams = policy.teams.clone().into_iter();
    let idle = teams.filter(|team| names.len() > 1 && !with_rules.contains(team));
    let idle = idle.map(|team| {
        let message =
            format!("no rule is of team {team}; name its document, too, or remove the team");
        warning(None, message)
    });
    let ended = at.map(|at| policy.at(at).ended).unwrap_or_default();
    // A rule with several owners is one in the document.
    let mut seen = BTreeSet::new();
    let ended = ended.iter().filter(|rule| seen.insert(&rule.name));
    let ended = ended.filter_map(|rule| {
        let (name, until) = (&rule.name, rule.until.as_ref()?);
        let message = format!(
            "rule {name} grants nothing since {}; remove it, or write a later \"until\" than {until}",
            until.end()
        );
        Some(warning(rule.team.as_deref(), message))
    });
    idle.chain(ended).collect()
}

fn summary(policy: &Policy, documents: usize) -> String {
    let names: BTreeSet<_> = policy.rules.iter().map(|rule| &rule.name).collect();
    format!(
        "{} {} valid: {}, {} named",
        counted(documents, "document"),
        if documents == 1 { "is" } else { "are" },
        counted(names.len(), "rule"),
        counted(policy.accounts.len(), "account"),
    )
}

pub(crate) fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
