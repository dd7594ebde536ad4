//! The pipelines, with their last runs and who has access.

use maud::{Markup, html};

use super::{parts, strip};
use crate::{
    request::Request,
    snapshot::{Row, Snapshot},
    words,
};

/// How many problems stand above the pipelines.
const PROBLEMS: usize = 5;

pub(super) fn view(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        (parts::filter(request, snapshot))
        (parts::problems(snapshot, PROBLEMS))
        @if snapshot.rows.is_empty() {
            p { "No pipeline is named by a rule or shared, as far as the filter goes." }
        } @else {
            @if request.is_narrow() {
                (cards(request, snapshot))
            } @else {
                (table(request, snapshot))
            }
            (parts::paging(request, snapshot))
            (strip::legend())
        }
    }
}

fn table(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        table.ps-table.cwdb-no-default-styles {
            thead {
                tr {
                    th scope="col" { "Pipeline" }
                    th scope="col" { "Last runs" }
                    th scope="col" { "Last failure" }
                    th scope="col" { "Access" }
                }
            }
            tbody {
                @for row in &snapshot.rows {
                    tr {
                        td { (parts::pipeline(request, snapshot, row)) }
                        td { (runs(snapshot, row)) }
                        td { (failure(request, row)) }
                        td { (parts::entries(request, snapshot, row)) }
                    }
                }
            }
        }
    }
}

fn cards(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        @for row in &snapshot.rows {
            div.ps-card {
                (parts::pipeline(request, snapshot, row))
                div { (runs(snapshot, row)) }
                @if row.failure.is_some() {
                    div { "Last failure: " (failure(request, row)) }
                }
                (parts::entries(request, snapshot, row))
            }
        }
    }
}

/// The bars, how the newest run went, and what runs now.
pub(super) fn runs(snapshot: &Snapshot, row: &Row) -> Markup {
    let now = snapshot.now;
    let running = row.running().count();
    html! {
        @match &row.runs {
            None => {}
            Some(Err(why)) => {
                span.ps-bad aria-hidden="true" { "✕ " }
                span.ps-long { "runs unknown: " (why) }
            }
            Some(Ok(runs)) => {
                (strip::strip(runs, now))
                @if let Some(newest) = runs.first() {
                    div.ps-small {
                        (words::run(newest, now))
                        @if let Some(started) = newest.execution.started {
                            ", started " (words::ago(started, now))
                        }
                    }
                }
                @if running > 0 {
                    div.ps-small { span.ps-info aria-hidden="true" { "▷ " } (running) " running now" }
                }
            }
        }
    }
}

fn failure(request: &Request, row: &Row) -> Markup {
    html! {
        @match &row.failure {
            // Of runs that are not known, nothing is known.
            None if row.known_runs().is_empty() => { "–" }
            None => { span.ps-small { "none of these" } }
            Some(failure) => {
                @let ended = failure.details.modified.or(failure.execution.started);
                @if let Some(time) = ended {
                    div.ps-small { (words::at(time, request.offset)) }
                }
                div.ps-long { (words::reason(failure)) }
            }
        }
    }
}
