//! What was found in the documents, for people and for machines.

use std::{collections::BTreeSet, fmt::Write};

use domain::policy::{CheckedPolicy, Place, Policy, PolicyErrors, TeamDocument};
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

/// Something to say about a document.
#[derive(Debug, Serialize)]
struct Finding<'d> {
    #[serde(flatten)]
    document: Name<'d>,
    line: usize,
    column: usize,
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
        let checked = Policy::check_all(root, &teams, place, at);
        let (mistakes, warnings, summary) = match checked {
            Ok(CheckedPolicy { policy, warnings }) => {
                let summary = summary(&policy, names.len());
                (Vec::new(), findings(&names, &warnings), summary)
            }
            Err(errors) => {
                let mistakes = findings(&names, &errors);
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
            let Finding {
                document,
                line,
                column,
                message,
            } = finding;
            let file = visible(document.file);
            let _ = writeln!(lines, "{file}:{line}:{column}: {kind}{message}");
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

fn findings<'d>(names: &[Name<'d>], errors: &PolicyErrors) -> Vec<Finding<'d>> {
    let finding = |error: &domain::policy::PolicyError| Finding {
        document: Name::among(names, error.team.as_deref()),
        line: error.line,
        column: error.column,
        message: error.message.clone(),
    };
    errors.iter().map(finding).collect()
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
