//! What is said of invitations and shares that are not what the policy says.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{
    Notification,
    about::{add_about, write_about},
    notification, short,
    subject::{Part, subject},
};
use crate::{
    id::{AccountId, Region, ShareArn},
    invitation::{Invitation, Refusal, Strangers},
    notification::REFUSAL_DETAIL_TYPE,
    policy::{About, Policy, Rule},
    sharing::ShareName,
    text::quoted_of_stranger,
};

/// How much of a stranger's words is shown, in characters.
const LONGEST_NAME: usize = 60;

/// What becomes of the invitations of strangers if they are rejected.
const REJECTED: &str = "They are rejected, a bounded number at a time.";

/// What becomes of them if they are not.
const EXPIRING: &str = "They are left alone, and expire by themselves; if you expected one, correct the sharing policy.";

/// What people can do about an invitation that was left alone.
const LEFT_ALONE: &str = "It stays pending until it expires. If you expected it, correct the sharing policy; \
                          if you did not, reject it and ask the sender.";

/// What strangers sent to an account, as people are notified once a day.
#[derive(Debug, Clone, Copy)]
pub struct StrangersOfDay<'a> {
    /// The account that received it.
    pub receiver: &'a AccountId,
    /// The Region.
    pub region: &'a Region,
    /// The day, for instance `2026-01-05`.
    pub day: &'a str,
    /// What is there now.
    pub strangers: &'a Strangers,
    /// Whether invitations of strangers are rejected, as far as one reconciliation gets.
    pub rejects: bool,
    /// How many invitations were sent on the last day that had any, and which day that was.
    pub before: Option<(usize, &'a str)>,
}

/// Says that strangers use our names, with counts and a few samples.
///
/// There is one such message for an account and a day, however many strangers
/// there are and whatever they do: whoever invites must not be able to write
/// to people as often as they like. What they write is only ever quoted.
#[must_use]
pub fn strangers_notification(policy: &Policy, of_day: &StrangersOfDay<'_>) -> Notification {
    let StrangersOfDay {
        receiver,
        day,
        strangers,
        ..
    } = of_day;
    let name = policy.display_name(receiver);
    let samples: Vec<_> = strangers.samples().collect();
    let detail = json!({
        "consumerAccountId": receiver,
        "invitations": strangers.invitations,
        "shares": strangers.shares,
        "senders": strangers.senders(),
        "samples": samples,
    });
    notification(
        REFUSAL_DETAIL_TYPE,
        format!("strangers|{receiver}|{day}"),
        &subject(&[Part::Kept("Invitations of strangers in "), Part::Name(name)]),
        &describe_strangers(name, of_day),
        detail,
    )
}

/// The strangers of a day in lines: counts, and a sample or two.
fn describe_strangers(name: &str, of_day: &StrangersOfDay<'_>) -> String {
    let StrangersOfDay {
        receiver,
        region,
        strangers,
        rejects,
        before,
        ..
    } = of_day;
    let fate = if *rejects { REJECTED } else { EXPIRING };
    let mut text = format!(
        "{name} ({receiver}, {region}) has {} invitations and {} shares whose names are like \
         pipeshare's and that no rule of the policy allows, from {} accounts.\n\
         Nothing of it was accepted. {fate}\n",
        strangers.invitations,
        strangers.shares,
        strangers.senders(),
    );
    if let Some((count, day)) = before {
        let _ = writeln!(text, "On {day} there were {count} such invitations in all.");
    }
    for sample in strangers.samples() {
        let _ = writeln!(
            text,
            "  {}: {}\n    Sender: {}\n    {}",
            quoted_of_stranger(&sample.share_name, LONGEST_NAME),
            sample.refusal,
            sample.sender,
            sample.arn
        );
    }
    let more =
        (strangers.invitations + strangers.shares).saturating_sub(strangers.samples().count());
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    let _ = writeln!(
        text,
        "This is told once a day; what else comes today is counted by the metrics \
         InvitationsRefused and SharesDistrusted, and in the log of accept-invitation."
    );
    text
}

/// What was done about an invitation, and whether more can be sent today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Whether it was rejected, and not left alone.
    pub was_rejected: bool,
    /// Whether this is the last message of the day about invitations of this sender.
    pub is_last_of_day: bool,
}

