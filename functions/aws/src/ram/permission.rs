//! The owner's side: what principals may do by a share.

use std::collections::BTreeMap;

use aws_sdk_ram::types::{PermissionFeatureSet, PermissionStatus, ResourceSharePermissionDetail};
use domain::{
    id::{PermissionArn, ShareArn},
    sharing::Flaw,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    all_pages,
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
    pub(super) async fn permissions(
        &self,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Held>>, Error> {
        stream::iter(shares)
            .map(|share| async move { Ok((share.clone(), self.permissions_of(share).await?)) })
            .buffered(CONCURRENT)
            .try_collect()
            .await
    }

    async fn permissions_of(&self, share: &ShareArn) -> Result<Vec<Held>, Error> {
        let request = self
            .client
            .list_resource_share_permissions()
            .resource_share_arn(share.as_str());
        let operation = "ListResourceSharePermissions";
        let found = all_pages!(
            self.service,
            "ListResourceSharePermissions",
            request,
            permissions
        );
        let held = found.iter().map(|permission| {
            Ok(Held {
                arn: parsed(permission.arn(), &self.service, operation)?,
                is_default: permission.default_version() != Some(false),
                is_of_pipelines: permission.resource_type().is_none_or(is_of_pipelines),
            })
        });
        held.collect()
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
