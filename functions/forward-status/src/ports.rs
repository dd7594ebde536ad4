//! What the function needs of owner accounts, as traits that its tests can serve from memory.
//!
//! What the hub has to offer is in the runtime's ports.

use aws::{Aws, Error, clients::Role};
use domain::{
    ceiling::Ceiling,
    execution::{Details, ExecutionChange, Parameter},
    id::{AccountId, ExecutionArn},
};
use jiff::Timestamp;

/// The executions of an owner account.
pub trait Executions {
    /// What SageMaker says of an execution now.
    async fn details(&self, owner: &AccountId, execution: &ExecutionArn) -> Result<Details, Error>;

    /// The parameters of an execution that are not what its definition says by default.
    async fn differing_parameters(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Vec<Parameter>, Error>;

    /// When the last step of an execution ended; none if none has.
    async fn last_step_end(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Timestamp>, Error>;

    /// The executions that changed after a time, oldest change first, no more
    /// than so many, and whether these are all.
    async fn changed_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
        most: usize,
    ) -> Result<(Vec<ExecutionChange>, bool), Error>;
}

impl Executions for Aws {
    async fn details(&self, owner: &AccountId, execution: &ExecutionArn) -> Result<Details, Error> {
        self.watcher(owner).details(execution).await
    }

    async fn differing_parameters(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Vec<Parameter>, Error> {
        let watcher = self.watcher(owner);
        watcher.differing_parameters(execution).await
    }

    async fn last_step_end(
        &self,
        owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Timestamp>, Error> {
        self.watcher(owner).last_step_end(execution).await
    }

    async fn changed_since(
        &self,
        owner: &AccountId,
        time: Timestamp,
        most: usize,
    ) -> Result<(Vec<ExecutionChange>, bool), Error> {
        let watcher = self.watcher(owner);
        watcher.executions_changed_since(time, most).await
    }
}

/// The ceilings of owner accounts.
pub trait Ceilings {
    /// What an owner allows at most.
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error>;
}

impl Ceilings for Aws {
    async fn ceiling(&self, owner: &AccountId) -> Result<Ceiling, Error> {
        Aws::ceiling(self, owner, Role::Watcher).await
    }
}
