//! The same as data: JSON, CSV and Markdown.

use domain::{overview::AccessEntry, text::without_links};
use serde_json::{Value, json};

use crate::{
    request::{Request, View},
    snapshot::{Row, Run, Snapshot},
    words,
};

/// The longest cell of a table, in characters.
const LONGEST: usize = 2_000;

/// Rows of cells, of which the first has the names of the columns.
type Rows = Vec<Vec<String>>;

/// A view as JSON; the texts of others are one line each, and as they are.
pub(crate) fn json(request: &Request, snapshot: &Snapshot) -> Value {
    let rows: Vec<_> = snapshot
        .rows
        .iter()
        .map(|row| of_row(snapshot, row))
        .collect();
    let problems = snapshot.problems.iter();
    let problems = problems.map(|it| json!({ "account": it.account, "what": it.what }));
    let mut answer = json!({
        "view": request.view.as_str(),
        "now": snapshot.now,
        "page": snapshot.page,
        "pages": snapshot.pages,
        "total": snapshot.total,
        "problems": problems.collect::<Vec<_>>(),
    });
    if request.view != View::Now {
        answer["pipelines"] = rows.into();
        return answer;
    }
    let invitations = snapshot.invitations.iter().map(|it| {
        json!({ "owner": it.owner, "principal": it.principal, "rule": it.rule,
            "pipelines": it.pipelines, "ends": it.state.ends() })
    });
    let documents = snapshot.documents.iter().map(|it| {
        json!({ "team": it.team, "inForce": it.in_force, "written": it.written,
            "newest": it.newest, "note": it.note })
    });
    let accounts = snapshot.accounts.iter().map(
        |it| json!({ "account": it.account, "examined": it.examined, "alertsToday": it.alerts }),
    );
    answer["invitations"] = invitations.collect();
    answer["documents"] = documents.collect();
    answer["accounts"] = accounts.collect();
    answer
}

fn of_row(snapshot: &Snapshot, row: &Row) -> Value {
    let entries = row.access.entries.iter().map(|it| of_entry(snapshot, it));
    let mut value = json!({
        "pipeline": row.arn(),
        "owner": row.owner,
        "created": row.access.pipeline.created,
        "access": entries.collect::<Vec<_>>(),
    });
    match &row.runs {
        None => {}
        Some(Err(why)) => value["runsUnknown"] = why.as_str().into(),
        Some(Ok(runs)) => {
            value["runs"] = runs.iter().map(of_run).collect();
            value["running"] = row.running().count().into();
        }
    }
    if let Some(failure) = &row.failure {
        value["lastFailure"] = json!({
            "execution": failure.execution.arn,
            "ended": failure.details.modified,
            "reason": failure.details.failure_reason,
            "failedSteps": failure.details.failed_steps,
        });
    }
    value
}

fn of_entry(snapshot: &Snapshot, entry: &AccessEntry) -> Value {
    let held = entry.is_held();
    json!({
        "principal": entry.principal,
        "rule": entry.rule,
        "level": entry.level.as_str(),
        "has": held,
        "waitsFor": (!held).then(|| words::obstacle(entry, snapshot.now)),
        "since": entry.state.since(),
        "invitationEnds": entry.state.ends(),
        "until": entry.until,
    })
}

fn of_run(run: &Run) -> Value {
    let execution = &run.execution;
    json!({ "execution": execution.arn, "status": execution.status, "name": execution.display_name,
        "started": execution.started, "ended": run.ended })
}

/// A view as one table of CSV.
pub(crate) fn csv(request: &Request, snapshot: &Snapshot) -> String {
    csv_of(&table(request, snapshot))
}

/// Rows as CSV: every field in quotation marks, and none that a spreadsheet
/// takes for a formula (OWASP, "CSV Injection").
pub(crate) fn csv_of(rows: &[Vec<String>]) -> String {
    let field = |text: &String| {
        let begins = |first: char| {
            matches!(
                first,
                '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠'
            )
        };
        let neutral = if text.starts_with(begins) { "'" } else { "" };
        format!("\"{neutral}{}\"", text.replace('"', "\"\""))
    };
    let line = |row: &Vec<String>| row.iter().map(field).collect::<Vec<_>>().join(",") + "\r\n";
    rows.iter().map(line).collect()
}

