//! One consumer account.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AccountId, InvitationArn, PipelineArn, ShareArn},
    invitation::{Accepted, Invitation, ReceivedShare, Resource},
    status::InvitationStatus,
};
use jiff::Timestamp;

use crate::{Failure, Failures};

/// What RAM and `SageMaker` show an account that pipelines are shared with.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// Which one it is.
    pub id: AccountId,
    /// The invitations that RAM lists.
    pub invitations: Vec<Invitation>,
    /// The shares that the account can see.
    pub shares: Vec<ReceivedShare>,
    /// What is inside shares, be they accepted or not.
    pub contents: BTreeMap<ShareArn, Vec<Resource>>,
    /// The pipelines that `SageMaker` denies although RAM shows them.
    pub denied: BTreeSet<PipelineArn>,
    /// The pipelines that RAM shows although they are deleted.
    pub deleted: BTreeSet<PipelineArn>,
    /// The operations that were called, in order.
    pub calls: Vec<&'static str>,
    /// What is to fail.
    pub failures: Failures,
}

impl Consumer {
    /// An account that nobody has shared anything with.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.parse().expect("an account id"),
            invitations: Vec::new(),
            shares: Vec::new(),
            contents: BTreeMap::new(),
            denied: BTreeSet::new(),
            deleted: BTreeSet::new(),
            calls: Vec::new(),
            failures: Failures::default(),
        }
    }

    /// An owner creates a share of this name with these pipelines and invites the account.
    pub fn invite(&mut self, owner: &str, share_name: &str, pipelines: &[&str]) -> ShareArn {
        let share = self.fill(owner, share_name, pipelines);
        let number = self.invitations.len();
        let arn = format!("arn:aws:ram:us-east-1:{owner}:resource-share-invitation/i-{number}");
        self.invitations.push(Invitation {
            arn: arn.parse().expect("an ARN"),
            share: share.clone(),
            share_name: share_name.to_owned(),
            sender: owner.parse().expect("an account id"),
            receiver: self.id.clone(),
            status: InvitationStatus::Pending,
            sent: Timestamp::from_second(1_767_600_000).ok(),
        });
        share
    }

    /// An owner of the same organization shares with the account, which need not accept.
    pub fn receive(&mut self, owner: &str, share_name: &str, pipelines: &[&str]) -> ShareArn {
        let share = self.fill(owner, share_name, pipelines);
        self.show(&share, share_name);
        share
    }

    fn fill(&mut self, owner: &str, share_name: &str, pipelines: &[&str]) -> ShareArn {
        let number = self.contents.len();
        let arn = format!("arn:aws:ram:us-east-1:{owner}:resource-share/{share_name}-{number}");
        let share: ShareArn = arn.parse().expect("an ARN");
        self.put(&share, pipelines);
        share
    }

    /// The owner puts pipelines into a share in place of what is inside.
    pub fn put(&mut self, share: &ShareArn, pipelines: &[&str]) {
        let owner = share.owner();
        let inside = pipelines.iter().map(|name| Resource {
            arn: format!("arn:aws:sagemaker:us-east-1:{owner}:pipeline/{name}"),
            kind: "sagemaker:Pipeline".to_owned(),
            associated: Timestamp::from_second(1_767_600_000).ok(),
        });
        self.contents.insert(share.clone(), inside.collect());
    }

    fn show(&mut self, share: &ShareArn, name: &str) {
        self.shares.push(ReceivedShare {
            arn: share.clone(),
            name: name.to_owned(),
            owner: share.owner().clone(),
        });
    }

    /// `GetResourceShareInvitations`, of some shares or of all.
    pub fn invitations(&mut self, shares: Option<&[ShareArn]>) -> Result<Vec<Invitation>, Failure> {
        self.call("GetResourceShareInvitations")?;
        let is_meant = |it: &&Invitation| shares.is_none_or(|shares| shares.contains(&it.share));
        Ok(self.invitations.iter().filter(is_meant).cloned().collect())
    }

    /// `GetResourceShares` of others, of some shares or of all.
    pub fn shares(&mut self, shares: Option<&[ShareArn]>) -> Result<Vec<ReceivedShare>, Failure> {
        self.call("GetResourceShares")?;
        let is_meant = |it: &&ReceivedShare| shares.is_none_or(|shares| shares.contains(&it.arn));
        Ok(self.shares.iter().filter(is_meant).cloned().collect())
    }

    /// `ListPendingInvitationResources`; none if it is not pending any more.
    pub fn pending_resources(
        &mut self,
        invitation: &InvitationArn,
    ) -> Result<Option<Vec<Resource>>, Failure> {
        self.call("ListPendingInvitationResources")?;
        let mut invitations = self.invitations.iter();
        let pending =
            invitations.find(|it| it.arn == *invitation && it.status == InvitationStatus::Pending);
        Ok(pending.map(|it| self.contents.get(&it.share).cloned().unwrap_or_default()))
    }

    /// `ListResources` of visible shares.
    pub fn resources(
        &mut self,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Resource>>, Failure> {
        self.call("ListResources")?;
        let inside = |share: &ShareArn| Some((share.clone(), self.contents.get(share)?.clone()));
        Ok(shares.iter().filter_map(inside).collect())
    }

    /// `AcceptResourceShareInvitation`.
    pub fn accept(&mut self, invitation: &InvitationArn) -> Result<Accepted, Failure> {
        self.call("AcceptResourceShareInvitation")?;
        let mut invitations = self.invitations.iter_mut();
        let Some(invitation) = invitations.find(|it| it.arn == *invitation) else {
            return Ok(Accepted::No);
        };
        match invitation.status {
            InvitationStatus::Pending => {
                invitation.status = InvitationStatus::Accepted;
                let (share, name) = (invitation.share.clone(), invitation.share_name.clone());
                self.show(&share, &name);
                Ok(Accepted::Now)
            }
            InvitationStatus::Accepted => Ok(Accepted::Already),
            _ => Ok(Accepted::No),
        }
    }

    /// `RejectResourceShareInvitation`.
    pub fn reject(&mut self, invitation: &InvitationArn) -> Result<(), Failure> {
        self.call("RejectResourceShareInvitation")?;
        let invitations = self.invitations.iter_mut();
        for invitation in invitations.filter(|it| it.arn == *invitation) {
            invitation.status = InvitationStatus::Rejected;
        }
        Ok(())
    }

    /// `DescribePipeline` of another account.
    pub fn describe(&mut self, pipeline: &PipelineArn) -> Result<(), Failure> {
        self.call("DescribePipeline")?;
        let failed = |code: &str| Failure {
            operation: "DescribePipeline",
            code: code.to_owned(),
            is_carried_out: false,
        };
        if self.denied.contains(pipeline) {
            return Err(failed("AccessDeniedException"));
        }
        if self.deleted.contains(pipeline) {
            return Err(failed("ResourceNotFound"));
        }
        Ok(())
    }

    /// How often an operation was called.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|it| **it == operation).count()
    }

    fn call(&mut self, operation: &'static str) -> Result<(), Failure> {
        self.calls.push(operation);
        self.failures.take(operation).map_or(Ok(()), Err)
    }
}
