//! What RAM tells the default buses of those whom a change concerns.

use std::collections::BTreeSet;

use serde_json::json;

use super::model::{AssociationStatus, Invitation, Key, Share, Subject};
use crate::{
    organization::Organization,
    services::events::{self, ServiceEvent},
    world::World,
};

/// An association has come to an end of its way.
pub(super) fn association_changed(world: &mut World, share_arn: &str, key: &Key) {
    let Some(share) = world.ram.share(share_arn) else {
        return;
    };
    let Some(association) = share.associations.get(key) else {
        return;
    };
    // ASSUMED: the passing states are not announced.
    let status = association.status;
    if matches!(
        status,
        AssociationStatus::Associating | AssociationStatus::Disassociating
    ) {
        return;
    }
    let accounts = match &association.subject {
        Subject::Principal { .. } => accounts(&world.organization, &association.subject),
        Subject::Resource(_) => share
            .principals()
            .flat_map(|(principal, _)| accounts(&world.organization, &principal.subject))
            .collect(),
    };
    let (share, owner) = (share.arn.clone(), share.owner.clone());
    let accounts = accounts.into_iter().chain([owner]).collect();
    announce(
        world,
        accounts,
        &share,
        "Resource Share Association",
        status.as_str(),
    );
}

/// An invitation was sent, answered or has expired.
pub(super) fn invitation_changed(world: &mut World, invitation: &Invitation) {
    let accounts = [invitation.sender.clone(), invitation.receiver.clone()].into();
    let status = invitation.status.as_str();
    announce(
        world,
        accounts,
        &invitation.share,
        "Resource Share Invitation",
        status,
    );
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

/// Sends the one event that RAM has.
///
/// ASSUMED: all of it but the detail type, the event name "Resource Share
/// Association" and that statuses are in lower case; AWS documents no example.
fn announce(
    world: &mut World,
    accounts: BTreeSet<String>,
    share_arn: &str,
    event: &str,
    status: &str,
) {
    let Some(Share { region, .. }) = world.ram.share(share_arn) else {
        return;
    };
    let region = region.clone();
    for account in accounts {
        let event = ServiceEvent {
            account,
            region: region.clone(),
            source: "aws.ram".to_owned(),
            detail_type: "Resource Sharing State Change".to_owned(),
            resources: vec![share_arn.to_owned()],
            detail: json!({ "event": event, "status": status.to_ascii_lowercase() }),
        };
        events::emit(world, event);
    }
}
