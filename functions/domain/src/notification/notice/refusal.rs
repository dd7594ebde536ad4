//! What is said of invitations and shares that are not what the policy says.

use serde_json::json;

use super::{Notice, digest, notice};
use crate::{
    id::{AccountId, Region, ShareArn},
    invitation::{Invitation, Refusal},
    notification::REFUSAL_DETAIL_TYPE,
    policy::Policy,
};

/// Says that an invitation was not accepted, and why.
#[must_use]
pub fn refusal_notice(
    policy: &Policy,
    region: &Region,
    invitation: &Invitation,
    refusal: &Refusal,
    was_rejected: bool,
) -> Notice {
    let receiver = policy.display_name(&invitation.receiver);
    let fate = if was_rejected {
        "rejected"
    } else {
        "left alone"
    };
    let subject = format!(
        "Invitation to {} {fate} in {receiver}",
        invitation.share_name
    );
    let advice = if was_rejected {
        "It cannot be accepted any more."
    } else {
        "It stays pending until it expires. If you expected it, correct the sharing policy; \
         if you did not, reject it and ask the sender."
    };
    let text = format!(
        "The invitation to share {} in {receiver} ({}, {region}) was {fate}: {refusal}.\n\
         Sender: {}\nInvitation: {}\n{advice}\n",
        invitation.share_name, invitation.receiver, invitation.sender, invitation.arn
    );
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{}|{}", invitation.arn, refusal.code()),
        subject,
        text,
        json!({
            "invitationArn": invitation.arn,
            "senderAccountId": invitation.sender,
            "refusal": refusal,
        }),
    )
}

/// What tells one state of a visible share from another: everything that is wrong with it.
#[must_use]
pub fn excess_key(refusal: &Refusal) -> String {
    match refusal {
        Refusal::TooMuch { resources } => {
            format!("{}|{}", refusal.code(), digest(&resources.join("\n")))
        }
        _ => format!("{}|{}", refusal.code(), digest(&refusal.to_string())),
    }
}

/// Says that a visible share holds more than its rule names.
///
/// `generation` counts how often what is wrong with the share has changed.
#[must_use]
pub fn excess_notice(
    policy: &Policy,
    (share, share_name): (&ShareArn, &str),
    consumer: &AccountId,
    refusal: &Refusal,
    generation: u64,
) -> Notice {
    let owner = policy.display_name(share.owner());
    let name = policy.display_name(consumer);
    let subject = format!("Share {share_name} of {owner} is not what the policy says");
    let text = format!(
        "{name} ({consumer}) can see the share {share_name} of {owner} ({}): {refusal}.\n\
         Share: {share}\n\
         A share of pipelines cannot be left; its owner has to take away what is too much.\n",
        share.owner()
    );
    let count = match refusal {
        Refusal::TooMuch { resources } => Some(resources.len()),
        _ => None,
    };
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{share}|{consumer}|{generation}"),
        subject,
        text,
        json!({
            "shareArn": share,
            "consumerAccountId": consumer,
            "refusal": refusal,
            "resourceCount": count,
        }),
    )
}
