//! The owner's side: what principals may do by a share.

use std::collections::BTreeMap;

use aws_sdk_ram::types::{
    PermissionFeatureSet, PermissionStatus, ResourceSharePermissionDetail,
    ResourceSharePermissionSummary,
};
use domain::{
    id::{PermissionArn, ShareArn},
    sharing::Flaw,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    all_items, each_page,
    owner::{CONCURRENT, OwnerRam},
    parsed,
};
use crate::error::{Class, Error};

/// The type of pipelines, as RAM names it.
const PIPELINE: &str = "sagemaker:Pipeline";

/// The permission of a share.
pub(super) struct Held {
    pub(super) arn: PermissionArn,
    /// Whether it is in the version that new shares get.
    pub(super) is_default: bool,
    /// Whether it is about pipelines.
    pub(super) is_of_pipelines: bool,
}

impl OwnerRam {
    /// The permissions of shares of this account: all of them by one list, and
    /// once more by itself of each share that they might have to be changed of.
    ///
    /// ASSUMED: without arguments, RAM lists the permissions of all shares of
    /// the account, and how soon it shows a change is not documented. Hence
    /// the question about a share that is missing there, as a new one may be,
    /// or has a permission in an old version. One that still shows another
    /// permission only makes us give the share once more what it has.
    pub(super) async fn permissions(
        &self,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Held>>, Error> {
        if shares.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut held = match self.permissions_of_all(shares).await {
            Err(error) if error.is_access_denied() => {
                tracing::warn!("each share is asked for its permission instead: {error}");
                BTreeMap::new()
            }
            held => held?,
        };
        let is_open = |share: &&ShareArn| held.get(*share).is_none_or(|held| !is_as_new(held));
        let open: Vec<_> = shares.iter().filter(is_open).collect();
        let mut answers = stream::iter(open)
            .map(|share| async move { Ok((share.clone(), self.permissions_of(share).await?)) })
            .buffer_unordered(CONCURRENT);
        while let Some((share, of_share)) = answers.try_next().await? {
            held.insert(share, of_share);
        }
        Ok(held)
    }

    /// The permissions of these shares, as the list of all shares shows them.
    ///
    /// It could be narrowed to a type of resources, but then it might leave out
    /// a share that has none yet.
    async fn permissions_of_all(
        &self,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Held>>, Error> {
        let operation = "ListPermissionAssociations";
        let ours: BTreeMap<_, _> = shares.iter().map(|share| (share.as_str(), share)).collect();
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let request = self.client.list_permission_associations();
        each_page!(
            self.service,
            "ListPermissionAssociations",
            request,
            |permissions| {
                for found in &permissions {
                    let share = found.resource_share_arn().and_then(|arn| ours.get(arn));
                    let Some(share) = share else { continue };
                    let version = (found.default_version(), found.resource_type());
                    let held = self.held(operation, found.arn(), version)?;
                    all.entry(ShareArn::clone(share)).or_default().push(held);
                }
            }
        );
        Ok(all)
    }

    async fn permissions_of(&self, share: &ShareArn) -> Result<Vec<Held>, Error> {
        let request = self
            .client
            .list_resource_share_permissions()
            .resource_share_arn(share.as_str());
        let operation = "ListResourceSharePermissions";
        let read = |found: &ResourceSharePermissionSummary| {
            let version = (found.default_version(), found.resource_type());
            self.held(operation, found.arn(), version)
        };
        Ok(all_items!(
            self.service,
            "ListResourceSharePermissions",
            request,
            permissions,
            read
        ))
    }

    /// Reads a permission of a share, in whichever list RAM shows it.
    fn held(
        &self,
        operation: &'static str,
        arn: Option<&str>,
        (is_default, resource_type): (Option<bool>, Option<&str>),
    ) -> Result<Held, Error> {
        Ok(Held {
            arn: parsed(arn, &self.service, operation)?,
            is_default: is_default != Some(false),
            is_of_pipelines: resource_type.is_none_or(is_of_pipelines),
        })
    }

    /// Why shares of pipelines cannot have a permission; none if they can.
    ///
    /// Only RAM being out of order is an error: whatever else is in the way
    /// is one of the permission, and for people to fix.
    pub async fn flaw_of(&self, permission: &PermissionArn) -> Result<Option<Flaw>, Error> {
        let answer = self
            .client
            .get_permission()
            .permission_arn(permission.as_str())
            .send()
            .await
            .map_err(self.service.failed("GetPermission"));
        match answer {
            Ok(answer) => Ok(answer.permission().and_then(flaw)),
            Err(error) if error.class() == Class::Transient => Err(error),
            Err(error) if error.is("UnknownResourceException") => Ok(Some(Flaw::Missing)),
            Err(error) if error.is("MalformedArnException") => Ok(Some(Flaw::Missing)),
            Err(error) => Ok(Some(Flaw::Unreadable {
                message: error.to_string(),
            })),
        }
    }

    /// Gives a share another permission, or the newest version of its own.
    pub async fn replace_permission(
        &self,
        share: &ShareArn,
        permission: &PermissionArn,
    ) -> Result<(), Error> {
        let answer = self
            .client
            .associate_resource_share_permission()
            .resource_share_arn(share.as_str())
            .permission_arn(permission.as_str())
            .replace(true)
            .send()
            .await
            .map_err(self.service.failed("AssociateResourceSharePermission"))?;
        self.succeeded("AssociateResourceSharePermission", answer.return_value())
    }
}

/// Whether a share has just what a new one gets: a permission for pipelines, in its newest version.
fn is_as_new(held: &[Held]) -> bool {
    let mut of_pipelines = held.iter().filter(|held| held.is_of_pipelines);
    let only = of_pipelines.next();
    of_pipelines.next().is_none() && only.is_some_and(|only| only.is_default)
}

fn is_of_pipelines(resource_type: &str) -> bool {
    resource_type.eq_ignore_ascii_case(PIPELINE)
}

fn flaw(permission: &ResourceSharePermissionDetail) -> Option<Flaw> {
    let resource_type = permission.resource_type().unwrap_or(PIPELINE);
    if !is_of_pipelines(resource_type) {
        return Some(Flaw::OtherType {
            resource_type: resource_type.to_owned(),
        });
    }
    let status = match permission.status() {
        Some(PermissionStatus::Attachable) | None => match permission.feature_set() {
            Some(PermissionFeatureSet::Standard) | None => return None,
            Some(feature_set) => feature_set.as_str(),
        },
        Some(status) => status.as_str(),
    };
    Some(Flaw::NotAttachable {
        status: status.to_owned(),
    })
}
