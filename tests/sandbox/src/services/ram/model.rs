//! What RAM keeps of shares, associations and invitations, and how its API prints them.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    catalogue::{ResourceType, TypeName},
    entities::Principal,
};
use crate::world::epoch_seconds;

/// A deleted share stays visible to its owner for about two hours.
///
/// ASSUMED: an association that ended does so, too.
const SHOWN_AFTER_THE_END: Duration = Duration::from_hours(2);

/// An invitation that was answered or expired is purged after seven days.
const INVITATION_SHOWN_AFTER_THE_END: Duration = Duration::from_hours(7 * 24);

/// Where a share stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum ShareStatus {
    Active,
    Deleting,
    Deleted,
}

impl ShareStatus {
    /// The API's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }
}

/// How a share or a permission came about, which decides what can be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum FeatureSet {
    /// RAM made it, or it was promoted.
    Standard,
    /// It mirrors a policy that somebody attached to a resource without RAM.
    CreatedFromPolicy,
    /// It is becoming a standard one.
    PromotingToStandard,
}

impl FeatureSet {
    /// Every word of the API.
    pub(super) const WORDS: &[&str] = &["CREATED_FROM_POLICY", "PROMOTING_TO_STANDARD", "STANDARD"];

    /// The API's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::CreatedFromPolicy => "CREATED_FROM_POLICY",
            Self::PromotingToStandard => "PROMOTING_TO_STANDARD",
        }
    }
}

/// Where an association stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum AssociationStatus {
    Associating,
    Associated,
    Failed,
    Disassociating,
    Disassociated,
}

impl AssociationStatus {
    /// The API's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Associating => "ASSOCIATING",
            Self::Associated => "ASSOCIATED",
            Self::Failed => "FAILED",
            Self::Disassociating => "DISASSOCIATING",
            Self::Disassociated => "DISASSOCIATED",
        }
    }

    /// Whether the entity is in the share or on its way in or out.
    pub(super) fn is_present(self) -> bool {
        !matches!(self, Self::Failed | Self::Disassociated)
    }
}

/// Where an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum InvitationStatus {
    Pending,
    Accepted,
    Rejected,
    Expired,
}

impl InvitationStatus {
    /// The API's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// What kind of entity an association brings into a share; principals sort first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub(super) enum Kind {
    Principal,
    Resource,
}

impl Kind {
    /// The API's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Principal => "PRINCIPAL",
            Self::Resource => "RESOURCE",
        }
    }
}

/// What identifies an association within its share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(super) struct Key {
    kind: Kind,
    entity: String,
}

impl Key {
    /// The key of a principal; ARNs compare without regard to case.
    pub(super) fn principal(id: &str) -> Self {
        Self {
            kind: Kind::Principal,
            entity: id.to_ascii_lowercase(),
        }
    }

    /// The key of a resource; ARNs compare without regard to case.
    pub(super) fn resource(arn: &str) -> Self {
        Self {
            kind: Kind::Resource,
            entity: arn.to_ascii_lowercase(),
        }
    }
}

/// A resource share.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Share {
    pub(super) arn: String,
    pub(super) owner: String,
    pub(super) region: String,
    pub(super) name: String,
    pub(super) allow_external_principals: bool,
    pub(super) retain_sharing: bool,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) status: ShareStatus,
    pub(super) feature_set: FeatureSet,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// The one permission of each resource type.
    #[serde(with = "super::catalogue::by_type_name")]
    pub(super) permissions: BTreeMap<TypeName, Attached>,
    #[serde(with = "crate::state::pairs")]
    pub(super) associations: BTreeMap<Key, Association>,
}

/// A permission of a share.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Attached {
    /// What the permission is found by.
    pub(super) permission: String,
    /// The version, which stays when another one becomes the default.
    pub(super) version: u64,
    pub(super) since: Timestamp,
}

/// A principal or a resource of a share.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Association {
    /// The account or ARN as the caller wrote it.
    pub(super) entity: String,
    pub(super) subject: Subject,
    pub(super) status: AssociationStatus,
    pub(super) message: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// Changes with every change of the status, so that a task that was meant
    /// for an earlier status is recognized.
    pub(super) revision: u64,
}

/// Who or what is associated.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) enum Subject {
    Principal {
        principal: Principal,
        /// Whether it must accept an invitation.
        invited: bool,
        external: bool,
        /// When its account begins to see the share.
        visible_from: Timestamp,
    },
    Resource(#[serde(with = "super::catalogue::resource_type")] &'static ResourceType),
}

