//! What is said of access that ends soon.

use std::{collections::BTreeMap, fmt::Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Notification,
    about::{add_about, write_about},
    notification,
    subject::{Part, subject},
};
use crate::{
    id::AccountId,
    notification::ENDING_DETAIL_TYPE,
    policy::{About, Policy, Rule, RuleName, Until},
};

/// Access of an account that ends soon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending<'a> {
    /// The rule.
    pub rule: &'a RuleName,
    /// When it ends.
    pub until: &'a Until,
    /// How long before this is said.
    pub notice: Notice,
    /// The rules of that name by which the account has access, one for each owner.
    pub rules: Vec<&'a Rule>,
}

/// How long before its end people are notified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A day, or less.
    Day,
    /// A week, or less.
    Week,
}

impl Notice {
    /// Which one is due, if one is.
    fn due(left: SignedDuration) -> Option<Self> {
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
        match left {
            left if left <= DAY => Some(Self::Day),
            left if left <= WEEK => Some(Self::Week),
            _ => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// The access of an account that ends within a week, by name of the rule.
#[must_use]
pub fn endings<'a>(policy: &'a Policy, consumer: &AccountId, now: Timestamp) -> Vec<Ending<'a>> {
    let mut endings: BTreeMap<&RuleName, Ending<'a>> = BTreeMap::new();
    for rule in policy.rules.iter().filter(|rule| rule.names(consumer)) {
        let Some(until) = rule.until.as_ref() else {
            continue;
        };
        let Some(notice) = Notice::due(until.end().duration_since(now)) else {
            continue;
        };
        let ending = endings.entry(&rule.name).or_insert_with(|| Ending {
            rule: &rule.name,
            until,
            notice,
            rules: Vec::new(),
        });
        ending.rules.push(rule);
    }
    endings.into_values().collect()
}

/// Says that the access of an account ends soon.
///
/// It is the same for each repetition, so that it is sent once a week and once
/// a day before; the hub's is about whoever of the accounts comes first.
#[must_use]
pub fn ending_notification(
    policy: &Policy,
    consumer: &AccountId,
    ending: &Ending<'_>,
) -> Notification {
    let Ending {
        rule,
        until,
        notice,
        rules,
    } = ending;
    let name = policy.display_name(consumer);
    let owners: Vec<_> = rules.iter().map(|rule| &rule.owner).collect();
    let mut detail = json!({
        "rule": rule,
        "until": until.end(),
        "ownerAccountIds": owners,
        "consumerAccountId": consumer,
        "notice": notice.word(),
    });
    add_about(&mut detail, &about(ending));
    notification(
        ENDING_DETAIL_TYPE,
        format!("{rule}|ends|{}|{}", until.end(), notice.word()),
        &subject(&[
            Part::Kept("Access of "),
            Part::Name(name),
            Part::Kept(&format!(" ends within a {}", notice.word())),
        ]),
        &describe(policy, consumer, ending),
        detail,
    )
}

/// What the rule says about itself; its owners have it in common.
fn about(ending: &Ending<'_>) -> About {
    let rule = ending.rules.first();
    rule.map(|rule| rule.about()).unwrap_or_default()
}

fn describe(policy: &Policy, consumer: &AccountId, ending: &Ending<'_>) -> String {
    let Ending {
        rule, until, rules, ..
    } = ending;
    let mut text = format!(
        "Rule {rule} ends at {}, and with it the access that it gives {} ({consumer}) to \
         pipelines of:\n",
        until.end(),
        policy.display_name(consumer)
    );
    for Rule { owner, .. } in rules {
        let _ = writeln!(text, "  {} ({owner})", policy.display_name(owner));
    }
    write_about(&mut text, &about(ending));
    text.push_str("Whoever needs it longer has the date (until) changed in the sharing policy.\n");
    text
}
