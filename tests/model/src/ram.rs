//! The shares of an account.

use std::collections::BTreeSet;

use domain::{
    id::{PermissionArn, PipelineArn, Principal, ShareArn},
    sharing::{Association, Flaw, Lookalike, MAX_INVITATIONS, MAX_PIPELINES, NewShare, Share},
    status::AssociationStatus,
};
use jiff::Timestamp;

use crate::{Account, Failure};

impl Account {
    /// `GetResourceShares`, with what is in them.
    pub fn list_shares(&mut self) -> Result<Vec<Share>, Failure> {
        self.called("GetResourceShares")?;
        Ok(self.shares.clone())
    }

    /// `GetResourceShares` by names: the shares that lack pipeshare's tag.
    pub fn list_lookalikes(&mut self, wanted: &BTreeSet<&str>) -> Result<Vec<Lookalike>, Failure> {
        self.called("GetResourceShares")?;
        let named = self.lookalikes.iter();
        let named = named.filter(|lookalike| wanted.contains(lookalike.share.as_str()));
        Ok(named.cloned().collect())
    }

    /// `GetPermission`: why no share can have it, if none can.
    pub fn flaw_of(&mut self, permission: &PermissionArn) -> Result<Option<Flaw>, Failure> {
        self.called("GetPermission")?;
        Ok(self.flaws.get(permission).cloned())
    }

    /// `CreateResourceShare`; a token that RAM remembers makes no second share.
    pub fn create_share(&mut self, new: &NewShare) -> Result<ShareArn, Failure> {
        self.call("CreateResourceShare", |account| {
            if let Some(arn) = account.tokens.get(&new.client_token) {
                return Ok(arn.clone());
            }
            let created = account.now();
            let number = account.next_share();
            let id = &account.id;
            let arn = format!("arn:aws:ram:us-east-1:{id}:resource-share/{number}");
            let arn: ShareArn = arn.parse().expect("an ARN");
            account.shares.push(Share::new(new, arn.clone(), created));
            account.tokens.insert(new.client_token.clone(), arn.clone());
            Ok(arn)
        })
    }

    /// `AssociateResourceShare` with pipelines.
    pub fn associate_pipelines(
        &mut self,
        share: &ShareArn,
        pipelines: &[PipelineArn],
    ) -> Result<Vec<Association>, Failure> {
        self.call("AssociateResourceShare", |account| {
            let now = account.now();
            let entities = pipelines.iter().map(ToString::to_string);
            let associations = account.associations(entities, now);
            let share = account.existing(share, "AssociateResourceShare")?;
            add(&mut share.resources, &associations);
            let held = share.resources.iter().filter(|it| it.status.is_present());
            assert!(held.count() <= MAX_PIPELINES, "RAM lets no share hold more");
            Ok(associations)
        })
    }

    /// `AssociateResourceShare` with principals, who are invited if they must accept.
    pub fn associate_principals(
        &mut self,
        share: &ShareArn,
        principals: &[Principal],
    ) -> Result<Vec<Association>, Failure> {
        self.call("AssociateResourceShare", |account| {
            let now = account.now();
            let entities = principals.iter().map(ToString::to_string);
            let associations = account.associations(entities, now);
            let share = account.existing(share, "AssociateResourceShare")?;
            add(&mut share.principals, &associations);
            let invitations = account.invitations();
            assert!(
                invitations <= MAX_INVITATIONS,
                "RAM lets no more be pending"
            );
            Ok(associations)
        })
    }

    /// How many invitations are pending.
    fn invitations(&self) -> usize {
        let shares = self.shares.iter().filter(|it| it.live && it.allow_external);
        let principals = shares.flat_map(|share| &share.principals);
        principals
            .filter(|it| it.status == AssociationStatus::Associating)
            .count()
    }

