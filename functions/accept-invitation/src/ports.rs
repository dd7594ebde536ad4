//! What the function needs of consumer accounts.

use std::{collections::BTreeMap, ops::ControlFlow};

use aws::{Aws, Error};
use domain::{
    id::{AccountId, InvitationArn, PipelineArn, ShareArn},
    invitation::{Accepted, Invitation, ReceivedShare, Resource},
};

/// RAM and SageMaker as a consumer account sees them.
pub trait Consumers {
    /// The invitations to some shares, whatever their status.
    async fn invitations_to(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<Invitation>, Error>;

    /// All invitations that RAM still lists, page by page, until `take` has had enough.
    async fn each_invitation(
        &self,
        consumer: &AccountId,
        take: impl FnMut(Vec<Invitation>) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// Those of some shares that the account can see.
    async fn shares_among(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<ReceivedShare>, Error>;

    /// All shares of others that the account can see, page by page, until `take` has had enough.
    async fn each_share(
        &self,
        consumer: &AccountId,
        take: impl FnMut(Vec<ReceivedShare>) -> ControlFlow<()>,
    ) -> Result<(), Error>;

    /// What is inside an invitation; none if it is not pending any more.
    async fn pending_resources(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Option<Vec<Resource>>, Error>;

    /// What is inside of visible shares, as far as something is; none if several
    /// have more than `most` together.
    async fn resources(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
        most: usize,
    ) -> Result<Option<BTreeMap<ShareArn, Vec<Resource>>>, Error>;

    /// Accepts an invitation.
    async fn accept(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Accepted, Error>;

    /// Rejects an invitation.
    async fn reject(&self, consumer: &AccountId, invitation: &InvitationArn) -> Result<(), Error>;

    /// Describes a pipeline of another account, which proves the access.
    async fn describe(&self, consumer: &AccountId, pipeline: &PipelineArn) -> Result<(), Error>;
}

impl Consumers for Aws {
    async fn invitations_to(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<Invitation>, Error> {
        self.consumer(consumer).ram.invitations_to(shares).await
    }

    async fn each_invitation(
        &self,
        consumer: &AccountId,
        take: impl FnMut(Vec<Invitation>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.consumer(consumer).ram.each_invitation(take).await
    }

    async fn shares_among(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
    ) -> Result<Vec<ReceivedShare>, Error> {
        self.consumer(consumer).ram.shares_among(shares).await
    }

    async fn each_share(
        &self,
        consumer: &AccountId,
        take: impl FnMut(Vec<ReceivedShare>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.consumer(consumer).ram.each_share(take).await
    }

    async fn pending_resources(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Option<Vec<Resource>>, Error> {
        self.consumer(consumer)
            .ram
            .pending_resources(invitation)
            .await
    }

    async fn resources(
        &self,
        consumer: &AccountId,
        shares: &[ShareArn],
        most: usize,
    ) -> Result<Option<BTreeMap<ShareArn, Vec<Resource>>>, Error> {
        self.consumer(consumer).ram.resources(shares, most).await
    }

    async fn accept(
        &self,
        consumer: &AccountId,
        invitation: &InvitationArn,
    ) -> Result<Accepted, Error> {
        self.consumer(consumer).ram.accept(invitation).await
    }

    async fn reject(&self, consumer: &AccountId, invitation: &InvitationArn) -> Result<(), Error> {
        self.consumer(consumer).ram.reject(invitation).await
    }

    async fn describe(&self, consumer: &AccountId, pipeline: &PipelineArn) -> Result<(), Error> {
        self.consumer(consumer).sagemaker.describe(pipeline).await
    }
}
