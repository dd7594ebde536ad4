//! Pipelines by accounts: who can do what, by which rule, since when and until when.

use std::collections::BTreeMap;

use domain::{overview::AccessEntry, text::flat};
use maud::{Markup, html};

use super::parts;
use crate::{
    request::Request,
    snapshot::{Row, Snapshot},
    words,
};

/// How many principals have a column; with more of them, rows list their entries.
const COLUMNS: usize = 12;

/// The longest principal in a tooltip, in characters.
const LONGEST: usize = 300;

pub(super) fn view(request: &Request, snapshot: &Snapshot) -> Markup {
    let columns = columns(snapshot);
    let is_table = !request.is_narrow() && columns.len() <= COLUMNS;
    html! {
        (parts::filter(request, snapshot))
        (parts::problems(snapshot, 5))
        @if is_table {
            (matrix(request, snapshot, &columns))
        } @else {
            (list(request, snapshot))
        }
        (parts::paging(request, snapshot))
        p.ps-small {
            "● read, ◆ execute or a permission of its own, ◌ pending, ⊘ beyond the ceiling, "
            "✕ failed, ▲ access by no rule, – none."
        }
    }
}

/// The principals of the page: what people call them, and what they are.
fn columns(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let entries = snapshot.rows.iter().flat_map(|row| &row.access.entries);
    let columns = entries.map(|entry| {
        let name = snapshot.principal(&entry.principal);
        (format!("{name}\n{}", entry.principal), name)
    });
    columns.collect()
}

fn matrix(request: &Request, snapshot: &Snapshot, columns: &BTreeMap<String, String>) -> Markup {
    html! {
        table.ps-table.cwdb-no-default-styles {
            thead {
                tr {
                    th scope="col" { "Pipeline" }
                    @for (key, name) in columns {
                        th scope="col" title=(flat(principal(key), LONGEST)) { (name) }
                    }
                }
            }
            tbody {
                @for row in &snapshot.rows {
                    tr {
                        th scope="row" { (parts::pipeline(request, snapshot, row)) }
                        @for key in columns.keys() {
                            td { (cell(request, snapshot, row, principal(key))) }
                        }
                    }
                }
            }
        }
    }
}

fn principal(key: &str) -> &str {
    key.split_once('\n').map_or(key, |(_, principal)| principal)
}

/// What one principal has of one pipeline, by whatever rules.
fn cell(request: &Request, snapshot: &Snapshot, row: &Row, principal: &str) -> Markup {
    let entries = row.access.entries.iter();
    let entries: Vec<&AccessEntry> = entries.filter(|it| it.principal == principal).collect();
    html! {
        @if entries.is_empty() {
            span aria-label="none" { "–" }
        }
        @for entry in entries {
            div { (parts::sign(entry)) " " (words::state(entry, snapshot.now)) }
            div.ps-small { (words::grounds(entry, request.offset)) }
        }
    }
}

fn list(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        @for row in &snapshot.rows {
            div.ps-card {
                (parts::pipeline(request, snapshot, row))
                ul.ps-list {
                    @for entry in &row.access.entries {
                        li.ps-long {
                            (parts::sign(entry)) " "
                            (snapshot.principal(&entry.principal)) ": "
                            (words::state(entry, snapshot.now))
                            span.ps-small { " (" (words::grounds(entry, request.offset)) ")" }
                        }
                    }
                }
            }
        }
    }
}
