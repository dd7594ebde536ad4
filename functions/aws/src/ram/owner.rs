//! The owner's side: shares, what is in them and whom they are for.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ram::{
    Client,
    types::{
        ResourceOwner, ResourceShare, ResourceShareAssociation, ResourceShareAssociationType,
        ResourceShareStatus, Tag, TagFilter,
    },
};
use domain::{
    hook::Shared,
    id::{PipelineArn, Principal, ShareArn},
    sharing::{Association, Lookalike, NewShare, PREFIX, Share, TAG_MANAGED, TAG_RULE},
    status::ShareStatus,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{all_items, association, each_page, parsed};
use crate::{
    clients::Session,
    error::{Error, Service},
    time::timestamp,
};

/// How many resources RAM takes in one call.
///
/// ASSUMED: as many principals, and as many shares in a filter; RAM documents
/// the number for resources only.
const CHUNK: usize = 100;

/// How many calls of a kind are under way at once; RAM does not publish its
/// rate limits, and four are no burst.
pub(super) const CONCURRENT: usize = 4;

/// Shares of one account, seen and changed by that account.
///
/// Only the creation of a share takes a client token. Associations are
/// idempotent by nature, and RAM would answer a token that it remembers with
/// the old answer: a principal that has to be invited again would not be.
#[derive(Debug, Clone)]
pub struct OwnerRam {
    pub(super) client: Client,
    pub(super) service: Service,
}

impl OwnerRam {
    pub(crate) fn new(client: Client, session: Session) -> Self {
        Self {
            client,
            service: Service::new("ram", Some(session)),
        }
    }

    /// All shares that carry pipeshare's tag, with all that is in them.
    ///
    /// Shares that are deleted are among them, for as long as RAM lists them,
    /// without their contents.
    pub async fn shares(&self) -> Result<Vec<Share>, Error> {
        let managed = TagFilter::builder().tag_key(TAG_MANAGED).build();
        let request = self
            .client
            .get_resource_shares()
            .resource_owner(ResourceOwner::SelfValue)
            .tag_filters(managed);
        let read = |share: &ResourceShare| self.share(share);
        let shares = all_items!(
            self.service,
            "GetResourceShares",
            request,
            resource_shares,
            read
        );
        self.with_contents(shares).await
    }

    async fn with_contents(&self, mut shares: Vec<Share>) -> Result<Vec<Share>, Error> {
        let live = shares.iter().filter(|share| share.live);
        let live: Vec<_> = live.map(|share| share.arn.clone()).collect();
        let (mut principals, mut resources, mut permissions) = futures::try_join!(
            self.associations(ResourceShareAssociationType::Principal, &live),
            self.associations(ResourceShareAssociationType::Resource, &live),
            self.permissions(&live),
        )?;
        for share in &mut shares {
            share.principals = principals.remove(&share.arn).unwrap_or_default();
            share.resources = resources.remove(&share.arn).unwrap_or_default();
            let held = permissions.remove(&share.arn).unwrap_or_default();
            // Those for other types say nothing about pipelines.
            let held = held
                .into_iter()
                .filter(|permission| permission.is_of_pipelines);
            let held: Vec<_> = held.collect();
            share.outdated = held.iter().any(|permission| !permission.is_default);
            share.permissions = held.into_iter().map(|permission| permission.arn).collect();
        }
        Ok(shares)
    }

    fn share(&self, share: &ResourceShare) -> Result<Share, Error> {
        let arn = share.resource_share_arn();
        let status: ShareStatus = share.status().map_or("", |status| status.as_str()).into();
        let rule = share
            .tags()
            .iter()
            .find(|tag| tag.key() == Some(TAG_RULE))
            .and_then(|tag| tag.value());
        Ok(Share {
            arn: parsed(arn, &self.service, "GetResourceShares")?,
            name: share.name().unwrap_or_default().to_owned(),
            rule: rule.map(str::to_owned),
            created: share
                .creation_time()
                .and_then(timestamp)
                .unwrap_or_default(),
            updated: share.last_updated_time().and_then(timestamp),
            // A share that failed holds nothing and never will.
            live: status.is_present() && status != ShareStatus::Failed,
            allow_external: share.allow_external_principals().unwrap_or_default(),
            permissions: Vec::new(),
            outdated: false,
            resources: Vec::new(),
            principals: Vec::new(),
        })
    }

    /// The shares under pipeshare's names that hold a pipeline, or once held it.
    pub async fn shares_with(&self, pipeline: &PipelineArn) -> Result<Vec<Shared>, Error> {
        let operation = "GetResourceShareAssociations";
        let request = self
            .client
            .get_resource_share_associations()
            .association_type(ResourceShareAssociationType::Resource)
            .resource_arn(pipeline.as_str());
        let read = |found: &ResourceShareAssociation| {
            let (share, pipeline) = association(found, &self.service, operation)?;
            let name = found.resource_share_name().unwrap_or_default().to_owned();
            Ok::<_, Error>(Shared {
                share,
                name,
                pipeline,
                principals: Vec::new(),
            })
        };
        let mut shares = all_items!(
            self.service,
            "GetResourceShareAssociations",
            request,
            resource_share_associations,
            read
        );
        shares.retain(|shared| shared.name.starts_with(PREFIX));
        let arns: Vec<_> = shares.iter().map(|shared| shared.share.clone()).collect();
        let principals = ResourceShareAssociationType::Principal;
        let principals = self.associations(principals, &arns).await?;
        for shared in &mut shares {
            shared.principals = principals.get(&shared.share).cloned().unwrap_or_default();
        }
        Ok(shares)
    }

    async fn associations(
        &self,
        kind: ResourceShareAssociationType,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Association>>, Error> {
        let mut found = stream::iter(shares.chunks(CHUNK))
            .map(|chunk| self.associations_of(&kind, chunk))
            .buffer_unordered(CONCURRENT);
        let mut associations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        while let Some(chunk) = found.try_next().await? {
            for (share, mut of_share) in chunk {
                associations.entry(share).or_default().append(&mut of_share);
            }
        }
        Ok(associations)
    }

    /// The associations of no more shares than RAM takes in one filter.
    async fn associations_of(
        &self,
        kind: &ResourceShareAssociationType,
        shares: &[ShareArn],
    ) -> Result<BTreeMap<ShareArn, Vec<Association>>, Error> {
        // RAM refuses a filter on shares together with one on the status.
        let request = self
            .client
            .get_resource_share_associations()
            .association_type(kind.clone())
            .set_resource_share_arns(Some(texts(shares)));
        let mut associations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        each_page!(
            self.service,
            "GetResourceShareAssociations",
            request,
            |resource_share_associations| {
                for found in &resource_share_associations {
                    let (share, association) =
                        association(found, &self.service, "GetResourceShareAssociations")?;
                    associations.entry(share).or_default().push(association);
                }
            }
        );
        Ok(associations)
    }

    /// The shares under one of these names that do not carry pipeshare's tag.
    pub async fn lookalikes(&self, names: &BTreeSet<&str>) -> Result<Vec<Lookalike>, Error> {
        let found = stream::iter(names)
            .map(|name| self.lookalikes_of(name))
            .buffered(CONCURRENT);
        let found: Vec<_> = found.try_collect().await?;
        Ok(found.concat())
    }

    async fn lookalikes_of(&self, name: &str) -> Result<Vec<Lookalike>, Error> {
        let request = self
            .client
            .get_resource_shares()
            .resource_owner(ResourceOwner::SelfValue)
            .resource_share_status(ResourceShareStatus::Active)
            .name(name);
        let is_ours = |share: &ResourceShare| {
            let mut tags = share.tags().iter();
            tags.any(|tag| tag.key() == Some(TAG_MANAGED))
        };
        let mut others = Vec::new();
        each_page!(
            self.service,
            "GetResourceShares",
            request,
            |resource_shares| {
                for share in resource_shares.iter().filter(|share| !is_ours(share)) {
                    let arn = share.resource_share_arn();
                    others.push(Lookalike {
                        share: name.to_owned(),
                        arn: parsed(arn, &self.service, "GetResourceShares")?,
                    });
                }
            }
        );
        Ok(others)
    }

    /// Creates a share, empty but for its permission and tags.
    pub async fn create_share(&self, share: &NewShare) -> Result<ShareArn, Error> {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let answer = self
            .client
            .create_resource_share()
            .name(&share.name)
            .permission_arns(share.permission.as_str())
            .allow_external_principals(share.allow_external)
            .tags(tag(TAG_MANAGED, "true"))
            .tags(tag(TAG_RULE, share.rule.as_str()))
            .client_token(&share.client_token)
            .send()
            .await
            .map_err(self.service.failed("CreateResourceShare"))?;
        let created = answer
            .resource_share()
            .and_then(ResourceShare::resource_share_arn);
        parsed(created, &self.service, "CreateResourceShare")
    }

    /// Adds pipelines to a share; what was in it already stays.
    pub async fn associate_pipelines(
        &self,
        share: &ShareArn,
        pipelines: &[PipelineArn],
    ) -> Result<Vec<Association>, Error> {
        in_chunks(pipelines, async |chunk| {
            self.associate(share, Some(chunk), None).await
        })
        .await
    }

    /// Adds principals to a share; those that must accept are sent an invitation.
    pub async fn associate_principals(
        &self,
        share: &ShareArn,
        principals: &[Principal],
    ) -> Result<Vec<Association>, Error> {
        in_chunks(principals, async |chunk| {
            self.associate(share, None, Some(chunk)).await
        })
        .await
    }

    async fn associate(
        &self,
        share: &ShareArn,
        resources: Option<Vec<String>>,
        principals: Option<Vec<String>>,
    ) -> Result<Vec<Association>, Error> {
        let answer = self
            .client
            .associate_resource_share()
            .resource_share_arn(share.as_str())
            .set_resource_arns(resources)
            .set_principals(principals)
            .send()
            .await
            .map_err(self.service.failed("AssociateResourceShare"))?;
        self.read(
            "AssociateResourceShare",
            answer.resource_share_associations(),
        )
    }

    /// Takes resources out of a share, whatever they are.
    pub async fn disassociate_resources(
        &self,
        share: &ShareArn,
        resources: &[String],
    ) -> Result<Vec<Association>, Error> {
        in_chunks(resources, async |chunk| {
            self.disassociate(share, Some(chunk), None).await
        })
        .await
    }

    /// Takes principals out of a share, and with them their access.
    pub async fn disassociate_principals(
        &self,
        share: &ShareArn,
        principals: &[String],
    ) -> Result<Vec<Association>, Error> {
        in_chunks(principals, async |chunk| {
            self.disassociate(share, None, Some(chunk)).await
        })
        .await
    }

    async fn disassociate(
        &self,
        share: &ShareArn,
        resources: Option<Vec<String>>,
        principals: Option<Vec<String>>,
    ) -> Result<Vec<Association>, Error> {
        let answer = self
            .client
            .disassociate_resource_share()
            .resource_share_arn(share.as_str())
            .set_resource_arns(resources)
            .set_principals(principals)
            .send()
            .await
            .map_err(self.service.failed("DisassociateResourceShare"))?;
        self.read(
            "DisassociateResourceShare",
            answer.resource_share_associations(),
        )
    }

    /// Says whether accounts outside the organization may be added to a share.
    pub async fn set_allow_external(&self, share: &ShareArn, allow: bool) -> Result<(), Error> {
        self.client
            .update_resource_share()
            .resource_share_arn(share.as_str())
            .allow_external_principals(allow)
            .send()
            .await
            .map_err(self.service.failed("UpdateResourceShare"))?;
        Ok(())
    }

    /// Deletes a share, and with it all access that it gave.
    pub async fn delete_share(&self, share: &ShareArn) -> Result<(), Error> {
        let answer = self
            .client
            .delete_resource_share()
            .resource_share_arn(share.as_str())
            .send()
            .await
            .map_err(self.service.failed("DeleteResourceShare"))?;
        self.succeeded("DeleteResourceShare", answer.return_value())
    }

    fn read(
        &self,
        operation: &'static str,
        associations: &[ResourceShareAssociation],
    ) -> Result<Vec<Association>, Error> {
        associations
            .iter()
            .map(|found| Ok(association(found, &self.service, operation)?.1))
            .collect()
    }

    pub(super) fn succeeded(
        &self,
        operation: &'static str,
        value: Option<bool>,
    ) -> Result<(), Error> {
        if value == Some(false) {
            return Err(self.service.odd_answer(operation, "a returnValue of false"));
        }
        Ok(())
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

/// Makes one call for every hundred items, in order, and joins the answers.
async fn in_chunks<T: ToString>(
    items: &[T],
    call: impl AsyncFn(Vec<String>) -> Result<Vec<Association>, Error>,
) -> Result<Vec<Association>, Error> {
    let mut answers = Vec::new();
    for chunk in items.chunks(CHUNK) {
        answers.extend(call(texts(chunk)).await?);
    }
    Ok(answers)
}