/// Says that an invitation of somebody whom the policy names was not accepted, and why.
///
/// The same invitation is news again when something else is inside.
#[must_use]
pub fn refusal_notification(
    policy: &Policy,
    region: &Region,
    invitation: &Invitation,
    refusal: &Refusal,
    Fate {
        was_rejected,
        is_last_of_day,
    }: Fate,
) -> Notification {
    let (fate, advice) = if was_rejected {
        ("rejected", "It cannot be accepted any more.")
    } else {
        ("left alone", LEFT_ALONE)
    };
    let receiver = policy.display_name(&invitation.receiver);
    let sender = policy.display_name(&invitation.sender);
    let mut text = format!(
        "The invitation of {sender} to share {} in {receiver} ({}, {region}) was {fate}: {refusal}.\n\
         Sender: {}\nInvitation: {}\n{advice}\n",
        quoted_of_stranger(&invitation.share_name, LONGEST_NAME),
        invitation.receiver,
        invitation.sender,
        invitation.arn
    );
    let about = about(policy, &invitation.share_name, &invitation.sender);
    write_about(&mut text, &about);
    if is_last_of_day {
        text.push_str(&last_of_day(sender));
    }
    notification(
        REFUSAL_DETAIL_TYPE,
        format!("{}|{}", invitation.arn, contents_key(refusal)),
        &subject(&[
            Part::Kept("Invitation from "),
            Part::Name(sender),
            Part::Kept(&format!(" {fate} in ")),
            Part::Name(receiver),
        ]),
        &text,
        refusal_detail(invitation, refusal, &about),
    )
}

/// The refusal for machines.
fn refusal_detail(invitation: &Invitation, refusal: &Refusal, about: &About) -> Value {
    let mut detail = json!({
        "invitationArn": invitation.arn,
        "consumerAccountId": invitation.receiver,
        "senderAccountId": invitation.sender,
        "refusal": refusal,
    });
    add_about(&mut detail, about);
    detail
}

/// What the rule says about itself whose share this is called, if the sender is its owner.
fn about(policy: &Policy, share_name: &str, sender: &AccountId) -> About {
    let name: Option<ShareName> = share_name.parse().ok();
    let rule = name.and_then(|name| policy.rule(name.rule.as_str(), sender));
    rule.map(Rule::about).unwrap_or_default()
}

/// What people have to know when other refusals of the day are not sent.
fn last_of_day(sender: &str) -> String {
    format!(
        "This is the last message of the day about invitations of {sender}; the log of \
         accept-invitation has the others.\n"
    )
}

/// What tells the refusals of one invitation apart: the code, and what is inside.
fn contents_key(refusal: &Refusal) -> String {
    let what = match refusal {
        Refusal::TooMuch { resources } => short(&resources.join("\n")),
        _ => String::new(),
    };
    format!("{}|{what}", refusal.code())
}

/// What tells one state of a visible share from another: everything that is wrong with it.
#[must_use]
pub fn excess_key(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooMuch { .. } => contents_key(refusal),
        _ => format!("{}|{}", refusal.code(), short(&refusal.to_string())),
    }
}

/// Says that a visible share holds more than its rule names.
///
/// `generation` counts how often what is wrong with the share has changed.
#[must_use]
pub fn excess_notification(
    policy: &Policy,
    (share, share_name): (&ShareArn, &str),
    consumer: &AccountId,
    refusal: &Refusal,
    generation: u64,
) -> Notification {
    let owner = policy.display_name(share.owner());
    let name = policy.display_name(consumer);
    let subject = subject(&[
        Part::Kept("A share of "),
        Part::Name(owner),
        Part::Kept(" in "),
        Part::Name(name),
        Part::Kept(" is not what the policy says"),
    ]);
    let mut text = format!(
        "{name} ({consumer}) can see the share {} of {owner} ({}): {refusal}.\n\
         Share: {share}\n\
         A share of pipelines cannot be left; its owner has to take away what is too much.\n",
        quoted_of_stranger(share_name, LONGEST_NAME),
        share.owner()
    );
    let count = match refusal {
        Refusal::TooMuch { resources } => Some(resources.len()),
        _ => None,
    };
    let about = about(policy, share_name, share.owner());
    write_about(&mut text, &about);
    let mut detail = json!({
        "shareArn": share,
        "ownerAccountId": share.owner(),
        "consumerAccountId": consumer,
        "refusal": refusal,
        "resourceCount": count,
    });
    add_about(&mut detail, &about);
    let id = format!("{share}|{consumer}|{generation}");
    notification(REFUSAL_DETAIL_TYPE, id, &subject, &text, detail)
}
