//! A plan as people read it in a terminal.

use std::fmt::Write;

use domain::sharing::MAX_INVITATIONS;

use crate::input::visible;

use super::answer::{Access, AccessChange, Held, Kind, Owner, Planned, Rule};

/// How many pipelines of a change are named; the rest is counted, and JSON has all.
const NAMED: usize = 20;

pub(super) fn of(planned: &Planned) -> String {
    let mut text = String::new();
    for account in &planned.accounts {
        let lines = lines(account);
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}", title(account));
        for line in lines {
            let _ = writeln!(text, "  {}", visible(&line));
        }
        text.push('\n');
    }
    text += &planned.summary();
    text.push('\n');
    text
}

/// The account as people call it.
pub(super) fn title(account: &Owner) -> String {
    let name = account.name.iter().map(|name| format!("{name} "));
    let name: String = name.collect();
    format!("{name}{}", account.account)
}

fn lines(account: &Owner) -> Vec<String> {
    let changes = account.access.iter().flat_map(|it| &it.changes);
    let changes = changes.map(|change| format!("{} {}", sign(change), sentence(change)));
    changes.chain(notes(account)).collect()
}

fn sign(change: &AccessChange) -> char {
    match change.change {
        _ if change.refused_by.is_some() => '!',
        Kind::Gain => '+',
        Kind::Change => '~',
        Kind::Loss => '-',
    }
}

fn sentence(change: &AccessChange) -> String {
    let who = change.name.as_ref().unwrap_or(&change.principal);
    let on = pipelines(change);
    let (before, after) = (held(&change.before), held(&change.after));
    let rules: Vec<_> = change.rules.iter().map(rule).collect();
    let by = if rules.is_empty() {
        String::new()
    } else {
        format!(", by rule {}", rules.join(" and "))
    };
    let reason = change.reason.iter().map(|reason| format!(" [{reason}]"));
    let reason: String = reason.collect();
    let refused = change
        .refused_by
        .iter()
        .map(|why| format!("; refused by {why}"));
    let refused: String = refused.collect();
    match change.change {
        Kind::Gain => format!("{who} gains {after} on {on}{by}{refused}"),
        Kind::Change => {
            format!("{who} has {after} in place of {before} on {on}{by}{reason}{refused}")
        }
        Kind::Loss => format!("{who} loses {before} on {on}{by}{reason}"),
    }
}

/// The names of the pipelines, or the first of them.
pub(super) fn pipelines(change: &AccessChange) -> String {
    let named: Vec<_> = change
        .pipelines
        .iter()
        .take(NAMED)
        .map(String::as_str)
        .collect();
    let named = named.join(", ");
    match change.pipelines.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What somebody may do.
pub(super) fn held(held: &[Held]) -> String {
    let words = held.iter().map(|it| {
        let pending = if it.pending { " (by invitation)" } else { "" };
        format!("{}{pending}", it.access)
    });
    words.collect::<Vec<_>>().join(" and ")
}

fn rule(rule: &Rule) -> String {
    let until = rule.until.as_ref().map(|it| format!("until {it}"));
    let said: Vec<_> = rule.why.clone().into_iter().chain(until).collect();
    if said.is_empty() {
        rule.name.clone()
    } else {
        format!("{} ({})", rule.name, said.join("; "))
    }
}

/// What else there is to know of an account.
pub(super) fn notes(account: &Owner) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(todo) = &account.not_onboarded {
        notes.push(todo.clone());
    } else if let Some(error) = &account.error {
        notes.push(format!("not planned: {error}"));
    }
    notes.extend(account.access.iter().flat_map(of_access));
    let waiting = account.waiting.iter().map(|it| {
        let name = it.pipeline.rsplit('/').next().unwrap_or_default();
        format!("{name} waits at the gate {} of rule {}", it.after, it.rule)
    });
    notes.extend(waiting);
    let more = account.waiting_count.saturating_sub(account.waiting.len());
    if more > 0 {
        notes.push(format!("{more} more wait at their gates"));
    }
    if let Some(ceiling) = &account.ceiling {
        let refused = ceiling.refused_rules.iter().map(|it| {
            let part = if it.wholly { "" } else { "part of " };
            format!(
                "the ceiling refuses {part}rule {}: {}",
                it.rule,
                it.reasons.join("; ")
            )
        });
        notes.extend(refused);
        let unknown = ceiling.unknown.iter();
        notes.extend(unknown.map(|why| format!("the ceiling is not known: {why}")));
    }
    if let Some(steps) = account.steps_left_out {
        notes.push(format!(
            "{steps} steps are left out; their number makes the answer too large"
        ));
    }
    notes
}

fn of_access(access: &Access) -> Vec<String> {
    let shares = access
        .shares
        .iter()
        .map(|share| format!("creates share {share}"));
    let invited = access.invitations.iter();
    let invited = invited.map(|it| format!("invites {} to {}", it.consumer, it.share));
    let mut notes: Vec<_> = shares.chain(invited).collect();
    let pending = access.pending_invitations;
    if pending > MAX_INVITATIONS {
        notes.push(format!(
            "{pending} invitations would be pending, and RAM allows {MAX_INVITATIONS}: the others wait until there is room"
        ));
    }
    notes
}
