//! What several pages have.

use domain::overview::{AccessEntry, AccessState};
use maud::{Markup, html};
use serde_json::Value;

use crate::{
    request::{Request, View},
    snapshot::{Problem, Row, Snapshot},
    words,
};

/// How many entries or problems a list shows.
const LISTED: usize = 12;

/// A link that has CloudWatch call the function again.
///
/// The action belongs to the element right before it, and its content is JSON.
pub(super) fn link(request: &Request, text: &str, go: &Value) -> Markup {
    html! {
        a.ps-link { (text) }
        cwdb-action action="call" display="widget" endpoint=(request.endpoint) { (go.to_string()) }
    }
}

/// The same as a button.
pub(super) fn button(request: &Request, text: &str, go: &Value) -> Markup {
    html! {
        a.btn { (text) }
        cwdb-action action="call" display="widget" endpoint=(request.endpoint) { (go.to_string()) }
    }
}

/// The name of a pipeline, as a link to its page, and its owner.
pub(super) fn pipeline(request: &Request, snapshot: &Snapshot, row: &Row) -> Markup {
    let view = View::Pipeline(row.arn().clone());
    html! {
        span.ps-name { (link(request, row.arn().name(), &request.go(&view, 1))) }
        div.ps-small { "of " (snapshot.account(&row.owner)) }
    }
}

/// The field for the filter, and how many rows there are.
pub(super) fn filter(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        form {
            label { "Filter " input name="filter" type="text" maxlength="100" value=(request.filter); }
            " " (button(request, "Show", &request.submit()))
            span.ps-small { " " (words::position(snapshot)) }
        }
    }
}

/// The ways to the other pages of a list.
pub(super) fn paging(request: &Request, snapshot: &Snapshot) -> Markup {
    let to = |page| request.go(&request.view, page);
    html! {
        @if snapshot.pages > 1 {
            p {
                @if snapshot.page > 1 {
                    (button(request, "Previous", &to(snapshot.page - 1))) " "
                }
                @if snapshot.page < snapshot.pages {
                    (button(request, "Next", &to(snapshot.page + 1))) " "
                }
                span.ps-small { (words::position(snapshot)) }
            }
        }
    }
}

/// The sign of a state, and its colour: the shape and the words beside it say the same.
pub(super) fn sign(entry: &AccessEntry) -> Markup {
    let (class, sign) = match &entry.state {
        AccessState::Held { .. } if entry.rule.is_none() => ("ps-warn", "▲"),
        AccessState::Held { .. } => match entry.level.as_str() {
            "read" => ("ps-ok", "●"),
            _ => ("ps-ok", "◆"),
        },
        AccessState::Failed { .. } => ("ps-bad", "✕"),
        AccessState::Ceiling(_) => ("ps-warn", "⊘"),
        AccessState::Invited { .. } | AccessState::Settling => ("ps-info", "◌"),
        AccessState::Gate(_) => ("ps-mute", "◌"),
    };
    html! { span class=(class) aria-hidden="true" { (sign) } }
}

/// Who has access or waits for it, shortly.
pub(super) fn entries(request: &Request, snapshot: &Snapshot, row: &Row) -> Markup {
    let entries = &row.access.entries;
    html! {
        ul.ps-list {
            @for entry in entries.iter().take(LISTED) {
                li.ps-long title=(words::grounds(entry, request.offset)) {
                    (sign(entry)) " "
                    (snapshot.principal(&entry.principal)) ": "
                    (words::state(entry, snapshot.now))
                }
            }
            @if entries.len() > LISTED {
                li { "and " (entries.len() - LISTED) " more" }
            }
        }
    }
}

/// What somebody has to look into, at most so many.
pub(super) fn problems(snapshot: &Snapshot, most: usize) -> Markup {
    let problems: &[Problem] = &snapshot.problems;
    html! {
        @if !problems.is_empty() {
            ul.ps-list {
                @for problem in problems.iter().take(most) {
                    li.ps-long {
                        span.ps-bad aria-hidden="true" { "✕ " }
                        "Problem"
                        @if let Some(account) = &problem.account {
                            " in " (snapshot.account(account))
                        }
                        ": " (problem.what)
                    }
                }
                @if problems.len() > most {
                    li { "and " (problems.len() - most) " more problems" }
                }
            }
        }
    }
}
