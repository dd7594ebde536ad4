//! What RAM tells the default buses of those whom a change concerns.

use std::collections::BTreeSet;

use serde_json::json;

use super::model::{AssociationStatus, Invitation, Key, Subject};
use crate::{
    organization::Organization,
    readings::InvitationEvents,
    services::events::{self, ServiceEvent},
    world::World,
};

/// Hands notices to EventBridge, where they may get lost.
pub(super) fn send(world: &mut World, notices: Vec<ServiceEvent>) {
    for notice in notices {
        events::emit(world, notice);
    }
}

/// What is said about an association that has come to an end of its way.
pub(super) fn of_association(world: &World, share_arn: &str, key: &Key) -> Vec<ServiceEvent> {
    let Some((share, association)) = world
        .ram
        .share(share_arn)
        .and_then(|share| Some((share, share.associations.get(key)?)))
    else {
        return Vec::new();
    };
    // ASSUMED: the passing states are not announced.
    if matches!(
        association.status,
        AssociationStatus::Associating | AssociationStatus::Disassociating
    ) {
        return Vec::new();
    }
    let mut accounts: BTreeSet<String> = match &association.subject {
        subject @ Subject::Principal { .. } => accounts(&world.organization, subject),
        Subject::Resource(_) => share
            .principals()
            .flat_map(|(principal, _)| accounts(&world.organization, &principal.subject))
            .collect(),
    };
    accounts.insert(share.owner.clone());
    notices(
        accounts,
        &share.region,
        share_arn,
        "Resource Share Association",
        association.status.as_str(),
    )
}

/// What is said about an invitation that was sent, answered or has expired.
pub(super) fn of_invitation(world: &World, invitation: &Invitation) -> Vec<ServiceEvent> {
    if world.readings.invitation_events == InvitationEvents::None {
        return Vec::new();
    }
    notices(
        [invitation.sender.clone(), invitation.receiver.clone()].into(),
        &invitation.region,
        &invitation.share,
        "Resource Share Invitation",
        invitation.status.as_str(),
    )
}

/// The accounts that a principal stands for.
fn accounts(organization: &Organization, subject: &Subject) -> BTreeSet<String> {
    let Subject::Principal { principal, .. } = subject else {
        return BTreeSet::new();
    };
    match principal.account() {
        Some(account) => [account.to_owned()].into(),
        None => organization
            .members
            .iter()
            .filter(|account| principal.reaches(organization, account))
            .cloned()
            .collect(),
    }
}

/// The one kind of event that RAM has, to each of the accounts.
///
/// ASSUMED: all of it but the detail type, the event name "Resource Share
/// Association" and that statuses are in lower case; AWS documents no example.
fn notices(
    accounts: BTreeSet<String>,
    region: &str,
    share_arn: &str,
    event: &str,
    status: &str,
) -> Vec<ServiceEvent> {
    let notice = |account| ServiceEvent {
        account,
        region: region.to_owned(),
        source: "aws.ram".to_owned(),
        detail_type: "Resource Sharing State Change".to_owned(),
        resources: vec![share_arn.to_owned()],
        detail: json!({ "event": event, "status": status.to_ascii_lowercase() }),
    };
    accounts.into_iter().map(notice).collect()
}
