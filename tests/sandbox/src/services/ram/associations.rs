//! Bringing principals and resources into shares, and taking them out.

use serde_json::{Value, json};

use super::{
    Step,
    catalogue::PIPELINE,
    entities::{Resource, unknown},
    input::{invalid, is_given, own_share, required, word},
    model::{Association, AssociationStatus, Attached, Key, Share, Subject},
    notices, paging, shares,
    wanted::{Wanted, must_accept},
};
use crate::{
    readings::RecreatedPipeline,
    services::sagemaker,
    world::{ApiError, Call, World},
};

/// A change of an association that takes its time.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Pending {
    pub(super) share: String,
    pub(super) key: Key,
    pub(super) revision: u64,
}

/// `AssociateResourceShare`.
pub(super) fn associate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let wanted = Wanted::read(world, call)?;
    let share = own_share(world, call)?;
    wanted.require_some()?;
    wanted.check(world, share)?;
    let arn = share.arn.clone();
    let keys = wanted.keys();
    add(world, &arn, wanted);
    Ok(answer(world, &arn, &keys))
}

/// `DisassociateResourceShare`.
pub(super) fn disassociate(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let wanted = Wanted::read(world, call)?;
    let share = own_share(world, call)?;
    wanted.require_some()?;
    if share.has_associating() {
        return Err(ApiError::new(
            "InvalidStateTransitionException",
            "At least one of the associations in the resource share is in ASSOCIATING status.",
        ));
    }
    let keys = wanted.keys();
    for (entity, key) in wanted.entities().zip(&keys) {
        if let None | Some(AssociationStatus::Disassociated) = share.status_of(key) {
            return Err(unknown(&format!("The association of {entity}")));
        }
    }
    let arn = share.arn.clone();
    for key in &keys {
        remove(world, &arn, key);
    }
    Ok(answer(world, &arn, &keys))
}

fn answer(world: &World, share_arn: &str, keys: &[Key]) -> Value {
    let associations: Vec<Value> = world
        .ram
        .share(share_arn)
        .into_iter()
        .flat_map(|share| keys.iter().map(move |key| (share, key)))
        .filter_map(|(share, key)| Some(share.associations.get(key)?.to_json(share)))
        .collect();
    json!({ "resourceShareAssociations": associations })
}

/// `GetResourceShareAssociations`, which is about the caller's own shares.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, ApiError> {
    required(call, "associationType")?;
    let kind = word(
        call,
        "associationType",
        &["PRINCIPAL", "RESOURCE", "SOURCE"],
    )?;
    let status = word(call, "associationStatus", STATUSES)?;
    check_combination(call, kind)?;
    let wanted = if kind == Some("PRINCIPAL") {
        call.text("principal")
    } else {
        call.text("resourceArn")
    };
    let associations = shares::selected(world, call, true)?
        .into_iter()
        .flat_map(|share| share.associations.values().map(move |each| (share, each)))
        .filter(|(_, each)| Some(each.kind().as_str()) == kind)
        .filter(|(_, each)| each.is_shown(world.now))
        .filter(|(_, each)| status.is_none_or(|status| each.status.as_str() == status))
        .filter(|(_, each)| wanted.is_none_or(|id| each.entity.eq_ignore_ascii_case(id)));
    paging::page_of(
        world,
        call,
        "resourceShareAssociations",
        associations,
        |(share, each)| each.to_json(share),
    )
}

/// Every status that the API knows.
pub(super) const STATUSES: &[&str] = &[
    "ASSOCIATING",
    "ASSOCIATED",
    "FAILED",
    "DISASSOCIATING",
    "DISASSOCIATED",
    "SUSPENDED",
    "SUSPENDING",
    "RESTORING",
];

fn check_combination(call: &Call, kind: Option<&str>) -> Result<(), ApiError> {
    if is_given(call, "resourceShareArns") && is_given(call, "associationStatus") {
        return Err(invalid(
            "You cannot use ResourceShareArns and AssociationStatus in one request.",
        ));
    }
    if kind == Some("PRINCIPAL") && is_given(call, "resourceArn") {
        return Err(invalid(
            "You cannot specify a resource ARN when the association type is PRINCIPAL.",
        ));
    }
    if kind == Some("RESOURCE") && is_given(call, "principal") {
        return Err(invalid(
            "You cannot specify a principal when the association type is RESOURCE.",
        ));
    }
    Ok(())
}

/// Begins the associations that do not exist yet.
pub(super) fn add(world: &mut World, share_arn: &str, wanted: Wanted) {
    for resource in wanted.resources {
        attach_default_permission(world, share_arn, resource.kind.name);
        let subject = Subject::Resource(resource.kind);
        begin(world, share_arn, resource.arn, subject);
    }
    for principal in wanted.principals {
        let Some(share) = world.ram.share(share_arn) else {
            return;
        };
        let subject = Subject::Principal {
            invited: must_accept(world, share, &principal),
            external: principal.is_external(&world.organization, &share.owner),
            visible_from: world.now,
            principal: principal.clone(),
        };
        begin(world, share_arn, principal.id().to_owned(), subject);
    }
}

