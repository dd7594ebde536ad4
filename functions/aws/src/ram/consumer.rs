//! The consumer's side: invitations, and the shares that were accepted.

use aws_config::SdkConfig;
use aws_sdk_ram::{
    Client,
    types::{ResourceOwner, ResourceShare, ResourceShareInvitation, ResourceShareStatus},
};
use domain::{
    id::{AccountId, InvalidId, InvitationArn, ShareArn},
    invitation::{Invitation, Resource},
};

use super::{all_pages, resource};
use crate::{
    clients::Session,
    error::{Error, Service},
};

/// A share of another account that this account is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedShare {
    /// The share.
    pub arn: ShareArn,
    /// Its name, which its owner may change at any time.
    pub name: String,
    /// The account that owns it.
    pub owner: AccountId,
}

/// How an invitation came to be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// By this call.
    Now,
    /// Before it.
    Already,
}

/// Invitations and shares of others, seen by the account that receives them.
#[derive(Debug, Clone)]
pub struct Consumer {
    client: Client,
    service: Service,
}

impl Consumer {
    pub(crate) fn new(config: &SdkConfig, session: Session) -> Self {
        Self {
            client: Client::new(config),
            service: Service::new("ram", Some(session)),
        }
    }

    /// All invitations that RAM still lists, whatever their status.
    ///
    /// RAM has no filter for the status and forgets an accepted one after
    /// about a week, so the absence of an invitation proves nothing.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, Error> {
        let request = self.client.get_resource_share_invitations();
        let found = all_pages!(
            self.service,
            "GetResourceShareInvitations",
            request,
            resource_share_invitations
        );
        Ok(legible(found.iter().map(invitation)))
    }

    /// What accepting an invitation would give access to.
    pub async fn pending_resources(
        &self,
        invitation: &InvitationArn,
    ) -> Result<Vec<Resource>, Error> {
        let request = self
            .client
            .list_pending_invitation_resources()
            .resource_share_invitation_arn(invitation.as_str());
        let found = all_pages!(
            self.service,
            "ListPendingInvitationResources",
            request,
            resources
        );
        Ok(found.iter().map(resource).collect())
    }

    /// Accepts an invitation; accepting it once more is no failure.
    pub async fn accept(&self, invitation: &InvitationArn) -> Result<Accepted, Error> {
        let answer = self
            .client
            .accept_resource_share_invitation()
            .resource_share_invitation_arn(invitation.as_str())
            .send()
            .await
            .map_err(self.service.failed("AcceptResourceShareInvitation"));
        match answer {
            Ok(_) => Ok(Accepted::Now),
            Err(error) if error.is("ResourceShareInvitationAlreadyAcceptedException") => {
                Ok(Accepted::Already)
            }
            Err(error) => Err(error),
        }
    }

    /// Rejects an invitation; rejecting it once more is no failure.
    pub async fn reject(&self, invitation: &InvitationArn) -> Result<(), Error> {
        let answer = self
            .client
            .reject_resource_share_invitation()
            .resource_share_invitation_arn(invitation.as_str())
            .send()
            .await
            .map_err(self.service.failed("RejectResourceShareInvitation"));
        match answer {
            Err(error) if !error.is("ResourceShareInvitationAlreadyRejectedException") => {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// The active shares of other accounts that this account is in.
    ///
    /// One that was accepted a moment ago may be missing for some seconds.
    pub async fn shares(&self) -> Result<Vec<ReceivedShare>, Error> {
        let request = self
            .client
            .get_resource_shares()
            .resource_owner(ResourceOwner::OtherAccounts)
            .resource_share_status(ResourceShareStatus::Active);
        let found = all_pages!(self.service, "GetResourceShares", request, resource_shares);
        Ok(legible(found.iter().map(received_share)))
    }

    /// What a share of another account gives this one access to.
    pub async fn resources(&self, share: &ShareArn) -> Result<Vec<Resource>, Error> {
        let request = self
            .client
            .list_resources()
            .resource_owner(ResourceOwner::OtherAccounts)
            .resource_share_arns(share.as_str());
        let found = all_pages!(self.service, "ListResources", request, resources);
        Ok(found.iter().map(resource).collect())
    }
}

/// Anyone may send an invitation; one that cannot be read must not hide the others.
fn legible<T>(items: impl Iterator<Item = Result<T, InvalidId>>) -> Vec<T> {
    items
        .filter_map(|item| {
            item.inspect_err(|reason| tracing::warn!(%reason, "RAM lists something odd"))
                .ok()
        })
        .collect()
}

fn invitation(invitation: &ResourceShareInvitation) -> Result<Invitation, InvalidId> {
    Ok(Invitation {
        arn: invitation
            .resource_share_invitation_arn()
            .unwrap_or_default()
            .parse()?,
        share: invitation
            .resource_share_arn()
            .unwrap_or_default()
            .parse()?,
        share_name: invitation
            .resource_share_name()
            .unwrap_or_default()
            .to_owned(),
        sender: invitation.sender_account_id().unwrap_or_default().parse()?,
        receiver: invitation
            .receiver_account_id()
            .unwrap_or_default()
            .parse()?,
        status: invitation
            .status()
            .map_or("", |status| status.as_str())
            .into(),
    })
}

fn received_share(share: &ResourceShare) -> Result<ReceivedShare, InvalidId> {
    Ok(ReceivedShare {
        arn: share.resource_share_arn().unwrap_or_default().parse()?,
        name: share.name().unwrap_or_default().to_owned(),
        owner: share.owning_account_id().unwrap_or_default().parse()?,
    })
}
