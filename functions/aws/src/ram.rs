//! Resource Access Manager, from both sides of a share.

mod consumer;
mod owner;

use aws_sdk_ram::types::{Resource, ResourceShareAssociation};
use domain::{
    id::{PipelineArn, Principal, ShareArn},
    status::AssociationStatus,
};
use jiff::Timestamp;

pub use consumer::{Accepted, Consumer, Invitation, ReceivedShare, SharedResource};
pub use owner::{AttachedPermission, NewShare, OwnedShare, Owner};

use crate::{
    error::{Error, Service},
    time::timestamp,
};

/// The resource type of pipelines, as RAM spells it.
pub const PIPELINE_TYPE: &str = "sagemaker:Pipeline";

/// The tag that all shares of pipeshare carry; any other share is not ours.
pub const MANAGED_TAG: &str = "pipeshare:managed";

/// The tag that names the rule that a share serves.
pub const RULE_TAG: &str = "pipeshare:rule";

/// What joins a share to one principal or to one resource.
///
/// RAM answers HTTP 200 also for an association that it then reports as
/// failed, so the status is part of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The share.
    pub share: ShareArn,
    /// The principal or the ARN of the resource, as RAM wrote it.
    pub entity: String,
    /// How far it has come.
    pub status: AssociationStatus,
    /// Why it failed, in RAM's words.
    pub status_message: Option<String>,
    /// When it was asked for, also for one that was disassociated since.
    pub created: Option<Timestamp>,
}

impl Association {
    /// The entity as a principal.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.entity.parse().ok()
    }

    /// The entity as a pipeline.
    #[must_use]
    pub fn pipeline(&self) -> Option<PipelineArn> {
        self.entity.parse().ok()
    }

    fn from_sdk(
        association: &ResourceShareAssociation,
        service: &Service,
        operation: &'static str,
    ) -> Result<Self, Error> {
        Ok(Self {
            share: parsed(association.resource_share_arn(), service, operation)?,
            entity: present(association.associated_entity(), service, operation)?.to_owned(),
            status: association
                .status()
                .map_or("", |status| status.as_str())
                .into(),
            status_message: association.status_message().map(str::to_owned),
            created: association.creation_time().and_then(timestamp),
        })
    }
}

impl From<&Resource> for SharedResource {
    fn from(resource: &Resource) -> Self {
        Self {
            arn: resource.arn().unwrap_or_default().to_owned(),
            kind: resource.r#type().unwrap_or_default().to_owned(),
        }
    }
}

/// A part of an answer that RAM always sends.
fn present<'a>(
    text: Option<&'a str>,
    service: &Service,
    operation: &'static str,
) -> Result<&'a str, Error> {
    text.ok_or_else(|| service.odd_answer(operation, "an empty place where a text belongs"))
}

/// A part of an answer that RAM always sends, as what it identifies.
fn parsed<T: std::str::FromStr<Err = domain::id::InvalidId>>(
    text: Option<&str>,
    service: &Service,
    operation: &'static str,
) -> Result<T, Error> {
    present(text, service, operation)?
        .parse()
        .map_err(|invalid| service.odd_answer(operation, &format!("an odd value: {invalid}")))
}

/// Reads all pages of a list of RAM, also behind empty ones.
///
/// A token that comes twice does not end the list, as it would by the SDK's
/// default: a list cut short would pass for the whole, and what it lacks would
/// be shared again.
macro_rules! all_pages {
    ($service:expr, $operation:literal, $request:expr, $items:ident) => {{
        let mut pages = $request
            .into_paginator()
            .stop_on_duplicate_token(false)
            .send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err($service.failed($operation))?;
            items.extend(page.$items.unwrap_or_default());
        }
        items
    }};
}
use all_pages;

#[cfg(test)]
mod tests;
