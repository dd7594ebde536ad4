//! What is said of what only people can fix.

use std::{collections::BTreeSet, fmt::Write};

use jiff::Timestamp;
use serde_json::json;

use super::{
    Notification,
    about::Explained,
    notification, short,
    subject::{Part, subject},
};
use crate::{
    id::AccountId,
    notification::PROBLEM_DETAIL_TYPE,
    policy::{Policy, PolicyErrors, RuleName},
    text::{LONGEST, without_links},
};

/// How many problems a message lists.
const MAX_PROBLEMS: usize = 10;

/// How many mistakes of a policy a message lists.
const MAX_MISTAKES: usize = 100;

/// The longest name of a kind of problem in the data of a message.
const MAX_KIND: usize = 200;

/// A version of the policy that was not put in force.
#[derive(Debug, Clone, Copy)]
pub struct RefusedPolicy<'a> {
    /// The name of the parameter.
    pub parameter: &'a str,
    /// The number of the version. A parameter that is deleted and made again counts from one.
    pub version: i64,
    /// When the version was written, if that is known.
    pub written: Option<Timestamp>,
    /// What it says.
    pub document: &'a str,
}

/// Says that a version of the policy was not put in force.
#[must_use]
pub fn policy_refused_notification(
    refused: &RefusedPolicy<'_>,
    errors: &PolicyErrors,
) -> Notification {
    let RefusedPolicy {
        parameter, version, ..
    } = refused;
    let subject = format!("The sharing policy was not put in force (version {version})");
    let mut text = format!(
        "Version {version} of {parameter} is not valid, and the last valid version stays in \
         force:\n"
    );
    for error in errors.iter().take(MAX_MISTAKES) {
        let _ = writeln!(text, "{}", without_links(&error.to_string(), LONGEST));
    }
    let more = errors.iter().count().saturating_sub(MAX_MISTAKES);
    if more > 0 {
        let _ = writeln!(text, "and {more} more");
    }
    let detail = json!({ "parameter": parameter, "parameterVersion": version });
    let written = refused.written.map_or(0, Timestamp::as_millisecond);
    let id = format!(
        "{parameter}|{version}|{written}|{}",
        short(refused.document)
    );
    notification(PROBLEM_DETAIL_TYPE, id, &subject, &text, detail)
}

/// Something that only people can fix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alert {
    /// What kind of problem it is, the same for each occurrence.
    pub kind: String,
    /// The problem in words.
    pub text: String,
    /// The rule that it is about, if it is about one.
    pub rule: Option<RuleName>,
}

impl Alert {
    /// Nobody but people can find out whom an owner lets be notified of its executions.
    #[must_use]
    pub fn unknown_ceiling(why: &str) -> Self {
        Self {
            kind: "ceiling unknown".to_owned(),
            text: format!(
                "consumers are told nothing of what runs here, because the ceiling that says whom \
                 this account allows cannot be read; deploy the newest template owner-account there: {why}"
            ),
            rule: None,
        }
    }

    /// An account that could not be reconciled, however often it was tried.
    #[must_use]
    pub fn unreached(attempts: u32, why: &str) -> Self {
        Self {
            kind: "not reconciled".to_owned(),
            text: format!(
                "it could not be reconciled in {attempts} attempts, the last one just now, and is left to \
                 the scheduled reconciliation, which tries again: {why}"
            ),
            rule: None,
        }
    }

    /// An account whose executions nobody could ask for since a time.
    #[must_use]
    pub fn unasked(since: Timestamp, why: &str) -> Self {
        Self {
            kind: "executions unasked".to_owned(),
            text: format!(
                "its executions could not be asked for since {since}, so that changes of which no event \
                 came are told late: {why}"
            ),
            rule: None,
        }
    }
}

/// Says what in an account cannot be done until people fix it.
///
/// `day` makes it said again each day that it lasts; however many resources
/// are concerned, it is one message.
#[must_use]
pub fn problem_notification(
    policy: &Policy,
    account: &AccountId,
    alerts: &[Alert],
    day: &str,
) -> Notification {
    let name = policy.display_name(account);
    let subject = subject(&[
        Part::Kept("pipeshare cannot do its work in "),
        Part::Name(name),
    ]);
    let mut text = format!("In {name} ({account}):\n");
    for alert in alerts.iter().take(MAX_PROBLEMS) {
        let _ = writeln!(text, "  {}", without_links(&alert.text, LONGEST));
    }
    if alerts.len() > MAX_PROBLEMS {
        let more = alerts.len().saturating_sub(MAX_PROBLEMS);
        let _ = writeln!(text, "  and {more} more, which the log has");
    }
    let rules = alerts.iter().take(MAX_PROBLEMS);
    let explained = Explained::of(policy, rules.filter_map(|alert| alert.rule.as_ref()));
    explained.write(&mut text);
    let kinds: BTreeSet<_> = alerts.iter().map(|alert| alert.kind.as_str()).collect();
    let what = short(&kinds.iter().copied().collect::<Vec<_>>().join("\n"));
    let named = kinds.iter().take(MAX_PROBLEMS);
    let named: Vec<_> = named.map(|kind| without_links(kind, MAX_KIND)).collect();
    let about = explained.data();
    let detail = json!({ "accountId": account, "problems": named, "about": about });
    let id = format!("{account}|{day}|{what}");
    notification(PROBLEM_DETAIL_TYPE, id, &subject, &text, detail)
}
