//! What is said of pipelines that an account can use now, or cannot use any more.

use std::fmt::{self, Write};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Notification,
    about::{add_about, write_about},
    next::{self, NextStep},
    notification,
    subject::{Part, subject},
};
use crate::{
    id::{AccountId, PipelineArn},
    notification::{Delta, Grant, Holdings, Moved, SHARED_DETAIL_TYPE, WITHDRAWN_DETAIL_TYPE},
    policy::{Access, Policy},
};

/// How many pipelines a list has: a share may hold thousands, and an event
/// weighs at most 256 KB.
const MAX_LISTED: usize = 100;

/// A change of what an account has by a rule.
#[derive(Debug, Clone, Copy)]
pub struct AccessChange<'a> {
    /// The account.
    pub consumer: &'a AccountId,
    /// By what it has access, or had.
    pub grant: &'a Grant,
    /// What has changed; not nothing.
    pub delta: &'a Delta,
    /// What it has now.
    pub now: &'a Holdings,
    /// When that was seen.
    pub at: Timestamp,
    /// Counts the changes of this account by this rule.
    pub generation: u64,
    /// Whether nobody can look into the account any more, so that the loss follows from the policy alone.
    pub unobserved: bool,
}

/// Says what an account has gained and lost, with the ARNs that it needs to use it.
///
/// Neither Studio nor `ListPipelines` shows shared pipelines, so the ARNs are
/// what a consumer waits for.
#[must_use]
pub fn access_notification(policy: &Policy, change: &AccessChange<'_>) -> Notification {
    let AccessChange {
        consumer,
        grant: Grant { rule, owner },
        delta,
        ..
    } = change;
    let names = (policy.display_name(consumer), policy.display_name(owner));
    let (can, before) = words(change);
    let subject = subject(&[
        Part::Name(names.0),
        Part::Kept(&can),
        Part::Name(names.1),
        Part::Kept(&before),
    ]);
    let mut text = format!(
        "{} ({consumer}){can}{} ({owner}){before}, by rule {rule}.\n",
        names.0, names.1
    );
    let steps = next_steps(change);
    list_moved(&mut text, change);
    if !steps.is_empty() {
        next::write(&mut text, &steps);
    }
    describe(&mut text, change);
    let about = policy.about(rule);
    write_about(&mut text, &about);
    let is_withdrawal = delta.gained.is_empty() && delta.access_before.is_none();
    let detail_type = if is_withdrawal {
        WITHDRAWN_DETAIL_TYPE
    } else {
        SHARED_DETAIL_TYPE
    };
    let id = format!("{consumer}|{rule}|{owner}|{}", change.generation);
    let mut detail = detail(change);
    detail["nextSteps"] = next::data(&steps);
    add_about(&mut detail, &about);
    notification(detail_type, id, &subject, &text, detail)
}

/// What can be done with the first pipeline that was gained.
fn next_steps(change: &AccessChange<'_>) -> Vec<NextStep> {
    let gained = change.delta.gained.first();
    gained.map_or_else(Vec::new, |it| {
        next::of_access(&it.pipeline_arn, &change.now.access)
    })
}

/// The change for machines.
fn detail(change: &AccessChange<'_>) -> Value {
    let AccessChange { delta, now, .. } = change;
    let mut shares = now.pipelines.values().map(|held| &held.place.share);
    json!({
        "shareArn": shares.next(),
        "rule": change.grant.rule,
        "ownerAccountId": change.grant.owner,
        "consumerAccountId": change.consumer,
        "access": verb(&now.access),
        "previousAccess": delta.access_before.as_ref().map(verb),
        "since": change.at,
        "gained": listed(&delta.gained),
        "gainedCount": delta.gained.len(),
        "lost": listed(&delta.lost),
        "lostCount": delta.lost.len(),
        "pipelineArns": now.pipelines.keys().take(MAX_LISTED).collect::<Vec<_>>(),
        "pipelineCount": now.pipelines.len(),
    })
}

/// What has changed, in one line: the words between consumer and owner, and those behind the owner.
fn words(change: &AccessChange<'_>) -> (String, String) {
    let Delta {
        gained,
        lost,
        access_before,
    } = change.delta;
    let can = verb(&change.now.access);
    let has = change.now.pipelines.len();
    let words = match (access_before, gained.len(), lost.len()) {
        (Some(before), ..) => {
            let could = format!(" that it could {}", verb(before));
            return (format!(" can {can} {} of ", count(has)), could);
        }
        (None, new, 0) if new == has => format!(" can {can} {} of ", count(new)),
        (None, new, 0) => format!(" can {can} {new} more {} of ", noun(new)),
        (None, 0, gone) => format!(" lost access to {} of ", count(gone)),
        (None, new, gone) => format!(" gained {new} and lost {gone} {} of ", noun(gone)),
    };
    (words, String::new())
}

/// The change in lines, each pipeline with a sign.
fn list_moved(text: &mut String, change: &AccessChange<'_>) {
    let Delta { gained, lost, .. } = change.delta;
    list(text, "Gained", '+', gained, "since");
    list(text, "Lost", '-', lost, "had since");
}

/// What the account has now.
fn describe(text: &mut String, change: &AccessChange<'_>) {
    let held = &change.now.pipelines;
    if change.delta.access_before.is_some() {
        let arns = held.keys().map(PipelineArn::as_str);
        let _ = writeln!(text, "All by this rule:");
        for arn in arns.take(MAX_LISTED) {
            let _ = writeln!(text, "  {arn}");
        }
        more(text, held.len());
    }
    if change.unobserved {
        let _ = writeln!(
            text,
            "No rule names the account any more, and its role pipeshare-consumer lets nobody look."
        );
    }
    let _ = writeln!(
        text,
        "Seen at: {}\nBy this rule now: {}",
        change.at,
        count(held.len())
    );
    if let Some(held) = held.values().next().filter(|_| held.len() > MAX_LISTED) {
        let _ = writeln!(
            text,
            "All of a share: aws ram list-resources --resource-owner OTHER-ACCOUNTS \
             --resource-share-arns {}",
            held.place.share
        );
    }
}

fn list(text: &mut String, title: &str, sign: char, moved: &[Moved], since: &str) {
    if moved.is_empty() {
        return;
    }
    let _ = writeln!(text, "{title}:");
    for moved in listed(moved) {
        let _ = writeln!(
            text,
            "  {sign} {}, {since} {}",
            moved.pipeline_arn, moved.since
        );
    }
    more(text, moved.len());
}

fn more(text: &mut String, all: usize) {
    if all > MAX_LISTED {
        let _ = writeln!(text, "  and {} more", all.saturating_sub(MAX_LISTED));
    }
}

fn listed(moved: &[Moved]) -> &[Moved] {
    &moved[..moved.len().min(MAX_LISTED)]
}

fn verb(access: &Access) -> &'static str {
    match access {
        Access::Read => "see",
        Access::Execute => "see and run",
        Access::Permission(_) => "use",
    }
}

fn count(number: usize) -> impl fmt::Display {
    format!("{number} {}", noun(number))
}

fn noun(number: usize) -> &'static str {
    if number == 1 { "pipeline" } else { "pipelines" }
}
