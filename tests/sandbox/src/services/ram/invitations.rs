//! Invitations: how an account outside the organization comes to a share.

use std::time::Duration;

use serde_json::Value;

use super::{
    Step,
    associations::{self, Pending},
    entities::Principal,
    input::{check_arn, required, share_arns, wants_regional},
    model::{AssociationStatus, Invitation, InvitationStatus, Key, Share, Subject},
    notices, paging,
};
use crate::{
    readings::{EmptyShare, PendingResources, Rejection, RoleInvitations},
    world::{ApiError, Call, World, only_uuid},
};

const SHORT_LIFE: Duration = Duration::from_hours(12);
const LONG_LIFE: Duration = Duration::from_hours(7 * 24);

/// The invitation of a principal appears, if the principal still waits for it.
pub(super) fn send(world: &mut World, pending: &Pending) {
    let id = only_uuid(&format!("ram invitation {pending:?}"));
    let Some((invitation, life)) = compose(world, pending, &id) else {
        return;
    };
    let arn = invitation.arn.clone();
    notices::send(world, notices::of_invitation(world, &invitation));
    world.ram.invitations.insert(arn.clone(), invitation);
    world.after(life, Step::Expire { invitation: arn }.into());
}

fn compose(world: &World, pending: &Pending, id: &str) -> Option<(Invitation, Duration)> {
    let share = world.ram.share(&pending.share)?;
    let association = share.associations.get(&pending.key)?;
    let Subject::Principal { principal, .. } = &association.subject else {
        return None;
    };
    if association.revision != pending.revision {
        return None;
    }
    let account = principal.account()?;
    let invitation = Invitation {
        arn: format!(
            "arn:aws:ram:{}:{}:resource-share-invitation/{id}",
            share.region, share.owner
        ),
        share: share.arn.clone(),
        share_name: share.name.clone(),
        region: share.region.clone(),
        sender: share.owner.clone(),
        receiver: account.to_owned(),
        receiver_arn: (principal.id() != account).then(|| principal.id().to_owned()),
        association: pending.key.clone(),
        sent: world.now,
        status: InvitationStatus::Pending,
        updated: world.now,
    };
    Some((invitation, life(world, share)))
}

/// How long an invitation to a share lives.
///
/// ASSUMED: what is in the share when the invitation is sent decides, and a
/// single type with the short life is enough for it.
fn life(world: &World, share: &Share) -> Duration {
    let mut types = share
        .associations
        .values()
        .filter_map(|association| match association.subject {
            Subject::Resource(resource_type) if association.status.is_present() => {
                Some(resource_type)
            }
            _ => None,
        })
        .peekable();
    let is_long = match types.peek() {
        None => world.readings.empty_share == EmptyShare::SevenDays,
        Some(_) => types.all(|each| each.invites_for_days),
    };
    if is_long { LONG_LIFE } else { SHORT_LIFE }
}

/// An invitation that nobody answered takes its principal out of the share.
pub(super) fn expire(world: &mut World, arn: &str) {
    let is_pending = world
        .ram
        .invitations
        .get(arn)
        .is_some_and(|invitation| invitation.status == InvitationStatus::Pending);
    if is_pending {
        conclude(world, arn, InvitationStatus::Expired);
    }
}

/// `AcceptResourceShareInvitation`.
pub(super) fn accept(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    answer(world, call, InvitationStatus::Accepted)
}

/// `RejectResourceShareInvitation`.
pub(super) fn reject(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    answer(world, call, InvitationStatus::Rejected)
}

fn answer(world: &mut World, call: &Call, status: InvitationStatus) -> Result<Value, ApiError> {
    let invitation = received(world, call)?;
    match invitation.status {
        InvitationStatus::Pending => {}
        InvitationStatus::Accepted => return Err(over("AlreadyAccepted", &invitation.arn)),
        InvitationStatus::Rejected => return Err(over("AlreadyRejected", &invitation.arn)),
        InvitationStatus::Expired => return Err(over("Expired", &invitation.arn)),
    }
    let arn = invitation.arn.clone();
    conclude(world, &arn, status);
    let invitation = received(world, call)?;
    Ok(serde_json::json!({ "resourceShareInvitation": invitation.to_json() }))
}

