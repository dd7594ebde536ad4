//! What is said of invitations and shares that are not what the policy says.

use serde_json::json;

use super::{
    Notice, digest, notice,
    subject::{Part, subject},
};
use crate::{
    id::{AccountId, Region, ShareArn},
    invitation::{Invitation, Refusal},
    notification::REFUSAL_DETAIL_TYPE,
    policy::Policy,
    text::quoted_of_stranger,
};

/// How much of a stranger's words is told, in characters.
const LONGEST_NAME: usize = 60;

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
    let subject = subject(&[
        Part::Kept("Invitation from "),
        Part::Name(policy.display_name(&invitation.sender)),
        Part::Kept(" "),
        Part::Kept(fate),
        Part::Kept(" in "),
        Part::Name(receiver),
    ]);
    let advice = if was_rejected {
        "It cannot be accepted any more."
    } else {
        "It stays pending until it expires. If you expected it, correct the sharing policy; \
         if you did not, reject it and ask the sender."
    };
    let text = format!(
        "The invitation to share {} in {receiver} ({}, {region}) was {fate}: {refusal}.\n\
         Sender: {}\nInvitation: {}\n{advice}\n",
        quoted_of_stranger(&invitation.share_name, LONGEST_NAME),
        invitation.receiver,
        invitation.sender,
        invitation.arn
    );
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{}|{}", invitation.arn, refusal.code()),
        &subject,
        &text,
        json!({
            "invitationArn": invitation.arn,
            "senderAccountId": invitation.sender,
            "refusal": refusal,
        }),
    )
}

/// Says that a visible share holds more than its rule names.
#[must_use]
pub fn excess_notice(
    policy: &Policy,
    share: &ShareArn,
    share_name: &str,
    consumer: &AccountId,
    refusal: &Refusal,
) -> Notice {
    let owner = policy.display_name(share.owner());
    let name = policy.display_name(consumer);
    let subject = subject(&[
        Part::Kept("A share of "),
        Part::Name(owner),
        Part::Kept(" in "),
        Part::Name(name),
        Part::Kept(" is not what the policy says"),
    ]);
    let text = format!(
        "{name} ({consumer}) can see the share {} of {owner} ({}): {refusal}.\n\
         Share: {share}\n\
         A share of pipelines cannot be left; its owner has to take away what is too much.\n",
        quoted_of_stranger(share_name, LONGEST_NAME),
        share.owner()
    );
    let what = digest(&refusal.to_string());
    notice(
        REFUSAL_DETAIL_TYPE,
        format!("{share}|{consumer}|{}|{what}", refusal.code()),
        &subject,
        &text,
        json!({ "shareArn": share, "consumerAccountId": consumer, "refusal": refusal }),
    )
}