impl Share {
    /// The resources in the share, with their types.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&Association, &'static ResourceType)> {
        self.resources_that(|status| status == AssociationStatus::Associated)
    }

    /// The resources whose associations have one of these statuses.
    pub(super) fn resources_that(
        &self,
        is_meant: impl Fn(AssociationStatus) -> bool,
    ) -> impl Iterator<Item = (&Association, &'static ResourceType)> {
        self.associations.values().filter_map(move |association| {
            let Subject::Resource(resource_type) = association.subject else {
                return None;
            };
            is_meant(association.status).then_some((association, resource_type))
        })
    }

    /// The principals that have access through the share.
    pub(super) fn principals(&self) -> impl Iterator<Item = (&Association, &Principal)> {
        // Principals sort before the thousands of resources that may follow.
        let principals = self.associations.values().map_while(|association| {
            let Subject::Principal { principal, .. } = &association.subject else {
                return None;
            };
            Some((association, principal))
        });
        principals.filter(|(association, _)| association.status == AssociationStatus::Associated)
    }

    /// Whether resources of a type are in the share or on their way in or out.
    pub(super) fn has_resources_of(&self, type_name: &str) -> bool {
        self.associations.values().any(|association| {
            association.status.is_present()
                && matches!(association.subject, Subject::Resource(kind) if kind.name == type_name)
        })
    }

    /// Whether it has not been deleted.
    pub(super) fn is_alive(&self) -> bool {
        self.status == ShareStatus::Active
    }

    /// Whether it has the permission, or this version of it.
    pub(super) fn uses(&self, permission: &str, version: Option<u64>) -> bool {
        self.permissions.values().any(|attached| {
            attached.permission == permission
                && version.is_none_or(|version| attached.version == version)
        })
    }

    /// Whether the API still shows it to its owner.
    pub(super) fn is_shown(&self, now: Timestamp) -> bool {
        self.status != ShareStatus::Deleted || now < self.updated + SHOWN_AFTER_THE_END
    }

    /// The API's `ResourceShare`; only the owner sees its tags.
    ///
    /// ASSUMED: that consumers do not see the tags.
    pub(super) fn to_json(&self, viewer: &str) -> Value {
        let mut json = json!({
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": self.owner,
            "allowExternalPrincipals": self.allow_external_principals,
            "status": self.status.as_str(),
            "creationTime": epoch_seconds(self.created),
            "lastUpdatedTime": epoch_seconds(self.updated),
            "featureSet": self.feature_set.as_str(),
            "resourceShareConfiguration": {
                "retainSharingOnAccountLeaveOrganization": self.retain_sharing,
            },
        });
        if viewer == self.owner {
            json["tags"] = self
                .tags
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
        }
        json
    }
}

impl Association {
    /// Whether it is a principal or a resource.
    pub(super) fn kind(&self) -> Kind {
        match self.subject {
            Subject::Principal { .. } => Kind::Principal,
            Subject::Resource(_) => Kind::Resource,
        }
    }

    /// Whether it is a principal outside of what the owner shares with uninvited.
    pub(super) fn is_external(&self) -> bool {
        matches!(self.subject, Subject::Principal { external: true, .. })
    }

    /// Its key within the share.
    pub(super) fn key(&self) -> Key {
        Key {
            kind: self.kind(),
            entity: self.entity.to_ascii_lowercase(),
        }
    }

    /// Whether the API still shows it.
    pub(super) fn is_shown(&self, now: Timestamp) -> bool {
        self.status != AssociationStatus::Disassociated || now < self.updated + SHOWN_AFTER_THE_END
    }

    /// The API's `ResourceShareAssociation`.
    pub(super) fn to_json(&self, share: &Share) -> Value {
        let mut json = json!({
            "resourceShareArn": share.arn,
            "resourceShareName": share.name,
            "associatedEntity": self.entity,
            "associationType": self.kind().as_str(),
            "status": self.status.as_str(),
            "creationTime": epoch_seconds(self.created),
            "lastUpdatedTime": epoch_seconds(self.updated),
            "external": self.is_external(),
        });
        if let Some(message) = &self.message {
            json["statusMessage"] = message.as_str().into();
        }
        json
    }

    /// The API's `Resource`, for an association of a resource.
    pub(super) fn to_resource(&self, share: &Share, resource_type: &ResourceType) -> Value {
        json!({
            "arn": self.entity,
            "type": resource_type.name,
            "resourceShareArn": share.arn,
            "status": "AVAILABLE",
            "creationTime": epoch_seconds(self.created),
            "lastUpdatedTime": epoch_seconds(self.updated),
            "resourceRegionScope": "REGIONAL",
        })
    }
}

/// An invitation to a share.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Invitation {
    pub(super) arn: String,
    pub(super) share: String,
    pub(super) share_name: String,
    pub(super) region: String,
    pub(super) sender: String,
    pub(super) receiver: String,
    /// The role or user that is invited; none if it is the whole account.
    pub(super) receiver_arn: Option<String>,
    /// The principal's association in the share.
    pub(super) association: Key,
    pub(super) sent: Timestamp,
    pub(super) status: InvitationStatus,
    pub(super) updated: Timestamp,
}

impl Invitation {
    /// Whether the API still shows it.
    pub(super) fn is_shown(&self, now: Timestamp) -> bool {
        self.status == InvitationStatus::Pending
            || now < self.updated + INVITATION_SHOWN_AFTER_THE_END
    }

    /// The API's `ResourceShareInvitation`.
    pub(super) fn to_json(&self) -> Value {
        let mut json = Map::from_iter([
            ("resourceShareInvitationArn".into(), self.arn.clone().into()),
            ("resourceShareName".into(), self.share_name.clone().into()),
            ("resourceShareArn".into(), self.share.clone().into()),
            ("senderAccountId".into(), self.sender.clone().into()),
            ("receiverAccountId".into(), self.receiver.clone().into()),
            ("invitationTimestamp".into(), epoch_seconds(self.sent)),
            ("status".into(), self.status.as_str().into()),
        ]);
        if let Some(arn) = &self.receiver_arn {
            json.insert("receiverArn".into(), arn.clone().into());
        }
        json.into()
    }
}
