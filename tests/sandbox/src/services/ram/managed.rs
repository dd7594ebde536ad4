//! Managed permissions and their versions, those of AWS as well as those of customers.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    State,
    catalogue::{PERMISSIONS, Published, TypeName},
    model::{Attached, FeatureSet},
    template::Template,
};
use crate::world::epoch_seconds;

/// When AWS published its permissions: 1 August 2022, for all of them.
///
/// ASSUMED: nothing depends on it.
const PUBLISHED: Timestamp = Timestamp::constant(1_659_312_000, 0);

/// A deleted permission or version stays in lists for two hours.
const SHOWN_AFTER_THE_END: Duration = Duration::from_hours(2);

/// All managed permissions by [`Permission::key`].
pub(super) type Permissions = BTreeMap<String, Permission>;

/// What a managed permission allows on resources of one type.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Permission {
    pub(super) arn: String,
    pub(super) name: String,
    #[serde(with = "super::catalogue::type_name")]
    pub(super) resource_type: TypeName,
    /// Where a customer made it; none if AWS manages it.
    pub(super) home: Option<Home>,
    /// Whether a share gets it where its owner names none.
    pub(super) is_type_default: bool,
    pub(super) feature_set: FeatureSet,
    pub(super) tags: BTreeMap<String, String>,
    /// Every version that there ever was, by number.
    pub(super) versions: BTreeMap<u64, Version>,
    pub(super) default_version: u64,
    pub(super) deleted: Option<Timestamp>,
}

/// The account and Region that a customer managed permission exists in.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Home {
    pub(super) account: String,
    pub(super) region: String,
}

/// One version of a permission.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Version {
    pub(super) template: Template,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) deleted: Option<Timestamp>,
}

impl Version {
    /// A version that is made now.
    pub(super) fn new(template: Template, now: Timestamp) -> Self {
        Self {
            template,
            created: now,
            updated: now,
            deleted: None,
        }
    }
}

/// The permissions that AWS manages.
pub(super) fn published() -> Permissions {
    PERMISSIONS
        .iter()
        .map(Permission::of_aws)
        .map(|permission| (permission.key(), permission))
        .collect()
}

/// What permissions are found by; ARNs compare without regard to case.
pub(super) fn key(arn: &str) -> String {
    arn.to_ascii_lowercase()
}

impl Permission {
    fn of_aws(published: &Published) -> Self {
        let version = Version::new(Template::allowing(published.actions), PUBLISHED);
        Self {
            arn: format!("arn:aws:ram::aws:permission/{}", published.name),
            name: published.name.to_owned(),
            resource_type: published.resource_type,
            home: None,
            is_type_default: published.default,
            feature_set: FeatureSet::Standard,
            tags: BTreeMap::new(),
            versions: [(published.version, version)].into(),
            default_version: published.version,
            deleted: None,
        }
    }

    /// A new permission of a customer, whose first version is the default.
    pub(super) fn of_customer(
        home: Home,
        name: &str,
        resource_type: &'static str,
        version: Version,
    ) -> Self {
        Self {
            arn: format!(
                "arn:aws:ram:{}:{}:permission/{name}",
                home.region, home.account
            ),
            name: name.to_owned(),
            resource_type,
            home: Some(home),
            is_type_default: false,
            feature_set: FeatureSet::Standard,
            tags: BTreeMap::new(),
            versions: [(1, version)].into(),
            default_version: 1,
            deleted: None,
        }
    }

    /// What it is found by.
    pub(super) fn key(&self) -> String {
        key(&self.arn)
    }

    /// A version that has not been deleted.
    pub(super) fn version(&self, number: u64) -> Option<&Version> {
        let version = self.versions.get(&number);
        version.filter(|version| version.deleted.is_none())
    }

    /// The versions that have not been deleted.
    pub(super) fn live_versions(&self) -> usize {
        let versions = self.versions.values();
        versions.filter(|version| version.deleted.is_none()).count()
    }

    /// Makes another version the default.
    pub(super) fn set_default(&mut self, number: u64, now: Timestamp) {
        for changed in [self.default_version, number] {
            if let Some(version) = self.versions.get_mut(&changed) {
                version.updated = now;
            }
        }
        self.default_version = number;
    }

    /// What lists still show of it: the numbers of its versions.
    pub(super) fn shown_versions(&self, now: Timestamp) -> impl Iterator<Item = u64> {
        self.versions
            .iter()
            .filter(move |(_, version)| {
                let end = version.deleted.or(self.deleted);
                end.is_none_or(|end| now < end + SHOWN_AFTER_THE_END)
            })
            .map(|(number, _)| *number)
    }

    /// The API's `PermissionStatus`: only the default version can be attached.
    pub(super) fn status(&self, number: u64) -> &'static str {
        if self.deleted.is_some() || self.version(number).is_none() {
            "DELETED"
        } else if number == self.default_version && self.feature_set == FeatureSet::Standard {
            "ATTACHABLE"
        } else {
            "UNATTACHABLE"
        }
    }

    /// The API's `ResourceSharePermissionSummary` of a version.
    pub(super) fn summary(&self, number: u64, status: &str) -> Value {
        let version = self.versions.get(&number);
        let time = |read: fn(&Version) -> Timestamp| version.map(read).map(epoch_seconds);
        let mut summary = json!({
            "arn": self.arn,
            "version": number.to_string(),
            "defaultVersion": number == self.default_version,
            "name": self.name,
            "resourceType": self.resource_type,
            "status": status,
            "creationTime": time(|version| version.created),
            "lastUpdatedTime": time(|version| version.updated),
            "isResourceTypeDefault": self.is_type_default,
            "permissionType": self.kind(),
            "featureSet": self.feature_set.as_str(),
        });
        if self.home.is_some() {
            summary["tags"] = self
                .tags
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
        }
        summary
    }

    /// The API's `ResourceSharePermissionDetail` of a version.
    pub(super) fn detail(&self, number: u64) -> Value {
        let mut detail = self.summary(number, self.status(number));
        let text = self.version(number).map(|version| &version.template.text);
        detail["permission"] = json!(text);
        detail
    }

    /// The API's `PermissionType`.
    pub(super) fn kind(&self) -> &'static str {
        if self.home.is_some() {
            "CUSTOMER_MANAGED"
        } else {
            "AWS_MANAGED"
        }
    }
}

impl State {
    /// The permission that resources of a type get where the owner names none.
    pub(super) fn default_permission(&self, resource_type: &str) -> Option<&Permission> {
        self.permissions
            .values()
            .find(|known| known.is_type_default && known.resource_type == resource_type)
    }

    /// What a permission of a share allows, in the version that the share has.
    pub(super) fn template(&self, attached: &Attached) -> Option<&Template> {
        let permission = self.permissions.get(&attached.permission)?;
        Some(&permission.versions.get(&attached.version)?.template)
    }

    /// Whether a share uses the permission, or this version of it.
    pub(super) fn is_attached(&self, permission: &str, version: Option<u64>) -> bool {
        let shares = self.shares.values();
        shares
            .filter(|share| share.is_alive())
            .any(|share| share.uses(permission, version))
    }
}
