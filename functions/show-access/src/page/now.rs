//! What is open, what is wrong, and what is in force.

use jiff::Timestamp;
use maud::{Markup, html};

use super::parts;
use crate::{
    request::Request,
    snapshot::{AccountNote, Document, Invitation, Snapshot},
    words,
};

/// How many of each the page lists.
const LISTED: usize = 50;

pub(super) fn view(request: &Request, snapshot: &Snapshot) -> Markup {
    html! {
        h3 { "Problems" }
        @if snapshot.problems.is_empty() {
            p { span.ps-ok aria-hidden="true" { "● " } "none" }
        }
        (parts::problems(snapshot, LISTED))
        h3 { "Open invitations" }
        (invitations(request, snapshot))
        h3 { "Policy in force" }
        (documents(request, snapshot))
        h3 { "Accounts" }
        (accounts(request, snapshot))
        p.ps-small {
            "The table knows when the executions of an owner account were examined; "
            "when its shares were compared last stands in the log alone."
        }
    }
}

fn invitations(request: &Request, snapshot: &Snapshot) -> Markup {
    let open: &[Invitation] = &snapshot.invitations;
    html! {
        @if open.is_empty() {
            p { "none" }
        } @else if request.is_narrow() {
            ul.ps-list {
                @for it in open.iter().take(LISTED) {
                    li.ps-long {
                        (snapshot.principal(&it.principal)) " has to accept what "
                        (snapshot.account(&it.owner)) " shares: rule " (it.rule) ", pipelines: " (it.pipelines)
                        div.ps-small { "until " (until(it, request, snapshot)) }
                    }
                }
            }
        } @else {
            table.ps-table.cwdb-no-default-styles {
                thead { tr {
                    th scope="col" { "Who has to accept" }
                    th scope="col" { "Of" }
                    th scope="col" { "Rule" }
                    th scope="col" { "Pipelines" }
                    th scope="col" { "Can be accepted until" }
                } }
                tbody {
                    @for it in open.iter().take(LISTED) {
                        tr {
                            td { (snapshot.principal(&it.principal)) }
                            td { (snapshot.account(&it.owner)) }
                            td { (it.rule) }
                            td { (it.pipelines) }
                            td { (until(it, request, snapshot)) }
                        }
                    }
                }
            }
        }
        @if open.len() > LISTED {
            p { "and " (open.len() - LISTED) " more" }
        }
    }
}

/// Until when an invitation can be accepted, and how long that is.
fn until(invitation: &Invitation, request: &Request, snapshot: &Snapshot) -> String {
    let ends = time(invitation.state.ends(), request);
    let left = words::left(&invitation.state, snapshot.now);
    left.map_or(ends.clone(), |left| format!("{ends} ({left})"))
}

fn time(time: Option<Timestamp>, request: &Request) -> String {
    time.map_or("unknown".to_owned(), |time| words::at(time, request.offset))
}

fn documents(request: &Request, snapshot: &Snapshot) -> Markup {
    let documents: &[Document] = &snapshot.documents;
    html! {
        ul.ps-list {
            @for it in documents {
                li.ps-long {
                    (it.team.as_deref().map_or("root".to_owned(), |team| format!("team {team}")))
                    ": "
                    @match it.in_force {
                        Some(version) => {
                            "version " (version) ", written " (time(it.written, request))
                        }
                        None => { "no version" }
                    }
                    @if let Some(newest) = it.newest { "; newest: version " (newest) }
                    @if let Some(note) = &it.note {
                        ": " span.ps-warn aria-hidden="true" { "▲ " } (note)
                    }
                }
            }
        }
    }
}

fn accounts(request: &Request, snapshot: &Snapshot) -> Markup {
    let accounts: &[AccountNote] = &snapshot.accounts;
    html! {
        ul.ps-list {
            @for it in accounts {
                li {
                    (snapshot.account(&it.account)) ": "
                    @match it.examined {
                        Some(examined) => {
                            "executions examined until " (words::at(examined, request.offset))
                        }
                        None => { "no executions examined" }
                    }
                    "; alerts today: " (it.alerts)
                }
            }
        }
    }
}