    /// `DisassociateResourceShare` of resources.
    pub fn disassociate_resources(
        &mut self,
        share: &ShareArn,
        resources: &[String],
    ) -> Result<Vec<Association>, Failure> {
        self.call("DisassociateResourceShare", |account| {
            let now = account.now();
            let share = account.settled(share)?;
            Ok(remove(&mut share.resources, resources, now))
        })
    }

    /// `DisassociateResourceShare` of principals.
    pub fn disassociate_principals(
        &mut self,
        share: &ShareArn,
        principals: &[String],
    ) -> Result<Vec<Association>, Failure> {
        self.call("DisassociateResourceShare", |account| {
            let now = account.now();
            let share = account.settled(share)?;
            Ok(remove(&mut share.principals, principals, now))
        })
    }

    /// `AssociateResourceSharePermission`, in the place of the present one.
    pub fn replace_permission(
        &mut self,
        share: &ShareArn,
        permission: &PermissionArn,
    ) -> Result<(), Failure> {
        const OPERATION: &str = "AssociateResourceSharePermission";
        self.call(OPERATION, |account| {
            account.existing(share, OPERATION)?.permissions = vec![permission.clone()];
            Ok(())
        })
    }

    /// `UpdateResourceShare`.
    pub fn set_allow_external(&mut self, share: &ShareArn, allow: bool) -> Result<(), Failure> {
        self.call("UpdateResourceShare", |account| {
            account
                .existing(share, "UpdateResourceShare")?
                .allow_external = allow;
            Ok(())
        })
    }

    /// `DeleteResourceShare`.
    pub fn delete_share(&mut self, share: &ShareArn) -> Result<(), Failure> {
        self.call("DeleteResourceShare", |account| {
            account.existing(share, "DeleteResourceShare")?.live = false;
            Ok(())
        })
    }

    fn associations(
        &self,
        entities: impl Iterator<Item = String>,
        now: Timestamp,
    ) -> Vec<Association> {
        let association = |entity: String| {
            let is_refused = self.refused.contains(&entity);
            let status = if is_refused {
                AssociationStatus::Failed
            } else if self.settles_at_once {
                AssociationStatus::Associated
            } else {
                AssociationStatus::Associating
            };
            Association {
                entity,
                status,
                message: is_refused.then(|| "refused by the test".to_owned()),
                created: Some(now),
                updated: Some(now),
            }
        };
        entities.map(association).collect()
    }

    fn existing(
        &mut self,
        share: &ShareArn,
        operation: &'static str,
    ) -> Result<&mut Share, Failure> {
        let mut shares = self.shares.iter_mut();
        let found = shares.find(|it| it.live && it.arn == *share);
        found.ok_or_else(|| Failure {
            operation,
            code: "UnknownResourceException".to_owned(),
            is_carried_out: false,
        })
    }

    /// A share that something can be taken from: nothing in it is `ASSOCIATING`.
    fn settled(&mut self, share: &ShareArn) -> Result<&mut Share, Failure> {
        const OPERATION: &str = "DisassociateResourceShare";
        let share = self.existing(share, OPERATION)?;
        let mut all = share.resources.iter().chain(&share.principals);
        if all.any(|it| it.status == AssociationStatus::Associating) {
            return Err(Failure {
                operation: OPERATION,
                code: "InvalidStateTransitionException".to_owned(),
                is_carried_out: false,
            });
        }
        Ok(share)
    }
}

fn add(list: &mut Vec<Association>, associations: &[Association]) {
    for association in associations {
        list.retain(|known| known.entity != association.entity);
        list.push(association.clone());
    }
}

fn remove(list: &mut [Association], entities: &[String], now: Timestamp) -> Vec<Association> {
    let named = list.iter_mut().filter(|it| entities.contains(&it.entity));
    let ended = named.map(|association| {
        association.status = AssociationStatus::Disassociated;
        association.updated = Some(now);
        association.clone()
    });
    ended.collect()
}

/// Ends what is under way.
pub(crate) fn settle(list: &mut [Association]) {
    for association in list {
        if association.status == AssociationStatus::Associating {
            association.status = AssociationStatus::Associated;
        }
    }
}
