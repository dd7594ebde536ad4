//! What the function needs of owner accounts, and of the bus of the hub.
//!
//! The policy, the table and the topic of the hub are ports of the crate
//! `runtime`, since every function needs these.

use std::collections::BTreeSet;

use domain::{
    ceiling::Ceiling,
    id::{AccountId, PermissionArn, ShareArn},
    sharing::{Action, Association, Flaw, Lookalike, NewShare, Pipeline, Share},
    trail::TrailEvent,
    trigger::Offer,
};
use jiff::Timestamp;
use runtime::Error;

pub use crate::waiting::Asking;

/// RAM in owner accounts.
pub trait Ram {
    /// All shares that carry pipeshare's tag, with all that is in them.
    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error>;

    /// The shares under one of these names that do not carry pipeshare's tag.
    async fn lookalikes(
        &self,
        owner: &AccountId,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<Lookalike>, Error>;

    /// Why no share can have the permission, if none can.
    async fn flaw_of(
        &self,
        owner: &AccountId,
        permission: &PermissionArn,
    ) -> Result<Option<Flaw>, Error>;

    /// Creates a share, empty but for its permission and tags.
    async fn create_share(&self, owner: &AccountId, share: &NewShare) -> Result<ShareArn, Error>;

    /// Changes or deletes a share; the answer is what was associated, or is no longer.
    async fn change_share(
        &self,
        owner: &AccountId,
        share: &ShareArn,
        action: &Action,
    ) -> Result<Vec<Association>, Error>;
}

/// `SageMaker` in owner accounts.
pub trait SageMaker {
    /// All pipelines.
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error>;

    /// The pipelines that were created since.
    async fn pipelines_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
    ) -> Result<Vec<Pipeline>, Error>;

    /// Whether an execution of the pipeline has succeeded since it was created.
    async fn has_succeeded(
        &self,
        owner: &AccountId,
        pipeline: &Pipeline,
        asking: Asking,
    ) -> Result<bool, Error>;
}

/// The ceilings of owner accounts.
pub trait Ceilings {
    /// What the account allows at most.
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error>;
}

/// The bus of the hub.
pub trait Bus {
    /// Puts offers on it, for whoever accepts them, and events of the trail, for the log.
    async fn put(&self, offers: &[Offer], trail: &[TrailEvent]) -> Result<(), Error>;
}
