//! The consumer's side: invitations, and the shares that were accepted.

use std::{collections::BTreeMap, ops::ControlFlow};

use aws_sdk_ram::{
    Client,
    types::{self, ResourceOwner, ResourceShare, ResourceShareInvitation, ResourceShareStatus},
};
use domain::{
    id::{InvalidId, InvitationArn, ShareArn},
    invitation::{Accepted, Invitation, ReceivedShare, Resource},
};

use super::{each_page, parsed, resource};
use crate::{
    clients::Session,
    error::{Error, Service},
    time::timestamp,
};

/// Invitations and shares of others, seen by the account that receives them.
#[derive(Debug, Clone)]
pub struct ConsumerRam {
    client: Client,
    service: Service,
}

impl ConsumerRam {
    pub(crate) fn new(client: Client, session: Session) -> Self {
        Self {
            client,
            service: Service::new("ram", Some(session)),
        }
    }

    /// The invitations to some shares, whatever their status.
    ///
    /// RAM forgets an accepted one after about a week, so the absence of an
    /// invitation proves nothing.
    pub async fn invitations_to(&self, shares: &[ShareArn]) -> Result<Vec<Invitation>, Error> {
        let mut found = Vec::new();
        let arns = shares.iter().map(ToString::to_string).collect();
        let take = |page| {
            found.extend(page);
            ControlFlow::Continue(())
        };
        let read = self.read_invitations(Some(arns), take).await;
        known(read)?;
        Ok(found)
    }

    /// All invitations that RAM still lists, page by page, until `take` has had enough.
    ///
    /// RAM has no filter for the status, and anybody may make the list longer.
    pub async fn each_invitation(
        &self,
        take: impl FnMut(Vec<Invitation>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read_invitations(None, take).await
    }

    async fn read_invitations(
        &self,
        shares: Option<Vec<String>>,
        mut take: impl FnMut(Vec<Invitation>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let request = self
            .client
            .get_resource_share_invitations()
            .set_resource_share_arns(shares);
        each_page!(
            self.service,
            "GetResourceShareInvitations",
            request,
            |resource_share_invitations| {
                let page = resource_share_invitations.iter().map(invitation);
                if take(legible(page)).is_break() {
                    break;
                }
            }
        );
        Ok(())
    }

    /// What accepting an invitation would give access to; nothing can be
    /// said of one that is not pending any more.
    pub async fn pending_resources(
        &self,
        invitation: &InvitationArn,
    ) -> Result<Option<Vec<Resource>>, Error> {
        match self.resources_inside(invitation).await {
            Ok(resources) => Ok(Some(resources)),
            Err(error) if is_over(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn resources_inside(&self, invitation: &InvitationArn) -> Result<Vec<Resource>, Error> {
        let request = self
            .client
            .list_pending_invitation_resources()
            .resource_share_invitation_arn(invitation.as_str());
        let mut found = Vec::new();
        each_page!(
            self.service,
            "ListPendingInvitationResources",
            request,
            |resources| { found.extend(resources.iter().map(resource)) }
        );
        Ok(found)
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
            Err(error) if is_over(&error) => Ok(Accepted::No),
            Err(error) => Err(error),
        }
    }

    /// Rejects an invitation; that it is not pending any more is no failure.
    pub async fn reject(&self, invitation: &InvitationArn) -> Result<(), Error> {
        let answer = self
            .client
            .reject_resource_share_invitation()
            .resource_share_invitation_arn(invitation.as_str())
            .send()
            .await
            .map_err(self.service.failed("RejectResourceShareInvitation"));
        match answer {
            Err(error)
                if !is_over(&error)
                    && !error.is("ResourceShareInvitationAlreadyAcceptedException") =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Those of some shares of other accounts that this account is in and that are active.
    ///
    /// One that was accepted a moment ago may be missing for some seconds.
    pub async fn shares_among(&self, shares: &[ShareArn]) -> Result<Vec<ReceivedShare>, Error> {
        let mut found = Vec::new();
        let arns = shares.iter().map(ToString::to_string).collect();
        let take = |page| {
            found.extend(page);
            ControlFlow::Continue(())
        };
        let read = self.read_shares(Some(arns), take).await;
        known(read)?;
        Ok(found)
    }

    /// The active shares of other accounts that this account is in, page by
    /// page, until `take` has had enough.
    ///
    /// Whoever belongs to the organization may make the list longer.
    pub async fn each_share(
        &self,
        take: impl FnMut(Vec<ReceivedShare>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        self.read_shares(None, take).await
    }

    async fn read_shares(
        &self,
        shares: Option<Vec<String>>,
        mut take: impl FnMut(Vec<ReceivedShare>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let request = self
            .client
            .get_resource_shares()
            .resource_owner(ResourceOwner::OtherAccounts)
            .resource_share_status(ResourceShareStatus::Active)
            .set_resource_share_arns(shares);
        each_page!(
            self.service,
            "GetResourceShares",
            request,
            |resource_shares| {
                let page = resource_shares.iter().map(received_share);
                if take(legible(page)).is_break() {
                    break;
                }
            }
        );
        Ok(())
    }

    /// What shares of other accounts give this one access to, whatever it is.
    ///
    /// A share that RAM shows no contents of is not in the answer, and RAM knows
    /// all of these shares or answers nothing. If several have more than `most`
    /// together, the rest is not read, and there is no answer.
    pub async fn resources(
        &self,
        shares: &[ShareArn],
        most: usize,
    ) -> Result<Option<BTreeMap<ShareArn, Vec<Resource>>>, Error> {
        let arns = shares.iter().map(ToString::to_string).collect();
        let request = self
            .client
            .list_resources()
            .resource_owner(ResourceOwner::OtherAccounts)
            .set_resource_share_arns(Some(arns));
        let mut inside: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut count = 0_usize;
        each_page!(self.service, "ListResources", request, |resources| {
            count = count.saturating_add(resources.len());
            if count > most && shares.len() > 1 {
                return Ok(None);
            }
            // What is in one share mostly comes together.
            for some in resources.chunk_by(|a, b| a.resource_share_arn == b.resource_share_arn) {
                let share = some.first().and_then(types::Resource::resource_share_arn);
                let share = parsed(share, &self.service, "ListResources")?;
                inside
                    .entry(share)
                    .or_default()
                    .extend(some.iter().map(resource));
            }
        });
        Ok(Some(inside))
    }
}

/// Whether somebody rejected the invitation, nobody answered it in time, or it
/// is not there: its share is gone, or it was accepted.
fn is_over(error: &Error) -> bool {
    [
        "ResourceShareInvitationAlreadyRejectedException",
        "ResourceShareInvitationExpiredException",
        "ResourceShareInvitationArnNotFoundException",
    ]
    .iter()
    .any(|code| error.is(code))
}

/// A share that RAM does not know, or does not show to this account yet, is in no list.
fn known(read: Result<(), Error>) -> Result<(), Error> {
    match read {
        Err(error) if error.is("UnknownResourceException") => Ok(()),
        read => read,
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
        sent: invitation.invitation_timestamp().and_then(timestamp),
    })
}

fn received_share(share: &ResourceShare) -> Result<ReceivedShare, InvalidId> {
    Ok(ReceivedShare {
        arn: share.resource_share_arn().unwrap_or_default().parse()?,
        name: share.name().unwrap_or_default().to_owned(),
        owner: share.owning_account_id().unwrap_or_default().parse()?,
    })
}
