//! A plan as a comment on a pull request; whatever comes from outside is escaped.

use std::fmt::Write;

use domain::text::without_links;

use crate::report::counted;

use super::{
    answer::{AccessChange, Kind, Owner, Planned},
    text::{held, notes, pipelines, title},
};

/// How long a comment may be; GitHub takes 65,536 characters.
const LONGEST: usize = 60_000;

/// How long a text in a cell may be.
const LONGEST_CELL: usize = 4_000;

pub(super) fn of(planned: &Planned) -> String {
    let mut text = format!("### {}\n", escaped(&planned.summary()));
    let sections = planned.accounts.iter().filter_map(section);
    let mut left_out = 0_usize;
    for section in sections {
        if text.len().saturating_add(section.len()) > LONGEST {
            left_out = left_out.saturating_add(1);
        } else {
            text += &section;
        }
    }
    if left_out > 0 {
        let left_out = counted(left_out, "account");
        let _ = writeln!(
            text,
            "\n**Left out here: {left_out}**, since a comment cannot hold more."
        );
    }
    text
}

fn section(account: &Owner) -> Option<String> {
    let changes = account.access.iter().flat_map(|it| &it.changes);
    let rows: Vec<_> = changes.map(row).collect();
    let notes = notes(account);
    if rows.is_empty() && notes.is_empty() {
        return None;
    }
    let mut text = format!("\n#### {}\n\n", escaped(&title(account)));
    if !rows.is_empty() {
        text +=
            "| | Who | Before | After | Pipelines | Rules | Why |\n|---|---|---|---|---|---|---|\n";
        text += &rows.concat();
        text.push('\n');
    }
    for note in notes {
        let _ = writeln!(text, "* {}", escaped(&note));
    }
    Some(text)
}

fn row(change: &AccessChange) -> String {
    let what = match change.change {
        _ if change.refused_by.is_some() => "refused",
        Kind::Gain => "gains",
        Kind::Change => "changes",
        Kind::Loss => "loses",
    };
    let who = change.name.as_ref().unwrap_or(&change.principal);
    let rules: Vec<_> = change.rules.iter().map(|it| it.name.as_str()).collect();
    let why = change.rules.iter().filter_map(|it| it.why.clone());
    let until = change.rules.iter().filter_map(|it| it.until.as_ref());
    let until = until.map(|until| format!("until {until}"));
    let others = change
        .reason
        .clone()
        .into_iter()
        .chain(change.refused_by.clone());
    let why: Vec<_> = why.chain(until).chain(others).collect();
    let cells = [
        what.to_owned(),
        who.clone(),
        held(&change.before),
        held(&change.after),
        pipelines(change),
        rules.join(", "),
        why.join("; "),
    ];
    let cells = cells.map(|cell| escaped(&cell));
    format!("| {} |\n", cells.join(" | "))
}

/// The text as nothing but text: no markup, no HTML, no link, no mention and no line of its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in without_links(text, LONGEST_CELL).chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            // A mention, or a reference to an issue, is found after all markup.
            '@' | '#' => {
                escaped.push(c);
                escaped.push('\u{200b}');
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup() {
        let text = "a|b `c` <img src=x> [d](https://evil.example) @team #12 *e*\nnext & \\|";
        let escaped = escaped(text);
        for markup in ["<", "@t", "#1", "://", "\n", " `", "*e*", "](", "a|"] {
            let is_left = escaped.contains(markup);
            assert!(!is_left, "{markup} in {escaped}");
        }
        assert_eq!(super::escaped("churn-1, dev"), "churn-1, dev");
        // A backslash of the text does not take the effect of ours.
        assert!(escaped.ends_with("\\\\\\|"), "{escaped}");
    }
}
