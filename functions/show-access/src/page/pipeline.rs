//! One pipeline: all of it, with the commands that go with the access.

use domain::{
    id::PipelineArn,
    overview::{AccessEntry, Level},
};
use maud::{Markup, html};

use super::{parts, pipelines, strip};
use crate::{
    request::Request,
    snapshot::{Row, Snapshot},
    words,
};

/// How many entries the page lists.
const LISTED: usize = 200;

pub(super) fn view(request: &Request, snapshot: &Snapshot, arn: &PipelineArn) -> Markup {
    html! {
        h3.ps-long { (arn.name()) }
        p.ps-long { code { (arn) } }
        (parts::problems(snapshot, 5))
        @match snapshot.rows.first() {
            None => {
                p { "No such pipeline is named by a rule or shared." }
            }
            Some(row) => {
                p { "Owner: " (snapshot.account(&row.owner)) ". Created "
                    (words::at(row.access.pipeline.created, request.offset)) "." }
                (pipelines::runs(snapshot, row))
                (strip::legend())
                (failure(row))
                h3 { "Runs" }
                (runs(request, snapshot, row))
                h3 { "Access" }
                (access(request, snapshot, row))
                h3 { "Commands" }
                (commands(row))
            }
        }
    }
}

fn failure(row: &Row) -> Markup {
    html! {
        @if let Some(failure) = &row.failure {
            p.ps-long {
                span.ps-bad aria-hidden="true" { "☒ " }
                "Last failure: " (words::reason(failure))
            }
        }
    }
}

fn runs(request: &Request, snapshot: &Snapshot, row: &Row) -> Markup {
    html! {
        ul.ps-list {
            @for run in row.known_runs() {
                li.ps-long {
                    @let status = &run.execution.status;
                    span class=(strip::class(status)) aria-hidden="true" { (strip::sign(status)) }
                    " " (words::run(run, snapshot.now))
                    @if let Some(started) = run.execution.started {
                        ", started " (words::at(started, request.offset))
                    }
                    @if let Some(name) = &run.execution.display_name {
                        ", “" (words::line(name)) "”"
                    }
                    div.ps-small { code { (run.execution.arn) } }
                }
            }
        }
    }
}

fn access(request: &Request, snapshot: &Snapshot, row: &Row) -> Markup {
    let entries: &[AccessEntry] = &row.access.entries;
    html! {
        ul.ps-list {
            @for entry in entries.iter().take(LISTED) {
                li.ps-long {
                    (parts::sign(entry)) " "
                    (snapshot.principal(&entry.principal)) ": "
                    (words::state(entry, snapshot.now))
                    " (" (words::grounds(entry, request.offset)) ")"
                    @if let Some(rule) = entry.rule.as_ref().and_then(|it| snapshot.rule(it, &row.owner)) {
                        @if let Some(why) = &rule.why { div.ps-small { "Why: " (why) } }
                        @if let Some(contact) = &rule.contact { div.ps-small { "Contact: " (contact) } }
                    }
                }
            }
            @if entries.len() > LISTED {
                li { "and " (entries.len() - LISTED) " more" }
            }
        }
    }
}

/// What can be copied into a terminal of an account that has access.
fn commands(row: &Row) -> Markup {
    let arn = row.arn();
    let runs = row.known_runs();
    let latest = runs.first().map(|run| &run.execution.arn);
    let mut held = row.access.entries.iter().filter(|entry| entry.is_held());
    let may_run = held.any(|entry| entry.level == Level::Execute);
    let region = arn.region();
    let command =
        |line: String| html! { pre.ps-command { "aws sagemaker " (line) " --region " (region) } };
    html! {
        p { "To describe and watch it, with access read or execute:" }
        (command(format!("describe-pipeline --pipeline-name {arn}")))
        (command(format!("list-pipeline-executions --pipeline-name {arn}")))
        @if let Some(run) = latest {
            (command(format!("describe-pipeline-execution --pipeline-execution-arn {run}")))
            (command(format!("list-pipeline-execution-steps --pipeline-execution-arn {run}")))
        }
        @if may_run {
            p { "To start, stop and retry it, with access execute:" }
            (command(format!("start-pipeline-execution --pipeline-name {arn}")))
            @if let Some(run) = row.running().next() {
                @let run = &run.execution.arn;
                (command(format!("stop-pipeline-execution --pipeline-execution-arn {run}")))
            }
            @if let Some(failure) = &row.failure {
                @let run = &failure.execution.arn;
                (command(format!("retry-pipeline-execution --pipeline-execution-arn {run}")))
            }
        }
    }
}