/// Ends an invitation and what it was about.
fn conclude(world: &mut World, arn: &str, status: InvitationStatus) {
    let now = world.now;
    let Some(mut invitation) = world.ram.invitations.remove(arn) else {
        return;
    };
    invitation.status = status;
    invitation.updated = now;
    let key = invitation.association.clone();
    let share = invitation.share.clone();
    if status == InvitationStatus::Accepted {
        // As in AWS's sample of the answer, which has the time of acceptance here.
        invitation.sent = now;
        delay_visibility(world, &share, &key);
        associations::change(world, &share, &key, AssociationStatus::Associated, None);
    } else {
        let ended = match (&invitation.status, world.readings.rejection) {
            (InvitationStatus::Rejected, Rejection::Failed) => AssociationStatus::Failed,
            _ => AssociationStatus::Disassociated,
        };
        associations::change(world, &share, &key, ended, None);
    }
    notices::send(world, notices::of_invitation(world, &invitation));
    world.ram.invitations.insert(arn.to_owned(), invitation);
}

fn delay_visibility(world: &mut World, share_arn: &str, key: &Key) {
    let from = world.now + world.ram.acceptance_visibility_delay;
    if let Some(association) = world
        .ram
        .share_mut(share_arn)
        .and_then(|share| share.associations.get_mut(key))
        && let Subject::Principal { visible_from, .. } = &mut association.subject
    {
        *visible_from = from;
    }
}

/// `GetResourceShareInvitations`: those that the caller's account has received.
///
/// ASSUMED: a share without invitations for the account adds nothing to the
/// list; it is not an error.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    let arns = call.texts("resourceShareInvitationArns");
    for arn in &arns {
        find(world, call, arn)?;
    }
    let shares = share_arns(call)?;
    let is_wanted = |wanted: &[String], arn: &str| {
        wanted.is_empty() || wanted.iter().any(|each| each.eq_ignore_ascii_case(arn))
    };
    let invitations = world
        .ram
        .invitations
        .values()
        .filter(|invitation| invitation.is_received_by(world, call))
        .filter(|invitation| is_wanted(&arns, &invitation.arn))
        .filter(|invitation| is_wanted(&shares, &invitation.share))
        .map(Invitation::to_json);
    paging::page(world, call, "resourceShareInvitations", invitations)
}

/// `ListPendingInvitationResources`: what somebody would get who accepts.
///
/// ASSUMED: an accepted invitation is not found any more, since the model has
/// no error of its own for it.
pub(super) fn list_resources(world: &World, call: &Call) -> Result<Value, ApiError> {
    let invitation = received(world, call)?;
    match invitation.status {
        InvitationStatus::Pending => {}
        InvitationStatus::Accepted => return Err(not_found(&invitation.arn)),
        InvitationStatus::Rejected => return Err(over("AlreadyRejected", &invitation.arn)),
        InvitationStatus::Expired => return Err(over("Expired", &invitation.arn)),
    }
    let wanted = wants_regional(call)?;
    let resources = world
        .ram
        .share(&invitation.share)
        .filter(|_| wanted)
        .into_iter()
        .flat_map(|share| {
            let shown = share.resources_that(|status| match world.readings.pending_resources {
                PendingResources::Associated => status == AssociationStatus::Associated,
                PendingResources::Associating => status.is_present(),
            });
            shown.map(move |resource| (share, resource))
        })
        .map(|(share, (association, kind))| association.to_resource(share, kind));
    paging::page(world, call, "resources", resources)
}

/// The invitation that the call names, if its account has received it.
fn received<'a>(world: &'a World, call: &Call) -> Result<&'a Invitation, ApiError> {
    find(world, call, required(call, "resourceShareInvitationArn")?)
}

fn find<'a>(world: &'a World, call: &Call, arn: &str) -> Result<&'a Invitation, ApiError> {
    check_arn(arn, "resource-share-invitation")?;
    world
        .ram
        .invitations
        .get(&arn.to_ascii_lowercase())
        .filter(|invitation| invitation.is_received_by(world, call))
        .ok_or_else(|| not_found(arn))
}

impl Invitation {
    fn is_received_by(&self, world: &World, call: &Call) -> bool {
        let is_for_caller = match world.readings.role_invitations {
            RoleInvitations::Account => true,
            RoleInvitations::Receiver => self.receiver_arn.as_deref().is_none_or(|receiver| {
                Principal::parse(receiver).is_ok_and(|receiver| receiver.is_caller(&call.caller))
            }),
        };
        self.receiver == call.caller.account
            && self.region == call.region
            && self.is_shown(world.now)
            && is_for_caller
    }
}

fn not_found(arn: &str) -> ApiError {
    ApiError::new(
        "ResourceShareInvitationArnNotFoundException",
        format!("The resource share invitation {arn} was not found."),
    )
}

fn over(how: &str, arn: &str) -> ApiError {
    ApiError::new(
        &format!("ResourceShareInvitation{how}Exception"),
        format!("The resource share invitation {arn} is not pending any more."),
    )
}
