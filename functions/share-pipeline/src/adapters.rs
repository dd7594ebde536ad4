//! The ports as AWS provides them.

use std::collections::BTreeSet;

use aws::{Aws, clients::Role, eventbridge::Entry, sagemaker::Success};
use domain::{
    ceiling::Ceiling,
    id::{AccountId, PermissionArn, ShareArn},
    notification::SOURCE,
    sharing::{Action, Association, Flaw, Lookalike, NewShare, Pipeline, Share},
    trail::TrailEvent,
    trigger::{OFFER_DETAIL_TYPE, Offer},
};
use jiff::Timestamp;
use runtime::Error;

use crate::{
    ports::{Asking, Bus, Ceilings, Ram, SageMaker},
    waiting::Waiting,
};

/// Owner accounts, each through its roles, and the bus of the hub.
#[derive(Debug)]
pub struct Accounts<'a> {
    aws: &'a Aws,
    bus: String,
    waiting: Waiting,
}

impl<'a> Accounts<'a> {
    /// The accounts that these clients reach, and the bus of this name.
    #[must_use]
    pub fn new(aws: &'a Aws, bus: String) -> Self {
        Self {
            aws,
            bus,
            waiting: Waiting::default(),
        }
    }
}

impl Ram for Accounts<'_> {
    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error> {
        self.aws.owner(owner).shares().await
    }

    async fn lookalikes(
        &self,
        owner: &AccountId,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<Lookalike>, Error> {
        self.aws.owner(owner).lookalikes(names).await
    }

    async fn flaw_of(
        &self,
        owner: &AccountId,
        permission: &PermissionArn,
    ) -> Result<Option<Flaw>, Error> {
        self.aws.owner(owner).flaw_of(permission).await
    }

    async fn create_share(&self, owner: &AccountId, share: &NewShare) -> Result<ShareArn, Error> {
        self.aws.owner(owner).create_share(share).await
    }

    async fn change_share(
        &self,
        owner: &AccountId,
        share: &ShareArn,
        action: &Action,
    ) -> Result<Vec<Association>, Error> {
        let ram = self.aws.owner(owner);
        match action {
            Action::ReplacePermission { permission } => {
                let replaced = ram.replace_permission(share, permission).await;
                replaced.map(|()| Vec::new())
            }
            Action::AllowExternal { allow } => {
                let updated = ram.set_allow_external(share, *allow).await;
                updated.map(|()| Vec::new())
            }
            Action::AddPipelines { pipelines } => ram.associate_pipelines(share, pipelines).await,
            Action::RemoveResources { resources } => {
                ram.disassociate_resources(share, resources).await
            }
            Action::AddPrincipals { principals } => {
                ram.associate_principals(share, principals).await
            }
            Action::RemovePrincipals { principals } => {
                ram.disassociate_principals(share, principals).await
            }
            Action::Delete => ram.delete_share(share).await.map(|()| Vec::new()),
        }
    }
}

impl SageMaker for Accounts<'_> {
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error> {
        self.aws.reader(owner).pipelines().await
    }

    async fn pipelines_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
    ) -> Result<Vec<Pipeline>, Error> {
        self.aws.reader(owner).pipelines_since(time).await
    }

    async fn has_succeeded(
        &self,
        owner: &AccountId,
        pipeline: &Pipeline,
        asking: Asking,
    ) -> Result<bool, Error> {
        if !self.waiting.is_worth_asking(pipeline, asking) {
            return Ok(false);
        }
        let sagemaker = self.aws.reader(owner);
        let success = sagemaker.success(&pipeline.arn, pipeline.created).await?;
        self.waiting.answered(pipeline, success);
        Ok(success == Success::Yes)
    }
}

impl Ceilings for Accounts<'_> {
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error> {
        self.aws.ceiling(owner, Role::Reader).await
    }
}

impl Bus for Accounts<'_> {
    async fn put(&self, offers: &[Offer], trail: &[TrailEvent]) -> Result<(), Error> {
        let entry = |detail_type: &str, resources, detail| Entry {
            source: SOURCE.to_owned(),
            detail_type: detail_type.to_owned(),
            resources,
            detail,
        };
        let offers = offers.iter().map(|offer| {
            let resources = vec![offer.share.to_string()];
            entry(OFFER_DETAIL_TYPE, resources, offer.detail())
        });
        let trail = trail.iter();
        let trail = trail.map(|it| entry(it.detail_type, Vec::new(), it.detail.clone()));
        let entries = offers.chain(trail).collect();
        self.aws.eventbridge().put(&self.bus, entries).await
    }
}
