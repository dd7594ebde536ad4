//! Bringing principals and resources into shares, and taking them out.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Step,
    catalogue::{self, PIPELINE},
    entities::{Principal, Resource, unknown},
    input::{invalid, is_given, own_share, required, word},
    model::{Association, AssociationStatus, Attached, Key, Share, Subject},
    notices, paging, shares,
};
use crate::{
    services::sagemaker,
    world::{ApiError, Call, World},
};

/// A change of an association that takes its time.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) share: String,
    pub(super) key: Key,
    pub(super) revision: u64,
}

/// What a call wants to bring into a share.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) resources: Vec<Resource>,
    principals: Vec<Principal>,
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
        share
            .associations
            .get(key)
            .filter(|association| association.status != AssociationStatus::Disassociated)
            .ok_or_else(|| unknown(&format!("The association of {entity}")))?;
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
        .filter(|(_, each)| wanted.is_none_or(|id| each.entity.eq_ignore_ascii_case(id)))
        .map(|(share, each)| each.to_json(share));
    paging::page(world, call, "resourceShareAssociations", associations)
}

const STATUSES: &[&str] = &[
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

impl Wanted {
    /// Reads the principals and resources of a call, each once.
    pub(super) fn read(world: &World, call: &Call) -> Result<Self, ApiError> {
        if is_given(call, "sources") {
            // Only service principals have sources, and pipelines have no service principals.
            return Err(ApiError::not_implemented(call));
        }
        let arns = call.texts("resourceArns");
        if arns.len() > world.ram.quotas.resources_per_call {
            return Err(limit("resources per call"));
        }
        let mut seen = BTreeSet::new();
        let mut resources = Vec::new();
        for arn in arns {
            let resource = Resource::parse(&arn)?;
            if seen.insert(resource.key()) {
                resources.push(resource);
            }
        }
        let mut principals = Vec::new();
        for id in call.texts("principals") {
            let principal = Principal::parse(&id)?;
            if seen.insert(principal.key()) {
                principals.push(principal);
            }
        }
        Ok(Self {
            resources,
            principals,
        })
    }

    fn require_some(&self) -> Result<(), ApiError> {
        if self.resources.is_empty() && self.principals.is_empty() {
            return Err(invalid("Specify at least one resource or principal."));
        }
        Ok(())
    }

    fn entities(&self) -> impl Iterator<Item = &str> {
        let resources = self.resources.iter().map(|resource| resource.arn.as_str());
        resources.chain(self.principals.iter().map(Principal::id))
    }

    fn keys(&self) -> Vec<Key> {
        let resources = self.resources.iter().map(Resource::key);
        let principals = self.principals.iter().map(Principal::key);
        resources.chain(principals).collect()
    }

    /// Whether RAM lets all of it into the share.
    pub(super) fn check(&self, world: &World, share: &Share) -> Result<(), ApiError> {
        for principal in &self.principals {
            principal.check(&world.organization, share)?;
        }
        for (entity, key) in self.entities().zip(self.keys()) {
            if share.status_of(&key) == Some(AssociationStatus::Disassociating) {
                return Err(ApiError::new(
                    "InvalidStateTransitionException",
                    format!("The association of {entity} is in DISASSOCIATING status."),
                ));
            }
        }
        self.check_quotas(world, share)
    }

    fn check_quotas(&self, world: &World, share: &Share) -> Result<(), ApiError> {
        let quotas = &world.ram.quotas;
        let is_new = |key: &Key| {
            share
                .status_of(key)
                .is_none_or(|status| !status.is_present())
        };
        let resources = self
            .resources
            .iter()
            .filter(|each| is_new(&each.key()))
            .count();
        let new: Vec<_> = self
            .principals
            .iter()
            .filter(|each| is_new(&each.key()))
            .collect();
        let invited = new
            .iter()
            .filter(|each| must_accept(world, share, each))
            .count();
        let in_share = Totals::of([share].into_iter());
        let in_all = Totals::of(world.ram.owned(&share.owner, &share.region));
        for (new, present, most, what) in [
            (
                resources,
                in_share.resources,
                quotas.resources_per_share,
                "resources per share",
            ),
            (
                new.len(),
                in_share.principals,
                quotas.principals_per_share,
                "principals per share",
            ),
            (resources, in_all.resources, quotas.resources, "resources"),
            (
                new.len(),
                in_all.principals,
                quotas.principals,
                "principals",
            ),
            (
                invited,
                in_all.invited,
                quotas.pending_invitations,
                "pending invitations",
            ),
        ] {
            if new > 0 && present + new > most {
                return Err(limit(what));
            }
        }
        Ok(())
    }
}

/// How much of each quota some shares use.
#[derive(Debug, Default)]
struct Totals {
    resources: usize,
    principals: usize,
    invited: usize,
}

impl Totals {
    fn of<'a>(shares: impl Iterator<Item = &'a Share>) -> Self {
        let mut totals = Self::default();
        let associations = shares.flat_map(|share| share.associations.values());
        for association in associations.filter(|association| association.status.is_present()) {
            match association.subject {
                Subject::Resource(_) => totals.resources += 1,
                Subject::Principal { invited, .. } => {
                    totals.principals += 1;
                    let waits = association.status == AssociationStatus::Associating;
                    totals.invited += usize::from(invited && waits);
                }
            }
        }
        totals
    }
}

/// The error for a quota that would be exceeded.
pub(super) fn limit(what: &str) -> ApiError {
    ApiError::new(
        "ResourceShareLimitExceededException",
        format!("The operation would exceed the limit for {what}."),
    )
}

fn must_accept(world: &World, share: &Share, principal: &Principal) -> bool {
    let is_other_account = principal
        .account()
        .is_some_and(|account| account != share.owner);
    is_other_account
        && (share.retain_sharing || principal.is_external(&world.organization, &share.owner))
}

/// Begins the associations that do not exist yet.
pub(super) fn add(world: &mut World, share_arn: &str, wanted: Wanted) {
    for resource in wanted.resources {
        attach_default_permission(world, share_arn, resource.resource_type.name);
        let subject = Subject::Resource(resource.resource_type);
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
    let since = world.now;
    if let Some(permission) = catalogue::default_permission(type_name)
        && let Some(share) = world.ram.share_mut(share_arn)
    {
        share
            .permissions
            .entry(type_name)
            .or_insert(Attached { permission, since });
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
            && (resource.resource_type.name != PIPELINE || sagemaker::pipeline_exists(world, arn))
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
    association.message = message;
    association.updated = now;
    association.revision = revision;
    notices::association_changed(world, share_arn, key);
}

impl Share {
    fn status_of(&self, key: &Key) -> Option<AssociationStatus> {
        Some(self.associations.get(key)?.status)
    }

    fn has_associating(&self) -> bool {
        self.associations
            .values()
            .any(|association| association.status == AssociationStatus::Associating)
    }
}