/// A resource type that arrives without a permission gets its default one.
fn attach_default_permission(world: &mut World, share_arn: &str, type_name: &'static str) {
    let default = world.ram.default_permission(type_name);
    let attached = default.map(|permission| Attached::default_of(permission, world.now));
    if let Some(attached) = attached
        && let Some(share) = world.ram.share_mut(share_arn)
    {
        share.permissions.entry(type_name).or_insert(attached);
    }
}

fn begin(world: &mut World, share_arn: &str, entity: String, subject: Subject) {
    let invited = matches!(subject, Subject::Principal { invited: true, .. });
    let now = world.now;
    let revision = world.ram.next_revision();
    let association = Association {
        entity,
        subject,
        status: AssociationStatus::Associating,
        message: None,
        created: now,
        updated: now,
        revision,
    };
    let key = association.key();
    let Some(share) = world.ram.share_mut(share_arn) else {
        return;
    };
    if share
        .status_of(&key)
        .is_some_and(AssociationStatus::is_present)
    {
        return;
    }
    share.associations.insert(key.clone(), association);
    let pending = Pending {
        share: share_arn.to_owned(),
        key,
        revision,
    };
    if invited {
        world.after(world.ram.invitation_delay, Step::Invite(pending).into());
    } else {
        world.after(world.ram.association_delay, Step::Settle(pending).into());
    }
}

/// Ends what ends with a resource that was deleted.
pub(crate) fn forget(world: &mut World, resource_arn: &str) {
    if world.readings.recreated_pipeline != RecreatedPipeline::Disassociated {
        return;
    }
    let key = Key::resource(resource_arn);
    let shares = world.ram.shares.values();
    let of = shares.filter(|share| {
        share
            .status_of(&key)
            .is_some_and(AssociationStatus::is_present)
    });
    let arns: Vec<String> = of.map(|share| share.arn.clone()).collect();
    for arn in arns {
        remove(world, &arn, &key);
    }
}

fn remove(world: &mut World, share_arn: &str, key: &Key) {
    let status = world
        .ram
        .association(share_arn, key)
        .map(|each| each.status);
    if status == Some(AssociationStatus::Disassociating) {
        return;
    }
    change(
        world,
        share_arn,
        key,
        AssociationStatus::Disassociating,
        None,
    );
    let Some(association) = world.ram.association(share_arn, key) else {
        return;
    };
    let pending = Pending {
        share: share_arn.to_owned(),
        key: key.clone(),
        revision: association.revision,
    };
    world.after(world.ram.association_delay, Step::Settle(pending).into());
}

/// An association reaches the state that it is on the way to, unless it has
/// taken another way in the meantime.
pub(super) fn settle(world: &mut World, pending: &Pending) {
    if let Some((status, message)) = outcome(world, pending) {
        change(world, &pending.share, &pending.key, status, message);
    }
}

fn outcome(world: &World, pending: &Pending) -> Option<(AssociationStatus, Option<&'static str>)> {
    let share = world.ram.share(&pending.share)?;
    let association = share.associations.get(&pending.key)?;
    if association.revision != pending.revision {
        return None;
    }
    match (association.status, &association.subject) {
        (AssociationStatus::Disassociating, _) => Some((AssociationStatus::Disassociated, None)),
        (AssociationStatus::Associating, Subject::Resource(_))
            if !is_shareable(world, share, &association.entity) =>
        {
            // ASSUMED: the text.
            let message = "The resource could not be found, or your account does not own it.";
            Some((AssociationStatus::Failed, Some(message)))
        }
        (AssociationStatus::Associating, _) => Some((AssociationStatus::Associated, None)),
        _ => None,
    }
}

/// Whether the owner of the share owns the resource in the share's Region.
///
/// The sandbox has no resources other than pipelines; it takes the word of the
/// caller that they exist.
fn is_shareable(world: &World, share: &Share, arn: &str) -> bool {
    Resource::parse(arn).is_ok_and(|resource| {
        resource.account == share.owner
            && resource.region == share.region
            && (resource.kind.name != PIPELINE || sagemaker::pipeline_exists(world, arn))
    })
}

/// Moves an association to another status and tells those whom it concerns.
pub(super) fn change(
    world: &mut World,
    share_arn: &str,
    key: &Key,
    status: AssociationStatus,
    message: Option<&'static str>,
) {
    let now = world.now;
    let revision = world.ram.next_revision();
    let Some(association) = world
        .ram
        .share_mut(share_arn)
        .and_then(|share| share.associations.get_mut(key))
    else {
        return;
    };
    association.status = status;
    association.message = message.map(str::to_owned);
    association.updated = now;
    association.revision = revision;
    let notices = notices::of_association(world, share_arn, key);
    notices::send(world, notices);
}

impl Share {
    /// Where the association of an entity stands, if there is or was one.
    pub(super) fn status_of(&self, key: &Key) -> Option<AssociationStatus> {
        Some(self.associations.get(key)?.status)
    }

    fn has_associating(&self) -> bool {
        self.associations
            .values()
            .any(|association| association.status == AssociationStatus::Associating)
    }
}
