//! What is said of invitations that nobody accepted.

use std::fmt::Write;

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
    invitation::LIFETIME,
    notification::EXPIRED_DETAIL_TYPE,
    policy::{Policy, RuleName},
};

/// How many invitations a message lists.
const MAX_LISTED: usize = 100;

/// An invitation that ended without having been accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expired {
    /// The rule that wanted it accepted.
    pub rule: RuleName,
    /// Who was invited.
    pub consumer: String,
    /// When, if RAM says.
    pub invited: Option<Timestamp>,
}

impl Expired {
    /// What tells it from the next one.
    ///
    /// One that ended before its time was declined, and somebody may do so
    /// again and again: that is said once a day.
    fn key(&self, now: Timestamp) -> String {
        let Self { rule, consumer, .. } = self;
        match self.invited {
            Some(invited) if now.duration_since(invited) >= LIFETIME => {
                format!("{rule}|{consumer}|{invited}")
            }
            _ => format!("{rule}|{consumer}|{}", now.strftime("%F")),
        }
    }
}

/// Says which accounts did not accept what an owner shares with them, so that it was offered again.
#[must_use]
pub fn expired_notification(
    policy: &Policy,
    owner: &AccountId,
    expired: &[Expired],
    now: Timestamp,
) -> Notification {
    let name = policy.display_name(owner);
    let subject = match expired {
        [one] => subject(&[
            Part::Name(known(policy, &one.consumer)),
            Part::Kept(" did not accept what "),
            Part::Name(name),
            Part::Kept(" shares"),
        ]),
        all => subject(&[
            Part::Kept(&format!("{} invitations of ", all.len())),
            Part::Name(name),
            Part::Kept(" were not accepted"),
        ]),
    };
    let mut keys: Vec<_> = expired.iter().map(|expired| expired.key(now)).collect();
    keys.sort();
    let invitations = expired.iter().take(MAX_LISTED).map(|expired| {
        json!({ "rule": expired.rule, "consumer": expired.consumer, "invited": expired.invited })
    });
    let rules = expired.iter().take(MAX_LISTED).map(|expired| &expired.rule);
    let explained = Explained::of(policy, rules);
    let detail = json!({
        "ownerAccountId": owner,
        "invitations": invitations.collect::<Vec<_>>(),
        "invitationCount": expired.len(),
        "about": explained.data(),
    });
    let id = format!("{owner}|expired|{}", short(&keys.join("\n")));
    let mut text = describe(policy, owner, expired);
    explained.write(&mut text);
    notification(EXPIRED_DETAIL_TYPE, id, &subject, &text, detail)
}

/// The invitations in lines, and what becomes of them.
fn describe(policy: &Policy, owner: &AccountId, expired: &[Expired]) -> String {
    let name = policy.display_name(owner);
    let mut text = format!("Invitations of {name} ({owner}) ended without being accepted:\n");
    for expired in expired.iter().take(MAX_LISTED) {
        let Expired {
            rule,
            consumer,
            invited,
        } = expired;
        let invited = invited.map_or("unknown".to_owned(), |time| time.to_string());
        let consumer_name = known(policy, consumer);
        let _ = writeln!(
            text,
            "  {consumer_name} ({consumer}), by rule {rule}; invited: {invited}"
        );
    }
    if expired.len() > MAX_LISTED {
        let _ = writeln!(
            text,
            "  and {} more",
            expired.len().saturating_sub(MAX_LISTED)
        );
    }
    text.push_str(
        "They expired after twelve hours, were declined, or somebody took them back. The accounts \
         are invited again; until they accept, they have no access.\n",
    );
    text
}

/// The policy's name for a principal that is an account.
fn known<'a>(policy: &'a Policy, consumer: &'a str) -> &'a str {
    let mut accounts = policy.accounts.iter();
    let account = accounts.find(|account| account.id.as_str() == consumer);
    account.map_or(consumer, |account| account.name.as_str())
}