/// A view as one table of Markdown.
pub(crate) fn markdown(request: &Request, snapshot: &Snapshot) -> String {
    let rows = table(request, snapshot);
    let line = |row: &Vec<String>| {
        let cells: Vec<_> = row.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut lines = rows.iter().map(line);
    let head = lines.next().unwrap_or_default();
    let columns = rows.first().map_or(0, Vec::len);
    let rule = format!("|{}\n", "---|".repeat(columns));
    let position = match request.view {
        View::Now => String::new(),
        _ => format!("\n{}\n", escaped(&words::position(snapshot))),
    };
    head + &rule + &lines.collect::<String>() + &position
}

/// A text that is no markup: one line, every mark with a backslash before it,
/// and no link that a reader makes of a bare address.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in without_links(text, LONGEST).chars() {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A view as one table.
fn table(request: &Request, snapshot: &Snapshot) -> Rows {
    match request.view {
        View::Pipelines => pipelines(request, snapshot),
        View::Access | View::Pipeline(_) => access(request, snapshot),
        View::Now => now(request, snapshot),
    }
}

fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn pipelines(request: &Request, snapshot: &Snapshot) -> Rows {
    let names = [
        "pipeline",
        "owner",
        "arn",
        "last run",
        "running",
        "last failure",
        "reason",
        "access",
    ];
    let row = |row: &Row| {
        let newest = row.known_runs().first();
        let newest = match &row.runs {
            Some(Err(why)) => format!("unknown: {why}"),
            _ => newest.map_or(String::new(), |run| words::run(run, snapshot.now)),
        };
        let failure = row.failure.as_ref();
        let failed = failure.and_then(|it| it.details.modified);
        let entries = row.access.entries.iter().map(|entry| {
            let principal = snapshot.principal(&entry.principal);
            format!("{principal}: {}", words::state(entry, snapshot.now))
        });
        vec![
            row.arn().name().to_owned(),
            snapshot.account(&row.owner),
            row.arn().to_string(),
            newest,
            row.running().count().to_string(),
            failed.map_or(String::new(), |time| words::at(time, request.offset)),
            failure.map_or(String::new(), words::reason),
            entries.collect::<Vec<_>>().join("; "),
        ]
    };
    let rows = snapshot.rows.iter().map(row);
    [head(&names)].into_iter().chain(rows).collect()
}

fn access(request: &Request, snapshot: &Snapshot) -> Rows {
    let names = [
        "pipeline",
        "owner",
        "arn",
        "principal",
        "who",
        "level",
        "has",
        "waits for",
        "rule",
        "since",
        "until",
    ];
    let mut rows = vec![head(&names)];
    for row in &snapshot.rows {
        for entry in &row.access.entries {
            let since = entry.state.since();
            rows.push(vec![
                row.arn().name().to_owned(),
                snapshot.account(&row.owner),
                row.arn().to_string(),
                entry.principal.clone(),
                snapshot.principal(&entry.principal),
                entry.level.as_str().to_owned(),
                if entry.is_held() { "yes" } else { "no" }.to_owned(),
                words::obstacle(entry, snapshot.now),
                entry
                    .rule
                    .as_ref()
                    .map_or(String::new(), ToString::to_string),
                since.map_or(String::new(), |time| words::at(time, request.offset)),
                entry
                    .until
                    .as_ref()
                    .map_or(String::new(), ToString::to_string),
            ]);
        }
    }
    rows
}

fn now(request: &Request, snapshot: &Snapshot) -> Rows {
    let mut rows = vec![head(&["kind", "about", "what"])];
    let mut add =
        |kind: &str, about: String, what: String| rows.push(vec![kind.to_owned(), about, what]);
    for problem in &snapshot.problems {
        let about = problem.account.as_ref().map(|it| snapshot.account(it));
        add("problem", about.unwrap_or_default(), problem.what.clone());
    }
    for it in &snapshot.invitations {
        let left = words::left(&it.state, snapshot.now).unwrap_or_default();
        let who = snapshot.principal(&it.principal);
        let what = format!(
            "{who} has to accept {} pipelines of rule {}; {left}",
            it.pipelines, it.rule
        );
        add("invitation", snapshot.account(&it.owner), what);
    }
    for it in &snapshot.documents {
        let version = |number: Option<i64>| number.map_or("none".to_owned(), |it| it.to_string());
        let newer = it
            .newest
            .map_or(String::new(), |it| format!(", newest {it}"));
        let note = it
            .note
            .as_ref()
            .map_or(String::new(), |it| format!(": {it}"));
        let what = format!("version in force {}{newer}{note}", version(it.in_force));
        add(
            "document",
            it.team.clone().unwrap_or("root".to_owned()),
            what,
        );
    }
    for it in &snapshot.accounts {
        let examined = it.examined.map(|time| words::at(time, request.offset));
        let examined = examined.unwrap_or("never".to_owned());
        let what = format!(
            "executions examined until {examined}, alerts today {}",
            it.alerts
        );
        add("account", snapshot.account(&it.account), what);
    }
    rows
}
