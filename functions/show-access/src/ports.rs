//! What the function needs of owner accounts; it only reads.
//!
//! The policy and the table of the hub are ports of the crate `runtime`.

use domain::{
    ceiling::Ceiling,
    execution::{Details, Execution},
    id::{AccountId, ExecutionArn, PipelineArn},
    sharing::{Pipeline, Share},
};
use jiff::Timestamp;
use runtime::Error;

/// Owner accounts, of which nothing is changed.
pub trait Owners {
    /// All pipelines.
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error>;

    /// All shares that carry pipeshare's tag, with all that is in them.
    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error>;

    /// What the account allows at most.
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error>;

    /// The newest executions of a pipeline since it was created, newest first,
    /// and no more than `most`.
    async fn newest_runs(
        &self,
        owner: &AccountId,
        pipeline: &PipelineArn,
        since: Timestamp,
        most: u8,
    ) -> Result<Vec<Execution>, Error>;

    /// How an execution goes.
    async fn described(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Details, Error>;

    /// How an execution went that did not go well, with the steps that failed;
    /// none if there is no such execution.
    async fn explained(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Details>, Error>;
}
